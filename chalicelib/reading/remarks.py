"""What a check says of a figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """The rule's id, the place of the indicator among all, and a sentence with the figures."""

    rule: str
    indicator: int
    message: str
