"""Which concept a quantity is: exactly one, by its name and dimension, or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from chalicelib.reading.lexicon import find_unit, read_rows
from chalicelib.reading.measures import FIRMS
from chalicelib.reading.model import Indicator

# Spellings of one qualifier, and words that say only that the figure is of the whole place.
SPELLINGS = (
    ("规模以上", "规上"),
    ("规模工业", "规上工业"),
    ("规模以下", "规下"),
    ("限额以上", "限上"),
    ("商品零售", "零售"),
    ("各类", ""),
    ("各种", ""),
)
WHOLE = re.compile(r"^(?:全社会|全口径|完成|实现|全镇|全乡|全县|全市|全区|全街道|辖区|现有|共有|夏秋两季)+(?=..)")
SPELT = frozenset(long[0] for long, _ in SPELLINGS)  # most names have none of them
QUOTES = frozenset(" “”\"‘’'")
# A longer name tells of a narrower quantity.
LONGEST = 40
# Points are the change of a rate, not the rate.
POINTS = "个百分点"
# What is syntax in a pattern of the table: without it, the characters that the pattern can match are left.
SYNTAX = re.compile(r"\(\?:|\\(?=[()])|(?<!\\)[()?*+|]")
# A pattern with this can match any character.
ANY = r"[\u4e00-\u9fff]"
# A growth alone has no dimension. It is hardly ever that of a rate or of a number of households.
NO_GROWTH = {"share", "households"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of `rules/concepts.csv`: the dimensions it is measured in, and the names that are it, listed or by pattern."""

    id: str
    dimensions: frozenset[str]
    names: frozenset[str]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rules that a quantity of one dimension can be of.

    `names` has the ids by listed name. `having` has, by character, the rules whose patterns have it or any, as the bits of a
    number, and `open` the rules whose patterns have any: a pattern matches the whole of a name, so that a rule which lacks
    one of its characters need not be tried.
    """

    names: dict[str, list[str]]
    rules: tuple[Rule, ...]
    having: dict[str, int]
    open: int


@dataclass(frozen=True, slots=True)
class Match:
    """A concept and what found it: `alias` or `pattern`, the row's id, and the name as it was compared."""

    concept: str
    rule: str


def with_concepts(indicators: Iterable[Indicator]) -> tuple[Indicator, ...]:
    """The indicators with the concept that each of them exactly is, and the rule that says so."""
    found = ((i, find_concept(i)) for i in indicators)
    return tuple(replace(i, concept=m.concept, concept_rule=m.rule) if m else i for i, m in found)


def find_concept(indicator: Indicator) -> Match | None:
    """The concept; None for a part of the township, for several years, for a narrower quantity and where two concepts fit."""
    if indicator.place is not None or indicator.summed or len(indicator.name) > LONGEST:
        return None
    if indicator.value is None:
        return _matched(normal_name(indicator.name), None)
    unit = find_unit(indicator.unit or "")
    if unit is None or unit.unit == POINTS:
        return None
    counted = unit.dimension == "households" and FIRMS.search(indicator.name)
    return _matched(normal_name(indicator.name), "count" if counted else unit.dimension)


def normal_name(name: str) -> str:
    """The name in one spelling: 规模以上 as 规上, without quotes, without 全社会 and the like before it."""
    name = name if QUOTES.isdisjoint(name) else "".join(c for c in name if c not in QUOTES)
    if not SPELT.isdisjoint(name):
        for long, short in SPELLINGS:
            name = name.replace(long, short)
    return WHOLE.sub("", name)


@lru_cache(maxsize=16384)
def _matched(name: str, dimension: str | None) -> Match | None:
    table = _table(dimension)
    found = dict.fromkeys(table.names.get(name, ()), "alias")
    for rule in _possible(name, table):
        if rule.pattern.fullmatch(name):
            found.setdefault(rule.id, "pattern")
    if len(found) != 1:
        return None
    ((concept, how),) = found.items()
    return Match(concept, f"{how} {concept}: {name}")


def dimensions_of_name(name: str) -> frozenset[str]:
    """The dimensions of the concepts that list this very name, empty where none does."""
    return _listed().get(normal_name(name), frozenset())


@cache
def _listed() -> dict[str, frozenset[str]]:
    listed: dict[str, frozenset[str]] = {}
    for rule in _rules():
        for name in rule.names:
            listed[name] = listed.get(name, frozenset()) | rule.dimensions
    return listed


def _possible(name: str, table: Table) -> Iterator[Rule]:
    """The rules whose patterns have every character of the name."""
    bits = (1 << len(table.rules)) - 1 if name else 0
    having, open_ = table.having, table.open
    for character in name:
        bits &= having.get(character, open_)
        if not bits:
            return
    while bits:
        yield table.rules[bits.bit_length() - 1]
        bits &= ~(1 << (bits.bit_length() - 1))


@cache
def _table(dimension: str | None) -> Table:
    """The rules of a dimension; None is that of a growth alone."""
    rules = tuple(rule for rule in _rules() if _measured_in(rule, dimension))
    names: dict[str, list[str]] = {}
    having: dict[str, int] = {}
    for n, rule in enumerate(rules):
        for name in rule.names:
            names.setdefault(name, []).append(rule.id)
        for character in set(SYNTAX.sub("", rule.pattern.pattern)):
            having[character] = having.get(character, 0) | 1 << n
    open_ = sum(1 << n for n, rule in enumerate(rules) if ANY in rule.pattern.pattern)
    return Table(names, rules, {character: bits | open_ for character, bits in having.items()}, open_)


def _measured_in(rule: Rule, dimension: str | None) -> bool:
    return not rule.dimensions & NO_GROWTH if dimension is None else dimension in rule.dimensions


@cache
def _rules() -> tuple[Rule, ...]:
    return tuple(
        Rule(
            row["id"],
            frozenset(row["dimension"].split("|")),
            frozenset(map(normal_name, row["aliases"].split("|"))),
            re.compile(row["pattern"]),
        )
        for row in read_rows("concepts.csv")
    )
