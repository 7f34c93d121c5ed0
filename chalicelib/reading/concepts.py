"""Which concept a quantity is: exactly one, by its name and dimension, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from chalicelib.reading.lexicon import read_rows, units
from chalicelib.reading.model import Indicator

# Spellings of one qualifier, and words that say only that the figure is of the whole place.
SPELLINGS = (
    ("规模以上", "规上"),
    ("规模以下", "规下"),
    ("限额以上", "限上"),
    ("商品零售", "零售"),
)
WHOLE = re.compile(r"^(?:全社会|全口径|完成|实现|全镇|全乡|全县|全市|全区|全街道|辖区|地方级|现有|共有)+(?=..)")
MONEY = {"CNY", "USD"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of `rules/concepts.csv`: the names that are the concept, whole, and its standard unit."""

    id: str
    unit: str
    pattern: re.Pattern[str]


@cache
def _rules() -> tuple[Rule, ...]:
    return tuple(Rule(row["id"], row["unit"], re.compile(row["pattern"])) for row in read_rows("concepts.csv"))


@cache
def _any_rule() -> re.Pattern[str]:
    """All patterns at once: most names are no concept, and one look tells."""
    return re.compile("|".join(f"(?:{r.pattern.pattern})" for r in _rules()))


def with_concepts(indicators: Iterable[Indicator]) -> tuple[Indicator, ...]:
    """The indicators with the concept that each of them exactly is."""
    found = ((i, find_concept(i)) for i in indicators)
    return tuple(replace(i, concept=concept) if concept else i for i, concept in found)


def find_concept(indicator: Indicator) -> str | None:
    """The concept's id; None for a part of the township, for a narrower quantity and where two concepts fit."""
    if indicator.place is not None:
        return None
    name = normal_name(indicator.name)
    if _any_rule().fullmatch(name) is None:
        return None
    fitting = [r.id for r in _rules() if r.pattern.fullmatch(name) and _measured_in(r.unit, indicator)]
    return fitting[0] if len(fitting) == 1 else None


def normal_name(name: str) -> str:
    """The name in one spelling: 规模以上 as 规上, without 全社会 and quotes around it."""
    name = name.replace(" ", "")
    for long, short in SPELLINGS:
        name = name.replace(long, short)
    return WHOLE.sub("", name)


def _measured_in(standard: str, indicator: Indicator) -> bool:
    """Whether the unit is of the concept's dimension. A growth alone has none and fits all but rates and counts of stock."""
    if indicator.value is None:
        return standard not in ("percent", "person", "household") or standard == "person"
    if indicator.unit is None:
        return False
    unit = units().get(indicator.unit)
    if unit is None:
        return False
    if standard in MONEY:
        return unit.standard in MONEY
    return unit.standard == standard
