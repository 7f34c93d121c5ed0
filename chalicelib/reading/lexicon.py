"""The rule files of `rules/`, loaded once."""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

RULES = Path(__file__).resolve().parent.parent / "rules"


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV rule file."""
    with (RULES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def read_words(name: str, key: str) -> tuple[str, ...]:
    """A word list of a TOML rule file, longest first, so that an alternation of them prefers the longer word."""
    with (RULES / name).open("rb") as file:
        words: list[str] = tomllib.load(file)[key]["words"]
    return tuple(sorted(words, key=len, reverse=True))


def one_of(words: tuple[str, ...]) -> str:
    """An alternation that matches any of the words literally."""
    return "(?:" + "|".join(map(re.escape, words)) + ")"


@dataclass(frozen=True, slots=True)
class Unit:
    """A measure word: the one spelling that is printed, its dimension, and how it converts.

    A quantity in it times `factor[0]`, divided by `factor[1]`, is in the standard unit; None where it does not convert.
    """

    unit: str
    dimension: str
    standard: str
    factor: tuple[Decimal, int] | None


@cache
def units() -> dict[str, Unit]:
    """Every spelling of a measure word."""
    return {
        row["spelled"]: Unit(row["unit"], row["dimension"], row["standard"], _factor(row["factor"]))
        for row in read_rows("units.csv")
    }


def _factor(text: str) -> tuple[Decimal, int] | None:
    """`2000/3` as a decimal and what it is divided by."""
    times, _, parts = text.partition("/")
    return (Decimal(times), int(parts or 1)) if text else None


def to_standard(value: Decimal, spelled: str) -> tuple[Decimal, str] | None:
    """The quantity in its standard unit, exact where the factor is a decimal, else (亩, 2000/3 m2) to 0.0001."""
    unit = units().get(spelled)
    if unit is None or unit.factor is None:
        return None
    times, parts = unit.factor
    scaled = value * times
    if parts == 1:
        return scaled, unit.standard
    exact = scaled / parts
    whole = scaled.scaleb(-min(0, int(scaled.as_tuple().exponent)))
    return (exact if whole % parts == 0 else exact.quantize(TO_PLACES)), unit.standard


TO_PLACES = Decimal("0.0001")
