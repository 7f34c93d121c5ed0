"""Rows as CSV and as lines of JSON, in answers and in the bulk files.

The columns of CSV come from the schema of the row, so that they are the same on every page, an empty one too. Nested
members get columns of their own, named as in the bulk files where these have the same thing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson

Json = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
BOM = "\ufeff"  # by which Excel knows UTF-8
# A spreadsheet takes longer text that begins so for a formula: an apostrophe before it makes it text again.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Under these members the columns have the names of the bulk files.
_TOWNSHIP = {"code": "township_code", "name": "township"}
_OWN = {
    ("indicator", "id"): "indicator",
    ("summary", "id"): "report",
    ("section", "id"): "section",
    ("concept", "id"): "concept",
    ("township", "code"): "township_code",
    ("township", "name"): "township",
}


class Column(NamedTuple):
    """A column, and the members that lead to its value; an index into a list at the end."""

    name: str
    path: tuple[str | int, ...]


def csv_lines(schema: str, rows: Sequence[Any], chosen: Sequence[Column] = ()) -> bytes:
    """The rows with a header line, in the form of RFC 4180 and with a BOM; null is empty, a list joined by `|`.

    Without `chosen` all columns.
    """
    return csv_head(schema, chosen) + csv_rows(schema, rows, chosen)


def csv_head(schema: str, chosen: Sequence[Column] = ()) -> bytes:
    """The BOM and the header line."""
    return (BOM + _written([[column.name for column in chosen or columns(schema)]])).encode()


def csv_rows(schema: str, rows: Sequence[Any], chosen: Sequence[Column] = ()) -> bytes:
    """The rows alone."""
    found = chosen or columns(schema)
    plain = orjson.loads(orjson.dumps(rows))
    return _written([_cell(_value(row, column.path)) for column in found] for row in plain).encode()


def _written(lines: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def json_lines(rows: Sequence[Any]) -> bytes:
    """An object a line."""
    lines = (orjson.dumps(row).strip() for row in rows)
    # A stored row goes out as it is, and none was stored with line ends within.
    return b"".join(line + b"\n" for line in lines)


@cache
def columns(schema: str) -> tuple[Column, ...]:
    """The columns of a row of this schema, in its order."""
    return tuple(_columns(_load(schema), schema, (), ""))


def _columns(properties: Json, file: str, path: tuple[str, ...], prefix: str) -> list[Column]:
    found: list[Column] = []
    for name, given in properties.items():
        shape, where = _resolved(given, file)
        at = (*path, name)
        if name == "months":
            found += [Column(f"{prefix}month_from", (*at, 0)), Column(f"{prefix}month_to", (*at, 1))]
        elif nested := shape.get("properties"):
            inner = [(each.name, each) for each in _columns(nested, where, at, "")]
            named = str if where == "summary" else partial(_nested_name, name)
            found += [Column(prefix + named(plain), each.path) for plain, each in inner]
        else:
            own = not path or file == "summary"  # of a report that was found, as in a list of reports
            found.append(Column(prefix + (_OWN.get((file, name), name) if own else name), at))
    return found


def _nested_name(member: str, name: str) -> str:
    match member:
        case "township":
            return _TOWNSHIP.get(name, name)
        case "evidence":
            return name
    return f"{member}_{name}"


def _resolved(shape: Json, file: str) -> tuple[Json, str]:
    """The shape that a reference or the one alternative with members stands for, and the schema that it is of."""
    if reference := shape.get("$ref"):
        target, _, pointer = reference.partition("#")
        file = target.removesuffix(".schema.json") or file
        found: Any = _document(file)
        for part in filter(None, pointer.split("/")):
            found = found[part]
        return _resolved(found, file)
    for alternative in (*shape.get("allOf", ()), *shape.get("anyOf", ()), *shape.get("oneOf", ())):
        inner, where = _resolved(alternative, file)
        if "properties" in inner:
            return inner, where
    return shape, file


def _load(schema: str) -> Json:
    properties: Json = _document(schema)["properties"]
    return properties


@cache
def _document(schema: str) -> Json:
    document: Json = orjson.loads((SCHEMAS / f"{schema}.schema.json").read_bytes())
    return document


def _value(row: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        if row is None:
            return None
        row = row[step] if isinstance(step, int) else row.get(step)
    return row


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return f"'{value}" if len(value) > 1 and value.startswith(_FORMULA) else value
        case list() if all(isinstance(each, str) for each in value):
            return _cell("|".join(value))
    return orjson.dumps(value).decode()
