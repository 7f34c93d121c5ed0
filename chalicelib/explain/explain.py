"""From an upload to its explanation: the report is read as ever, then once more under watch."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.explain.headings import heading_rules
from chalicelib.explain.marks import mark_numbers
from chalicelib.explain.model import Explanation
from chalicelib.explain.watch import Watch
from chalicelib.reading.fold import fold
from chalicelib.reading.headings import find_numbered
from chalicelib.reading.indicators import read_indicators
from chalicelib.reading.model import Identity, Section
from chalicelib.reading.parse import read_stages


def explain(data: bytes, filename: str = "", township: str | None = None) -> Explanation:
    """The record of the upload, and for every number of its text what became of it and why.

    The same bytes give the same record as `parse`. Raises ReportError as `parse` does.
    """
    reading = read_stages(data, filename, township)
    watches: list[Watch] = []

    def watch(folded: str, identity: Identity, sections: Sequence[Section]) -> Watch:
        watches.append(Watch(folded, identity, sections))
        return watches[-1]

    page, sections = reading.page, reading.sections
    read_indicators(page, reading.identity, sections, watch)
    candidates = find_numbered(fold(page.text), page.body_start)
    rules = heading_rules(watches[0].folded, sections, candidates)
    marks = mark_numbers(watches[0], page, sections, rules)
    traces = tuple(watches[0].traces)
    return Explanation(reading.parsed.record, page.text, page.body_start, tuple(marks), traces, tuple(rules))
