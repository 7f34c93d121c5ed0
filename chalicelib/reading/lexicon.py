"""The rule files of `rules/`, loaded once."""

from __future__ import annotations

import csv
import re
import tomllib
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
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
    """A pattern of the words literally, in their order, longest first; what they begin with is looked at once."""
    rests: dict[str, list[str]] = {}
    for word in words:
        rests.setdefault(word[:1], []).append(word[1:])
    parts = [re.escape(first) + (one_of(tuple(rest)) if any(rest) else "") for first, rest in rests.items()]
    return f"(?:{'|'.join(parts)})"


def begins_as(words: tuple[str, ...]) -> str:
    """A look at the first character, before a pattern that is tried at one place and hardly ever fits: it fails sooner."""
    return f"(?=[{re.escape(''.join({word[0] for word in words}))}])"


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


def find_unit(spelled: str) -> Unit | None:
    """The measure word as a report prints it; `头（只、匹）` is measured as 头, and a rate such as `公斤/亩` in none."""
    unit = units().get(spelled)
    if unit is None and spelled.endswith((")", "）")):
        return units().get(re.split("[(（]", spelled)[0])
    return unit


def _factor(text: str) -> tuple[Decimal, int] | None:
    """`2000/3` as a decimal and what it is divided by."""
    times, _, parts = text.partition("/")
    return (Decimal(times), int(parts or 1)) if text else None


def to_standard(value: Decimal, spelled: str) -> tuple[Decimal, str] | None:
    """The quantity in its standard unit, of any number of digits; None for a measure word that has none.

    Exact, save where the factor is no decimal: 1 亩 is 2000/3 m2, so that areas in 亩 that are no multiple of 0.3 (or 0.03 …)
    are rounded to 0.0001 m2, half to even.
    """
    unit = find_unit(spelled)
    if unit is None or unit.factor is None:
        return None
    times, parts = unit.factor
    scaled = EXACT.multiply(value, times)
    return (scaled if parts == 1 else _divided(scaled, parts)), unit.standard


def _divided(value: Decimal, parts: int) -> Decimal:
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    whole = int(EXACT.scaleb(value, -exponent))
    if whole % parts == 0:
        return EXACT.scaleb(Decimal(whole // parts), exponent)
    digits = exponent + PLACES
    whole, parts = (whole * 10**digits, parts) if digits >= 0 else (whole, parts * 10**-digits)
    low, rest = divmod(whole, parts)
    up = 2 * rest > parts or (2 * rest == parts and low % 2 == 1)
    return EXACT.scaleb(Decimal(low + up), -PLACES)


PLACES = 4
# A context that never rounds.
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
