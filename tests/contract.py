"""Whether answers are what the contract says."""

from __future__ import annotations

from typing import Any

import orjson
from jsonschema import Draft202012Validator

from chalicelib.web.pages import CONTRACT
from chalicelib.web.routes import Route
from tests.gateway import Answer

DOCUMENT: dict[str, Any] = orjson.loads(CONTRACT.read_bytes())


def check_shape(route: Route, answer: Answer) -> None:
    """The body fits the schema that the contract gives for this status."""
    responses = DOCUMENT["paths"][route.path][route.method.lower()]["responses"]
    assert str(answer.status) in responses
    media = answer.headers["content-type"].removesuffix("; charset=utf-8")
    assert media in responses[str(answer.status)]["content"]
    if media == "application/json" and route.answer is not None:
        assert misfits(answer.json, responses[str(answer.status)]["content"][media]["schema"]) == []


def check_problem(answer: Answer) -> None:
    """The body is a problem document."""
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert answer.json["status"] == answer.status
    assert misfits(answer.json, {"$ref": "#/components/schemas/Problem"}) == []


def misfits(value: Any, schema: dict[str, Any]) -> list[str]:
    """Where a value does not fit a schema of the contract, and why."""
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(value)]
