"""The concepts that indicators of all reports are compared by, without the patterns that find them."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from chalicelib.errors import NotFound

TABLE = Path(__file__).resolve().parent.parent / "rules" / "concepts.csv"

Concept = dict[str, str]


@cache
def load_concepts() -> dict[str, Concept]:
    """Every concept by its id, in the table's order: `id`, `zh` and `en` labels, the standard `unit`."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {row["id"]: {key: row[key] for key in ("id", "zh", "en", "unit")} for row in csv.DictReader(lines)}


def find_concept(concept: str) -> Concept:
    """The concept with this id. Raises NotFound `unknown_concept`."""
    found = load_concepts().get(concept)
    if found is None:
        raise NotFound("unknown_concept", f"There is no concept {concept!r}.", "See /v1/concepts for all of them.")
    return found
