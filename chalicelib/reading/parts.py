"""Parts that are more than their whole: by what 其中 says, or by what their concepts are."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache

from chalicelib.reading.lexicon import one_of, read_rows, read_words
from chalicelib.reading.model import Indicator
from chalicelib.reading.remarks import Remark
from chalicelib.reading.rounding import Interval, read_interval
from chalicelib.reading.spans import NEAR, is_of_one_year, is_of_the_place, span_around

PART = "其中"
NO_PART = re.compile(f"[。;]|{PART}")
PAUSE = re.compile(r"[,。;)\n]")
# One part may be more than a mean, a rate or a price of all.
MEAN = re.compile(r"均|亩产|单产|单价|价格|率$|比重|占比")
NOT_ADDED = frozenset({None, "%", "‰", "个百分点", "分", "度", "℃", "米"})


def find_parts_over_wholes(indicators: Sequence[Indicator], folded: str) -> Iterator[Remark]:
    """Parts that exceed the whole that 其中 or `rules/wholes.csv` gives them."""
    told: set[int] = set()
    at = folded.find(PART)
    starts = [i.number_start for i in indicators] if at >= 0 else []
    while at >= 0:
        for n, whole in _exceeding(indicators, folded, at, bisect_right(starts, at)):
            told.add(n)
            yield Remark("part_exceeds_whole", n, _more_than(indicators, n, whole))
        at = folded.find(PART, at + 1)
    yield from _sums_over_wholes(indicators, folded, told)


def _exceeding(indicators: Sequence[Indicator], folded: str, at: int, first: int) -> Iterator[tuple[int, int]]:
    """The parts that are more, each with its whole: the figures up to the next pause, and those just before 其中."""
    wholes = _wholes_before(indicators, folded, at, first)
    behind, stop = at + len(PART), len(folded)
    for n in range(first, len(indicators) if wholes else first):
        part = indicators[n]
        if part.number_start >= stop or NO_PART.search(folded, behind, part.number_start):
            return
        if n == first:
            pause = PAUSE.search(folded, part.number_end, part.number_end + NEAR)
            stop = pause.start() if pause else part.number_end + NEAR
        if _beyond().search(folded, behind, part.number_start):
            return
        behind = part.number_end
        for whole in wholes:
            if _exceeds(part, indicators[whole], folded):
                yield n, whole


def _wholes_before(indicators: Sequence[Indicator], folded: str, at: int, first: int) -> list[int]:
    """The last figure before 其中 in its sentence, and those that stand side by side with it (145户458人); rates are passed."""
    found: list[int] = []
    for n in range(first - 1, max(-1, first - 5), -1):
        i = indicators[n]
        if i.end < at or i.number_start > at:
            break
        if found and folded[i.number_end : indicators[found[-1]].number_start].strip(" 、("):
            break
        if i.unit in ("%", "‰", "个百分点") and not found:
            continue
        found.append(n)
    return found


def _exceeds(part: Indicator, whole: Indicator, folded: str) -> bool:
    """Whether the part is surely more than the whole: an amount of the same kind and time, no rate and no mean."""
    comparable = (
        part.value is not None
        and whole.value is not None
        and part.unit == whole.unit
        and part.unit not in NOT_ADDED
        and "/" not in (part.unit or "")
        and whole.bound == "="
        and part.bound in ("=", ">=")
        and (part.year, part.months, part.status) == (whole.year, whole.months, whole.status)
    )
    if not comparable or _printed(part, folded).low <= _printed(whole, folded).high:
        return False
    return not MEAN.search(part.name + whole.name + folded[span_around(whole)[0] : whole.number_start])


def _sums_over_wholes(indicators: Sequence[Indicator], folded: str, told: set[int]) -> Iterator[Remark]:
    groups: dict[tuple[object, ...], dict[str, int]] = defaultdict(dict)
    related = _related()
    for n, i in enumerate(indicators):
        if i.concept in related and i.value is not None and i.bound == "=" and i.unit:
            groups[i.unit, i.year, i.months, i.status].setdefault(i.concept or "", n)
    for found in groups.values():
        said: set[int] = set()
        for whole, parts in _wholes():
            places = [found[part] for part in parts if part in found]
            if whole not in found or len(places) < len(parts) or told & set(places) or said & set(places):
                continue
            of = indicators[found[whole]]
            summed = _printed(indicators[places[0]], folded)
            for n in places[1:]:
                summed += _printed(indicators[n], folded)
            alike = all(is_of_one_year(indicators[n], folded) for n in (*places, found[whole]))
            if summed.low > _printed(of, folded).high and alike and is_of_the_place(of, folded):
                said |= set(places)
                yield Remark("part_exceeds_whole", places[-1], _more_than(indicators, *places, found[whole]))


def _printed(i: Indicator, folded: str) -> Interval:
    assert i.value is not None
    return read_interval(i.value, folded[i.number_start : i.number_end])


def _more_than(indicators: Sequence[Indicator], *places: int) -> str:
    """The sentence on parts and, last, their whole."""
    *parts, whole = places
    names = " and ".join(indicators[n].name for n in parts)
    amount = sum((indicators[n].value or Decimal(0) for n in parts), Decimal(0))
    of = indicators[whole]
    return f"{names} is {amount:f} {of.unit}, more than {of.name} with {of.value} in i{whole + 1}."


@cache
def _beyond() -> re.Pattern[str]:
    return re.compile(one_of(read_words("checks.toml", "beyond")))


@cache
def _wholes() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((row["whole"], tuple(row["parts"].split("|"))) for row in read_rows("wholes.csv"))


@cache
def _related() -> frozenset[str]:
    return frozenset(concept for whole, parts in _wholes() for concept in (whole, *parts))
