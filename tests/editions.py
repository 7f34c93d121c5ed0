"""Made reports for tests of faults: of each township a first one and its corrections, whose figures come and go."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from chalicelib import divisions
from tests.made_reports import NOW, WORDS, write_report
from tests.soundness import CONCEPTS

LATER = NOW + timedelta(minutes=10)  # of another delivery: what is told of a moment must be told of one alone
SOON = NOW + timedelta(minutes=1)


def towns(count: int) -> list[str]:
    """Codes of townships, in order."""
    return [each.code for each in islice(divisions.townships_in("3310"), count)]


def edition(town: str, number: int) -> bytes:
    """The report of 2022 in its `number`th version, with three figures, one of which the next one has not."""
    figures = "".join(f"名{n} {CONCEPTS[(number + n) % len(CONCEPTS)]} {100 * number + n} 元\n" for n in range(3))
    return write_report(f"工作总结\n{figures}{WORDS}{'改' * number}", township=town, year=2022)
