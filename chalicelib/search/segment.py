"""A segment as bytes: documents, then blocks of terms with the documents that have them, then the top that finds both.

All parts are deflated by themselves, so that each is read by its range. Documents are numbered in the list's order.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chalicelib.search.documents import Document

BLOCK_BYTES = 16_384
FORMAT = 1
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Top:
    """What a reader keeps: the reports' ids and revisions, where documents and blocks begin (and the last ends)."""

    ids: list[str]
    revisions: list[int]
    documents: list[int]
    firsts: list[str]
    blocks: list[int]

    def block(self, term: str) -> int | None:
        """The number of the block that has the term, if any has."""
        at = bisect_right(self.firsts, term) - 1
        return at if at >= 0 else None


class Writer:
    """Gathers documents in order; `finish` gives the segment's bytes and where its top begins."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._revisions: list[int] = []
        self._body = bytearray()
        self._documents = [0]
        self._postings: dict[str, bytearray] = {}
        self._lasts: dict[str, int] = {}

    def add(self, report: str, revision: int, found: Document, terms: Iterable[str]) -> None:
        """Take the next report in order."""
        number, postings, lasts = len(self._ids), self._postings, self._lasts
        for term in terms:
            delta = number - lasts.get(term, -1)
            lasts[term] = number
            posting = postings.get(term)
            if posting is None:
                postings[term] = posting = bytearray()
            while delta > 127:
                posting.append(delta & 127 | 128)
                delta >>= 7
            posting.append(delta)
        self._ids.append(report)
        self._revisions.append(revision)
        self._body += zlib.compress(orjson.dumps(found))
        self._documents.append(len(self._body))

    def finish(self) -> tuple[bytes, int]:
        """The whole segment, and the offset of its top."""
        firsts, blocks = [], [len(self._body)]
        for terms in _cut(self._postings):
            self._body += _block(terms, [self._postings[term] for term in terms])
            firsts.append(terms[0])
            blocks.append(len(self._body))
        start = len(self._body)
        self._body += zlib.compress(orjson.dumps([self._ids, self._revisions, self._documents, firsts, blocks]))
        return bytes(self._body), start


def read_top(data: bytes) -> Top:
    return Top(*orjson.loads(zlib.decompress(data)))


def read_document(data: bytes) -> Document:
    found: Document = orjson.loads(zlib.decompress(data))
    return found


def read_postings(data: bytes, wanted: str) -> list[int]:
    """The numbers of the documents that have a term, by its block; [] where the block has no such term."""
    block = zlib.decompress(data)
    start = _LENGTH + int.from_bytes(block[:_LENGTH])
    terms, lengths = orjson.loads(block[_LENGTH:start])
    if wanted not in terms:
        return []
    at = terms.index(wanted)
    first = start + sum(lengths[:at])
    return _numbers(block[first : first + lengths[at]])


def _cut(postings: dict[str, bytearray]) -> Iterator[list[str]]:
    terms: list[str] = []
    size = 0
    for term in sorted(postings):
        terms.append(term)
        size += len(postings[term]) + 12
        if size > BLOCK_BYTES:
            yield terms
            terms, size = [], 0
    if terms:
        yield terms


def _block(terms: Sequence[str], postings: Sequence[bytearray]) -> bytes:
    head: Any = orjson.dumps([terms, [len(each) for each in postings]])
    return zlib.compress(len(head).to_bytes(_LENGTH) + head + b"".join(postings))


def _numbers(data: bytes) -> list[int]:
    numbers, number, delta, shift = [], -1, 0, 0
    for byte in data:
        delta |= (byte & 127) << shift
        if byte & 128:
            shift += 7
        else:
            number += delta
            numbers.append(number)
            delta = shift = 0
    return numbers
