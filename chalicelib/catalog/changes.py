"""What happened to reports, in order: who has read up to a position never misses a change, and meets none twice.

A change has its position before it shows (`catalog.pending`). So the list ends before every writing that is under way,
and some seconds before now: no change comes to stand before one that was told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from chalicelib.catalog import layout, paging, pending
from chalicelib.catalog.paging import Page, Position
from chalicelib.moments import iso_precise, read_moment
from chalicelib.storage import Entry, Index, Storage

Change = dict[str, Any]

# Longer than a mark takes (`pending.PROMPT`), by what the clocks of two machines may differ.
BEHIND = timedelta(seconds=pending.PROMPT + 3)
# The feed without a beginning goes back a year at most; so many halvings of that come down to a millisecond.
LONGEST, HALVINGS = timedelta(days=366), 35
MONTHS = 1000


class _Settled(NamedTuple):
    """Before `end` nothing comes any more; the positions `void` are of writings that will never be shown."""

    end: str
    void: frozenset[str]


def changes(storage: Storage, since: str | None, cursor: str | None, limit: int, now: datetime) -> Page:
    """The changes since a time (ISO) or behind a cursor, the first one first. There always is a next cursor.

    A page with fewer than `limit` ends where the list does for now. Raises BadRequest.
    """
    begin = iso_precise(read_moment("since", since)) if since and not cursor else ""
    after = paging.read_place(cursor, layout.CHANGES) or begin
    found = _after(storage.index, after, limit, _settled(storage.index, now))
    last = found[-1]["position"] if found else after
    return Page(found, paging.write_cursor(Position(layout.CHANGES, last)))


def newest(storage: Storage, limit: int, now: datetime) -> list[Change]:
    """The last changes of a year, at most `limit` and where there are more at least half of that; the newest first.

    The table is read forwards only: how far back to begin is found by halving. Of a burst within a millisecond none are
    left over at last, and none are told.
    """
    settled, found = _settled(storage.index, now), list[Change]()
    back = step = LONGEST
    for _ in range(HALVINGS):
        some = _after(storage.index, iso_precise(now - back), limit + 1, settled)
        step /= 2
        if len(some) > limit:
            back -= step
            continue
        found = some
        if back == LONGEST or 2 * len(some) >= limit:
            break
        back += step
    return found[::-1]


def complete_to(index: Index, now: datetime) -> str:
    """The time (ISO) before which nothing comes into the list any more: whatever is asked after this has all of before."""
    return _settled(index, now).end.partition("#")[0]


def _settled(index: Index, now: datetime) -> _Settled:
    """To be asked for before the changes: a writing that has no mark by now gets a position behind the end."""
    marks = [layout.read_pending(mark.body) for mark in pending.marks(index)]
    writing = [mark.position for mark in marks if mark.position and mark.stage == layout.WRITING]
    void = frozenset(mark.position for mark in marks if mark.stage == layout.TAKEN)
    return _Settled(min([iso_precise(now - BEHIND), *writing]), void)


def _after(index: Index, after: str, limit: int, settled: _Settled) -> list[Change]:
    found = list[Change]()
    for month in index.query(layout.CHANGES, limit=MONTHS):
        if month.sk < after[:7]:
            continue
        for entry in _of_month(index, month.sk, after, limit):
            if entry.sk >= settled.end or len(found) == limit:
                return found
            if entry.sk not in settled.void:
                found.append(_told(entry))
    return found


def _of_month(index: Index, month: str, after: str, limit: int) -> Iterator[Entry]:
    pk = f"{layout.CHANGES}#{month}"
    while entries := index.query(pk, after=after, limit=limit):
        yield from entries
        if len(entries) < limit:
            return
        after = entries[-1].sk


def _told(entry: Entry) -> Change:
    return {"position": entry.sk, "time": entry.sk.partition("#")[0], **orjson.loads(entry.body)}
