"""The numbers of a text, each with what became of it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from chalicelib.explain.headings import refused_headings
from chalicelib.explain.model import Mark
from chalicelib.explain.refused import RUN, refuse_number
from chalicelib.explain.watch import Watch
from chalicelib.reading.figures import Item, Ratio, item_start
from chalicelib.reading.headings import find_numbered
from chalicelib.reading.model import Page, Section
from chalicelib.reading.refusals import Refusal, find_refusals
from chalicelib.reading.tables import find_table_lines

# A number that nobody read, up to its last digit.
WHOLE = re.compile(rf"(?:{RUN.pattern})(?:(?<=\d)[.,]\d+)*")


def mark_numbers(watch: Watch, page: Page, sections: Sequence[Section], rules: Sequence[str]) -> list[Mark]:
    """The marks of all numbers in reading order: none overlaps another, and no number is left out.

    `rules` are those of the sections' headings.
    """
    taken = _apart([*_labels(sections, rules), *_figures(watch), *_cells(watch)])
    return list(_with_refused(taken, watch.folded, page, sections))


def _apart(marks: list[Mark]) -> list[Mark]:
    """The marks in reading order, a number that two claim with the first."""
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda m: (m.start, -m.end)):
        if not kept or kept[-1].end <= mark.start:
            kept.append(mark)
    return kept


def _labels(sections: Sequence[Section], rules: Sequence[str]) -> Iterator[Mark]:
    for section, rule in zip(sections, rules, strict=True):
        if section.label and section.start < section.title_start:
            yield Mark(section.start, section.title_start, "label", rule)


def _figures(watch: Watch) -> Iterator[Mark]:
    for item in watch.figures:
        yield from _parts(item, watch) if isinstance(item, Ratio) else [_figure(item, item_start(item), watch)]


def _parts(ratio: Ratio, watch: Watch) -> Iterator[Mark]:
    if ratio.start in watch.used and not watch.used[ratio.start][1]:
        yield _figure(ratio, ratio.start, watch)
    else:
        yield from (_figure(part, part.start, watch) for part in ratio.parts)


def _figure(item: Item, start: int, watch: Watch) -> Mark:
    """The mark of one figure of a sentence: the number of indicators, the growth of some, or dropped with a rule."""
    if start in watch.grown:
        return Mark(start, item.end, "growth", "growth_of_value", tuple(watch.grown[start]))
    rule, indicators = watch.used.get(start, ("no_name", []))
    return Mark(start, item.end, "indicator" if indicators else "refused", rule, tuple(indicators))


# --- tables ----------------------------------------------------------------------------------------------------


def _cells(watch: Watch) -> Iterator[Mark]:
    for cell, position in watch.cells:
        start, end = cell.figure.start, cell.figure.end
        yield Mark(start, end, "indicator", "table_row", (position,))
        grown = watch.traces[position].growth
        if grown is not None and grown.at is not None:
            yield Mark(*grown.at, "growth", grown.rule, (position,))


# --- what is left ----------------------------------------------------------------------------------------------


def _with_refused(taken: list[Mark], folded: str, page: Page, sections: Sequence[Section]) -> Iterator[Mark]:
    """The marks, and between them those of all numbers that no figure took."""
    left = _Left(folded, page, sections)
    done = 0
    for mark in taken:
        yield from left.between(done, mark.start)
        yield mark
        done = mark.end
    yield from left.between(done, len(folded))


class _Left:
    """Tells why a number that no figure took was refused."""

    def __init__(self, folded: str, page: Page, sections: Sequence[Section]) -> None:
        self.folded, self.page = folded, page
        listed = refused_headings(sections, find_numbered(folded, page.body_start))
        self.excluded = _disjoint([*find_refusals(folded), *listed])
        self.rows = find_table_lines(folded, page.body_start)

    def between(self, start: int, end: int) -> Iterator[Mark]:
        """The marks of the numbers in a stretch of text without figures; a mark may hold words around its number."""
        done = start
        for run in RUN.finditer(self.folded, start, end):
            while done < run.end():
                refusal = self._refuse(max(done, run.start()))
                mark = Mark(max(done, refusal.start), min(end, refusal.end), "refused", refusal.rule)
                yield mark
                done = mark.end

    def _refuse(self, at: int) -> Refusal:
        excluded = bisect_right(self.excluded, at, key=lambda refusal: refusal.start) - 1
        if excluded >= 0 and at < self.excluded[excluded].end:
            return self.excluded[excluded]
        whole = WHOLE.match(self.folded, at)
        end = whole.end() if whole else at + 1
        if at < self.page.body_start:
            return Refusal(at, end, "title")
        row = bisect_right(self.rows, at, key=lambda line: line[0]) - 1
        in_table = row >= 0 and at < self.rows[row][1]
        if in_table and self.folded[at].isdecimal():
            return Refusal(at, end, "table_cell")
        last = "table_cell" if in_table else "no_name"
        return refuse_number(self.folded, self.page.text, at) or Refusal(at, end, last)


def _disjoint(refusals: list[Refusal]) -> list[Refusal]:
    """The refusals without overlap: what two cover goes to the first."""
    kept: list[Refusal] = []
    for refusal in sorted(refusals, key=lambda r: (r.start, r.end)):
        start = max(refusal.start, kept[-1].end if kept else 0)
        if start < refusal.end:
            kept.append(Refusal(start, refusal.end, refusal.rule))
    return kept
