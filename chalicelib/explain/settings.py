"""What decided the fields of an indicator: the questions that the reader asks itself, asked again for their answers."""

from __future__ import annotations

import re

from chalicelib.explain.model import Cause
from chalicelib.reading.clauses import LONGEST
from chalicelib.reading.concepts import find_concept
from chalicelib.reading.context import Context, _cue
from chalicelib.reading.counting import ABOUT, AT_LEAST, AT_MOST, OR_MORE, ROUGHLY, UP_TO
from chalicelib.reading.model import Indicator
from chalicelib.reading.tables import CELL, NUMBER, TableFigure, _signed


def trace_time(context: Context, found: Indicator) -> Cause:
    """The period that the text names, or whose year it is where none is named. Asked right behind `context.at`."""
    periods = context.periods
    current = periods._current
    if current is not None:
        mention = periods.mentions[periods._mention - 1]
        carried = "period_carried" if mention.period.year is None else "period_named"
        return Cause("months_named" if current.year is None else carried, (mention.start, mention.end))
    if found.year is None:
        return Cause("year_unknown")
    return Cause("year_of_report" if found.year == context.identity.review_year else "year_of_plan")


def trace_status(context: Context, start: int, found: Indicator, reached: bool) -> Cause:
    """The part of the report, or the word, that makes a figure a target or an estimate."""
    plan = _plan_of(context, start, found)
    opens = _opens(context.folded, start, "。\n")
    if found.status == "estimate":
        word = _cue("estimate").search(context.folded, opens, start)
        return Cause("estimate_word", word.span() if word else None)
    if plan is not None:
        return plan if found.status == "target" else Cause("done_in_plan")
    if found.status == "target":
        word = _cue("target").search(context.folded, _opens(context.folded, start, "。\n,:;"), start)
        return Cause("target_word", word.span()) if word else Cause("target_sentence", (opens, start))
    return Cause("share_reached" if reached else "reported")


def _plan_of(context: Context, start: int, found: Indicator) -> Cause | None:
    """Why the place counts as one where plans are made, None where it does not."""
    section = context._section(start)
    if section is not None and section.plan:
        return Cause("plan_section", (section.title_start, section.title_end))
    if section is None and context.identity.kind == "plan":
        return Cause("plan_report")
    if context._ahead(start):
        line = context.line
        stop = context.folded.find(",", line, start)
        return Cause("plan_paragraph", (line, stop if stop > 0 else start))
    if (found.year or 0) > (context.identity.review_year or 9999):
        return Cause("later_year")
    return None


def _opens(folded: str, start: int, marks: str) -> int:
    """Where the sentence or clause that holds `start` begins, within the reach that the reader looks back."""
    floor = max(0, start - LONGEST)
    return max(floor - 1, *(folded.rfind(mark, floor, start) for mark in marks)) + 1


BOUNDS = {">=": (AT_LEAST, OR_MORE), "<=": (AT_MOST, UP_TO), "~": (ABOUT, ROUGHLY)}
VAGUE = re.compile("[余多来几]")


def trace_bound(folded: str, found: Indicator) -> Cause | None:
    """The word that makes a figure more or less than exact."""
    if found.bound == "=":
        return None
    start, end = found.number_start, found.number_end
    if inside := VAGUE.search(folded, start, end):
        return Cause("bound_inside", inside.span())
    before, behind = BOUNDS[found.bound]
    floor = max(0, start - 6)
    if word := before.search(folded[floor:start]):
        return Cause("bound_before", (floor + word.start(), floor + word.end()))
    word = behind.match(folded, end)
    return Cause("bound_behind", word.span()) if word else Cause("bound_before")


def trace_concept(found: Indicator) -> Cause:
    """Why the indicator is of its concept, or of none."""
    match = find_concept(found)
    if match is not None:
        return Cause(f"concept_{match.rule.partition(' ')[0]}")
    return Cause(
        "concept_of_part" if found.place is not None else "concept_of_years" if found.summed else "concept_none"
    )


def trace_growth_cell(folded: str, figure: TableFigure) -> Cause | None:
    """The cell of the figure's row that holds its growth."""
    if figure.yoy is None:
        return None
    for cell in CELL.finditer(folded, figure.start, figure.end):
        number = NUMBER.fullmatch(cell[0].strip())
        if number and _signed(number) == figure.yoy and not cell.start() <= figure.figure.start < cell.end():
            first = cell.start() + len(cell[0]) - len(cell[0].lstrip())
            return Cause("growth_column", (first, first + len(cell[0].strip())))
    return Cause("growth_column")
