"""deploy/README.md and the template tell the same, and its commands are ones that the AWS CLI has."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import jmespath
import pytest
from botocore import xform_name

from deploy import package, stack, template
from tests.packaged import read_template

README = (package.ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```$", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [
    line[line.index("aws ") :].strip()
    for block in BLOCKS
    for line in block.splitlines()
    if re.search(r"\baws [a-z]", line)
]
# Of the CLI's own making, not of the services' models.
HIGH_LEVEL = {
    "s3 cp": {"recursive", "metadata-directive"},
    "s3 ls": {"recursive"},
    "s3 mb": set(),
    "s3 sync": {"exclude"},
    "logs tail": {"since", "filter-pattern"},
    "dynamodb wait": {"table-name"},
}
EVERYWHERE = {"query", "output", "no-paginate", "cli-read-timeout"}


def test_every_alarm_has_its_section_and_every_section_its_alarm() -> None:
    alarms = tomllib.loads((template.PARTS / "alarms.toml").read_text(encoding="utf-8"))
    _, _, runbook = README.partition("\n## Alarms\n")
    assert re.findall(r"^### (\w+)$", runbook, re.MULTILINE) == list(alarms)
    assert "### " not in README.partition("\n## Alarms\n")[0]


def test_every_parameter_is_explained_with_its_default(package_dev: Path) -> None:
    known = read_template(package_dev)["Parameters"]
    told: dict[str, str] = {}
    for names, defaults in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| *([^|]*?) *\|", README, re.MULTILINE):
        split = [default.strip(" `") for default in defaults.split(", ")]
        told.update(zip(re.findall(r"`(\w+)`", names), split * (3 if split == [""] else 1), strict=False))
    assert told == {name: str(parameter["Default"]) for name, parameter in known.items() if name != "Stage"}


def test_what_the_commands_take_from_the_stack_is_there(package_dev: Path) -> None:
    outputs = read_template(package_dev)["Outputs"]
    taken = set(re.findall(r"\$\(out (\w+)\)", README)) | {*re.findall(r"output `(\w+)`", README), *stack.KEPT}
    assert len(taken) > 6
    assert taken - outputs.keys() == set()


def test_what_the_commands_set_is_a_parameter(package_dev: Path) -> None:
    known = read_template(package_dev)["Parameters"]
    given = re.findall(r'PARAMETERS="([^"]+)"', README)
    assert {name for text in given for name in re.findall(r"(\w+)=", text)} - known.keys() - {"Name"} == set()


def test_the_logs_have_these_names(package_dev: Path) -> None:
    groups = [r["Properties"] for r in read_template(package_dev)["Resources"].values() if "LogGroup" in r["Type"]]
    names = {group["LogGroupName"]["Fn::Sub"].replace("${AWS::StackName}", "$STACK") for group in groups}
    assert set(re.findall(r'aws logs tail "([^"]+)"', README)) <= names
    assert {f"/aws/lambda/$STACK-{end}" for end in re.findall(r"`…-(\w+)`", README)} <= names


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [link for link in links if not (package.ROOT / "deploy" / link).exists()] == []
    headings = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^##+ (.*)$", README, re.M)}
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[:60])
def test_a_command_exists_with_its_options(command: str) -> None:
    assert command.count("aws ") == 1 + command.count("health.aws "), "one a line"
    _, service, operation, *_ = command.split()
    given = set(re.findall(r"(?<=\s)--([a-z0-9-]+)", re.sub(r"'[^']*'", "''", command))) - EVERYWHERE
    known = HIGH_LEVEL.get(f"{service} {operation}")
    assert given <= (options(service, operation) if known is None else known)


@cache
def options(service: str, operation: str) -> set[str]:
    """The options of an operation, by the models that the AWS CLI is made from."""
    model = botocore.session.get_session().get_service_model("s3" if service == "s3api" else service)
    (name,) = [name for name in model.operation_names if xform_name(name, "-") == operation]
    shape: Any = model.operation_model(name).input_shape
    members = {xform_name(member, "-"): found.type_name for member, found in shape.members.items()}
    return {*members, *(f"no-{member}" for member, kind in members.items() if kind == "boolean")}


def test_queries_can_be_read() -> None:
    queries = re.findall(r"""--query (?:"([^"]+)"|'([^']+)'|(\S+))""", README)
    assert len(queries) > 8
    for found in queries:
        jmespath.compile("".join(found).replace("$1", "x"))


def test_all_versions_are_named_for_deletion() -> None:
    query = next(re.finditer(r"--query '(\{Objects.*?)' >", README)).group(1)
    page = {"Versions": [{"Key": "a", "VersionId": "1", "Size": 2}], "DeleteMarkers": [{"Key": "b", "VersionId": "2"}]}
    both = [{"Key": "a", "VersionId": "1"}, {"Key": "b", "VersionId": "2"}]
    assert jmespath.search(query, page) == {"Objects": both, "Quiet": True}
    assert jmespath.search(query, {"DeleteMarkers": page["DeleteMarkers"]})["Objects"] == both[1:]
    assert not jmespath.search(query, {"Name": "bucket"})["Objects"]
