"""Pages of a list: which entries a page reads, and the cursor that the next page starts from.

A cursor is the key of the last entry that was taken, so a page neither skips nor repeats when entries come and go.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

import orjson

from chalicelib.catalog.layout import Span
from chalicelib.errors import BadRequest
from chalicelib.storage import Entry, Index

# A page ends here even when a filter kept few of the rows that it read, so that no request reads without bound.
QUERIES = 40
BATCH = 100  # entries that a query asks for


class Position(NamedTuple):
    """Behind `rows` rows of the entry `sk` of partition `pk`; 0 rows: behind the whole entry."""

    pk: str
    sk: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """`data` may be shorter than the limit, even empty, while `next` is a cursor; the list ends where that is None."""

    data: list[Any]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list is made of: its runs of entries in order, the rows of an entry, and which of them belong to it.

    `batch` is how many entries one query asks for. `visible` takes out of the entries of a query those that do not
    count; `name` gives the sort keys of entries that replace each other one name, which cursors carry.
    """

    spans: Callable[[], Iterable[Span]]
    rows: Callable[[Entry], Sequence[Any]]
    keep: Callable[[Any], bool] = lambda _: True
    batch: int = BATCH
    name: Callable[[str], str] = str
    visible: Callable[[Index, Sequence[Entry]], Sequence[Entry]] = lambda _, entries: entries


def write_cursor(position: Position) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(tuple(position))).decode().rstrip("=")


def read_cursor(text: str) -> Position:
    """Raises BadRequest for anything that `write_cursor` did not write."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        pk, sk, rows = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise _forged() from error
    if type(pk) is not str or type(sk) is not str or type(rows) is not int or rows < 0:
        raise _forged()
    return Position(pk, sk, rows)


def read_page(index: Index, listing: Listing, cursor: str | None, limit: int) -> Page:
    """At most `limit` rows behind `cursor`. Raises BadRequest for a cursor of another list."""
    last = read_cursor(cursor) if cursor else None
    data: list[Any] = []
    for entry, skip in _entries(index, listing, last):
        if entry is None:
            return Page(data, _written(last))
        for number, row in enumerate(listing.rows(entry)[skip:], skip + 1):
            if listing.keep(row):
                if len(data) == limit:
                    return Page(data, _written(last))
                data.append(row)
                last = Position(entry.pk, listing.name(entry.sk), number)
        last = Position(entry.pk, listing.name(entry.sk))
    return Page(data)


def cut_page(rows: Sequence[Any], anchor: tuple[str, str], cursor: str | None, limit: int) -> Page:
    """A page of rows that are all at hand; `anchor` names what they belong to, so that a cursor fits no other list."""
    start = read_cursor(cursor) if cursor else Position(*anchor)
    if (start.pk, start.sk) != anchor:
        raise _forged()
    end = start.rows + limit
    return Page(list(rows[start.rows : end]), write_cursor(Position(*anchor, end)) if end < len(rows) else None)


def _entries(index: Index, listing: Listing, start: Position | None) -> Iterator[tuple[Entry | None, int]]:
    """Entries behind `start` with the number of their rows already taken; a last None when more were left unread."""
    budget, found = QUERIES, start is None
    for span in listing.spans():
        after = ""
        if start and not found:
            if span.pk != start.pk or not start.sk.startswith(span.prefix):
                continue
            found, after = True, start.sk
            if start.rows:
                yield from ((entry, start.rows) for entry in _named(index, listing, start))
        while entries := index.query(span.pk, prefix=span.prefix, after=after, limit=listing.batch):
            if not budget:
                yield None, 0
                return
            taken = start and start.sk
            shown = listing.visible(index, [entry for entry in entries if listing.name(entry.sk) != taken])
            yield from ((entry, 0) for entry in shown)
            budget, after = budget - 1, entries[-1].sk
            if len(entries) < listing.batch:
                break
    if not found:
        raise _forged()


def _named(index: Index, listing: Listing, start: Position) -> Sequence[Entry]:
    """The entries of the name that a cursor ended in."""
    found = index.query(start.pk, prefix=start.sk, limit=listing.batch)
    return listing.visible(index, list(takewhile(lambda entry: listing.name(entry.sk) == start.sk, found)))


def _written(position: Position | None) -> str | None:
    return write_cursor(position) if position else None


def _forged() -> BadRequest:
    way_out = "Take cursors from the `next` link of the same list, or start again without one."
    return BadRequest("bad_cursor", "The cursor is none of this list.", way_out, parameter="cursor")
