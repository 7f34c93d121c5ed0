"""A query as words that are all required: Chinese as it stands, English labels of concepts, pinyin of names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.divisions import fold_latin
from chalicelib.errors import BadRequest
from chalicelib.search.terms import covering_terms, fold
from chalicelib.township_search import ENGLISH

MOST_WORDS = 8
MOST_TERMS = 8  # of one word: what more would narrow is found by looking into the text
_WORDS = re.compile(r'"([^"]*)(?:"|$)|([^\s"]+)')
_QUOTES = str.maketrans("“”„「」『』«»", '"' * 9)


@dataclass(frozen=True, slots=True)
class Word:
    """What has to be in a report: one of the `needles` (folded).

    `terms` has groups: a report with one of the needles has all terms of one of the groups.
    """

    needles: tuple[str, ...]
    terms: tuple[tuple[str, ...], ...]


def concept_term(concept: str) -> str:
    """The term of the reports in which a concept is named."""
    return f"={concept}"


def parse(q: str, concepts: Mapping[str, Mapping[str, Any]]) -> tuple[Word, ...]:
    """The words of a query; quotes hold several together. Raises BadRequest where nothing can be found by one."""
    parts = [(fold(quoted or bare).strip(), bool(quoted)) for quoted, bare in _WORDS.findall(q.translate(_QUOTES))]
    parts = [part for part in parts if part[0]]
    words, at = [], 0
    while at < len(parts):
        word, taken = _next_word(parts[at:], concepts)
        words.append(word)
        at += taken
        while at < len(parts) and not parts[at][1] and parts[at][0] in ENGLISH and word.needles[0].isascii():
            at += 1  # `Tingpang Town`: names are in pinyin, ranks too
    if not words or len(words) > MOST_WORDS:
        raise _bad(q, f"Give 1 to {MOST_WORDS} words.")
    return tuple(words)


def _next_word(parts: Sequence[tuple[str, bool]], concepts: Mapping[str, Mapping[str, Any]]) -> tuple[Word, int]:
    """The word that the parts begin with, and how many of them it takes: a label of a concept is taken whole."""
    for count in range(len(parts), 0, -1):
        phrase = " ".join(text for text, _ in parts[:count])
        if (count == 1 or not any(quoted for _, quoted in parts[:count])) and (named := _labelled(phrase, concepts)):
            needles = dict.fromkeys(fold(alias) for concept in named for alias in concept["aliases"])
            groups = [(concept_term(concept["id"]),) for concept in named]
            return Word((phrase, *needles), (covering_terms(phrase), *groups)), count
    return _plain_word(parts[0][0]), 1


def _labelled(phrase: str, concepts: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The concepts whose English label has these words one after another."""
    if len(phrase) < 3 or not phrase.isascii() or not phrase.replace(" ", "").replace("-", "").isalpha():
        return []
    return [concept for concept in concepts.values() if f" {phrase} " in f" {fold(concept['en'])} "]


def _plain_word(text: str) -> Word:
    latin = fold_latin(text)
    if latin.isascii() and latin.isalpha():
        needles = tuple(dict.fromkeys((text, latin)))
        return Word(needles, tuple(group for group in map(_group, needles) if group))
    group = _group(text)
    if not group:
        raise _bad(text, "Give at least two Chinese characters one after another, a Latin word or a number.")
    return Word((text,), (group,))


def _group(needle: str) -> tuple[str, ...]:
    found = covering_terms(needle)
    return found[:: -(-len(found) // MOST_TERMS)] if found else ()


def _bad(text: str, way_out: str) -> BadRequest:
    return BadRequest("bad_parameter", f"{text[:50]!r} cannot be searched for.", way_out, parameter="q")
