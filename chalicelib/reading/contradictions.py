"""Figures of one report that arithmetic parts: growth against values, parts against their whole."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache

from chalicelib.reading.lexicon import read_rows
from chalicelib.reading.model import Indicator
from chalicelib.reading.remarks import Remark
from chalicelib.reading.rounding import Interval, growth_between, read_interval

# Growth of these is reckoned at constant prices, their values are not.
AT_CONSTANT_PRICES = re.compile(r"(?:生产总值|GDP|增加值)$", re.I)
ON_OTHER_BASIS = re.compile(r"可比|不变价|扣除|剔除|同口径|实际增长")
CHANGE = re.compile(r"(?P<less>减少|降低|减产|减收)$|(?:净增加?|增加|增收|增产|提高|增)$")
GROWTH_PRINTED = re.compile(r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>%|倍|成)")
PART = "其中"
MEAN = re.compile(r"均")


def find_contradicted_growth(indicators: Sequence[Indicator], folded: str) -> Iterator[Remark]:
    """Growth that the value and last year's, or the value and its increase, contradict."""
    values = {_key(i): i for i in indicators if i.value is not None and i.bound == "="}
    for n, i in enumerate(indicators):
        if i.value is None or i.yoy is None or i.bound != "=" or _is_real(i, folded):
            continue
        after = _printed(i, folded)
        change = indicators[n + 1] if n + 1 < len(indicators) else None
        last = values.get(_key(i, year=(i.year or 0) - 1))
        if change is not None and _is_change(change, of=i):
            before = after - _signed(change, folded)
        elif last is not None and last.unit == i.unit:
            before = _printed(last, folded)
        else:
            continue
        grown = growth_between(before, after)
        said = _printed_growth(i, folded)
        if grown is not None and not grown.touches(said):
            message = f"{i.name} is said to have grown by {i.yoy} %, but its values give {_middle(grown)} %."
            yield Remark("growth_contradicted", n, message)


def _key(i: Indicator, year: int | None = None) -> tuple[object, ...]:
    return (i.concept or i.name, i.unit, i.year if year is None else year, i.months, i.status, i.place)


def _is_real(i: Indicator, folded: str) -> bool:
    return bool(AT_CONSTANT_PRICES.search(i.name) or ON_OTHER_BASIS.search(folded, i.start, i.end))


def _is_change(i: Indicator, of: Indicator) -> bool:
    """Whether the indicator is the increase of the one before it, by the name that the reader gives such."""
    change = CHANGE.search(i.name)
    return bool(
        change and i.start == of.start and i.unit == of.unit and i.bound == "=" and i.name[: change.start()] == of.name
    )


def _signed(change: Indicator, folded: str) -> Interval:
    printed = _printed(change, folded)
    match = CHANGE.search(change.name)
    less = match is not None and match["less"]
    return Interval(-printed.high, -printed.low) if less else printed


def _printed(i: Indicator, folded: str) -> Interval:
    assert i.value is not None
    return read_interval(i.value, folded[i.number_start : i.number_end])


def _printed_growth(i: Indicator, folded: str) -> Interval:
    """The growth as rounded at its last printed digit; in words or unseen, to a whole percent."""
    assert i.yoy is not None
    for match in GROWTH_PRINTED.finditer(folded, i.start, i.end):
        worth = {"%": 1, "倍": 100, "成": 10}[match["unit"]]
        if Decimal(match["number"]) * worth == abs(i.yoy):
            half = Decimal("0.5").scaleb(-len(match["number"].partition(".")[2])) * worth
            return Interval(i.yoy - half, i.yoy + half)
    return Interval(i.yoy - Decimal("0.5"), i.yoy + Decimal("0.5"))


def _middle(interval: Interval) -> Decimal:
    return ((interval.low + interval.high) / 2).quantize(Decimal("0.1"))


def find_parts_over_wholes(indicators: Sequence[Indicator], folded: str) -> Iterator[Remark]:
    """Parts that exceed the whole that 其中 or `rules/wholes.csv` gives them."""
    whole: tuple[int, Indicator] | None = None
    told: set[int] = set()
    for n, i in enumerate(indicators):
        before = indicators[n - 1] if n else None
        between = folded[before.number_end : i.number_start] if before and before.start == i.start else ","
        if before is not None and PART in between:
            whole = (n - 1, before)
        elif "," in between:
            whole = None  # 其中 holds for the list behind it
        if whole is not None and _exceeds(i, whole[1], folded):
            told.add(n)
            yield Remark("part_exceeds_whole", n, _more_than(i.name, i.value, whole[1], whole[0]))
    yield from _sums_over_wholes(indicators, folded, told)


def _exceeds(part: Indicator, whole: Indicator, folded: str) -> bool:
    """Whether the part is surely more than the whole: an amount of the same kind and time, no rate and no mean."""
    comparable = (
        part.value is not None
        and whole.value is not None
        and part.unit == whole.unit
        and part.unit not in ("%", "‰", "个百分点")
        and not MEAN.search(part.name + whole.name)
        and whole.bound == "="
        and part.bound in ("=", ">=")
        and (part.year, part.months, part.status) == (whole.year, whole.months, whole.status)
    )
    return comparable and _printed(part, folded).low > _printed(whole, folded).high


def _sums_over_wholes(indicators: Sequence[Indicator], folded: str, told: set[int]) -> Iterator[Remark]:
    groups: dict[tuple[object, ...], dict[str, int]] = defaultdict(dict)
    for n, i in enumerate(indicators):
        if i.concept and i.value is not None and i.bound == "=" and i.unit:
            groups[i.unit, i.year, i.months, i.status].setdefault(i.concept, n)
    for found in groups.values():
        for whole, parts in _wholes():
            if whole not in found or not all(part in found for part in parts) or found[parts[-1]] in told:
                continue
            summed = _printed(indicators[found[parts[0]]], folded)
            for part in parts[1:]:
                summed += _printed(indicators[found[part]], folded)
            of = indicators[found[whole]]
            if summed.low > _printed(of, folded).high:
                n = found[parts[-1]]
                names = " and ".join(indicators[found[part]].name for part in parts)
                amount = sum((indicators[found[part]].value or Decimal(0) for part in parts), Decimal(0))
                yield Remark("part_exceeds_whole", n, _more_than(names, amount, of, found[whole]))


def _more_than(name: str, value: Decimal | None, whole: Indicator, place: int) -> str:
    return f"{name} is {value} {whole.unit}, more than {whole.name} with {whole.value} in i{place + 1}."


@cache
def _wholes() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((row["whole"], tuple(row["parts"].split("|"))) for row in read_rows("wholes.csv"))
