"""Divisions as callers name them, by code or by name, and how the API describes a township."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from chalicelib import divisions
from chalicelib.divisions import LEVELS
from chalicelib.errors import Ambiguous, BadRequest, NotFound

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


def codes(parameter: str, value: str | None, within: Sequence[str] = ("",)) -> tuple[str, ...]:
    """The codes of the divisions of the level `parameter` that have this code or name and lie in one of `within`.

    A Latin name may lack its rank: `Zhejiang Sheng`, `zhejiang`, `Tibet`.

    `within` itself where no value is given. Raises BadRequest `unknown_division` with the nearest names.
    """
    if value is None:
        return tuple(within)
    every = _level(parameter)
    found = [value] if value in every else [code for code, name in every.items() if name == value]
    found = found or list(_latin_level(parameter).get(divisions.fold_latin(value), ()))
    lying = tuple(code for code in found if code.startswith(tuple(within)))
    if not lying:
        raise _unknown_division(parameter, value, found)
    return lying


def search(q: str | None, within: Sequence[str]) -> list[str]:
    """The codes of the townships whose name or Latin name holds `q`, exact ones first; of all without `q`."""
    if q is None:
        found: Iterable[str] = (code for code in divisions.table().codes if len(code) == DIGITS["township"])
    else:
        found = divisions.search_codes(q)
    return [code for code in found if code.startswith(tuple(within))]


def describe(code: str) -> dict[str, Any]:
    """A division's code, names (each where it has one), level, and its name in pinyin."""
    division = divisions.get(code)
    if division is None:
        raise _unknown_township(code, [])
    return {**divisions.place(code), "level": division.level, "pinyin": divisions.latin(code)}


def nearest(value: str, level: str, count: int = 5) -> list[str]:
    """Names of the level that share the most characters with `value`, of those the ones that begin as it does."""
    wanted = set(value)
    scored = (
        (len(wanted & set(name)) / max(len(wanted), len(name)), name.startswith(value[:2]), name)
        for name in {*_level(level).values()}
    )
    return [name for score, _, name in heapq.nlargest(count, scored) if score > 0]


@cache
def _level(level: str) -> dict[str, str]:
    table, digits = divisions.table(), DIGITS[level]
    return {code: name for code, name in zip(table.codes, table.names, strict=True) if len(code) == digits}


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
