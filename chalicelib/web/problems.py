"""Failures as HTTP shows them: RFC 9457 problem documents, and what each problem type means."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.errors import NotFound, ReportsError

PREFIX = "/problems/"
TABLE = Path(__file__).resolve().parent / "pages" / "problems.csv"

Kind = dict[str, Any]


@cache
def load_kinds() -> dict[str, Kind]:
    """Every problem type by its name: `type` (URI path), HTTP `status`, `title`, and `meaning` for the caller."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {
            row["type"]: {**row, "type": PREFIX + row["type"], "status": int(row["status"])}
            for row in csv.DictReader(lines)
        }


def find_kind(name: str) -> Kind:
    """The problem type of this name. Raises NotFound `unknown_problem`."""
    found = load_kinds().get(name)
    if found is None:
        way_out = f"There are {', '.join(load_kinds())}."
        raise NotFound("unknown_problem", f"There is no problem type {name!r}.", way_out)
    return found


def document(error: ReportsError, instance: str) -> dict[str, Any]:
    """The problem document of an error at the address `instance`."""
    name = error.code.replace("_", "-")
    kind = load_kinds().get(name)
    return {
        "type": PREFIX + name,
        "title": kind["title"] if kind else error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": instance,
        "code": error.code,
        "way_out": error.way_out or None,
        **error.extra,
    }
