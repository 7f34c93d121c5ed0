"""Remarks on figures that cannot both be right, or not as they stand. A check never changes a value.

The rules are described in `rules/checks.csv`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from chalicelib.reading.concepts import dimensions_of_name, normal_name
from chalicelib.reading.contradictions import find_contradicted_growth, find_parts_over_wholes
from chalicelib.reading.lexicon import units
from chalicelib.reading.model import Indicator
from chalicelib.reading.remarks import Remark

# Rates that are shares of a whole, so that more than 100 % is a misprint or another quantity.
SHARES = ("率", "占比", "比重", "满意度")
OF_TASK = re.compile("任务|目标|计划|预算|进度")  # what was reached of these may well be more
NO_SHARES = ("增长率", "增速", "完成率", "收益率", "利润率", "产销率", "投资率", "回报率", "周转率", "负债率")
# What a place has but one of at a time.
SINGLE = frozenset({"CNY", "USD", "percent", "permille", "person"})
# Dimensions that are never those of a count beside the amount (拆除违建20处、1.5万平方米).
AMOUNTS = frozenset({"money", "area", "weight", "length", "volume", "power", "energy"})


def check_indicators(indicators: Sequence[Indicator], folded: str = "") -> list[dict[str, Any]]:
    """The remarks as the record carries them: `rule`, the indicator's id and a sentence.

    `folded` is the report's folded text, in which the rules look how numbers were printed and what 其中 says.
    """
    found = [
        *_shares_over_100(indicators),
        *find_contradicted_growth(indicators, folded),
        *find_parts_over_wholes(indicators, folded),
        *_two_values(indicators),
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


def _shares_over_100(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    for n, i in enumerate(indicators):
        share = i.unit == "%" and i.name.endswith(SHARES) and not i.name.endswith(NO_SHARES)
        if share and not OF_TASK.search(i.name) and i.value is not None and i.value > 100:
            yield Remark("share_over_100", n, f"{i.name} is {i.value} %, more than the whole.")


def _two_values(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    """One concept, time and status with two exact values."""
    seen: dict[tuple[object, ...], tuple[int, Decimal]] = {}
    for n, i in enumerate(indicators):
        if i.concept is None or i.value is None or i.bound != "=" or i.standard is None or i.standard[1] not in SINGLE:
            continue
        if i.status == "target":
            continue  # a target often has a second, higher one: 18亿元,力争20亿元
        # 826人、1310人次: people and their turns are both persons, and both can be right.
        key = (i.concept, normal_name(i.name), i.year, i.months, i.status, (i.unit or "").rstrip(")）").endswith("次"))
        first, value = seen.setdefault(key, (n, i.standard[0]))
        if value != i.standard[0]:
            message = f"{i.name} is {i.standard[0]} {i.standard[1]} here and {value} in i{first + 1}."
            yield Remark("two_values", n, message)


def _misfits(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    """A unit that measures something else than what the name says."""
    for n, i in enumerate(indicators):
        unit = units().get(i.unit or "")
        if i.concept is not None or i.value is None or unit is None or unit.dimension not in AMOUNTS:
            continue
        meant = dimensions_of_name(i.name)
        if meant and meant <= AMOUNTS and unit.dimension not in meant:
            yield Remark(
                "unit_misfit", n, f"{i.name} is given in {i.unit}, but is measured in {' or '.join(sorted(meant))}."
            )


def _targets_without_year(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    for n, i in enumerate(indicators):
        if i.status == "target" and i.year is None:
            yield Remark("target_without_year", n, f"{i.name} is a target, but the report names no year for it.")
