"""What an upload would be published as, and how it differs from last year's report of the same township: a dry run's answer.

Nothing is written here. A preview is a part of its upload's state, which is one entry of the index, so it is bounded:
there are some 500 concepts, and remarks are cut to the first ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from chalicelib.catalog import layout
from chalicelib.ingestion import identity, publish
from chalicelib.records import Parsed
from chalicelib.storage import Storage

Record = dict[str, Any]
Figures = Mapping[str, Record]

MOST_REMARKS, MOST_CHARACTERS = 50, 300
DIGITS = 4  # of a ratio


def make_preview(storage: Storage, parsed: Parsed, known: Record | None) -> Record:
    """What publishing this would come to; `known` is what its bytes are published as, if they are.

    Raises ReportError as publishing would, `schema`, `too_large` or `too_many_figures`.
    """
    place = publish.find_place(storage, parsed.record, parsed.text)
    record = orjson.loads(publish.record_bytes(parsed, place.report_id, place.number))
    if known is None and place.previous and publish.says_the_same(storage.objects, parsed, place.previous):
        known = {key: place.previous[key] for key in ("id", "revision")}
    last = _find_last_year(storage, parsed.record)
    return {
        "report": known or {"id": place.report_id, "revision": place.number},
        "unchanged": known is not None,
        "kind": record["kind"],
        "title": record["title"][:MOST_CHARACTERS],
        "township": record["township"],
        "year": layout.report_year(record),
        "sections": len(record["sections"]),
        "indicators": len(record["indicators"]),
        "remarks": len(record["checks"]),
        "checks": [{**each, "message": each["message"][:MOST_CHARACTERS]} for each in record["checks"][:MOST_REMARKS]],
        "comparison": last and compare(record, last),
    }


def compare(record: Record, last: Record) -> Record:
    """This report's figures beside those of `last`, the report of the year before, concept by concept."""
    now, before = read_figures(record), read_figures(last)
    return {
        "report": {key: last[key] for key in ("id", "revision")},
        "concepts": [_row(concept, now.get(concept), before.get(concept)) for concept in {**now, **before}],
        "new": [concept for concept in now if concept not in before],
        "gone": [concept for concept in before if concept not in now],
    }


def read_figures(record: Record) -> Figures:
    """A report's own figure of each concept: of its year and time, of the whole township, and one with a value if there is.

    A plan's figures are its targets.
    """
    wanted = "target" if record["kind"] == "plan" else "actual"
    whole = record["kind"] in ("annual", "plan")
    found = [
        each
        for each in record["indicators"]
        if each["concept"]
        and (each["status"], each["year"]) == (wanted, layout.report_year(record))
        and each["place"] is None
        and (each["months"] is None) == whole
    ]
    figures: dict[str, Record] = {}
    for each in sorted(found, key=lambda each: each["value"] is None):
        figures.setdefault(each["concept"], each)
    return figures


def _row(concept: str, now: Record | None, before: Record | None) -> Record:
    value, unit = _measure(now)
    last_value, last_unit = _measure(before)
    comparable = value is not None and last_value and unit == last_unit
    return {
        "concept": concept,
        "value": value,
        "unit": unit,
        "last_value": last_value,
        "last_unit": last_unit,
        "ratio": float(f"{value / last_value:.{DIGITS}g}") if comparable else None,
    }


def _measure(figure: Record | None) -> tuple[Any, str | None]:
    """Value and unit, in the unit that compares across reports where the figure has one."""
    if figure is None:
        return None, None
    told = figure["standard"] or figure
    return told["value"], told["unit"]


def _find_last_year(storage: Storage, record: Record) -> Record | None:
    """The record of the report that has this one's id but for the year, which is the one before; None for none."""
    code, _, rest = record["id"].partition("-")
    year = int(rest[:4]) - 1
    base = f"{code}-{year:04d}{rest[4:]}"
    span = layout.reports_of_township(code, year)
    for entry in storage.index.query(span.pk, prefix=span.prefix):
        summary = orjson.loads(layout.read_head(entry.body).summary)
        if identity.is_of(summary["id"], base) and "withdrawn" not in summary:
            found: Record = orjson.loads(storage.objects.get(layout.record_object(summary["id"], summary["revision"])))
            return found
    return None
