"""Which calls of AWS a function makes, and which permissions they need.

`record_into` notes every call that botocore prepares in its process, addresses that are only signed too: whoever uses
one has the signer's rights. It needs nothing but botocore, since it runs beside the unpacked zip as well. `permissions`
says what a call needs, `grants` what the statements of a policy give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

# `service`, `operation`, `status` (that of the last answer; None where nothing was sent), and of the parameters
# what a permission is about.
Call = dict[str, Any]

_S3 = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObject": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
}
_ONE_ITEM = {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan"}
_IN_A_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


def record_into(calls: list[Call]) -> None:
    """Append every call of the clients that this process makes from now on."""
    import botocore

    def note(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        call = {"service": model.service_model.service_name, "operation": model.name, "status": None, **_about(params)}
        calls.append(call)
        context["recorded"] = call

    def note_answer(http_response: Any, context: dict[str, Any], **_: Any) -> None:
        context["recorded"]["status"] = http_response.status_code

    def watch(session: Any) -> None:
        session.register("before-parameter-build", note)
        session.register("after-call", note_answer)

    botocore.register_initializer(watch)


def _about(params: Mapping[str, Any]) -> Call:
    found = {name: params[name] for name in ("Bucket", "Key", "Prefix", "TableName") if name in params}
    if "TransactItems" in params:
        found["items"] = [(kind, item["TableName"]) for each in params["TransactItems"] for kind, item in each.items()]
    if "RequestItems" in params:
        found["tables"] = list(params["RequestItems"])
    return found


class Permission(NamedTuple):
    """An action, and the ARN of what it is done to; in what a policy grants it may end in `*`."""

    action: str
    resource: str


def permissions(call: Call, tables: str) -> Iterator[Permission]:
    """What a call needs. `tables` is the ARN that a table's name is put behind. Raises KeyError for an unknown call."""
    if call["service"] == "s3":
        yield from _of_s3(call)
    elif call["service"] == "dynamodb":
        yield from (Permission(f"dynamodb:{action}", tables + name) for action, name in _of_dynamodb(call))
    else:
        raise KeyError(call["service"])


def _of_s3(call: Call) -> Iterator[Permission]:
    action, bucket = _S3[call["operation"]], f"arn:aws:s3:::{call['Bucket']}"
    yield Permission(action, f"{bucket}/{call['Key']}" if "Key" in call else bucket)
    if call["status"] == 404:
        # Without it S3 answers 403, and a missing object would look like a denied one.
        yield Permission("s3:ListBucket", bucket)


def _of_dynamodb(call: Call) -> Iterator[tuple[str, str]]:
    match call["operation"]:
        case "TransactWriteItems":
            yield from ((_IN_A_TRANSACTION[kind], table) for kind, table in call["items"])
        case "BatchWriteItem":
            yield from (("BatchWriteItem", table) for table in call["tables"])
        case operation if operation in _ONE_ITEM:
            yield operation, call["TableName"]
        case operation:
            raise KeyError(operation)


def grants(statements: Iterable[Mapping[str, Any]]) -> list[Permission]:
    """What the statements of a policy allow, each action with each resource; their ARNs are resolved."""
    for statement in statements:
        # A refusal or a condition would need more than this.
        assert statement["Effect"] == "Allow"
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource"}
    return [
        Permission(action, resource)
        for statement in statements
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    ]


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def covers(granted: Permission, needed: Permission) -> bool:
    """Whether the one allows the other: equal actions, equal resources or one that begins with what stands before `*`."""
    start, star, _ = granted.resource.partition("*")
    same = needed.resource.startswith(start) if star else needed.resource == start
    return same and granted.action == needed.action
