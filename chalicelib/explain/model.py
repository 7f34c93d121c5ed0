"""What an explanation holds: marks over the clean text, and how each indicator came about."""

from __future__ import annotations

from dataclasses import dataclass, fields

from chalicelib.records import Record

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cause:
    """The rule that decided something, and where the words stand that it went by (None where none did)."""

    rule: str
    at: Span | None = None


@dataclass(slots=True)
class Trace:
    """How one indicator came about: what named it, and what decided its time, status, concept, bound and growth.

    `bound` is None for an exact figure, `growth` where none is stated.
    """

    name: Cause
    time: Cause
    status: Cause
    concept: Cause
    bound: Cause | None = None
    growth: Cause | None = None

    def causes(self) -> dict[str, Cause]:
        """The causes by what they decided."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {decided: cause for decided, cause in given.items() if cause is not None}


@dataclass(frozen=True, slots=True)
class Mark:
    """A number of the text and what became of it; `text[start:end]` is what is marked.

    `kind` is `indicator` (the number of the indicators at `indicators`), `growth` (the growth of them), `label` (the number
    of a heading), or `refused`. `rule` is a row of `rules/reasons.csv`. Marks do not overlap, and every digit and every
    Chinese numeral of the text is in exactly one.
    """

    start: int
    end: int
    kind: str
    rule: str
    indicators: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A report's record and clean text, its numbers in reading order, a trace for each indicator, a rule for each section."""

    record: Record
    text: str
    body_start: int
    marks: tuple[Mark, ...]
    traces: tuple[Trace, ...]
    headings: tuple[str, ...]
