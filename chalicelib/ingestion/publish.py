"""From a read report to a visible one: which id and revision it is, its objects, and the writes that show it.

Objects never change once they are written. Whoever writes `records/{id}/{n}.json` first owns revision n; its rows
follow under a token of this writing, and only a guarded transaction makes it visible, so a reader sees one revision or
the other, whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from chalicelib import records
from chalicelib.catalog import layout, pending
from chalicelib.catalog.layout import Rows
from chalicelib.errors import Conflict, ReportError, TooLarge
from chalicelib.ingestion import identity
from chalicelib.moments import iso
from chalicelib.storage import Objects, Put, Storage
from chalicelib.storage.contract import MAX_ENTRY_BYTES, check_free_writes

Record = dict[str, Any]


class OvertakenError(Exception):
    """Another writer was first; what was read is stale, and everything has to be decided anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report goes: revision `number` of `report_id`, whose head has `head_version` (0: there is none yet).

    `replaces` are the rows of the revision `previous`.
    """

    report_id: str
    number: int
    head_version: int
    previous: Record | None
    replaces: Rows | None = None


def find_place(storage: Storage, record: Record, text: str) -> Place:
    """The next revision of the document that this one corrects, or the first of the next free id."""
    best, likeness = None, identity.SAME_DOCUMENT
    for report_id in identity.ids(record["id"]):
        head = storage.index.get(*layout.head(report_id))
        if head is None:
            return best or Place(report_id, 1, 0, None)
        replaces = layout.current_rows(head.body)
        current = replaces.number
        previous = orjson.loads(storage.objects.get(layout.record_object(report_id, current)))
        other = storage.objects.get(layout.text_object(report_id, current)).decode()
        found = identity.resemblance(record["index_number"], text, previous["index_number"], other)
        if found > likeness or (best is None and found == likeness):
            best, likeness = Place(report_id, current + 1, head.version, previous, replaces), found
    raise AssertionError("the ids have no end")


def store(objects: Objects, place: Place, parsed: records.Parsed, skip_taken: bool) -> tuple[Place, bytes]:
    """Write the record and its text under their final keys; the place that they took, and the record's bytes.

    A number that other content holds belongs to a writer that is about to publish it, or one that died before: raises
    OvertakenError, or with `skip_taken` goes on to the next number. Raises ReportError `schema`, `too_large` or
    `too_many_figures` with nothing written.
    """
    report_id = place.report_id
    return take_number(
        objects, place, lambda number: record_bytes(parsed, report_id, number), parsed.text.encode(), skip_taken
    )


def take_number(
    objects: Objects, place: Place, make_body: Callable[[int], bytes], text: bytes, skip_taken: bool
) -> tuple[Place, bytes]:
    """Write the record that `make_body` gives for its number, and its text, as `store` does."""
    while True:
        body = make_body(place.number)
        key = layout.record_object(place.report_id, place.number)
        if objects.put_new(key, body, "application/json") or objects.get(key) == body:
            objects.put(layout.text_object(place.report_id, place.number), text, "text/plain; charset=utf-8")
            return place, body
        if not skip_taken:
            raise OvertakenError(key)
        # Its record may not be taken for one of before revisions were told; that of a living writer still counts.
        objects.put(layout.unshown_object(place.report_id, place.number, layout.new_token()), b"")
        place = replace(place, number=place.number + 1)


def record_bytes(parsed: records.Parsed, report_id: str, number: int) -> bytes:
    """The record as it is stored. Raises ReportError `schema`, `too_large` or `too_many_figures`."""
    body = records.dump(records.identified(parsed.record, report_id, number))
    _require_servable(len(body), len(parsed.text.encode()))
    stored = orjson.loads(body)
    records.validate(stored)
    if len(body) > MAX_ENTRY_BYTES // 4:  # a smaller record's rows fit even if they were not gzipped
        _require_rows_fit(stored)
    return body


def _require_servable(*sizes: int) -> None:
    if max(sizes) > layout.SERVABLE:
        detail = (
            f"The report's text or record has {max(sizes):,} bytes, and an answer of the API holds {layout.SERVABLE:,}."
        )
        raise ReportError("too_large", detail, "Upload the report alone, or its parts one by one.")


def says_the_same(objects: Objects, parsed: records.Parsed, previous: Record) -> bool:
    """Whether the revision `previous` has this text and record already, read from other bytes."""
    which = (previous["id"], previous["revision"])
    new = orjson.loads(records.dump(records.identified(parsed.record, *which)))
    if {**new, "source": None} != {**previous, "source": None}:
        return False
    return objects.get(layout.text_object(*which)) == parsed.text.encode()


def show(
    storage: Storage, place: Place, stored: bytes, known_as: Sequence[str | None], now: datetime, *more: Put
) -> None:
    """Make the revision whose record is `stored` visible in one transaction with `more`, its bytes known under `known_as`.

    Raises OvertakenError when another writer was first.
    """
    record = orjson.loads(stored)
    summary = layout.summarise(record, iso(now), hashlib.sha256(stored).hexdigest())
    # That it is shown is told by an object too: the index can be made anew of the objects alone.
    told = pending.Told(
        {**layout.revision_line(summary), "known_as": known_as}, layout.change_body(summary, place.previous)
    )
    token = layout.new_token()
    shows = layout.shown_writes(summary, token, expect=place.head_version, known_as=known_as)
    rows = {Rows(place.number, token): layout.row_puts(record, token)}
    year = Put(*layout.listed_year(place.report_id), b"{}")
    try:
        if storage.index.get(year.pk, year.sk) is None:
            storage.index.commit([year])
        pending.replace_rows(storage, place.report_id, rows, place.replaces, [*more, *shows], now, told)
    except Conflict as error:
        raise OvertakenError(place.report_id) from error


def _require_rows_fit(record: Record) -> None:
    try:
        check_free_writes(layout.row_puts(record, "0" * layout.TOKEN))
    except TooLarge as error:
        raise ReportError("too_many_figures", error.detail, "Upload the report's parts one by one.") from error
