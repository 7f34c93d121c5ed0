"""Rows that a writing put ahead of the transaction which shows them: which of them count, and which can go.

Before its rows a writing leaves a mark, and the mark goes only when the rows count and none is left of those that they
replace. So a row without a mark counts, and of a report with one the head says whose rows do. Marks are asked for
after the rows: what was not shown when it was read had its mark then, and keeps it or has been shown since.
"""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import orjson

from chalicelib.catalog import layout
from chalicelib.catalog.layout import Mark, Rows
from chalicelib.errors import Conflict, NotFound
from chalicelib.moments import iso
from chalicelib.storage import Delete, Entry, Index, Put, Storage

# No writing takes so long: a function ends after minutes. One that was stopped for longer finds its mark taken away
# and begins anew.
ABANDONED = timedelta(hours=1)
PAGE = 1000


def visible(index: Index, entries: Sequence[Entry]) -> list[Entry]:
    """Of entries of rows, as they were just read, those that count."""
    tokens = defaultdict[str, set[str]](set)
    for entry in entries:
        owner = layout.read_owner(entry.sk)
        tokens[owner.report_id].add(owner.token)
    changing = {layout.read_owner(mark.sk).report_id for mark in marks(index)} if entries else set()
    unsure = {report for report, found in tokens.items() if report in changing or len(found) > 1}
    counting = {report: current_token(index, report) for report in unsure}
    owners = ((entry, layout.read_owner(entry.sk)) for entry in entries)
    return [entry for entry, owner in owners if counting.get(owner.report_id, owner.token) == owner.token]


def marks(index: Index) -> Iterator[Entry]:
    """Every mark; there are as many as writings under way, and those that broke off within the last hours."""
    after = ""
    while found := index.query(layout.PENDING, after=after, limit=PAGE):
        yield from found
        if len(found) < PAGE:
            return
        after = found[-1].sk


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
) -> None:
    """Write `new` rows ahead, make them count by one transaction of `shows`, and remove those that they replace.

    Raises Conflict when an expectation of `shows` does not hold, or when the mark was taken away meanwhile, as it is from
    a writing that stood still for an hour. The rows are left then: a sweep removes them.
    """
    ((rows, puts),) = new.items()
    mark, body = layout.pending(report_id, rows.token), layout.write_pending(Mark(rows, replaces, iso(now)))
    storage.index.commit([Put(*mark, body, 0)])
    storage.index.write(puts)
    storage.index.commit([Put(*mark, body, 1) if replaces else Delete(*mark, 1), *shows])
    if replaces:
        remove_rows(storage, report_id, replaces)
        storage.index.commit([Delete(*mark)])


def remove_rows(storage: Storage, report_id: str, rows: Rows) -> None:
    """Remove one writing's rows; which they are follows from the record. Those that are not there are no error."""
    try:
        record = orjson.loads(storage.objects.get(layout.record_object(report_id, rows.number)))
    except NotFound:
        return  # the record comes first: without it there never were rows
    storage.index.write([Delete(*key) for key in layout.row_bodies(record, rows.token)])


def sweep(storage: Storage, now: datetime) -> int:
    """Remove what broken-off writings left, an hour after they began; the number of marks that were looked into.

    A mark is first taken over, so that its writing cannot be shown any more, and goes at a sweep an hour later: by
    then no reader holds rows that it read before.
    """
    old = [mark for mark in marks(storage.index) if layout.read_pending(mark.body).since <= iso(now - ABANDONED)]
    for mark in old:
        # A Conflict: its writing was shown in this moment, or another sweep is at it.
        with contextlib.suppress(Conflict):
            _sweep(storage, mark, now)
    return len(old)


def _sweep(storage: Storage, mark: Entry, now: datetime) -> None:
    found = layout.read_pending(mark.body)
    if not found.swept:
        taken = layout.write_pending(found._replace(since=iso(now), swept=True))
        storage.index.commit([Put(mark.pk, mark.sk, taken, mark.version)])
    report_id = layout.read_owner(mark.sk).report_id
    counting = current_token(storage.index, report_id)
    for rows in (found.rows, found.replaces):
        if rows and rows.token != counting:
            remove_rows(storage, report_id, rows)
    if found.swept:
        storage.index.commit([Delete(mark.pk, mark.sk, mark.version)])
