"""A township's reports and figures as they stood at a date or time: each report's revision of then.

A report that is withdrawn now stays withdrawn. A page looks into so many reports that its reads are bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import dropwhile

import orjson

from chalicelib.catalog import layout, paging
from chalicelib.catalog.layout import Record, Span
from chalicelib.catalog.paging import Page, Position
from chalicelib.moments import iso, read_moment
from chalicelib.storage import Entry, Index, Storage

REPORTS = 20  # a page looks into: each costs a query of its revisions at most, and an object
MOST = 1000  # revisions: no report has so many


def read_page(
    storage: Storage,
    spans: Sequence[Span],
    as_of: str,
    rows: Callable[[Record], Sequence[object]],
    *,
    asked: str,
    cursor: str | None,
    limit: int,
) -> Page:
    """What `rows` makes of the summaries that the heads of `spans` had at `as_of`; it may end before it is full.

    `asked` is the digest of what was asked for. Raises BadRequest for what is no time, and for a cursor of another list.
    """
    moment = iso(read_moment("as_of", as_of))
    start = _start(cursor, spans, asked)
    data: list[object] = []
    taken, left = start, REPORTS
    for span in dropwhile(lambda span: start is not None and span.pk != start.pk, spans):
        for entry in _heads(storage.index, span, start, left + 1):
            if not left:
                return Page(data, taken and paging.write_cursor(taken))
            left -= 1
            summary = _summary_then(storage, entry, moment)
            place = Position(entry.pk, entry.sk, 0, asked)
            behind = start.rows if start and start[:2] == place[:2] else 0
            for number, row in enumerate(rows(summary)[behind:] if summary else (), behind + 1):
                if len(data) == limit:
                    return Page(data, taken and paging.write_cursor(taken))
                data.append(row)
                taken = place._replace(rows=number)
            taken = place
    return Page(data)


def _start(cursor: str | None, spans: Sequence[Span], asked: str) -> Position | None:
    start = paging.read_cursor(cursor) if cursor else None
    if start and (start.asked != asked or not any(start.pk == pk and start.sk.startswith(sk) for pk, sk in spans)):
        raise paging.forged()
    return start


def _heads(index: Index, span: Span, start: Position | None, most: int) -> list[Entry]:
    """The next heads, beginning with the one that a page before has taken in part."""
    if start is None or start.pk != span.pk:
        return index.query(span.pk, prefix=span.prefix, limit=most)
    begun = index.get(start.pk, start.sk) if start.rows else None
    return [*([begun] if begun else []), *index.query(span.pk, prefix=span.prefix, after=start.sk, limit=most)]


def _summary_then(storage: Storage, entry: Entry, moment: str) -> Record | None:
    """The summary of a head's report as it was at a moment (ISO, UTC); None where there was none yet."""
    current: Record = orjson.loads(layout.read_head(entry.body).summary)
    if current["ingested"] <= moment:
        return current
    span = layout.revisions(current["id"])
    lines = [orjson.loads(each.body) for each in storage.index.query(span.pk, prefix=span.prefix, limit=MOST)]
    before = [line for line in lines if line["ingested"] <= moment]
    if not before or "withdrawn" in current:
        return current if before else None
    line = before[-1]
    record = orjson.loads(storage.objects.get(layout.record_object(current["id"], line["revision"])))
    return layout.summarise(record, line["ingested"], line["record_sha256"])
