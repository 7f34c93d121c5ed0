"""What a number in a report can be: a quantity, a growth, a stated zero, the parts of a whole."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


class Quantity(NamedTuple):
    """A number in the text: `start` and `end` bound it with its measure word (and 余, 多), but without 超 and 以上."""

    start: int
    end: int
    value: Decimal
    unit: str | None
    bound: str
    # Only the share of a whole: `%` and `‰`.
    rate: bool
    # The spelling that `units.csv` knows, None for a compound (`公斤/亩`) or a lost one.
    spelled: str | None
    # True for 万亩-like words without a leading digit (`百余`, `千万元`).
    chinese: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """A growth in percent. `start` is where its phrase begins (同比…), `number_start` and `end` bound the figure.

    `annual` is False where it is not on the year before (年均, 较2020年): such a growth is an indicator of its own.
    `points` are the change of a rate as printed, without a sign; `verb` says which way it went.
    `base_year` is the year that it names as its base.
    """

    start: int
    number_start: int
    end: int
    value: Decimal
    bound: str
    annual: bool
    points: bool = False
    base_year: int | None = None
    verb: str = ""


@dataclass(frozen=True, slots=True)
class Zero:
    """A statement that something did not occur; `event` is its word, `end` stands behind it.

    `unit` is `%` where a share has come down to nothing (`由31.7%降至0`).
    """

    start: int
    end: int
    event: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of three or more parts that make 100; `parts` are its shares in percent."""

    start: int
    end: int
    parts: tuple[Quantity, ...]


Item = Quantity | Growth | Zero | Ratio


def item_start(item: Item) -> int:
    """Where the figure itself begins."""
    return item.number_start if isinstance(item, Growth) else item.start
