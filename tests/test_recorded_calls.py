"""Least privilege by what is called: each function may do what it does, and nothing that it never does."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.deployment import API, FUNCTIONS, TABLES, Deployment
from tests.intrinsics import Stack
from tests.recorded_calls import Call, Permission, covers, grants, permissions

# Granted, but asked for by nothing that can be recorded in the function.
UNRECORDED = {
    "logs:CreateLogStream": "Lambda writes the log, with the function's role.",
    "logs:PutLogEvents": "Lambda writes the log, with the function's role.",
    "sqs:ReceiveMessage": "Lambda takes the messages, with the function's role.",
    "sqs:DeleteMessage": "Lambda takes the messages, with the function's role.",
    "sqs:GetQueueAttributes": "Lambda takes the messages, with the function's role.",
    "s3:AbortMultipartUpload": "Sent only where S3 fails amid a large file.",
}


def s3(operation: str, status: int | None = 200, **more: Any) -> Call:
    return {"service": "s3", "operation": operation, "status": status, "Bucket": "b", **more}


def dynamodb(operation: str, **more: Any) -> Call:
    return {"service": "dynamodb", "operation": operation, "status": 200, **more}


NEEDED = {
    "reading an object": (s3("GetObject", Key="k/1"), ["s3:GetObject arn:aws:s3:::b/k/1"]),
    "asking for its size": (s3("HeadObject", Key="k/1"), ["s3:GetObject arn:aws:s3:::b/k/1"]),
    "a missing object": (
        s3("HeadObject", 404, Key="k/1"),
        ["s3:GetObject arn:aws:s3:::b/k/1", "s3:ListBucket arn:aws:s3:::b"],
    ),
    "an address that was only signed": (s3("PutObject", None, Key="k"), ["s3:PutObject arn:aws:s3:::b/k"]),
    "part of a large file": (s3("UploadPart", Key="k"), ["s3:PutObject arn:aws:s3:::b/k"]),
    "a list": (s3("ListObjectsV2", Prefix="k/"), ["s3:ListBucket arn:aws:s3:::b"]),
    "a query": (dynamodb("Query", TableName="t"), ["dynamodb:Query tables/t"]),
    "a transaction": (
        dynamodb("TransactWriteItems", items=[("Update", "t"), ("Delete", "t"), ("ConditionCheck", "u")]),
        ["dynamodb:UpdateItem tables/t", "dynamodb:DeleteItem tables/t", "dynamodb:ConditionCheckItem tables/u"],
    ),
    "a batch": (dynamodb("BatchWriteItem", tables=["t"]), ["dynamodb:BatchWriteItem tables/t"]),
}


@pytest.mark.parametrize(("call", "needed"), NEEDED.values(), ids=NEEDED)
def test_a_call_needs(call: Call, needed: list[str]) -> None:
    assert [" ".join(permission) for permission in permissions(call, "tables/")] == needed


@pytest.mark.parametrize("call", [s3("CopyObject", Key="k"), dynamodb("DescribeTable"), {"service": "sqs"}])
def test_a_call_that_is_not_known_is_no_silent_one(call: Call) -> None:
    with pytest.raises(KeyError):
        list(permissions(call, "tables/"))


COVERED = [
    ("s3:GetObject", "arn:aws:s3:::b/raw/*", "s3:GetObject", "arn:aws:s3:::b/raw/1/2", True),
    ("s3:GetObject", "arn:aws:s3:::b/raw/*", "s3:GetObject", "arn:aws:s3:::b/records/1", False),
    ("s3:GetObject", "arn:aws:s3:::b/raw/*", "s3:PutObject", "arn:aws:s3:::b/raw/1", False),
    ("s3:GetObject", "arn:aws:s3:::b/bulk/x", "s3:GetObject", "arn:aws:s3:::b/bulk/x", True),
    ("s3:GetObject", "arn:aws:s3:::b/bulk/x", "s3:GetObject", "arn:aws:s3:::b/bulk/xy", False),
    ("s3:ListBucket", "arn:aws:s3:::b", "s3:ListBucket", "arn:aws:s3:::b", True),
]


@pytest.mark.parametrize(("action", "resource", "asked", "of", "covered"), COVERED)
def test_what_a_permission_covers(action: str, resource: str, asked: str, of: str, covered: bool) -> None:
    assert covers(Permission(action, resource), Permission(asked, of)) is covered


@pytest.mark.parametrize("more", [{"Effect": "Deny"}, {"Condition": {}}, {"NotResource": []}])
def test_a_statement_that_says_more_than_is_understood_is_noticed(more: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        grants([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **more}])


# The functions' policies, beside all that the functions were made to do.


@pytest.fixture(scope="module")
def used(told: dict[str, Any], deployment: Deployment) -> Deployment:
    """The deployment after every story, and after a reader who has asked for a source and a bulk file."""
    for part in ("source", "text", ""):
        deployment.get(f"/v1/reports/331022103-2022/{part}".rstrip("/"))
    assert [deployment.request(each, "/v1/bulk/reports.ndjson.gz").status for each in ("GET", "HEAD")] == [307, 307]
    assert deployment.get(f"/v1/search?q={quote('亭旁镇')}").json["data"]
    return deployment


def granted(stack: Stack, function: str) -> list[Permission]:
    """What the role of a function may do, by its own policies and those that a condition adds."""
    resources = stack.template["Resources"]
    role = resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    added = [
        found["Properties"]
        for found in resources.values()
        if found["Type"] == "AWS::IAM::Policy"
        and {"Ref": role} in found["Properties"]["Roles"]
        and stack.holds(found["Condition"])
    ]
    policies = [*resources[role]["Properties"]["Policies"], *added]
    return [each for policy in policies for each in grants(stack.resolve(policy["PolicyDocument"]["Statement"]))]


def needed(there: Deployment, function: str) -> set[Permission]:
    return {each for call in there.recorded(function) for each in permissions(call, TABLES)}


@pytest.mark.engines
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_call_is_allowed(used: Deployment, function: str) -> None:
    allowed, asked = granted(used.stack, function), needed(used, function)
    assert asked
    assert sorted(each for each in asked if not any(covers(grant, each) for grant in allowed)) == []


@pytest.mark.engines
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_call_is_allowed_on_a_restored_table(used: Deployment, function: str) -> None:
    stack = Stack(used.template, {**used.stack.names, "RestoredTable": "restored"}, used.stack.attributes)
    allowed, own = granted(stack, function), TABLES + used.name
    asked = {each._replace(resource=TABLES + "restored") for each in needed(used, function) if each.resource == own}
    assert asked
    assert sorted(each for each in asked if not any(covers(grant, each) for grant in allowed)) == []


@pytest.mark.engines
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_permission_is_used(used: Deployment, function: str) -> None:
    asked = needed(used, function)
    unused = [each for each in granted(used.stack, function) if not any(covers(each, one) for one in asked)]
    assert sorted(each for each in unused if each.action not in UNRECORDED) == []


@pytest.mark.engines
def test_what_is_called_unrecorded_is_granted_somewhere_and_recorded_nowhere(used: Deployment) -> None:
    somewhere = {each.action for function in FUNCTIONS for each in granted(used.stack, function)}
    recorded = {each.action for function in FUNCTIONS for each in needed(used, function)}
    assert set(UNRECORDED) <= somewhere - recorded


@pytest.mark.engines
def test_the_recording_holds_calls_of_every_kind(used: Deployment) -> None:
    calls = [call for function in FUNCTIONS for call in used.recorded(function)]
    operations = {call["operation"] for call in calls}
    assert {"CompleteMultipartUpload", "TransactWriteItems", "BatchWriteItem", "ListObjectsV2"} <= operations
    signed = {call["operation"] for call in used.recorded(API) if call["status"] is None}
    assert signed == {"GetObject", "HeadObject", "PutObject"}
    assert {404, 412} <= {call["status"] for call in calls}
