"""Pages of a list: which entries a page reads, and the cursor that the next page starts from.

A cursor is the key of the last entry that was taken, so a page neither skips nor repeats when entries come and go.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
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
    """Behind `rows` rows of the entry `sk` of partition `pk`; 0 rows: behind the whole entry.

    `asked` is the digest of what the list was asked for: another list of the same partition takes no such cursor.
    """

    pk: str
    sk: str
    rows: int = 0
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """`data` may be shorter than the limit, even empty, while `next` is a cursor; the list ends where that is None.

    `count` is of the rows of all pages, None where it would have to be counted by reading them.
    """

    data: list[Any]
    next: str | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list is made of: its runs of entries in order, the rows of an entry, and which of them belong to it.

    `spans` begin at the partition that it is given ("" for the first), so that a later page asks for nothing of those
    before. `batch` is how many entries one query asks for. `visible` takes out of the entries of a query those that do not
    count; `name` gives the sort keys of entries that replace each other one name, which cursors carry. `asked` is a digest
    of what was asked for.
    """

    spans: Callable[[str], Iterable[Span]]
    rows: Callable[[Entry], Sequence[Any]]
    keep: Callable[[Any], bool] | None = None
    batch: int = BATCH
    name: Callable[[str], str] = str
    visible: Callable[[Index, Sequence[Entry]], Sequence[Entry]] = lambda _, entries: entries
    asked: str = ""


def digest(*chosen: object) -> str:
    """A short name of what a list was asked for, so that a cursor fits no other one."""
    return hashlib.sha256(repr(chosen).encode()).hexdigest()[:12]


def write_cursor(position: Position) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(tuple(position))).decode().rstrip("=")


def read_cursor(text: str) -> Position:
    """Raises BadRequest for anything that `write_cursor` did not write."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        pk, sk, rows, *more = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        (asked,) = more or [""]  # those of before had three parts, and a kept one goes on
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise _forged() from error
    if any(type(text) is not str for text in (pk, sk, asked)) or type(rows) is not int or rows < 0:
        raise _forged()
    return Position(pk, sk, rows, asked)


def read_place(cursor: str | None, pk: str) -> str:
    """Where in the list `pk` a page starts, "" at its beginning. Raises BadRequest for a cursor of another list."""
    if not cursor:
        return ""
    start = read_cursor(cursor)
    if start.pk != pk:
        raise _forged()
    return start.sk


def read_page(index: Index, listing: Listing, cursor: str | None, limit: int) -> Page:
    """At most `limit` rows behind `cursor`. Raises BadRequest for a cursor of another list."""
    data: list[Any] = []
    taken: tuple[Entry, int] | None = None
    start = read_cursor(cursor) if cursor else None
    if start and start.asked != listing.asked:
        raise _forged()
    for entry, place in _entries(index, listing, start):
        if entry is None:
            return Page(data, write_cursor(place._replace(asked=listing.asked)))
        for number, row in enumerate(listing.rows(entry)[place.rows :], place.rows + 1):
            if listing.keep is None or listing.keep(row):
                if len(data) == limit:
                    return Page(data, taken and _write_taken(listing, *taken))
                data.append(row)
                taken = entry, number
        taken = entry, 0
    return Page(data)


def read_whole(index: Index, listing: Listing, most: int) -> list[Any]:
    """All rows of the list. Raises BadRequest `too_many_rows` where there are more than `most`, or too many to find."""
    data: list[Any] = []
    for entry, _ in _entries(index, listing, None):
        data += (
            [] if entry is None else [row for row in listing.rows(entry) if listing.keep is None or listing.keep(row)]
        )
        if entry is None or len(data) > most:
            detail = f"More than {most:,} rows, or too many to look through, would have to be sorted."
            raise BadRequest(
                "too_many_rows", detail, "Name a year and a county or prefecture, or leave out sort.", parameter="sort"
            )
    return data


def sorted_page(
    rows: Sequence[Any], key: Callable[[Any], list[Any]], anchor: tuple[str, str], cursor: str | None, limit: int
) -> Page:
    """A page of rows in order of `key`, which no two share and JSON holds; rows that come and go shift no others."""
    ordered = sorted(((key(row), row) for row in rows), key=lambda each: each[0])
    if cursor:
        start = read_cursor(cursor)
        pk, mark, *_ = start
        if pk != anchor[0] or not mark.startswith(anchor[1]):
            raise _forged()
        try:
            last = orjson.loads(mark.removeprefix(anchor[1]))
            ordered = [each for each in ordered if each[0] > last]
        except (orjson.JSONDecodeError, TypeError) as error:
            raise _forged() from error
    page, more = ordered[:limit], len(ordered) > limit
    mark = anchor[1] + orjson.dumps(page[-1][0]).decode() if page else ""
    return Page([row for _, row in page], write_cursor(Position(anchor[0], mark)) if more else None, len(rows))


def cut_page(rows: Sequence[Any], anchor: tuple[str, str], cursor: str | None, limit: int) -> Page:
    """A page of rows that are all at hand; `anchor` names what they belong to, so that a cursor fits no other list."""
    start = read_cursor(cursor) if cursor else Position(*anchor)
    if (start.pk, start.sk) != anchor:
        raise _forged()
    end = start.rows + limit
    following = write_cursor(Position(*anchor, end)) if end < len(rows) else None
    return Page(list(rows[start.rows : end]), following, len(rows))


def _entries(index: Index, listing: Listing, start: Position | None) -> Iterator[tuple[Entry | None, Position]]:
    """Entries behind `start`, each with its place, which counts its rows already taken.

    A last None stands for what was left unread, with the place before it.
    """
    budget, found = QUERIES, start is None
    for span in listing.spans(start.pk if start else ""):
        after = ""
        if start and not found:
            if span.pk != start.pk or not start.sk.startswith(span.prefix):
                continue
            found, after = True, start.sk
            if start.rows:
                yield from ((entry, start) for entry in _named(index, listing, start))
        more = True
        while more:
            if not budget:
                yield None, Position(span.pk, listing.name(after) if after else span.prefix)
                return
            entries = index.query(span.pk, prefix=span.prefix, after=after, limit=listing.batch)
            budget, more = budget - 1, len(entries) == listing.batch
            taken = start.sk if start and start.pk == span.pk else None
            for entry in listing.visible(index, [each for each in entries if listing.name(each.sk) != taken]):
                yield entry, Position(entry.pk, entry.sk)
            after = entries[-1].sk if entries else after
    if not found:
        raise _forged()


def _named(index: Index, listing: Listing, start: Position) -> Sequence[Entry]:
    """The entries of the name that a cursor ended in."""
    found = index.query(start.pk, prefix=start.sk, limit=listing.batch)
    return listing.visible(index, list(takewhile(lambda entry: listing.name(entry.sk) == start.sk, found)))


def _write_taken(listing: Listing, entry: Entry, rows: int) -> str:
    return write_cursor(Position(entry.pk, listing.name(entry.sk), rows, listing.asked))


def _forged() -> BadRequest:
    """The failure of a cursor that the list did not give out."""
    way_out = "Take cursors from the `next` link of the same list, or start again without one."
    return BadRequest("bad_cursor", "The cursor is none of this list.", way_out, parameter="cursor")
