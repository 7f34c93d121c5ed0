"""What a question chooses: several values, and runs of numbers with both ends included."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

NUMBER = r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?"
RUN = rf"(?:{NUMBER}(?:\.\.(?:{NUMBER})?)?|\.\.{NUMBER})"
# More years than these are first asked for, so that none is looked into in vain.
FEW_YEARS = 12


@dataclass(frozen=True, slots=True)
class Runs:
    """Numbers from the first to the last of any run; None is an open end."""

    runs: tuple[tuple[Decimal | None, Decimal | None], ...]

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int | float | Decimal):
            return False
        # By its decimal digits: 1.1 is what was written, not the binary fraction next to it.
        exact = number if isinstance(number, Decimal) else Decimal(str(number))
        return any((a is None or a <= exact) and (b is None or exact <= b) for a, b in self.runs)

    def few_years(self) -> list[int] | None:
        """The years of the runs, ascending; None for many or open ones."""
        years: set[int] = set()
        for first, last in self.runs:
            if first is None or last is None or last - first >= FEW_YEARS:
                return None
            years.update(range(int(first), int(last) + 1))
        return sorted(years) if len(years) <= FEW_YEARS else None

    def __str__(self) -> str:
        return ",".join(f"{'' if a is None else a}..{'' if b is None else b}" for a, b in self.runs)


def read_runs(text: str) -> Runs:
    """Runs as `2019`, `2019..2023`, `2019..`, `..2023`, several with commas. Raises ValueError for anything else."""
    runs = [_read_run(part) for part in text.split(",")]
    found = tuple(run for run in runs if run is not None)
    if len(found) < len(runs):
        raise ValueError(f"{text!r} is no run of numbers")
    return Runs(found)


def _read_run(text: str) -> tuple[Decimal | None, Decimal | None] | None:
    if not re.fullmatch(RUN, text):
        return None
    first, dots, last = text.partition("..")
    if not dots:
        return Decimal(first), Decimal(first)
    start, end = (Decimal(each) if each else None for each in (first, last))
    return None if start is not None and end is not None and start > end else (start, end)


@dataclass(frozen=True, slots=True)
class Rows:
    """A filter of indicator rows; None lets every value pass. `values` are of the standard unit where a row has one."""

    years: Runs | None = None
    concepts: Collection[str] | None = None
    statuses: Collection[str] | None = None
    values: Runs | None = None

    @property
    def looks_into_rows(self) -> bool:
        """Whether more is asked for than the figure's year, by which rows are stored."""
        return any(each is not None for each in (self.concepts, self.statuses, self.values))

    def holds_year(self, year: int | None) -> bool:
        return self.years is None or year in self.years

    def holds(self, row: dict[str, Any]) -> bool:
        return (
            self.holds_year(row["year"])
            and (self.concepts is None or row["concept"] in self.concepts)
            and (self.statuses is None or row["status"] in self.statuses)
            and (self.values is None or standard_value(row) in self.values)
        )


def standard_value(row: dict[str, Any]) -> Any:
    """The value in the unit that compares across reports, else as it is printed; None where none is stated."""
    return row["standard"]["value"] if row["standard"] else row["value"]
