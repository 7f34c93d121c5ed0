"""Counties and prefectures that are no more, or whose codes changed: what took the place of a name or a code.

They were compared with the GB/T 2260 lists of 2002 to 2014 (gb2260 0.4.1) and the statistics bureau's of 2015 to 2019
(china-area-data 2.0.0 to 5.0.1): every county and prefecture of the lists from 2009 on that the division table does not
have under the same code is a row, save development zones, the islands of Sansha, the prefecture of Chaohu, and misprints.
What took the place of each is from the State Council's approvals as they are generally known. `year` is that of the change.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chalicelib import divisions

RULES = Path(__file__).resolve().parent.parent / "rules" / "former_divisions.csv"


@dataclass(frozen=True, slots=True)
class FormerDivision:
    """A row: a name, the codes that it had before (6 digits, 4 for a prefecture), and the present codes of what took
    its place. Several present codes where it was divided; one of them is its own where it lives on in part."""

    name: str
    former_codes: tuple[str, ...]
    codes: tuple[str, ...]


@cache
def former_divisions() -> tuple[FormerDivision, ...]:
    """The rows of `rules/former_divisions.csv`."""
    with RULES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(FormerDivision(r["former"], tuple(r["former_code"].split()), tuple(r["code"].split())) for r in rows)


def vanished() -> Iterator[FormerDivision]:
    """Those whose name no present division of their codes carries, nor the prefecture above it: 毕节市 is now the whole
    of what was 毕节地区."""
    for row in former_divisions():
        present = {divisions.get(digits) for code in row.codes for digits in (code, code[:4])}
        if row.name not in {division.name for division in present if division}:
            yield row


@cache
def former_names() -> dict[str, tuple[str, ...]]:
    """The names that no division carries any more, each with the codes of what took its place."""
    found: dict[str, tuple[str, ...]] = {}
    for row in vanished():
        found[row.name] = (*found.get(row.name, ()), *row.codes)
    return found


@cache
def _heirs() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in former_divisions():
        for code in row.former_codes:
            found[code] = (*found.get(code, ()), *row.codes)
    return found


def heirs(code: str) -> tuple[str, ...]:
    """The divisions in which the townships of a county or prefecture lie now: itself for most, what took its place, or
    both. () for a code that is none and was none."""
    return _heirs().get(code) or ((code,) if divisions.is_place(code) else ())


def lies_in(code: str, upper: str) -> bool:
    """Whether the division lies in `upper`, or lay there before."""
    return code.startswith(upper) or (upper in _heirs() and code.startswith(_heirs()[upper]))
