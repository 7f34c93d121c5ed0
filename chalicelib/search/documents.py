"""A report as the search holds it, and where the words of a query stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from chalicelib import divisions
from chalicelib.divisions import fold_latin
from chalicelib.search.query import Word, concept_term
from chalicelib.search.terms import covering_terms, find, fold, text_terms

MOST_HITS = 3  # shown of one report, beside one of each word
_AROUND = 80  # characters of a sentence that are shown on either side
_ENDS = re.compile(r"[。！？!?；;\n]")

Document = dict[str, Any]
Hit = dict[str, Any]


class Alias(NamedTuple):
    """A folded name of a concept, and a term that texts with it have."""

    name: str
    term: str
    concept: str


@dataclass(frozen=True, slots=True)
class Found:
    """`matches`: how often the words stand in the text; `hits` begin with one of each word."""

    matches: int
    hits: list[Hit]


def document(record: Mapping[str, Any], text: str) -> Document:
    """What of a report is searched: title, names, text, and the sections for the context."""
    place, code = record["township"], record["township"]["code"]
    names = [place[level] for level in ("province", "prefecture", "county", "name")]
    above = [code[:digits] for digits in (9, 6, 4, 2) if len(code) >= digits]
    return {
        "title": record["title"],
        "place": "".join(filter(None, names)),
        "pinyin": [name for each in above if divisions.is_place(each) for name in divisions.latin_names(each)],
        "sections": [[section[key] for key in ("id", "title", "start", "end")] for section in record["sections"]],
        "text": text,
    }


def read_aliases(concepts: Mapping[str, Mapping[str, Any]]) -> list[Alias]:
    """Every name of every concept."""
    folded = [(fold(alias), concept["id"]) for concept in concepts.values() for alias in concept["aliases"]]
    return [Alias(name, covering_terms(name)[0], concept) for name, concept in folded]


def document_terms(found: Document, aliases: Iterable[Alias]) -> set[str]:
    """Every term of a document, and those of the concepts that it names."""
    text, *others = (fold(found[key]) for key in ("text", "title", "place"))
    terms = set[str]().union(*map(text_terms, (text, *others)), *map(_latin_words, found["pinyin"]))
    title = others[0]
    named = {concept for name, first, concept in aliases if first in terms and (name in text or name in title)}
    return terms | set(map(concept_term, named))


def find_words(found: Document, words: Sequence[Word]) -> Found | None:
    """Where the words stand; None where one of them is missing."""
    fields = {key: fold(found[key]) for key in ("text", "title", "place")}
    places = [_places(found, fields, word) for word in words]
    if not all(places):
        return None
    firsts = [each[0] for each in places]
    in_text = sorted({place for each in places for place in each if place[0] == "text"}, key=lambda place: place[1:])
    hits = [_hit(found, *place) for place in dict.fromkeys(firsts)]
    for place in in_text:
        if len(hits) >= MOST_HITS:
            break
        if not any(_shows(hit, *place) for hit in hits):
            hits.append(_hit(found, *place))
    return Found(len(in_text), hits)


def _places(found: Document, fields: Mapping[str, str], word: Word) -> list[tuple[str, int, int]]:
    """Field, start and end of every occurrence: in the text first, then in the title and in the names."""
    places = [(field, *span) for field, folded in fields.items() for span in _spans(word.needles, folded)]
    if not places and any(needle in _latin_words(name) for name in found["pinyin"] for needle in word.needles):
        places = [("place", 0, len(found["place"]))]
    return places


def _spans(needles: Iterable[str], folded: str) -> Iterator[tuple[int, int]]:
    """Where one of the needles stands, the longest at a place and none within another."""
    every = sorted((at, -at - len(needle)) for needle in needles for at in find(needle, folded))
    last = 0
    for start, negative_end in every:
        if start >= last:
            last = -negative_end
            yield start, last


def _latin_words(name: str) -> set[str]:
    """What a name in pinyin is found by: its words, and all of it in one."""
    words = [fold_latin(word) for word in name.split()]
    return {word for word in (*words, "".join(words)) if word.isascii() and word.isalpha()}


def _hit(found: Document, field: str, start: int, end: int) -> Hit:
    whole = found[field]
    first, last = _sentence(whole, start, end) if field == "text" else (0, len(whole))
    section = _section(found, start) if field == "text" else None
    return {
        "field": field,
        "section": section and section[0],
        "section_title": section and section[1],
        "start": start,
        "end": end,
        "snippet": whole[first:last],
        "snippet_start": first,
    }


def _shows(hit: Hit, field: str, start: int, end: int) -> bool:
    """Whether the place stands in what is shown of the hit already."""
    first = hit["snippet_start"]
    return bool(hit["field"] == field and first <= start and end <= first + len(hit["snippet"]))


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence around a place, cut where it is long."""
    first = max((stop.end() for stop in _ENDS.finditer(text, max(0, start - _AROUND), start)), default=None)
    following = _ENDS.search(text, end, end + _AROUND)
    first = max(0, start - _AROUND) if first is None else first
    last = min(len(text), end + _AROUND)
    if following:
        last = following.end() if following.group() != "\n" else following.start()
    while first < start and text[first].isspace():
        first += 1
    return first, last


def _section(found: Document, at: int) -> list[Any] | None:
    """The innermost section around an offset: the last of those in reading order."""
    return next((each for each in reversed(found["sections"]) if each[2] <= at < each[3]), None)
