"""The place that a publisher names: a code, or a name with as much above it as it takes (`三门县亭旁镇`, `Tingpang, Sanmen`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chalicelib import divisions, township_search
from chalicelib.divisions import Division, fold_latin
from chalicelib.errors import ReportsError
from chalicelib.reading.former_divisions import former_names
from chalicelib.reading.gazetteer import stem
from chalicelib.reading.township_names import full_names

_LATIN = re.compile("[A-Za-z]")
_BETWEEN = re.compile("[,，、/>\\s]+")
NAMED = 5  # places that an error names
LONGEST = 120  # characters of the longest name with all that is above it


def find_places(named: str) -> tuple[str, ...]:
    """The codes of the places that `named` may mean, in order; () where there is none.

    Digits are a code. A Chinese name stands behind any of the names above it, in full or in short form, as pages print
    them. A Latin name stands before them, with commas between; ranks may be in English or missing. Townships and what is
    above them are found alike. The former name of a county or prefecture stands for what took its place.
    """
    if named.isascii() and named.isdigit():
        return (named,) if divisions.is_place(named) else ()
    if len(named) > LONGEST:
        return ()
    found = _find_latin(named) if _LATIN.search(named) else _find_chinese(_BETWEEN.sub("", named))
    codes = sorted({d.code for d in found if d.name not in divisions.PLACEHOLDERS})
    # A city without counties stands in the table once more as its own county.
    return tuple(code for code in codes if code[:4] not in codes or len(code) != 6 or _name(code) != _name(code[:4]))


def read_place(named: str, failure: type[ReportsError], **extra: str) -> str:
    """The code of the one place that `named` means. Raises `failure` with `extra`: `unknown_township` where there is none,
    `ambiguous_township` where there are several."""
    codes = find_places(named)
    if len(codes) == 1:
        return codes[0]
    if not codes:
        raise failure(
            "unknown_township",
            f"No township has the code or name {named!r}, and no county, prefecture or province.",
            "Give its code of 9 digits, a county's of 6, or its name with the county: /v1/townships?q= finds it.",
            **extra,
        )
    raise failure(
        "ambiguous_township",
        f"{len(codes)} places have the name {named!r}: {', '.join(map(describe_place, codes[:NAMED]))}"
        f"{' and others' if len(codes) > NAMED else ''}.",
        "Give the code, or name the county too.",
        **extra,
    )


def describe_place(code: str) -> str:
    """The name with all that is above it, and the code: `浙江省台州市三门县亭旁镇 (331022103)`."""
    place = divisions.place(code)
    names = (place["province"], place["prefecture"], place["county"], place["name"])
    return f"{''.join(filter(None, names))} ({code})"


def _name(code: str) -> str:
    division = divisions.get(code)
    return division.name if division else ""


def _find_chinese(named: str) -> Iterator[Division]:
    table = divisions.table()
    for start in range(len(named) - 1):
        own = {d.code: d for full in (named[start:], *full_names(named[start:])) for d in table.named(full)}
        own |= {code: d for code in former_names().get(named[start:], ()) if (d := divisions.get(code))}
        for division in own.values():
            if _is_chain(named[:start], list(_above(division.code))):
                yield division


def _is_chain(lead: str, above: list[Division]) -> bool:
    """Whether `lead` is made of names of the divisions above, in their order, any of them left out."""
    if not lead:
        return True
    return any(
        lead.startswith(name) and _is_chain(lead[len(name) :], above[n + 1 :])
        for n, division in enumerate(above)
        for name in _names_of(division)
    )


def _names_of(division: Division) -> set[str]:
    """What pages call a division above another: its name, the former ones, and their short forms."""
    names = {division.name, *(name for name, codes in former_names().items() if division.code in codes)}
    return names | {stem(name) for name in names}


def _find_latin(named: str) -> Iterator[Division]:
    own, *above = (part for part in re.split("[,，;]", named) if part.strip())
    for code in _latin_codes(own):
        upper = list(_above(code))
        if (division := divisions.get(code)) and all(any(_is_called(d.code, part) for d in upper) for part in above):
            yield division


def _latin_codes(own: str) -> Iterator[str]:
    """All divisions of this Latin name; the townships by the index that the search has."""
    name = fold_latin(township_search.split_rank(own)[0])
    uppers = [code for code in divisions.table().codes if len(code) < 9]
    if name:
        yield from (code for code in (*uppers, *township_search.codes_beginning(name)) if _is_called(code, own))


def _is_called(code: str, named: str) -> bool:
    """Whether this is the division's Latin name, with or without its rank; an English rank must be that of the division."""
    name, ranks = township_search.split_rank(named)
    pinyin, *customary = divisions.latin_names(code)
    proper, _, rank = pinyin.partition(" ")
    if ranks and not fold_latin(rank or proper).endswith(ranks):
        return False
    # `Fang County` is Fangxian, one word.
    spelled = {fold_latin(name), *(fold_latin(name) + each for each in ranks)}
    return not spelled.isdisjoint(fold_latin(each) for each in (pinyin, proper, *customary))


def _above(code: str) -> Iterator[Division]:
    """What is above the division, the province first."""
    for digits in (2, 4, 6):
        upper = divisions.get(code[:digits]) if digits < len(code) else None
        if upper and upper.name not in divisions.PLACEHOLDERS:
            yield upper
