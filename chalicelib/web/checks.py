"""What a request says, checked by the contract of its route: each refusal names the parameter and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

import orjson

from chalicelib.catalog import choice
from chalicelib.catalog.choice import Runs
from chalicelib.errors import BadRequest
from chalicelib.web.parameters import MOST_VALUES, PATH, Parameter
from chalicelib.web.route import Route


def read_query(route: Route, query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The route's parameters by name, integers as int, defaults filled in, None where not given. Raises BadRequest."""
    known = {parameter.name: parameter for parameter in route.parameters}
    for name in query:
        if name not in known:
            raise _unknown(name, list(known))
    return _joined({name: _one(parameter, query.get(name, ())) for name, parameter in known.items()})


def _joined(given: dict[str, Any]) -> dict[str, Any]:
    """With `value>` and `value<` as the run of `value` that they name together."""
    ends = [given.pop(name, None) for name in ("value>", "value<")]
    if ends == [None, None]:
        return given
    if given["value"] is not None:
        detail = "value is given besides value> or value<."
        raise BadRequest("repeated_parameter", detail, "Give the one or the others.", parameter="value")
    first, last = (None if end is None else Decimal(end) for end in ends)
    return {**given, "value": Runs(((first, last),))}


def read_path(captured: Mapping[str, str]) -> dict[str, Any]:
    """The path's parameters, percent-decoded exactly once. Raises BadRequest."""
    return {name: read_value(PATH[name], _decoded(name, raw)) for name, raw in captured.items()}


def read_value(parameter: Parameter, text: str, one: bool = False) -> Any:
    """The value as the parameter's schema has it, a list of them where it takes many. Raises BadRequest `bad_parameter`."""
    parameter = parameter.filled()
    if parameter.many and not one:
        values = text.split(",")
        if len(values) > parameter.most:
            raise _bad(parameter, text[:50], f"Give at most {parameter.most} values.")
        return [read_value(parameter, value, one=True) for value in values]
    if parameter.runs:
        return _read_runs(parameter, text)
    schema = parameter.schema
    if schema["type"] == "integer":
        if re.fullmatch(r"[0-9]{1,9}", text) and schema["minimum"] <= int(text) <= schema["maximum"]:
            return int(text)
        raise _bad(parameter, text, f"Give a whole number from {schema['minimum']} to {schema['maximum']}.")
    if "enum" in schema:
        if text in schema["enum"]:
            return text
        near = _nearest(text, schema["enum"], 3)
        hint = f"Nearest: {', '.join(near)}. " if near else ""
        raise _bad(parameter, text[:50], f"{hint}Give one of {', '.join(schema['enum'])}.", nearest=near)
    if not schema["minLength"] <= len(text) <= schema["maxLength"]:
        raise _bad(parameter, text[:50], f"Give {schema['minLength']} to {schema['maxLength']} characters.")
    if "pattern" in schema and not re.fullmatch(schema["pattern"], text):
        raise _bad(parameter, text, f"Give text that matches {schema['pattern']}.")
    return text


def _read_runs(parameter: Parameter, text: str) -> Runs:
    """Raises BadRequest for what is no run of the parameter's numbers."""
    way_out = f"Give {parameter.runs}: one, a run as {parameter.example}, or up to {MOST_VALUES} with commas."
    schema = parameter.schema
    if len(text) > schema["maxLength"] or not re.fullmatch(schema["pattern"], text):
        raise _bad(parameter, text[:50], way_out)
    try:
        return choice.read_runs(text)
    except ValueError as error:
        raise _bad(parameter, text[:50], way_out) from error


def read_members(
    body: bytes, required: Mapping[str, type], optional: Mapping[str, type] = MappingProxyType({})
) -> dict[str, Any]:
    """The members of a JSON object: strings and whole numbers from 0 on, None where not given. Raises BadRequest."""
    members = {**required, **optional}
    way_out = f"Send {', '.join([*required, *(f'{name} (optional)' for name in optional)])}."
    try:
        found = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError as error:
        raise BadRequest("bad_json", f"The body is no JSON: {error}.", "Send a JSON object in UTF-8.") from error
    if not isinstance(found, dict):
        raise BadRequest("bad_json", "The body is no JSON object.", way_out)
    for name, value in found.items():
        if name not in members:
            raise _unknown(name, list(members))
        if not (value is None and name in optional):
            found[name] = _member(name, value, members[name])
    for name in required:
        if found.get(name) in (None, ""):
            raise BadRequest("missing_parameter", f"{name} is missing.", way_out, parameter=name)
    return {name: found.get(name) for name in members}


def _one(parameter: Parameter, values: Sequence[str]) -> Any:
    name = parameter.name
    if len(values) > 1:
        raise BadRequest("repeated_parameter", f"{name} is given {len(values)} times.", "Give it once.", parameter=name)
    if values:
        return read_value(parameter, values[0])
    if parameter.required:
        way_out = f"Add {name}=…: {parameter.description}"
        raise BadRequest("missing_parameter", f"{name} is missing.", way_out, parameter=name)
    return parameter.schema.get("default")


def _decoded(name: str, raw: str) -> str:
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError as error:
        way_out = "Percent-encode the path in UTF-8."
        raise BadRequest("bad_parameter", f"{name} is no UTF-8.", way_out, parameter=name) from error


def _unknown(name: str, allowed: list[str]) -> BadRequest:
    near = _nearest(name, allowed)
    hint = f"Did you mean {near[0]}? " if near else ""
    way_out = f"{hint}Allowed: {', '.join(allowed)}." if allowed else "This address takes no parameters."
    return BadRequest("unknown_parameter", f"There is no parameter {name!r}.", way_out, parameter=name, allowed=allowed)


def _bad(parameter: Parameter, text: str, way_out: str, **extra: Any) -> BadRequest:
    name = parameter.name
    return BadRequest("bad_parameter", f"{text!r} is no value of {name}.", way_out, parameter=name, **extra)


def _nearest(text: str, allowed: Sequence[str], most: int = 1) -> list[str]:
    import difflib  # here, since only a refusal needs it

    return difflib.get_close_matches(text[:100], allowed, most)


def _member(name: str, value: Any, kind: type) -> Any:
    """The value of a member of the body. 9.0 is a whole number in JSON, and True none, which Python sees otherwise."""
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        named = "string" if kind is str else "whole number from 0 on"
        raise BadRequest("bad_parameter", f"{name} is no {named}.", f"Give a {named}.", parameter=name)
    return value
