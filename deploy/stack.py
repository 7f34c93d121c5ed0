"""A stage's stack in AWS, made, renewed and removed by the AWS CLI: `python -m deploy.stack deploy|teardown dev|prod`.

What is run is plain `aws cloudformation`, so that account, region and credentials are those that the CLI is set up with.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy import package
from deploy.package import PackagingError

APP = "township-reports"
# Of the executions that may run at once Lambda lets nobody set aside the last hundred.
LEAST_EXECUTIONS = 101
RUNBOOK = "deploy/README.md"
KEPT = ("ReportsBucketName", "ReportsTableName")


class StackError(Exception):
    """The stack was not deployed or removed; the message says why, in one line."""


def stack_name(stage: str) -> str:
    return f"{APP}-{stage}"


def deploy(stage: str, artifacts: str, given: Mapping[str, str], out: Path) -> dict[str, str]:
    """Package a stage into `out` and deploy it through the bucket `artifacts`; the stack's outputs.

    Parameters that are not given keep the value of the last deployment. Raises StackError and PackagingError.
    """
    if not artifacts:
        raise StackError("Name a bucket of yours that the zip goes to: ARTIFACTS=bucket.")
    _require_aws()
    if _is_new(stage) and "ExportReservation" not in given:
        _require_executions()
    package.package_stage(stage, out)
    _require_known(given, out / package.TEMPLATE)
    _deploy(stage, artifacts, given, out)
    if stage == "prod":
        protect = ["--enable-termination-protection", "--stack-name", stack_name(stage)]
        _ask("cloudformation", "update-termination-protection", *protect)
    return outputs(stage)


def teardown(stage: str) -> dict[str, str]:
    """Delete a stage's stack; its outputs as they were, among them the bucket and the table, which stay."""
    _require_aws()
    told = outputs(stage)
    _run("cloudformation", "delete-stack", "--stack-name", stack_name(stage))
    _run("cloudformation", "wait", "stack-delete-complete", "--stack-name", stack_name(stage))
    return told


def outputs(stage: str) -> dict[str, str]:
    """What the stack tells of itself: addresses and names; nothing where its first deployment failed."""
    asked = ["--stack-name", stack_name(stage), "--query", "Stacks[0].Outputs", "--output", "json"]
    told = json.loads(_ask("cloudformation", "describe-stacks", *asked))
    return {output["OutputKey"]: output["OutputValue"] for output in told or ()}


def read_parameters(text: str) -> dict[str, str]:
    """`Name=value Name="a value"` as names and values. Raises StackError."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise StackError(f"PARAMETERS cannot be read: {error}.") from error
    if odd := [word for word in words if "=" not in word]:
        raise StackError(f"PARAMETERS are Name=value, with quotes around a value with blanks; not {odd[0]!r}.")
    return dict(word.split("=", 1) for word in words)


def _require_aws() -> None:
    if shutil.which("aws") is None:
        raise StackError("The AWS CLI (aws) was not found: install it, and run aws configure.")
    try:
        _ask("sts", "get-caller-identity")
    except StackError as error:
        raise StackError(
            f"The AWS CLI has no credentials that work (aws configure, or AWS_PROFILE): {error}"
        ) from error


def _is_new(stage: str) -> bool:
    """Whether there is no such stack yet. Raises StackError where the first deployment failed and left its shell."""
    query = f"Stacks[?StackName=='{stack_name(stage)}'].StackStatus"
    status = _ask("cloudformation", "describe-stacks", "--query", query, "--output", "text").strip()
    if status == "ROLLBACK_COMPLETE":
        raise StackError(f"The first deployment failed ({RUNBOOK} tells how to see why): make teardown STAGE={stage}.")
    return not status


def _require_executions() -> None:
    query = ["--query", "AccountLimit.UnreservedConcurrentExecutions", "--output", "text"]
    executions = int(_ask("lambda", "get-account-settings", *query))
    if executions < LEAST_EXECUTIONS:
        raise StackError(
            f"Only {executions} functions may run at once in this account, too few to set one aside for the export: "
            "have the quota raised, or deploy with PARAMETERS=ExportReservation=no."
        )


def _require_known(given: Mapping[str, str], template: Path) -> None:
    known = json.loads(template.read_text(encoding="utf-8"))["Parameters"].keys() - {"Stage"}
    if unknown := given.keys() - known:
        names = ", ".join(sorted(known))
        raise StackError(f"There is no parameter {', '.join(sorted(unknown))} to give. There are {names}.")


def _deploy(stage: str, artifacts: str, given: Mapping[str, str], out: Path) -> None:
    packaged = out / "packaged.json"
    # The template is larger than a call takes, so that it goes through the bucket too.
    bucket = ["--s3-bucket", artifacts, "--s3-prefix", stack_name(stage)]
    files = ["--template-file", str(out / package.TEMPLATE), "--output-template-file", str(packaged), "--use-json"]
    _run("cloudformation", "package", *files, *bucket)
    what = ["--template-file", str(packaged), "--stack-name", stack_name(stage)]
    how = ["--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"]
    overrides = ["--parameter-overrides", *(f"{name}={value}" for name, value in given.items())] if given else []
    _run("cloudformation", "deploy", *what, *bucket, *how, *overrides)


def _ask(*arguments: str) -> str:
    """What the AWS CLI printed. Raises StackError with its last word."""
    ran = subprocess.run(["aws", *arguments], capture_output=True, text=True, check=False)
    if ran.returncode:
        told = ran.stderr.strip() or f"aws {' '.join(arguments[:2])} failed."
        raise StackError(told.splitlines()[-1])
    return ran.stdout


def _run(*arguments: str) -> None:
    """Run the AWS CLI, which tells its progress itself, on the error stream."""
    ran = subprocess.run(["aws", *arguments], stdout=sys.stderr, check=False)
    if ran.returncode:
        raise StackError(f"aws {' '.join(arguments[:2])} failed with exit code {ran.returncode}.")


def main(arguments: list[str] | None = None) -> int:
    asked = argparse.ArgumentParser(prog="python -m deploy.stack", description="Deploy to AWS, or take down again.")
    asked.add_argument("command", choices=("deploy", "teardown"))
    asked.add_argument("stage", choices=package.STAGES)
    asked.add_argument("--artifacts", default="", help="bucket that the zip and the template go to")
    asked.add_argument("--parameters", default="", help="Name=value, parted by blanks")
    asked.add_argument("--out", type=Path, help="folder to package into (default build/STAGE)")
    options = asked.parse_args(arguments)
    try:
        if options.command == "teardown":
            told = teardown(options.stage)
            print(f"{stack_name(options.stage)} is deleted. What it held stays, and {RUNBOOK} tells how to remove it:")
            told = {name: told[name] for name in KEPT if name in told}
        else:
            out = options.out or package.ROOT / "build" / options.stage
            told = deploy(options.stage, options.artifacts, read_parameters(options.parameters), out)
    except (StackError, PackagingError) as error:
        print(error, file=sys.stderr)
        return 1
    for name, value in sorted(told.items()):
        print(f"{name:20} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
