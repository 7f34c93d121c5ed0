"""Divisions as callers name them, by code or by name, and how the API describes a township."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any

from chalicelib import divisions, township_search
from chalicelib.catalog import layout
from chalicelib.divisions import LEVELS
from chalicelib.errors import Ambiguous, BadRequest, NotFound
from chalicelib.storage import Index

DIGITS = {level: digits for digits, level in LEVELS.items()}


def township(value: str) -> str:
    """The code of the township given by its code or its exact name.

    Raises NotFound `unknown_township` with the nearest names, Ambiguous `ambiguous_township` with all of that name.
    """
    if value.isascii() and value.isdigit():
        if divisions.get(value):
            return value
        raise _unknown_township(value, [])
    found = divisions.named(value)
    if not found:
        raise _unknown_township(value, nearest(value, "township"))
    if len(found) > 1:
        raise Ambiguous(
            "ambiguous_township",
            f"{len(found)} townships have the name {value}.",
            "Take the code of the one that is meant.",
            candidates=[{**describe(d.code), "url": f"/v1/townships/{d.code}"} for d in found],
        )
    return found[0].code


def require_reported(index: Index, value: str) -> None:
    """Raise NotFound `unknown_township` for a code above the townships' that has no report of its own.

    Counties and cities publish reports too, and lists of those are asked for as a township's are.
    """
    code = township(value)
    span = layout.reports_of_township(code)
    if len(code) < DIGITS["township"] and not index.query(span.pk, prefix=span.prefix, limit=1):
        detail = f"{code} is the code of a {LEVELS[len(code)]} that has no report of its own."
        way_out = f"Find the townships in it with /v1/townships?q={code}."
        raise NotFound("unknown_township", detail, way_out, nearest=[])


def codes(parameter: str, value: str | None, within: Sequence[str] = ("",)) -> tuple[str, ...]:
    """The codes of the divisions of the level `parameter` that have this code or name and lie in one of `within`.

    A Latin name may lack its rank, or have it in English: `Zhejiang Sheng`, `zhejiang`, `Sanmen County`, `Tibet`.

    `within` itself where no value is given. Raises BadRequest `unknown_division` with the nearest names.
    """
    if value is None:
        return tuple(within)
    every = _level(parameter)
    found = [value] if value in every else [code for code, name in every.items() if name == value]
    found = found or _latin_codes(parameter, value)
    lying = tuple(code for code in found if code.startswith(tuple(within)))
    if not lying:
        raise _unknown_division(parameter, value, found)
    return lying


def divisions_within(**named: Sequence[str] | None) -> tuple[str, ...]:
    """The codes of the lowest named level, each within one of the level above; `("",)` where none is named.

    Levels come from the highest down. Raises BadRequest `unknown_division` as `codes` does.
    """
    within: tuple[str, ...] = ("",)
    for level, values in named.items():
        if values is not None:
            found = {code for value in values for code in codes(level, value, within)}
            within = tuple(sorted(found))
    return within


def search(q: str | None, within: Sequence[str]) -> list[str]:
    """The codes of the townships whose name or Latin name holds `q`, exact ones first; of all without `q`."""
    found = _townships() if q is None else _found(q)
    return [code for code in found if code.startswith(tuple(within))]


def describe(code: str) -> dict[str, Any]:
    """A division's code, names (each where it has one), level, and its name in pinyin."""
    division = divisions.get(code)
    if division is None:
        raise _unknown_township(code, [])
    return {**divisions.place(code), "level": division.level, "pinyin": divisions.latin(code)}


def nearest(value: str, level: str, count: int = 5) -> list[str]:
    """Names of the level that share the most characters with `value`, of those the ones that begin as it does."""
    return list(_nearest(value, level, count))


# The pages of a list ask the same again, and the table never changes. Few are kept: one may hold all 40,000 codes.
@lru_cache(maxsize=32)
def _found(q: str) -> tuple[str, ...]:
    return tuple(township_search.search_codes(q))


@cache
def _townships() -> tuple[str, ...]:
    return tuple(_level("township"))


@lru_cache(maxsize=256)
def _nearest(value: str, level: str, count: int) -> tuple[str, ...]:
    holding = _names_by_character(level)
    shared = Counter(chain.from_iterable(holding.get(character, ()) for character in set(value)))
    wanted, begins = len(set(value)), value[:2]
    scored = ((n / max(wanted, len(name)), name.startswith(begins), name) for name, n in shared.items())
    return tuple(name for _, _, name in heapq.nlargest(count, scored))


@cache
def _names_by_character(level: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in {*_level(level).values()}:
        for character in set(name):
            found.setdefault(character, []).append(name)
    return found


@cache
def _level(level: str) -> dict[str, str]:
    table, digits = divisions.table(), DIGITS[level]
    return {code: name for code, name in zip(table.codes, table.names, strict=True) if len(code) == digits}


def _latin_codes(level: str, value: str) -> list[str]:
    """The codes of the level that have this Latin name, those of the rank that it has in English where there are any."""
    name, ranks = township_search.split_rank(value)
    every = _latin_level(level)
    found = every.get(divisions.fold_latin(value)) or every.get(divisions.fold_latin(name), [])
    ranked = [code for code in found if divisions.fold_latin(divisions.latin(code)).endswith(ranks)] if ranks else []
    return ranked or found


@cache
def _latin_level(level: str) -> dict[str, list[str]]:
    """Codes of the level by folded Latin name, with and without the common words behind the proper name."""
    found: dict[str, list[str]] = {}
    for code in _level(level):
        names = divisions.latin_names(code)
        for key in {divisions.fold_latin(name) for name in (*names, names[0].split(" ", 1)[0])}:
            found.setdefault(key, []).append(code)
    return found


def _unknown_township(value: str, near: list[str]) -> NotFound:
    hint = f"Nearest names: {', '.join(near)}." if near else "Find it with /v1/townships?q= and a part of its name."
    return NotFound("unknown_township", f"No township has the code or name {value!r}.", hint, nearest=near)


def _unknown_division(parameter: str, value: str, elsewhere: list[str]) -> BadRequest:
    allowed = f"Give the {DIGITS[parameter]}-digit code or the full name of a {parameter}."
    if elsewhere:
        detail = f"The {parameter} {value} does not lie in the given province."
        return BadRequest("unknown_division", detail, allowed, parameter=parameter)
    near = nearest(value, parameter)
    way_out = f"{allowed} Nearest names: {', '.join(near)}." if near else allowed
    detail = f"No {parameter} has the code or name {value!r}."
    return BadRequest("unknown_division", detail, way_out, parameter=parameter, nearest=near)
