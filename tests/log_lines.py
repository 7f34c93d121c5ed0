"""A log line as JSON, and what CloudWatch has to find in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jsonschema import Draft202012Validator

Line = dict[str, Any]
Lines = Callable[[], list[Line]]

# The structure of CloudWatch's embedded metric format, by its specification.
NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
UNITS = ["Count", "Milliseconds"]  # of CloudWatch's units, those used
METRIC = {
    "type": "object",
    "properties": {"Name": NAME, "Unit": {"enum": UNITS}, "StorageResolution": {"enum": [1, 60]}},
    "required": ["Name", "Unit"],
    "additionalProperties": False,
}
DIRECTIVE = {
    "type": "object",
    "properties": {
        "Namespace": NAME,
        "Dimensions": {"type": "array", "minItems": 1, "items": {"type": "array", "items": NAME, "maxItems": 30}},
        "Metrics": {"type": "array", "items": METRIC, "minItems": 1, "maxItems": 100},
    },
    "required": ["Namespace", "Dimensions", "Metrics"],
    "additionalProperties": False,
}
EMBEDDED = Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "Timestamp": {"type": "integer", "minimum": 1_500_000_000_000},
            "CloudWatchMetrics": {"type": "array", "items": DIRECTIVE, "minItems": 1},
        },
        "required": ["Timestamp", "CloudWatchMetrics"],
        "additionalProperties": False,
    }
)


def require_embedded(line: Line) -> dict[str, float]:
    """The metrics of a line, each checked: all that the directives name is there, of the right type."""
    EMBEDDED.validate(line["_aws"])
    found: dict[str, float] = {}
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for name in (name for group in directive["Dimensions"] for name in group):
            assert isinstance(line[name], str), name
            assert 1 <= len(line[name]) <= 1024, name
        found |= {each["Name"]: line[each["Name"]] for each in directive["Metrics"]}
    assert all(type(value) in (int, float) for value in found.values())
    return found


def part(line: Line, like: Line) -> Line:
    return {name: line.get(name) for name in like}
