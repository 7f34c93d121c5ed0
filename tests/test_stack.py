"""Deploying and taking down: what is asked of the AWS CLI, for which a program stands that writes down its arguments."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy import package, stack

FAKE = f"""#!{sys.executable}
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
told, code = json.loads((folder / "answers").read_text()).get(" ".join(sys.argv[1:3]), ["", 0])
print(told, file=sys.stderr if code else sys.stdout)
sys.exit(code)
"""
OUTPUTS = [
    {"OutputKey": "ServiceURL", "OutputValue": "https://x.example/api"},
    {"OutputKey": "ReportsBucketName", "OutputValue": "bucket-1"},
    {"OutputKey": "ReportsTableName", "OutputValue": "table-1"},
]


@dataclass(frozen=True)
class Cli:
    """The stand-in for `aws`. It prints what it was told to for the first two words, and fails where a code is set."""

    folder: Path

    def answer(self, words: str, told: str, code: int = 0) -> None:
        answers = json.loads((self.folder / "answers").read_text())
        (self.folder / "answers").write_text(json.dumps({**answers, words: [told, code]}))

    @property
    def calls(self) -> list[list[str]]:
        path = self.folder / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def commands(self) -> list[str]:
        return [" ".join(call[:2]) for call in self.calls]

    def options(self, command: str) -> dict[str, Any]:
        """The options of the one call of a command: a value, several, or True."""
        (call,) = [call for call in self.calls if " ".join(call[:2]) == command]
        found: dict[str, Any] = {}
        for word in call[2:]:
            if word.startswith("--"):
                name, found[word] = word, []
            else:
                found[name].append(word)
        return {name: values[0] if len(values) == 1 else values or True for name, values in found.items()}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """An account with room, without the stack."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "aws").write_text(FAKE)
    (folder / "aws").chmod(0o755)
    (folder / "answers").write_text("{}")
    monkeypatch.setenv("PATH", str(folder))
    made = Cli(folder)
    made.answer("lambda get-account-settings", "1000")
    made.answer("cloudformation describe-stacks", "")
    return made


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder packaged into; packaging itself, which has tests of its own, only writes the parameters."""

    def write(stage: str, out: Path) -> Path:
        out.mkdir(parents=True)
        parameters: dict[str, Any] = {
            name: {} for name in ["Stage", "AlarmEmail", "ExportReservation", "ExportSchedule"]
        }
        (out / package.TEMPLATE).write_text(json.dumps({"Parameters": parameters}))
        return out / package.ARTIFACT

    monkeypatch.setattr(package, "package_stage", write)
    monkeypatch.setattr(stack, "outputs", lambda stage: {o["OutputKey"]: o["OutputValue"] for o in OUTPUTS})
    return tmp_path / "build"


def deploy(out: Path, stage: str = "dev", parameters: str = "", artifacts: str = "zips") -> int:
    return stack.main(["deploy", stage, "--artifacts", artifacts, "--parameters", parameters, "--out", str(out)])


def test_a_deployment_packages_uploads_and_deploys(cli: Cli, out: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert deploy(out, parameters="AlarmEmail=a@b.cn ExportSchedule='cron(0 18 * * ? *)'") == 0
    bucket = {"--s3-bucket": "zips", "--s3-prefix": "township-reports-dev"}
    assert cli.options("cloudformation package") == {
        "--template-file": str(out / "sam.json"),
        "--output-template-file": str(out / "packaged.json"),
        "--use-json": True,
        **bucket,
    }
    assert cli.options("cloudformation deploy") == {
        "--template-file": str(out / "packaged.json"),
        "--stack-name": "township-reports-dev",
        "--capabilities": "CAPABILITY_IAM",
        "--no-fail-on-empty-changeset": True,
        "--parameter-overrides": ["AlarmEmail=a@b.cn", "ExportSchedule=cron(0 18 * * ? *)"],
        **bucket,
    }
    assert cli.commands.index("cloudformation package") < cli.commands.index("cloudformation deploy")
    assert "cloudformation update-termination-protection" not in cli.commands
    printed = capfd.readouterr().out
    assert printed.splitlines()[-1].split() == ["ServiceURL", "https://x.example/api"]


def test_without_parameters_those_of_the_last_deployment_stay(cli: Cli, out: Path) -> None:
    assert deploy(out) == 0
    assert "--parameter-overrides" not in cli.options("cloudformation deploy")


def test_production_cannot_be_deleted_by_mistake(cli: Cli, out: Path) -> None:
    assert deploy(out, "prod") == 0
    assert cli.options("cloudformation update-termination-protection") == {
        "--enable-termination-protection": True,
        "--stack-name": "township-reports-prod",
    }


@pytest.mark.parametrize(
    ("given", "answers", "says"),
    [
        ({"artifacts": ""}, {}, "ARTIFACTS=bucket"),
        ({"parameters": "AlarmEmail"}, {}, "not 'AlarmEmail'"),
        ({"parameters": "AlarmEmail='a"}, {}, "cannot be read"),
        ({"parameters": "Alarm=a@b.cn"}, {}, "no parameter Alarm to give. There are AlarmEmail, Export"),
        ({"parameters": "Stage=prod"}, {}, "no parameter Stage to give"),
        ({}, {"sts get-caller-identity": ("\nUnable to locate credentials.", 255)}, "credentials that work"),
        ({}, {"lambda get-account-settings": ("10", 0)}, "Only 10 functions"),
        ({}, {"cloudformation describe-stacks": ("ROLLBACK_COMPLETE", 0)}, "make teardown STAGE=dev"),
        ({}, {"cloudformation package": ("no such bucket", 1)}, "aws cloudformation package failed"),
        ({}, {"cloudformation deploy": ("rolled back", 255)}, "aws cloudformation deploy failed with exit code 255"),
    ],
    ids=lambda case: str(case)[:40],
)
def test_what_stands_in_the_way_is_told_in_one_line(
    cli: Cli,
    out: Path,
    capfd: pytest.CaptureFixture[str],
    given: dict[str, str],
    answers: dict[str, tuple[str, int]],
    says: str,
) -> None:
    for words, answer in answers.items():
        cli.answer(words, *answer)
    assert deploy(out, **given) == 1
    *_, last = capfd.readouterr().err.splitlines()
    assert says in last


def test_without_the_cli_nothing_is_packaged(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert deploy(out) == 1
    assert capfd.readouterr().err == "The AWS CLI (aws) was not found: install it, and run aws configure.\n"
    assert not out.exists()


@pytest.mark.parametrize(
    ("parameters", "status"), [("ExportReservation=no", ""), ("", "UPDATE_COMPLETE")], ids=["said so", "there already"]
)
def test_a_small_account_is_deployed_to_without_reservation(cli: Cli, out: Path, parameters: str, status: str) -> None:
    cli.answer("lambda get-account-settings", "10")
    cli.answer("cloudformation describe-stacks", status)
    assert deploy(out, parameters=parameters) == 0


def test_taking_down_deletes_the_stack_and_tells_what_stays(cli: Cli, capfd: pytest.CaptureFixture[str]) -> None:
    cli.answer("cloudformation describe-stacks", json.dumps(OUTPUTS))
    assert stack.main(["teardown", "dev"]) == 0
    assert cli.commands[-2:] == ["cloudformation delete-stack", "cloudformation wait"]
    assert cli.calls[-2][2:] == ["--stack-name", "township-reports-dev"]
    assert cli.calls[-1][2:] == ["stack-delete-complete", "--stack-name", "township-reports-dev"]
    _, *kept = capfd.readouterr().out.splitlines()
    assert [line.split() for line in kept] == [["ReportsBucketName", "bucket-1"], ["ReportsTableName", "table-1"]]


def test_what_never_came_up_can_be_taken_down(cli: Cli) -> None:
    cli.answer("cloudformation describe-stacks", "null")
    assert stack.main(["teardown", "dev"]) == 0


def test_what_is_not_there_cannot_be_taken_down(cli: Cli, capfd: pytest.CaptureFixture[str]) -> None:
    cli.answer("cloudformation describe-stacks", "\nStack with id township-reports-dev does not exist", 254)
    assert stack.main(["teardown", "dev"]) == 1
    assert capfd.readouterr().err == "Stack with id township-reports-dev does not exist\n"
    assert "cloudformation delete-stack" not in cli.commands


@pytest.mark.parametrize("target", ["deploy", "teardown"])
def test_make_hands_over_what_it_is_given(tmp_path: Path, target: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    python.chmod(0o755)
    given = ["STAGE=prod", "ARTIFACTS=zips", "PARAMETERS=ExportSchedule='cron(0 18 * * ? *)' AlarmEmail=a@b.cn"]
    done = ["-o", ".venv/.installed-local", f"PYTHON={python}"]
    ran = subprocess.run(["make", "-s", target, *done, *given], cwd=package.ROOT, capture_output=True, check=False)
    words = json.loads(ran.stdout)
    if target == "deploy":
        parameters = given[2].removeprefix("PARAMETERS=")
        assert words == ["-m", "deploy.stack", "deploy", "prod", "--artifacts", "zips", "--parameters", parameters]
    else:
        assert words == ["-m", "deploy.stack", "teardown", "prod"]
