"""What a writing put ahead of the transaction which shows it: which rows count, and what can go.

Before its rows a writing leaves a mark, and the mark goes only when the rows count and none is left of those that they
replace. So a row without a mark counts, and of a report with one the head says whose rows do. Marks are asked for
after the rows: what was not shown when it was read had its mark then, and keeps it or has been shown since.
The object that tells of a revision that it is shown comes ahead too, and its entry in the list of changes: they tell
nothing while the mark says otherwise. `catalog.changes` reads what the marks promise.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from chalicelib.catalog import layout
from chalicelib.catalog.layout import SHOWN, TAKEN, WRITING, Key, Mark, Owner, Record, Rows
from chalicelib.errors import Conflict, NotFound, ReportsError, StorageError
from chalicelib.moments import iso, iso_precise
from chalicelib.storage import Delete, Entry, Index, Put, Storage

# No writing takes so long: a function ends after minutes. One that was stopped for longer finds its mark taken away
# and begins anew.
ABANDONED = timedelta(hours=1)
PAGE = 1000
# A change's position is the time before its mark is committed, and the mark has to be there so soon after: readers of
# the list of changes stay further behind the time than that, by what clocks of two machines may differ.
PROMPT = 2.0  # seconds
TRIES = 5


class Told(NamedTuple):
    """What tells of a new revision: the `line` of its object, to which its position comes, and its change."""

    line: Record
    change: bytes


def visible(index: Index, entries: Sequence[Entry]) -> list[Entry]:
    """Of entries of rows, as they were just read, those that count."""
    owners = [layout.read_owner(entry.sk) for entry in entries]
    changing = {layout.read_owner(mark.sk).report_id for mark in marks(index)} if entries else set()
    tokens: dict[str, str] = {}
    for report, token in owners:
        if tokens.setdefault(report, token) != token:
            changing.add(report)
    counting = {report: current_token(index, report) for report in changing & tokens.keys()}
    if not counting:
        return list(entries)
    held = zip(entries, owners, strict=True)
    return [entry for entry, (report, token) in held if counting.get(report, token) == token]


def marks(index: Index) -> Iterator[Entry]:
    """Every mark; there are as many as writings under way, and those that broke off within the last hours."""
    after = ""
    while found := index.query(layout.PENDING, after=after, limit=PAGE):
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1].sk


def unshown(index: Index) -> set[Owner]:
    """The writings under way or broken off, whose revisions are not shown."""
    stages = ((layout.read_owner(mark.sk), layout.read_pending(mark.body).stage) for mark in marks(index))
    return {owner for owner, stage in stages if stage in (WRITING, TAKEN)}


def is_withdrawn(index: Index, report_id: str) -> bool:
    """Whether the report's current revision is a tombstone."""
    head = index.get(*layout.head(report_id))
    return head is not None and "withdrawn" in orjson.loads(layout.read_head(head.body).summary)


def current_token(index: Index, report_id: str) -> str | None:
    """The token of the rows that count; None for a report that is not shown (yet)."""
    head = index.get(*layout.head(report_id))
    return None if head is None else layout.read_head(head.body).token


def replace_rows(
    storage: Storage,
    report_id: str,
    new: Mapping[Rows, Sequence[Put]],
    replaces: Rows | None,
    shows: Sequence[Put | Delete],
    now: datetime,
    told: Told | None = None,
) -> None:
    """Write `new` rows ahead, make them count by one transaction of `shows`, and remove those that they replace.

    `told` tells of a new revision. Raises Conflict when an expectation of `shows` does not hold, or when the mark was
    taken away meanwhile, as it is from a writing that stood still for an hour. What was written ahead is left then: a
    sweep removes it.
    """
    ((rows, puts),) = new.items()
    mark, version = _leave_mark(storage.index, report_id, Mark(rows, replaces, iso(now), told is not None))
    storage.index.write([*puts, *_tell(storage, report_id, mark, told)] if told else puts)
    key = layout.pending(report_id, rows.token)
    shown = Put(*key, layout.write_pending(mark._replace(stage=SHOWN)), version) if replaces else Delete(*key, version)
    try:
        storage.index.commit([shown, *shows])
    except Conflict:
        _give_up(storage.index, key, mark, version)
        raise
    if replaces:
        remove_rows(storage, report_id, replaces)
        storage.index.commit([Delete(*key)])


def _leave_mark(index: Index, report_id: str, mark: Mark) -> tuple[Mark, int]:
    """The mark as committed, with a position of that moment if it tells, and its version."""
    key = layout.pending(report_id, mark.rows.token)
    for version in range(TRIES):
        began = time.monotonic()
        if mark.tells:
            moment = iso_precise(datetime.now(UTC))
            mark = mark._replace(position=layout.position(moment, report_id, mark.rows.token))
        index.commit([Put(*key, layout.write_pending(mark), version)])
        if not mark.tells or time.monotonic() - began <= PROMPT:
            return mark, version + 1
    raise StorageError("storage_busy", "The index takes too long for a writing.", "Try again later.")


def _tell(storage: Storage, report_id: str, mark: Mark, told: Told) -> Iterator[Put]:
    """Store the object that tells of a revision; the change, which is to be written."""
    line = orjson.dumps({**told.line, "position": mark.position})
    storage.objects.put(layout.shown_object(report_id, *mark.rows), line, "application/json")
    month = layout.changed_month(mark.position)
    if storage.index.get(*month) is None:
        storage.index.commit([Put(*month, b"{}")])
    yield Put(*layout.change(mark.position), told.change)


def _give_up(index: Index, key: Key, mark: Mark, version: int) -> None:
    """Say that a writing will not be shown: the list of changes waits for it no longer."""
    # Of another's mark nothing is changed; where the index fails, a sweep says it later.
    with contextlib.suppress(ReportsError):
        index.commit([Put(*key, layout.write_pending(mark._replace(stage=TAKEN)), version)])


def remove_rows(storage: Storage, report_id: str, rows: Rows) -> None:
    """Remove one writing's rows, which follow from the record; those that are not there are no error."""
    storage.index.write([Delete(*key) for key in _row_keys(storage, report_id, rows)])


def sweep(storage: Storage, now: datetime) -> int:
    """Remove what broken-off writings left, an hour after they began; the number of marks that were looked into.

    A mark is first taken over, so that its writing cannot be shown any more. It goes at a sweep that finds nothing left,
    an hour later: by then no reader holds rows that it read before, and no writer that stood still has gone on to write.
    """
    old = [mark for mark in marks(storage.index) if layout.read_pending(mark.body).since <= iso(now - ABANDONED)]
    for mark in old:
        # A Conflict: its writing was shown in this moment, or another sweep is at it.
        with contextlib.suppress(Conflict):
            _sweep(storage, mark, now)
    return len(old)


def _sweep(storage: Storage, mark: Entry, now: datetime) -> None:
    found = layout.read_pending(mark.body)
    stage = TAKEN if found.stage == WRITING else found.stage
    body = layout.write_pending(found._replace(stage=stage, since=iso(now)))
    if found.stage == WRITING:
        storage.index.commit([Put(mark.pk, mark.sk, body, mark.version)])
        _remove_left(storage, layout.read_owner(mark.sk).report_id, found._replace(stage=TAKEN))
    elif _remove_left(storage, layout.read_owner(mark.sk).report_id, found):
        storage.index.commit([Put(mark.pk, mark.sk, body, mark.version)])
    else:
        storage.index.commit([Delete(mark.pk, mark.sk, mark.version)])


def _remove_left(storage: Storage, report_id: str, mark: Mark) -> bool:
    """Remove what does not count of a writing and of what it replaces; whether there was anything."""
    if mark.tells and mark.stage == TAKEN:
        storage.objects.put(layout.unshown_object(report_id, *mark.rows), b"")
    counting = current_token(storage.index, report_id)
    idle = [rows for rows in (mark.rows, mark.replaces) if rows and rows.token != counting]
    keys = [key for rows in idle for key in _row_keys(storage, report_id, rows)]
    keys += [layout.change(mark.position)] if mark.position and mark.stage == TAKEN else []
    left = [key for key in keys if storage.index.get(*key)]
    storage.index.write([Delete(*key) for key in left])
    return bool(left)


def _row_keys(storage: Storage, report_id: str, rows: Rows) -> list[Key]:
    try:
        record = orjson.loads(storage.objects.get(layout.record_object(report_id, rows.number)))
    except NotFound:
        return []  # the record comes first: without it there never were rows
    return list(layout.row_bodies(record, rows.token))
