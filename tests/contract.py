"""Whether answers are what the contract says: their status, headers, media type and body."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import orjson
from jsonschema import Draft202012Validator

from chalicelib.web.pages import CONTRACT
from chalicelib.web.route import Route

if TYPE_CHECKING:
    from tests.gateway import Answer

DOCUMENT: dict[str, Any] = orjson.loads(CONTRACT.read_bytes())
# Of the carriage of an answer, which HTTP defines and no contract repeats.
CARRIED = {"content-type", "content-length", "content-encoding", "date", "server", "connection"}


def check_shape(route: Route, answer: Answer) -> None:
    """The answer is one that the contract gives for its status."""
    check_answer(route.path, route.method, answer)


def check_answer(path: str, method: str, answer: Answer, shaped: bool = False) -> None:
    """The answer to `method` at the contract's `path` has a status, headers, a media type and a body of the contract.

    Only where it is `shaped` by `fields` or `include` may members lack, or be more.
    """
    operation = DOCUMENT["paths"][path].get(method.lower())
    if operation is None:
        assert answer.status == 405, f"{method} {path} is not in the contract"
        check_problem(answer)
        return
    where = f"{method} {path}: {answer.status}"
    assert str(answer.status) in operation["responses"], where
    response = _resolved(operation["responses"][str(answer.status)])
    headers = {name.lower(): _resolved(header) for name, header in response.get("headers", {}).items()}
    undocumented = answer.headers.keys() - headers.keys() - CARRIED
    assert not undocumented, f"{where} has headers that the contract does not: {sorted(undocumented)}"
    lacking = {name for name, header in headers.items() if header.get("required")} - answer.headers.keys()
    assert not lacking, f"{where} lacks headers of the contract: {sorted(lacking)}"
    for name in headers.keys() & answer.headers.keys():
        assert misfits(answer.headers[name], headers[name]["schema"]) == [], f"{where}: {name}"
    if method != "HEAD" and answer.status not in (304, 307):
        _check_body(where, answer, response["content"], shaped)


def check_problem(answer: Answer) -> None:
    """The body is a problem document."""
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert answer.json["status"] == answer.status
    assert misfits(answer.json, {"$ref": "#/components/schemas/Problem"}) == []


def misfits(value: Any, schema: dict[str, Any]) -> list[str]:
    """Where a value does not fit a schema of the contract, and why."""
    return _misfits(_validator(orjson.dumps(schema)), value)


def _check_body(where: str, answer: Answer, content: dict[str, Any], shaped: bool) -> None:
    media = answer.headers["content-type"].partition(";")[0]
    assert media in content, f"{where} is {media}"
    if media.endswith("/json") or media.endswith("problem+json"):
        schema = content[media]["schema"]
        if "anyOf" in schema and not shaped:
            whole = [each for each in schema["anyOf"] if not each["$ref"].endswith(("PartList", "With"))]
            schema = whole[0] if len(whole) == 1 else {"anyOf": whole}
        assert misfits(answer.json, schema) == [], where


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = DOCUMENT
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


@cache
def _validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator({**orjson.loads(schema), "components": DOCUMENT["components"]})


def _misfits(validator: Draft202012Validator, value: Any) -> list[str]:
    return [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(value)]
