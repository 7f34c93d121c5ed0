"""The concepts that indicators of all reports are compared by, without the patterns that find them."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.errors import NotFound

RULES = Path(__file__).resolve().parent.parent / "rules"

Concept = dict[str, Any]


@cache
def load_concepts() -> dict[str, Concept]:
    """Every concept by its id, in the table's order, as `schemas/concept.schema.json` describes it."""
    return {row["id"]: _concept(row, load_themes()[row["theme"]]) for row in _rows("concepts.csv")}


@cache
def load_themes() -> dict[str, dict[str, str]]:
    """Every theme by its id: `id`, `zh`, `en`."""
    return {row["id"]: row for row in _rows("themes.csv")}


def find_concept(concept: str) -> Concept:
    """The concept with this id. Raises NotFound `unknown_concept`."""
    found = load_concepts().get(concept)
    if found is None:
        raise NotFound("unknown_concept", f"There is no concept {concept!r}.", "See /v1/concepts for all of them.")
    return found


def _concept(row: dict[str, str], theme: dict[str, str]) -> Concept:
    return {
        "id": row["id"],
        "theme": theme,
        "zh": row["zh"],
        "en": row["en"],
        "definition": row["definition"],
        "dimension": row["dimension"].split("|"),
        "unit": row["unit"],
        "aliases": row["aliases"].split("|"),
    }


def _rows(name: str) -> list[dict[str, str]]:
    with (RULES / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
