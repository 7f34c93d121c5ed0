"""What a figure alone decides of its indicator: value, unit, bound, growth."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypedDict

from chalicelib.reading.figures import Growth, Item, Quantity, Zero
from chalicelib.reading.lexicon import to_standard

MONEY_WORDS = re.compile(
    r"额|收入|产值|投资|资金|营收|税|利润|支出|存款|贷款|销售|价|GDP|总产|增加值|财政|经费|投入|筹|捐|奖励|补助|补贴|款"
)


class Measure(TypedDict, total=False):
    """The fields of an indicator that its figure alone decides."""

    value: Decimal | None
    unit: str | None
    bound: str
    yoy: Decimal | None
    standard: tuple[Decimal, str] | None


# What is counted by 户 as households are, and is none.
FIRMS = re.compile(r"企业|公司|市场主体|工商户|个体户|商户|合作社|农场|门店")


def measure(item: Item, name: str) -> Measure:
    """Value, unit, bound and growth of a figure; a unit lost after 万 is 元 where the name speaks of money."""
    if isinstance(item, Quantity):
        lost_money = item.unit is None and MONEY_WORDS.search(name)
        measure_word, spelled = ("元", "元") if lost_money else (item.unit, item.spelled)
        standard = to_standard(item.value, spelled) if spelled else None
        if standard and standard[1] == "household" and FIRMS.search(name):
            standard = standard[0], "count"  # 规上企业78户
        return {"value": item.value, "unit": measure_word, "bound": item.bound, "yoy": None, "standard": standard}
    if isinstance(item, Growth):
        if item.annual and not item.points:
            return {"value": None, "unit": None, "bound": item.bound, "yoy": item.value}
        unit = "个百分点" if item.points else "%"
        return {"value": item.value, "unit": unit, "bound": item.bound, "yoy": None}
    assert isinstance(item, Zero)
    return {"value": Decimal(0), "unit": item.unit, "bound": "=", "yoy": None}
