"""One report read again from its kept bytes, or one upload decided on again, by the reader as it is now.

A report keeps its id: what would now be another report, or none, is left as it is and told. A record that comes out as
it was changes nothing. One that differs becomes the next revision, written as that of an upload is. Whatever is published
meanwhile wins: then that is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from chalicelib.catalog import layout
from chalicelib.catalog.layout import Rows
from chalicelib.errors import NotFound, ReportError
from chalicelib.ingestion import identity, ingest, publish, upload_state
from chalicelib.ingestion.publish import Place
from chalicelib.maintenance import outcome as told
from chalicelib.maintenance.choice import Choice
from chalicelib.maintenance.differences import Record, Version, compare
from chalicelib.maintenance.outcome import Outcome
from chalicelib.records import Parsed
from chalicelib.storage import Storage
from chalicelib.storage.unwritten import unwritten

# Reads a report's bytes with the township that is named with them, if any.
Read = Callable[[str, str, str | None], Parsed]


def reread_report(
    storage: Storage,
    report_id: str,
    now: datetime,
    choice: Choice,
    dry_run: bool = False,
    announce: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Read the report's current revision again; a REVISED outcome is given to `announce` before it shows.

    With `dry_run` nothing is written, and the outcome is what it would be. Raises NotFound for a report that is not
    shown and for bytes that are gone, and StorageError.
    """
    objects = storage.objects

    @cache  # a conflict with another writer parses nothing twice
    def read(sha256: str, filename: str, township: str | None) -> Parsed:
        return ingest.parse(objects.get(layout.raw_object(sha256)), filename, township)

    work = _Rereading(unwritten(storage) if dry_run else storage, now, choice, announce, read)
    return ingest.decide_anew(lambda attempt: _reread(work, report_id, attempt))


def retry_upload(storage: Storage, upload_id: str, now: datetime, dry_run: bool = False) -> Outcome:
    """Decide again on an upload that was rejected or waits for its township; written only where it differs.

    Raises NotFound for an upload that is none and for bytes that are gone, and StorageError.
    """
    held = upload_state.load(storage.index, upload_id)
    before = held.state if held else None
    after = ingest.retry(unwritten(storage), upload_id, now)
    if before is None or _apart_from_time(before) == _apart_from_time(after):
        return Outcome(told.UPLOAD, upload_id, told.UNCHANGED)
    if not dry_run:
        after = ingest.retry(storage, upload_id, now)
    detail = " ".join(reason["detail"] for reason in after["reasons"]) or after["filename"]
    report = after["report"] or {"id": None, "revision": None}
    return Outcome(told.UPLOAD, upload_id, after["state"], detail, report["id"], report["revision"])


@dataclass(frozen=True, slots=True)
class _Rereading:
    """What every attempt at one report needs."""

    storage: Storage
    now: datetime
    choice: Choice
    announce: Callable[[Outcome], None]
    read: Read


@dataclass(frozen=True, slots=True)
class _Current:
    """The revision that is visible, as it was read just now."""

    version: Version
    rows: Rows
    head_version: int

    @property
    def record(self) -> Record:
        return self.version.record


def _reread(work: _Rereading, report_id: str, attempt: int) -> Outcome:
    current = _load_current(work.storage, report_id)
    number = current.rows.number
    if "withdrawn" in current.record or not work.choice.takes_record(current.record):
        return Outcome(told.REPORT, report_id, told.SKIPPED, "", report_id, number)
    names = _known_names(work.storage, current.record)
    try:
        parsed, named = _read_as_published(work.read, current.record, names)
        if not identity.is_of(report_id, _settled_id(parsed)):
            detail = f"It would be {parsed.record['id']} now."
            return Outcome(told.REPORT, report_id, told.MOVED, detail, report_id, number)
        new = orjson.loads(publish.record_bytes(parsed, report_id, number))
    except ReportError as error:
        return Outcome(told.REPORT, report_id, told.REFUSED, str(error), report_id, number)
    if _apart_from_parser(new) == _apart_from_parser(current.record) and parsed.text == current.version.text:
        return Outcome(told.REPORT, report_id, told.UNCHANGED, "", report_id, number)
    differences = compare(current.version, Version(new, parsed.text))
    known_as = sorted({*names, named}, key=str)
    return _revise(work, current, parsed, known_as, differences, attempt >= ingest.PATIENCE)


def _revise(
    work: _Rereading,
    current: _Current,
    parsed: Parsed,
    known_as: Sequence[str | None],
    differences: dict[str, Any],
    skip_taken: bool,
) -> Outcome:
    """Publish what was read as the next revision; raises OvertakenError when another writer was first."""
    storage, now, report_id = work.storage, work.now, str(current.record["id"])
    place = Place(report_id, current.rows.number + 1, current.head_version, current.record, current.rows)
    place, stored = publish.store(storage.objects, place, parsed, skip_taken)
    outcome = Outcome(told.REPORT, report_id, told.REVISED, "", report_id, place.number, differences)
    work.announce(outcome)
    publish.show(storage, place, stored, known_as, now)
    return outcome


def _load_current(storage: Storage, report_id: str) -> _Current:
    head = storage.index.get(*layout.head(report_id))
    if head is None:
        raise NotFound("unknown_report", f"There is no report {report_id!r}.")
    rows = layout.current_rows(head.body)
    record = orjson.loads(storage.objects.get(layout.record_object(report_id, rows.number)))
    text = storage.objects.get(layout.text_object(report_id, rows.number)).decode()
    return _Current(Version(record, text), rows, head.version)


def _known_names(storage: Storage, record: Record) -> set[str | None]:
    """The townships that came with these bytes where they became this report; None for bytes that came without."""
    span = layout.known_sources(record["source"]["sha256"])
    found = storage.index.query(span.pk)
    return {e.sk if e.sk.isdigit() else None for e in found if orjson.loads(e.body)["report"] == record["id"]}


def _read_as_published(read: Read, record: Record, names: set[str | None]) -> tuple[Parsed, str | None]:
    """The report as it is read now, and the township that had to be named for it.

    Bytes that came without a township are read without. Where that settles none any more, or where a publisher named
    one, the report's own is named: it stays whose it is.
    """
    own, source = record["township"]["code"], record["source"]
    which = (source["sha256"], source["filename"])
    if names == {own}:
        return read(*which, own), own
    parsed = read(*which, None)
    code = parsed.record["township"]["code"]
    if code == own or (code is not None and own not in names):
        return parsed, None
    return read(*which, own), own


def _settled_id(parsed: Parsed) -> str:
    if parsed.record["id"] is None:
        raise ReportError("no_year", "The report names no year.")
    return str(parsed.record["id"])


def _apart_from_parser(record: Record) -> Record:
    return {**record, "parser": None}


def _apart_from_time(state: upload_state.State) -> upload_state.State:
    return {**state, "updated": None}
