"""Remarks on figures that cannot both be right, or not as they stand. A check never changes a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from chalicelib.reading.model import Indicator

# Rates that are shares of a whole, so that more than 100 % is a misprint or another quantity.
SHARES = ("率", "占比", "比重", "满意度")
NO_SHARES = ("增长率", "增速", "完成率", "收益率", "利润率", "产销率", "投资率")


def check_indicators(indicators: Sequence[Indicator]) -> list[dict[str, Any]]:
    """The remarks as the record carries them: `rule`, the indicator's id and a sentence."""
    found = [*_shares_over_100(indicators), *_contradictions(indicators), *_targets_without_year(indicators)]
    return [{"rule": rule, "indicator": f"i{n + 1}", "message": message} for rule, n, message in found]


def check_township(named: str, stated: str | None) -> list[dict[str, Any]]:
    """A remark where the publisher named another township than the document itself settles."""
    if stated is None or stated == named:
        return []
    message = f"The publisher named {named}, but the document itself speaks for {stated}."
    return [{"rule": "township_named_otherwise", "indicator": None, "message": message}]


Remark = tuple[str, int, str]


def _shares_over_100(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    for n, i in enumerate(indicators):
        share = i.unit == "%" and i.name.endswith(SHARES) and not i.name.endswith(NO_SHARES)
        if share and i.value is not None and i.value > 100:
            yield "share_over_100", n, f"{i.name} is {i.value} %, more than the whole."


def _contradictions(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    """One concept, time and status with two exact values."""
    seen: dict[tuple[object, ...], tuple[int, Decimal]] = {}
    for n, i in enumerate(indicators):
        if i.concept is None or i.value is None or i.bound != "=" or i.standard is None:
            continue
        # 826人、1310人次: people and their turns are both persons, and both can be right.
        key = (i.concept, i.year, i.months, i.status, (i.unit or "").rstrip(")）").endswith("次"))
        first, value = seen.setdefault(key, (n, i.standard[0]))
        if value != i.standard[0]:
            yield "two_values", n, f"{i.name} is {i.standard[0]} {i.standard[1]} here and {value} in i{first + 1}."


def _targets_without_year(indicators: Sequence[Indicator]) -> Iterator[Remark]:
    for n, i in enumerate(indicators):
        if i.status == "target" and i.year is None:
            yield "target_without_year", n, f"{i.name} is a target, but the report names no year for it."
