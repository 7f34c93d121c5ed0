"""What a printed number may stand for: every value that rounds to it at its last digit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from chalicelib.reading.numerals import SCALES

PRINTED = re.compile(r"\d[\d, ]*(?:\.(?P<decimals>\d+))? ?[余多来]?(?P<scale>[十百千万亿]*)")
HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, both included."""

    low: Decimal
    high: Decimal

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def touches(self, other: Interval) -> bool:
        """Whether a value lies in both."""
        return self.low <= other.high and other.low <= self.high


def read_interval(value: Decimal, printed: str) -> Interval:
    """What the folded number `printed`, read as `value`, may stand for; Chinese numerals and others are exact."""
    match = PRINTED.match(printed)
    if match is None:
        return Interval(value, value)
    half = HALF.scaleb(-len(match["decimals"] or ""))
    for scale in match["scale"]:
        half *= SCALES[scale]
    return Interval(value - half, value + half)


def growth_between(before: Interval, after: Interval) -> Interval | None:
    """The growth in percent from one value to the next; None where the first may be nothing."""
    if before.low <= 0:
        return None
    return Interval((after.low / before.high - 1) * 100, (after.high / before.low - 1) * 100)
