"""What is found in the texts: a page of reports that have all words of a query, each with where they stand.

Segments are asked newest year first, then by province. A page ends when it has read enough, however few it found.
Reports that changed since the segments were made are looked into by themselves while they are few.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

import orjson

from chalicelib.catalog import changes, layout, paging, places
from chalicelib.catalog.choice import Runs
from chalicelib.catalog.concepts import load_concepts
from chalicelib.catalog.layout import Record
from chalicelib.catalog.paging import Page, Position
from chalicelib.errors import NotFound
from chalicelib.moments import iso_precise
from chalicelib.search import build, documents, query, segment
from chalicelib.search.query import Word
from chalicelib.search.segment import Top
from chalicelib.storage import Index, Objects, Storage

READS = 60  # of objects and of the index, after which a page ends
CANDIDATES = 20  # reports that are looked into at once
GAP, MOST_BYTES = 65_536, 2_000_000  # of documents that one read takes
TOPS = 32
FRESH = 20  # changes since the segments were made that a page looks into
END = "~"
NEAR = 60  # reports between two that one query of the index takes


class _Tops:
    """The tops of the segments used last: a segment's name never comes to stand for another one."""

    def __init__(self) -> None:
        self._lock, self._kept = threading.Lock(), OrderedDict[str, Top]()

    def get(self, key: str) -> Top | None:
        with self._lock:
            if found := self._kept.get(key):
                self._kept.move_to_end(key)
            return found

    def keep(self, key: str, top: Top) -> None:
        with self._lock:
            self._kept[key] = top
            if len(self._kept) > TOPS:
                self._kept.popitem(last=False)


_tops = _Tops()


class Reader:
    """Reads segments and reports, and counts the reads."""

    def __init__(self, storage: Storage) -> None:
        self._objects: Objects = storage.objects
        self._index: Index = storage.index
        self._blocks: dict[tuple[str, int], bytes] = {}
        self.reads = 1  # the manifest

    def top(self, part: Record) -> Top:
        found = _tops.get(part["key"])
        if found is None:
            found = segment.read_top(self._range(part["key"], part["top"], part["bytes"]))
            _tops.keep(part["key"], found)
        return found

    def candidates(self, part: Record, top: Top, words: Sequence[Word]) -> list[int]:
        """The documents that have the terms of all words, in order."""
        left: set[int] | None = None
        for word in words:
            having = set[int]()
            for group in word.terms:
                having |= self._having(part, top, group)
            left = having if left is None else left & having
            if not left:
                return []
        return sorted(left or ())

    def read_documents(self, part: Record, top: Top, numbers: Sequence[int]) -> Iterator[documents.Document]:
        """The documents of these numbers, neighbours by one read."""
        starts = top.documents

        def near(first: int, last: int, each: int) -> bool:
            return starts[each] - starts[last + 1] <= GAP and starts[each + 1] - starts[first] <= MOST_BYTES

        for run in _runs(numbers, near):
            begin = starts[run[0]]
            data = self._range(part["key"], begin, starts[run[-1] + 1])
            for number in run:
                yield segment.read_document(data[starts[number] - begin : starts[number + 1] - begin])

    def summaries(self, top: Top, numbers: Sequence[int]) -> dict[str, Record]:
        """The current summaries of the reports of these numbers, without those that are not there any more."""
        found: dict[str, Record] = {}
        for run in _runs(numbers, lambda first, _, each: each - first <= NEAR):
            for entry in self._entries([layout.listed_report(top.ids[number]) for number in run]):
                summary = orjson.loads(entry)
                if "withdrawn" not in summary:
                    found[summary["id"]] = summary
        return found

    def read_current(self, summary: Record) -> documents.Document:
        """What the search would hold of a revision that is not in a segment yet."""
        self.reads += 2
        return build.read_document(self._objects, summary["id"], summary["revision"])

    def _entries(self, keys: Sequence[layout.Key]) -> list[bytes]:
        wanted = {key.sk for key in keys}
        self.reads += 1
        if len(keys) > 1:
            # A sort key without its last character comes right before it.
            near = self._index.query(keys[0].pk, prefix=keys[0].sk[:2], after=keys[0].sk[:-1], limit=NEAR + 1)
            bodies = {entry.sk: entry.body for entry in near if entry.sk in wanted}
            wanted -= bodies.keys()
            # Where new reports lie between, the last ones are behind the query's end.
            wanted = {sk for sk in wanted if len(near) > NEAR and sk > near[-1].sk}
        else:
            bodies = {}
        for key in keys:
            if key.sk in wanted and (entry := self._index.get(*key)):
                bodies[key.sk] = entry.body
        self.reads += len(wanted) if len(keys) > 1 else 0
        return list(bodies.values())

    def _having(self, part: Record, top: Top, group: Sequence[str]) -> set[int]:
        having: set[int] | None = None
        for term in group:
            block = top.block(term)
            if block is None:
                return set()
            kept = part["key"], block
            if kept not in self._blocks:
                self._blocks[kept] = self._range(part["key"], *top.blocks[block : block + 2])
            numbers = set(segment.read_postings(self._blocks[kept], term))
            having = numbers if having is None else having & numbers
            if not having:
                break
        return having or set()

    def _range(self, key: str, start: int, end: int) -> bytes:
        self.reads += 1
        return self._objects.get_range(key, start, end - start)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter of reports by their ids: divisions, townships (None for all) and the years they are filed under."""

    within: tuple[str, ...]
    codes: frozenset[str] | None
    year: Runs | None

    def holds(self, report: str) -> bool:
        code, _, rest = report.partition("-")
        return (
            code.startswith(self.within)
            and (self.codes is None or code in self.codes)
            and (self.year is None or int(rest[:4]) in self.year)
        )

    def may_hold(self, year: int, province: str) -> bool:
        """Whether a report of the year and province may be chosen."""
        places_chosen = self.within if self.codes is None else self.codes
        return (self.year is None or year in self.year) and any(each[:2] in ("", province) for each in places_chosen)


def reports(
    storage: Storage,
    *,
    q: str,
    year: Runs | None = None,
    township: Sequence[str] | None = None,
    province: Sequence[str] | None = None,
    prefecture: Sequence[str] | None = None,
    county: Sequence[str] | None = None,
    cursor: str | None,
    limit: int,
    now: datetime | None = None,
) -> Page:
    """Reports with all words of `q`: newest year first, then by township code. Raises NotFound `no_search_index`."""
    words = query.parse(q, load_concepts())
    within = tuple(places.divisions_within(province=province, prefecture=prefecture, county=county))
    codes = None if township is None else frozenset(places.township(each) for each in township)
    chosen = Chosen(within, codes, year)
    anchor = f"search#{paging.digest(words, within, codes and sorted(codes), repr(year))}"
    start, manifest, data = paging.read_place(cursor, anchor), _manifest(storage.objects), list[Record]()
    fresh = _fresh(storage, manifest["indexed"], now or datetime.now(UTC))
    later = chain(_fresh_rows(storage, fresh, chosen, words, start), [(END, None)])
    later_place, later_row = next(later)
    for place, row in chain(_rows(storage, manifest, chosen, words, start, fresh), [(END, None)]):
        while later_row is not None and later_place <= place:
            data.append(later_row)
            if len(data) == limit:
                return Page(data, paging.write_cursor(Position(anchor, later_place)))
            later_place, later_row = next(later)
        if row is None:
            return Page(data, None if place == END else paging.write_cursor(Position(anchor, place)))
        data.append(row)
        if len(data) == limit:
            return Page(data, paging.write_cursor(Position(anchor, place)))
    return Page(data)


def _rows(
    storage: Storage, manifest: Record, chosen: Chosen, words: Sequence[Word], start: str, without: Collection[str]
) -> Iterator[tuple[str, Record | None]]:
    """The rows of the segments behind `start`, each with its place; a last None where enough was read."""
    reader = Reader(storage)
    moved = False  # a page that moves on at least once is never asked for again and again
    for place, part in _parts(manifest, chosen):
        if place + "~" <= start:
            continue
        if moved and reader.reads >= READS:
            yield place, None
            return
        top = reader.top(part)
        behind = bisect_right(top.ids, start.removeprefix(place)) if start.startswith(place) else 0
        numbers = [
            number
            for number in reader.candidates(part, top, words)
            if number >= behind and chosen.holds(top.ids[number]) and top.ids[number] not in without
        ]
        for first in range(0, len(numbers), CANDIDATES):
            some = numbers[first : first + CANDIDATES]
            if moved and reader.reads >= READS:
                yield _before(place, top, some[0]), None
                return
            for number, row in _found(reader, part, top, some, words):
                yield place + top.ids[number], row
            moved = True
        moved = True


def _fresh(storage: Storage, indexed: str, now: datetime) -> dict[str, Record | None]:
    """The reports that changed since the segments were made, as they are now; none where they are too many to read."""
    since = iso_precise(datetime.fromisoformat(indexed) - changes.BEHIND)
    told = changes.changes(storage, since, None, FRESH + 1, now).data
    if len(told) > FRESH:
        return {}
    entries = {change["report"]: storage.index.get(*layout.listed_report(change["report"])) for change in told}
    found = {report: orjson.loads(entry.body) if entry else None for report, entry in entries.items()}
    return {report: None if summary and "withdrawn" in summary else summary for report, summary in found.items()}


def _fresh_rows(
    storage: Storage, fresh: dict[str, Record | None], chosen: Chosen, words: Sequence[Word], start: str
) -> Iterator[tuple[str, Record]]:
    """Those of the changed reports that have the words, in the list's order, each with its place."""
    for place, summary in sorted((_place(report), each) for report, each in fresh.items() if each is not None):
        if place > start and chosen.holds(summary["id"]):
            document = build.read_document(storage.objects, summary["id"], summary["revision"])
            if found := documents.find_words(document, words):
                yield place, {"report": summary, "matches": found.matches, "hits": found.hits}


def indexed(objects: Objects) -> str:
    """Since when what is published is found: an ISO time in UTC. Raises NotFound `no_search_index`."""
    return str(_manifest(objects)["indexed"])


def _found(
    reader: Reader, part: Record, top: Top, numbers: Sequence[int], words: Sequence[Word]
) -> Iterator[tuple[int, Record]]:
    """Those of the documents that have the words now, each with its number."""
    hits = {
        number: found
        for number, document in zip(numbers, reader.read_documents(part, top, numbers), strict=True)
        if (found := documents.find_words(document, words))
    }
    summaries = reader.summaries(top, list(hits))
    for number, found in hits.items():
        summary = summaries.get(top.ids[number])
        now: documents.Found | None = found
        if summary and summary["revision"] != top.revisions[number]:
            now = documents.find_words(reader.read_current(summary), words)
        if summary and now:
            yield number, {"report": summary, "matches": now.matches, "hits": now.hits}


def _parts(manifest: Record, chosen: Chosen) -> list[tuple[str, Record]]:
    """The segments that may have what is asked for, in the list's order, each with its place there."""
    parts = []
    for name, part in manifest["segments"].items():
        filed, _, province = name.partition("-")
        if chosen.may_hold(int(filed), province):
            parts.append((f"{9999 - int(filed):04d}#{province}#", part))
    return sorted(parts, key=lambda each: each[0])


def _place(report: str) -> str:
    """A report's place in the list: newest year first, then by province and id."""
    filed = int(report.partition("-")[2][:4])
    return f"{9999 - filed:04d}#{report[:2]}#{report}"


def _manifest(objects: Objects) -> Record:
    manifest = build.read_manifest(objects)
    if manifest is None or manifest["indexed"] is None:
        raise NotFound("no_search_index", "The search has not been prepared yet.", "Ask again in some minutes.")
    return manifest


def _runs(numbers: Sequence[int], near: Callable[[int, int, int], bool]) -> Iterator[list[int]]:
    """The numbers in runs; `near` tells of a run's first and last and the next number whether that belongs to it."""
    run: list[int] = []
    for each in numbers:
        if run and not near(run[0], run[-1], each):
            yield run
            run = []
        run.append(each)
    if run:
        yield run


def _before(place: str, top: Top, number: int) -> str:
    """The place right before a document."""
    return place + (top.ids[number - 1] if number else "")
