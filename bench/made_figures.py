"""The figures of a made township: what they are in a year, and how a report prints them.

Every value is a function of the township's code, the figure's key and the year alone. What lasts (output, income,
members) goes on from year to year, so that the report of a year states the growth on what the report before stated.
Sums, products and quotients only: the same bits on every machine.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib import divisions

SENTENCES = Path(__file__).with_name("made_sentences.toml")
FIRST = 2013  # the year that everything grows from
# Percentage points that bad years take off the growth of money and income.
SETBACKS = {2020: 4.0, 2022: 1.5}
# What the coast's and the middle's townships earn for 1 of the others.
WEALTH = {
    **dict.fromkeys(("11", "31", "32", "33", "35", "37", "44"), 1.7),
    **dict.fromkeys(("34", "42", "43", "50"), 1.2),
}
FIELDS = {"亩", "吨", "头"}  # of which a street has a fifth of what a town has
AIMS = (4, 9)  # percent that a part of the economy is to grow by


class Figure(NamedTuple):
    """A row of the table `figures`: of what lasts, the values of the first year and the growth in percent a year."""

    kind: str
    unit: str
    low: float
    high: float
    slow: float = 0.0
    fast: float = 0.0


class Part(NamedTuple):
    """A share of another figure, in percent, which differs by `spread` percent of itself from year to year."""

    kind: str
    unit: str
    whole: str
    low: float
    high: float
    spread: float


@cache
def sentences() -> dict[str, Any]:
    """All of made_sentences.toml."""
    return tomllib.loads(SENTENCES.read_text("utf-8"))


@cache
def figure(key: str) -> Figure | Part:
    """Raises KeyError for a key that the table does not hold."""
    row = sentences()["figures"][key]
    return Part(*row) if row[0] == "part" else Figure(*row)


@dataclass(frozen=True, slots=True)
class Figures:
    """What the township of this code prints in its report of this year."""

    code: str
    year: int

    def print(self, key: str, what: str = "") -> str:
        """The figure with its unit, or with `what` its `change`, `goal` or `aim`. Raises KeyError for another word."""
        row, now = figure(key), value(self.code, key, self.year)
        match what:
            case "":
                return show(row, now)
            case "change":
                return _change(value(self.code, key, self.year - 1), now)
            case "aim":
                return f"{_aim(self.code, key, self.year)}%"
            case "goal":
                return show(row, _rounded(now * (100 + _aim(self.code, key, self.year)) / 100))
        raise KeyError(what)


def value(code: str, key: str, year: int) -> int:
    """The figure's value: of money in 万元, of a rate in tenths of a percent, else in its unit."""
    row = figure(key)
    if isinstance(row, Part):
        share = _between(row.low, row.high, random.Random(f"{code} {key}"))
        spread = random.Random(f"{code} {key} {year}").uniform(-row.spread, row.spread)
        return _rounded(value(code, row.whole, year) * share / 100 * (100 + spread) / 100)
    if row.kind in {"money", "income", "stock"}:
        return _grown(code, key, row, year)
    chance = random.Random(f"{code} {key} {year}")
    if row.kind == "rate":
        return round(10 * chance.uniform(row.low, row.high))
    return max(1, round(_between(row.low, row.high, chance) * _size(code)))


def show(row: Figure | Part, number: int) -> str:
    """As printed: money from 亿 on in 亿元, areas and weights from 万 on in 万; nothing is lost by it."""
    if row.kind == "rate":
        return f"{number / 10:g}%"
    if row.unit == "元" and row.kind != "income":
        return f"{number / 10_000:g}亿元" if number >= 10_000 else f"{number}万元"
    return f"{number / 10_000:g}万{row.unit}" if number >= 10_000 and row.kind == "stock" else f"{number}{row.unit}"


def _grown(code: str, key: str, row: Figure, year: int) -> int:
    """The draws of a year come behind those of the years before it, so the same year is always the same."""
    chance = random.Random(f"{code} {key}")
    found = _rounded(_between(row.low, row.high, chance) * _scale(code, row))
    for each in range(FIRST + 1, year + 1):
        setback = 0.0 if row.kind == "stock" else SETBACKS.get(each, 0.0)
        found = _rounded(found * (100 + chance.uniform(row.slow, row.fast) - setback) / 100)
    return found


def _between(low: float, high: float, chance: random.Random) -> float:
    """Small values are commoner than large ones."""
    part = chance.random()
    return low + (high - low) * part * part


@cache
def _size(code: str) -> float:
    return 0.6 + 0.8 * random.Random(f"{code} size").random()


def _scale(code: str, row: Figure) -> float:
    wealth = WEALTH.get(code[:2], 1.0)
    if row.kind == "income":
        return (1 + wealth) / 2
    street = row.unit in FIELDS and (divisions.place(code)["name"] or "").endswith("街道")
    return _size(code) * (wealth if row.kind == "money" else 0.2 if street else 1.0)


def _rounded(number: float) -> int:
    """To what `show` prints: two decimals of 万 or 亿."""
    whole = max(1, round(number))
    return whole if whole < 10_000 else round(whole / 100) * 100


def _change(before: int, now: int) -> str:
    tenths = round((now - before) * 1000 / before)
    return "持平" if tenths == 0 else f"{'增长' if tenths > 0 else '下降'}{abs(tenths) / 10:g}%"


def _aim(code: str, key: str, year: int) -> int:
    row = figure(key)
    low, high = AIMS if isinstance(row, Part) else (max(1, round(row.slow)), max(2, round(row.fast)))
    return random.Random(f"{code} {key} {year} aim").randint(low, high)
