"""The names of townships: as the table has them, and the other forms in which pages print them."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

from chalicelib import divisions

RULES = Path(__file__).resolve().parent.parent / "rules" / "divisions.toml"


@cache
def words(kind: str) -> frozenset[str]:
    """A word list of `rules/divisions.toml`: `peoples`, `generic`, `before` or `outward`."""
    return frozenset(tomllib.loads(RULES.read_text("utf-8"))[kind])


@cache
def _peoples() -> re.Pattern[str]:
    """Names of peoples in a row, before a rank or at the name's end; 民族乡 names none of them."""
    longest_first = sorted(words("peoples"), key=lambda name: -len(name))
    return re.compile(f"(?:{'|'.join(longest_first)}|民族(?=[乡镇]))+(?=自治|乡|镇|$)")


def without_peoples(name: str) -> str:
    """A division's name without the names of peoples, '' where nothing else is left: `同乐苗族乡` gives `同乐乡`."""
    return _peoples().sub("", name)


def without_people(name: str) -> str:
    """A township's name without the names of peoples, or the name itself where that leaves a rank alone."""
    short = without_peoples(name)
    return short if len(short) > 2 else name


@cache
def _short_forms() -> dict[str, tuple[str, ...]]:
    """Full names of ethnic townships by their short form: `同乐乡` stands for `同乐苗族乡`."""
    shorts: dict[str, list[str]] = {}
    for name in divisions.table().rows:
        if "族" in name and name[-1] in "乡镇" and (short := without_people(name)) != name:
            shorts.setdefault(short, []).append(name)
    return {short: tuple(names) for short, names in shorts.items()}


def is_township(name: str) -> bool:
    """Whether a township carries exactly this name, or it is a form of an ethnic township's: without its peoples, as
    民族乡, with another choice or order of them."""
    table = divisions.table()
    rows = table.rows.get(name) or (table.folded.get(divisions.fold(name)) if name[-1:] in (")", "）") else None)
    if rows is not None:
        return any(len(table.codes[row]) == 9 for row in rows)
    return bool(_forms_of(name))


def full_names(name: str) -> tuple[str, ...]:
    """The table's names for a township's name in a text: itself, or the ethnic townships that it is a form of."""
    return (name,) if divisions.named(name) else _forms_of(name)


def _forms_of(name: str) -> tuple[str, ...]:
    """The ethnic townships that `name` is a form of; where it names peoples, those only that share one with it."""
    if found := _short_forms().get(name):
        return found
    if name[-1:] not in ("乡", "镇") or "族" not in name or (short := without_people(name)) == name:
        return ()
    full = [each for each in (short, *_short_forms().get(short, ())) if divisions.named(each)]
    named = _named_peoples(name) if full else frozenset()
    return tuple(each for each in full if _fits(_named_peoples(each), named))


def _named_peoples(name: str) -> frozenset[str]:
    return frozenset(_people().findall(name))


@cache
def _people() -> re.Pattern[str]:
    """One people's name; 民族 is none."""
    longest_first = sorted((name for name in words("peoples") if name.endswith("族")), key=lambda name: -len(name))
    return re.compile("|".join(longest_first))


def _fits(peoples: frozenset[str], named: frozenset[str]) -> bool:
    """Whether a township of `peoples` may be called by `named`: none on either side fits any."""
    return not peoples or not named or bool(peoples & named)


def street_of_office(name: str) -> str:
    """The 街道 whose office `name` is: `潮海办事处` is that of `潮海街道`. '' where the table has no such street."""
    street = name.removesuffix("办事处") + "街道"
    return street if name.endswith("办事处") and len(street) > 3 and is_township(street) else ""
