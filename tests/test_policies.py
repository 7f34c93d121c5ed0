"""Least privilege: each function has a policy file of its own, which names actions and what they may touch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app import app
from deploy import package
from tests.packaged import Template, read_template, references

CHALICE = package.ROOT / ".chalice"
# With these S3 has one permission for the whole bucket; everything else is a prefix or an object.
WHOLE_BUCKET = {"s3:ListBucket"}
SETTINGS = json.loads((CHALICE / "config.json").read_text())
HANDLERS: list[Any] = [*app.event_sources, *app.pure_lambda_functions]
FUNCTIONS = {"api_handler", *(handler.name for handler in HANDLERS)}


def statements(function: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((CHALICE / f"policy-{function}.json").read_text())["Statement"]
    return found


ALL = [
    pytest.param(function, statement, id=f"{function}-{statement['Sid']}")
    for function in sorted(FUNCTIONS)
    for statement in statements(function)
]


def test_every_function_has_a_policy_of_its_own_and_none_is_made_up() -> None:
    named = {function: settings["iam_policy_file"] for function, settings in SETTINGS["lambda_functions"].items()}
    assert named == {function: f"policy-{function}.json" for function in FUNCTIONS}
    assert {path.name for path in CHALICE.glob("policy-*.json")} == set(named.values())
    assert SETTINGS["autogen_policy"] is False


@pytest.mark.parametrize(("function", "statement"), ALL)
def test_a_statement_names_actions_and_what_they_touch(function: str, statement: dict[str, Any]) -> None:
    assert statement.keys() == {"Sid", "Effect", "Action", "Resource"}
    assert statement["Effect"] == "Allow"
    assert [action for action in statement["Action"] if "*" in action] == []
    for resource in statement["Resource"]:
        assert is_narrow(resource, set(statement["Action"])), resource


def is_narrow(resource: Any, actions: set[str]) -> bool:
    """Whether it is one resource of the stack, or of the bucket one object or one prefix ending in `/`."""
    if isinstance(resource, dict) and set(resource) == {"Fn::GetAtt"}:
        name, attribute = resource["Fn::GetAtt"]
        return attribute == "Arn" and (name != "ReportsBucket" or actions <= WHOLE_BUCKET)
    if isinstance(resource, dict) and set(resource) == {"Fn::Sub"}:
        bucket, _, key = resource["Fn::Sub"].partition("/")
        return bucket == "${ReportsBucket.Arn}" and (
            "*" not in key or (key.endswith("/*") and key.count("*") == 1 < len(key) - 1)
        )
    return False


@pytest.mark.parametrize(
    ("resource", "actions", "narrow"),
    [
        ({"Fn::GetAtt": ["ReportsTable", "Arn"]}, {"dynamodb:Query"}, True),
        ({"Fn::GetAtt": ["ReportsBucket", "Arn"]}, {"s3:ListBucket"}, True),
        ({"Fn::GetAtt": ["ReportsBucket", "Arn"]}, {"s3:ListBucket", "s3:GetObject"}, False),
        ({"Fn::Sub": "${ReportsBucket.Arn}/raw/*"}, {"s3:GetObject"}, True),
        ({"Fn::Sub": "${ReportsBucket.Arn}/bulk/manifest.json"}, {"s3:GetObject"}, True),
        ({"Fn::Sub": "${ReportsBucket.Arn}/*"}, {"s3:GetObject"}, False),
        ({"Fn::Sub": "${ReportsBucket.Arn}/r*"}, {"s3:GetObject"}, False),
        ({"Fn::Sub": "arn:aws:s3:::*/raw/*"}, {"s3:GetObject"}, False),
        ("*", {"s3:GetObject"}, False),
    ],
)
def test_what_is_narrow(resource: Any, actions: set[str], narrow: bool) -> None:
    assert is_narrow(resource, actions) is narrow


def test_a_function_writes_no_log_but_its_own() -> None:
    groups = {
        function: [r["Fn::GetAtt"][0] for s in statements(function) if s["Sid"] == "WriteItsLog" for r in s["Resource"]]
        for function in FUNCTIONS
    }
    own = {function: ["".join(word.title() for word in function.split("_")) + "LogGroup"] for function in FUNCTIONS}
    assert groups == own


def test_roles_hold_these_policies_alone(package_dev: Any) -> None:
    template: Template = read_template(package_dev)
    for function in FUNCTIONS:
        name = "".join(word.title() for word in function.split("_")) + "Role"
        role = template["Resources"][name]["Properties"]
        assert "ManagedPolicyArns" not in role
        (policy,) = role["Policies"]
        assert policy["PolicyDocument"]["Statement"] == statements(function)


@pytest.mark.parametrize(
    ("policy", "functions"),
    [
        ("RestoredTablePolicy", ["api_handler", "ingest_upload", "reprocess_report"]),
        ("RestoredTableExportPolicy", ["export_bulk"]),
    ],
)
def test_a_restored_table_is_used_like_the_first(package_dev: Any, policy: str, functions: list[str]) -> None:
    added = read_template(package_dev)["Resources"][policy]
    assert added["Condition"] == "UsesRestoredTable"
    (granted,) = added["Properties"]["PolicyDocument"]["Statement"]
    for function in functions:
        own = [
            set(s["Action"]) for s in statements(function) if {"Fn::GetAtt": ["ReportsTable", "Arn"]} in s["Resource"]
        ]
        assert own == [set(granted["Action"])]


def test_a_star_stands_only_where_aws_has_nothing_finer(package_dev: Any) -> None:
    resources = read_template(package_dev)["Resources"]
    stars = {
        action
        for resource in resources.values()
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::Role")
        for policy in [resource["Properties"], *resource["Properties"].get("Policies", [])]
        for statement in policy.get("PolicyDocument", {}).get("Statement", [])
        if statement["Resource"] == "*"
        for action in statement["Action"]
    }
    assert stars == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert "TracePolicy" in resources
    assert set(references(resources["TracePolicy"])) == {
        "ApiHandlerRole",
        "IngestUploadRole",
        "ExportBulkRole",
        "ReprocessReportRole",
    }
