"""Reports as they stood at a moment: each by the revision that was current then, found by its township or year.

What is withdrawn now is withdrawn at every moment. Only for reports that were revised since is more asked than the list
itself: the lines of their revisions, and the record of the one that counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import orjson

from chalicelib.catalog import layout, pending, stored_rows
from chalicelib.catalog.layout import Record, Row
from chalicelib.moments import iso, read_moment
from chalicelib.storage import Index, Storage

MOST = 1000  # revisions of a report, or reports of a township: there are not so many


class Standing(NamedTuple):
    """A report's summary as it stood, and its record where another revision is current now."""

    summary: Record
    record: Record | None


def read_as_of(as_of: str) -> str:
    """The moment (ISO, UTC, to the second) of the parameter. Raises BadRequest."""
    return iso(read_moment("as_of", as_of))


def as_it_stood(storage: Storage, summary: Record, moment: str) -> Standing | None:
    """The report whose current summary this is, as it stood at the moment; None where it was not there yet."""
    if "withdrawn" in summary:
        return Standing(summary, None) if _first(storage.index, summary) <= moment else None
    if summary["ingested"] <= moment:
        return Standing(summary, None)
    if summary["revision"] == 1:
        return None
    then = [line for line in _lines(storage.index, summary["id"]) if line["ingested"] <= moment]
    if not then:
        return None
    record = orjson.loads(storage.objects.get(layout.record_object(summary["id"], then[-1]["revision"])))
    return Standing(layout.summarise(record, then[-1]["ingested"], then[-1]["record_sha256"]), record)


def rows_of_township(storage: Storage, code: str, moment: str) -> Iterator[Row]:
    """A township's figures as they stood, in order of its reports."""
    index, span = storage.index, layout.reports_of_township(code)
    heads = index.query(span.pk, prefix=span.prefix, limit=MOST)
    then = [as_it_stood(storage, orjson.loads(layout.read_head(head.body).summary), moment) for head in heads]
    rows = current_rows(index, code) if any(each and each.record is None for each in then) else {}
    for each in filter(None, then):
        yield from _rows(storage, each, rows.get(each.summary["id"], []))


def _rows(storage: Storage, then: Standing, current: list[Row]) -> list[Row]:
    """`current` are the rows that the index has now: a revision may have come since the summary was read."""
    summary, record = then
    if record is None:
        if len(current) == summary["indicators"] and {row["revision"] for row in current} <= {summary["revision"]}:
            return current
        record = orjson.loads(storage.objects.get(layout.record_object(summary["id"], summary["revision"])))
    return layout.indicator_rows(record)


def current_rows(index: Index, code: str) -> dict[str, list[Row]]:
    """The rows that the index has of each report of a township."""
    span, after = layout.indicators_of_township(code), ""
    found: dict[str, list[Row]] = {}
    while entries := index.query(span.pk, prefix=span.prefix, after=after):
        for entry in pending.visible(index, entries):
            found[layout.read_owner(entry.sk).report_id] = list(stored_rows.read_rows(entry.body))
        after = entries[-1].sk
    return found


def _first(index: Index, summary: Record) -> str:
    return str(_lines(index, summary["id"])[0]["ingested"])


def _lines(index: Index, report_id: str) -> list[Record]:
    span = layout.revisions(report_id)
    return [orjson.loads(entry.body) for entry in index.query(span.pk, prefix=span.prefix, limit=MOST)]
