"""Townships right behind the name of their county: `三门县亭旁镇`, `三门亭旁镇`, `兴化市开发区`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from chalicelib import divisions
from chalicelib.reading import gazetteer, township_names
from chalicelib.reading.former_divisions import heirs
from chalicelib.reading.gazetteer import Mention

LONGEST_SHORT = 6


@dataclass(frozen=True, slots=True)
class Anchored:
    """A township's name at `start:end`, as the table has it or short for it, and the county before it."""

    start: int
    end: int
    name: str
    county: Mention


@lru_cache(maxsize=64)  # a page's strings are asked twice: for its name and for its evidence
def find_anchored(text: str) -> tuple[Anchored, ...]:
    """The townships of `text` that the table has in the county named directly before them, in reading order.

    The county stands with its rank, or in a short form at a name's boundary; its mention has those codes only that
    hold such a township. An everyday name (`开发区`) counts behind a county's full name, and behind a short form that begins `text`.
    """
    found = (_behind(text, county) for county in _counties(text))
    return tuple(sorted((each for each in found if each), key=lambda each: (each.start, -each.end)))


def _counties(text: str) -> Iterator[Mention]:
    yield from gazetteer.find_uppers(text)
    stems, last = gazetteer.stems(), len(text) - 1
    for start in range(len(text) - 3):
        for end in range(start + 2, min(last, start + LONGEST_SHORT + 1)):
            short = text[start:end]
            if (codes := stems.get(short)) and gazetteer.at_boundary(text, start):
                yield Mention(start, end, short, codes, False)


def _behind(text: str, county: Mention) -> Anchored | None:
    """The longest name behind the county that a township of it has; None where there is none."""
    at = county.end
    counties = tuple(heir for code in county.codes if len(code) == 6 for heir in heirs(code))
    for end in range(min(len(text), at + gazetteer.LONGEST_ODD), at + 1, -1) if counties else ():
        name = text[at:end]
        holding = _holding(name, counties)
        if not holding or (not county.exact and _is_doubtful(text, county.start, end, name)):
            continue
        named = Mention(county.start, at, county.name, holding, county.exact)
        whole = _longer(text, county.start, end) if county.exact else end
        start = at if whole == end else county.start
        return Anchored(start, whole, text[start:whole], named)
    return None


def _longer(text: str, start: int, end: int) -> int:
    """Where a township's name ends that holds its county's as well: `五原县隆兴昌镇荣丰办事处`; `end` without one."""
    ends = range(min(len(text), start + gazetteer.LONGEST_ODD), end, -1)
    return next((past for past in ends if township_names.is_township(text[start:past])), end)


def _holding(name: str, counties: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the counties that have a township of this name."""
    if not township_names.is_township(name):
        return ()
    codes = [d.code[:6] for full in township_names.full_names(name) for d in divisions.named(full)]
    return tuple(county for county in counties if county in codes)


def _is_doubtful(text: str, start: int, end: int, name: str) -> bool:
    """Whether what looks like a short county and a township is an everyday word amid others, or a township's name."""
    return (start > 0 and name in township_names.words("generic")) or township_names.is_township(text[start:end])
