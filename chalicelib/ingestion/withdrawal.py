"""A published report taken back: its last revision is a tombstone, written and shown as any other revision is.

The tombstone is a record without sections and figures that says when and why. So a crash at any moment leaves the report
as it was or withdrawn, and what makes the index anew keeps it withdrawn. The same bytes, uploaded again, restore it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from chalicelib.catalog import layout
from chalicelib.errors import NotFound, PreconditionFailed
from chalicelib.ingestion import ingest, publish
from chalicelib.ingestion.publish import Place
from chalicelib.moments import iso
from chalicelib.storage import Entry, Storage

Record = dict[str, Any]


def withdraw(
    storage: Storage,
    report: str,
    reason: str | None,
    now: datetime,
    permits: Callable[[bytes], bool] = lambda _: True,
) -> Record:
    """The summary of the report, withdrawn now or before.

    `permits` is asked with the bytes of the record that is to go. Raises NotFound, and PreconditionFailed where it does
    not permit.
    """
    return ingest.decide_anew(lambda attempt: _withdraw(storage, report, reason, now, permits, attempt))


def _withdraw(
    storage: Storage, report_id: str, reason: str | None, now: datetime, permits: Callable[[bytes], bool], attempt: int
) -> Record:
    head = storage.index.get(*layout.head(report_id))
    if head is None:
        raise NotFound("unknown_report", f"There is no report {report_id!r}.", "Find reports with /v1/reports.")
    summary = _summary(head)
    if "withdrawn" in summary:
        return summary
    rows = layout.current_rows(head.body)
    stored = storage.objects.get(layout.record_object(report_id, rows.number))
    if not permits(stored):
        detail = f"The record of {report_id} is not as If-Match says any more."
        raise PreconditionFailed("precondition_failed", detail, "Read it again and decide anew.")
    previous = orjson.loads(stored)
    place = Place(report_id, rows.number + 1, head.version, previous, rows)
    place, body = _store(storage, place, {"time": iso(now), "reason": reason}, attempt >= ingest.PATIENCE)
    publish.show(storage, place, body, (), now)
    return layout.summarise(orjson.loads(body), iso(now), layout.digest(body))


def _store(storage: Storage, place: Place, withdrawn: Record, skip_taken: bool) -> tuple[Place, bytes]:
    """The tombstone with the text of what it takes back, by which a later upload is known to be the same document."""
    previous = place.previous or {}
    text = storage.objects.get(layout.text_object(place.report_id, previous["revision"]))

    def body(number: int) -> bytes:
        empty: Record = {"sections": [], "indicators": [], "checks": []}
        tombstone = {**previous, **empty, "revision": number, "withdrawn": withdrawn}
        return orjson.dumps(tombstone, option=orjson.OPT_APPEND_NEWLINE)

    return publish.take_number(storage.objects, place, body, text, skip_taken)


def _summary(head: Entry) -> Record:
    summary: Record = orjson.loads(layout.read_head(head.body).summary)
    return summary
