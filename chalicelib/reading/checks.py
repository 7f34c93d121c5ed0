"""Remarks on figures that cannot both be right, or not as they stand. A check never changes a value.

The rules are described in `rules/checks.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

from chalicelib.reading.concepts import dimensions_of_name, normal_name
from chalicelib.reading.contradictions import find_contradicted_growth
from chalicelib.reading.lexicon import one_of, read_words, units
from chalicelib.reading.model import Indicator
from chalicelib.reading.parts import find_parts_over_wholes
from chalicelib.reading.remarks import Remark
from chalicelib.reading.rounding import Interval, read_interval
from chalicelib.reading.spans import is_of_one_year, is_of_the_place

RULES = "checks.toml"
# How far before a share the words stand that say what it is a share of (占全年目标任务的).
NEAR = 14

# Dimensions that are never those of a count beside the amount (拆除违建20处、1.5万平方米).
AMOUNTS = frozenset({"money", "area", "weight", "length", "volume", "power", "energy"})


def check_indicators(indicators: Sequence[Indicator], folded: str = "") -> list[dict[str, Any]]:
    """The remarks as the record carries them: `rule`, the indicator's id and a sentence.

    `folded` is the report's folded text, in which the rules look how numbers were printed and what 其中 says.
    """
    found = [
        *_shares_over_100(indicators, folded),
        *find_contradicted_growth(indicators, folded),
        *find_parts_over_wholes(indicators, folded),
        *_two_values(indicators, folded),
        *_misfits(indicators),
        *_targets_without_year(indicators),
    ]
    return [{"rule": r.rule, "indicator": f"i{r.indicator + 1}", "message": r.message} for r in found]


def check_township(named: str | None, stated: str | None) -> list[dict[str, Any]]:
    """A remark where the publisher named another township than the document itself settles."""
    if stated is None or stated == named:
        return []
    message = f"The publisher named {named}, but the document itself speaks for {stated}."
    return [{"rule": "township_named_otherwise", "indicator": None, "message": message}]


def _shares_over_100(indicators: Sequence[Indicator], folded: str) -> Iterator[Remark]:
    for n, i in enumerate(indicators):
        if i.unit == "%" and i.value is not None and i.value > 100 and i.name.endswith(read_words(RULES, "share")):
            clause = folded[max(i.start, i.number_start - NEAR) : i.number_start]
            if not _may_exceed().search(i.name + clause):
                yield Remark("share_over_100", n, f"{i.name} is {i.value} %, more than the whole.")


def _two_values(indicators: Sequence[Indicator], folded: str) -> Iterator[Remark]:
    """One concept, time and status with two exact values in two sentences, neither of them the other one rounded."""
    seen: dict[tuple[object, ...], int] = {}
    single = _single()
    for n, i in enumerate(indicators):
        # 税收 alone is of a firm as often as of the place.
        if i.concept not in single or i.value is None or i.bound != "=" or i.standard is None or len(i.name) < 3:
            continue
        if i.status == "target":
            continue  # a target often has a second, higher one: 18亿元,力争20亿元
        # 826人、1310人次: people and their turns are both persons, and both can be right.
        turns = (i.unit or "").rstrip(")）").endswith("次")
        key = (i.concept, normal_name(i.name), i.year, i.months, i.status, i.standard[1], turns)
        other = indicators[seen.setdefault(key, n)]
        if other is i or other.start == i.start or _standard(other, folded).touches(_standard(i, folded)):
            continue
        if not _is_total(other, folded):
            seen[key] = n
        elif _is_total(i, folded):
            message = f"{i.name} is {i.value} {i.unit} here and {other.value} {other.unit} in i{seen[key] + 1}."
            yield Remark("two_values", n, message)


def _is_total(i: Indicator, folded: str) -> bool:
    return is_of_one_year(i, folded) and is_of_the_place(i, folded)


def _standard(i: Indicator, folded: str) -> Interval:
    """What the printed number may stand for, in the standard unit."""
    assert i.value is not None
    assert i.standard is not None
    printed = read_interval(i.value, folded[i.number_start : i.number_end])
    factor = i.standard[0] / i.value if i.value else Decimal(1)
    return Interval(printed.low * factor, printed.high * factor)


def _misfits(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    """A unit that measures something else than what the name says at its end (粮食产量3万亩)."""
    known, heads = units(), read_words(RULES, "head")
    for n, i in enumerate(indicators):
        if i.concept is not None or i.value is None or i.place is not None:
            continue
        unit = known.get(i.unit or "")
        if unit is None or unit.dimension not in AMOUNTS or not i.name.endswith(heads):
            continue
        meant = dimensions_of_name(i.name)
        if meant and unit.dimension not in meant:
            measured = " or ".join(sorted(meant))
            yield Remark("unit_misfit", n, f"{i.name} is given in {i.unit}, but is measured in {measured}.")


def _targets_without_year(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    for n, i in enumerate(indicators):
        if i.status == "target" and i.year is None:
            yield Remark("target_without_year", n, f"{i.name} is a target, but the report names no year for it.")


@cache
def _single() -> frozenset[str]:
    return frozenset(read_words(RULES, "one_value"))


@cache
def _may_exceed() -> re.Pattern[str]:
    return re.compile(one_of(read_words(RULES, "may_exceed")))
