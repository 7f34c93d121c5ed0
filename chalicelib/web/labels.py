"""Names of concepts in the language that is asked for by `lang`: only then are rows parsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from chalicelib.catalog.concepts import load_concepts


def label_rows(schema: str | None, rows: Sequence[Any], lang: str) -> list[Any]:
    """Concepts with their `label`, other rows with the `concept_label` of theirs, None where they have no concept."""
    plain = orjson.loads(orjson.dumps(rows))
    if schema == "concept":
        return [label_concept(row, lang) for row in plain]
    known = load_concepts()
    return [{**row, "concept_label": known[row["concept"]][lang] if row["concept"] in known else None} for row in plain]


def label_concept(concept: dict[str, Any], lang: str | None) -> dict[str, Any]:
    """The concept with its name in this language as `label`; as it is where none is asked for."""
    return {**concept, "label": concept[lang]} if lang else concept


def languages(schema: str | None, lang: str | None) -> str:
    """The languages of an answer, for the header Content-Language: sentences of reports stay Chinese."""
    if lang != "en":
        return "zh"
    return "en" if schema in ("concept", "concept-years") else "zh, en"
