"""What one report can answer: its record, its parts, its text and its revisions.

Nothing is visible that the index does not list: objects are written first. Every question may name a revision.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import orjson

from chalicelib.catalog import layout, lists, paging
from chalicelib.catalog.choice import Rows, Runs
from chalicelib.catalog.indicators import chosen_concepts
from chalicelib.catalog.layout import Record
from chalicelib.catalog.paging import Listing, Page
from chalicelib.catalog.withdrawn import gone
from chalicelib.errors import NotFound, TooLarge
from chalicelib.moments import iso, read_moment
from chalicelib.storage import Index, Storage

MOST = 1000  # revisions: no report has so many


def record(storage: Storage, report: str, revision: int | None = None) -> bytes:
    """The record as it was stored, the current revision or the one asked for. Raises NotFound."""
    return shown_record(storage, report, revision)[0]


def shown_record(storage: Storage, report: str, revision: int | None = None) -> tuple[bytes, Record]:
    """The record as it was stored, and what the index says of its revision. Raises NotFound."""
    line = revision_line(storage.index, report, revision)
    return storage.objects.get(layout.record_object(report, line["revision"])), line


def add_members(storage: Storage, report: str, record: bytes, line: Record, names: Collection[str]) -> bytes:
    """The stored record of the revision `line`, with its clean text and the report's revisions where they are named.

    Raises TooLarge `answer_too_large` beyond what a function's answer holds.
    """
    added: Record = {}
    if "text" in names:
        added["text"] = storage.objects.get(layout.text_object(report, line["revision"])).decode()
    if "revisions" in names:
        span = layout.revisions(report)
        entries = storage.index.query(span.pk, prefix=span.prefix, limit=MOST)
        added["revisions"] = [orjson.Fragment(entry.body) for entry in entries]
    # Nothing of it is parsed: the last brace makes room.
    whole = record.rstrip()[:-1] + b"," + orjson.dumps(added)[1:]
    if len(whole) > layout.SERVABLE:
        detail = f"The record with what is included has {len(whole):,} bytes, and an answer holds {layout.SERVABLE:,}."
        raise TooLarge("answer_too_large", detail, f"Ask for the record and for /v1/reports/{report}/text.")
    return whole


def revision_line(index: Index, report_id: str, revision: int | None) -> Record:
    """What the index says of a revision: nothing is visible that it does not list.

    Raises NotFound, and Gone `withdrawn` for a tombstone and for every revision of a report that is withdrawn.
    """
    line = _listed_line(index, report_id, revision)
    current = line if revision is None else _listed_line(index, report_id, None)
    for each in (current, line):
        if "withdrawn" in each:
            raise gone(report_id, each["withdrawn"])
    return line


def revision_at(index: Index, report_id: str, as_of: str) -> int:
    """The number of the revision that was current at a date or time. Raises BadRequest, NotFound."""
    moment, span = iso(read_moment("as_of", as_of)), layout.revisions(report_id)
    lines = [orjson.loads(entry.body) for entry in index.query(span.pk, prefix=span.prefix, limit=MOST)]
    before = [line["revision"] for line in lines if line["ingested"] <= moment]
    if before:
        return int(before[-1])
    if not lines:
        _listed_line(index, report_id, None)
    way_out = f"/v1/reports/{report_id}/revisions tells when it was published."
    raise NotFound("unknown_revision", f"Report {report_id} was not there yet at {moment}.", way_out)


def _listed_line(index: Index, report_id: str, revision: int | None) -> Record:
    entry = index.get(*(layout.head(report_id) if revision is None else layout.revision(report_id, revision)))
    if entry is not None:
        line: Record = orjson.loads(layout.read_head(entry.body).summary if revision is None else entry.body)
        return line
    if revision is not None and index.get(*layout.head(report_id)):
        way_out = f"/v1/reports/{report_id}/revisions lists those that there are."
        raise NotFound("unknown_revision", f"Report {report_id} has no revision {revision}.", way_out)
    way_out = "Find reports with /v1/reports?township= or /v1/townships/{township}/reports."
    raise NotFound("unknown_report", f"There is no report {report_id!r}.", way_out)


def sections(storage: Storage, report: str, revision: int | None, cursor: str | None, limit: int) -> Page:
    """The sections of a report in reading order."""
    whole = _record(storage, report, revision, cursor)
    return paging.cut_page(whole["sections"], _anchor(whole, "sections"), cursor, limit)


def section(storage: Storage, report: str, section: str, revision: int | None) -> Record:
    """One section with its text, its subsections' text included. Raises NotFound."""
    whole = _record(storage, report, revision)
    for found in whole["sections"]:
        if found["id"] == section:
            words = storage.objects.get(layout.text_object(report, whole["revision"])).decode()
            whose = {key: whole[key] for key in ("township", "revision")}
            return {"report": whole["id"], **whose, **found, "text": words[found["start"] : found["end"]]}
    way_out = f"/v1/reports/{report}/sections lists the {len(whole['sections'])} that there are."
    raise NotFound("unknown_section", f"Report {report} has no section {section!r}.", way_out)


def indicators(
    storage: Storage,
    report: str,
    revision: int | None,
    *,
    year: Runs | None = None,
    concept: Sequence[str] | None = None,
    theme: Sequence[str] | None = None,
    status: Sequence[str] | None = None,
    value: Runs | None = None,
    cursor: str | None,
    limit: int,
) -> Page:
    """The indicator rows of a report in reading order."""
    whole = _record(storage, report, revision, cursor)
    chosen = Rows(year, chosen_concepts(concept, theme), status, value)
    rows = [row for row in layout.indicator_rows(whole) if chosen.holds(row)]
    return paging.cut_page(rows, _anchor(whole, f"indicators|{paging.digest(chosen)}"), cursor, limit)


def text(storage: Storage, report: str, revision: int | None = None) -> bytes:
    """The report's clean text in UTF-8, which all offsets count in. Raises NotFound."""
    return shown_text(storage, report, revision)[0]


def shown_text(storage: Storage, report: str, revision: int | None = None) -> tuple[bytes, Record]:
    """The report's clean text, and what the index says of its revision. Raises NotFound."""
    line = revision_line(storage.index, report, revision)
    return storage.objects.get(layout.text_object(report, line["revision"])), line


def revisions(storage: Storage, report: str, cursor: str | None, limit: int) -> Page:
    """The revisions of a report, the first one first. Raises NotFound."""
    _listed_line(storage.index, report, None)
    span = layout.revisions(report)
    return paging.read_page(storage.index, Listing(lambda _: [span], lists.stored_row), cursor, limit)


def _record(storage: Storage, report_id: str, revision: int | None, cursor: str | None = None) -> Record:
    """A revision's record; a cursor stays with the revision that its list began in."""
    if revision is None and cursor:
        revision = _pinned(cursor)
    parsed: Record = orjson.loads(record(storage, report_id, revision))
    return parsed


def _anchor(record: Record, what: str) -> tuple[str, str]:
    return f"report#{record['id']}", f"{record['revision']}|{what}"


def _pinned(cursor: str) -> int | None:
    number = paging.read_cursor(cursor).sk.partition("|")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 7 else None
