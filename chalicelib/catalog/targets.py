"""Targets joined to their outcomes: what a township set out to reach in a year, and what a later report says of that year.

Two figures speak of the same where concept (or, where the target has none, the printed name), year, months and place
are the same. A target is judged by its value, or where it states none by its growth. What cannot be said is null, with
the reason in `undecided`. Nothing is estimated: a number stands for itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

Row = dict[str, Any]

NOT_REVIEWED, NOT_STATED, SEVERAL = "not_reviewed", "not_stated", "several_outcomes"
NOT_COMPARABLE, OPEN_BOUND = "not_comparable", "open_bound"
# "About" (约, 左右) has no agreed width: within a twentieth nothing is said.
NEAR = 0.05


def join_targets(rows: Iterable[Row]) -> list[Row]:
    """Each target among a township's indicator rows with its outcome, by year and in order of the reports.

    `measure` is what was compared (`value` or `yoy`), `met` whether the outcome reaches the target, `undecided` why that
    cannot be said.
    """
    every = list(rows)
    outcomes: dict[Hashable, list[Row]] = defaultdict(list)
    for row in every:
        if row["status"] == "actual":
            outcomes[_subject(row, row["name"])].append(row)
            if row["concept"]:
                outcomes[_subject(row, row["concept"])].append(row)
    reviewed = {_filed_year(row) for row in every if row["status"] == "actual"}
    targets = [row for row in every if row["status"] == "target" and row["year"] is not None]
    joined = [
        _join(target, outcomes[_subject(target, target["concept"] or target["name"])], reviewed) for target in targets
    ]
    return sorted(joined, key=lambda each: int(each["year"]))


def judge(target: Row, outcome: Row) -> tuple[str | None, bool | None, str | None]:
    """What of the two is compared, whether the target is met, and else why that cannot be said."""
    measure = _measure(target, outcome)
    if measure is None:
        return None, None, NOT_COMPARABLE
    wanted, reached = _size(target, measure), _size(outcome, measure)
    # A bound belongs to the value, or to the growth where that is all that a figure states.
    aimed, stated = _bound(target, measure), _bound(outcome, measure)
    # A decline is aimed at to go at least so far, as a ceiling is.
    is_ceiling = aimed == "<=" or (measure == "yoy" and wanted < 0)
    gap = wanted - reached if is_ceiling else reached - wanted
    # What is said to be over or under something, or about it, may lie on the other side of a target close by.
    near = abs(gap) <= NEAR * abs(wanted)
    surely = {"=": True, "~": not near, ">=": gap >= 0, "<=": gap < 0}[_turned(stated) if is_ceiling else stated]
    if not surely or (aimed == "~" and near and gap < 0):
        return measure, None, OPEN_BOUND
    return measure, gap >= 0, None


def _join(target: Row, found: Sequence[Row], reviewed: set[int]) -> Row:
    """The outcome is the report's of that very year where it has one, else the latest report's."""
    later = [row for row in found if row["report"] != target["report"]]
    of_year = [row for row in later if _filed_year(row) == target["year"]]
    last = max((_filed_year(row) for row in later), default=0)
    chosen = of_year or [row for row in later if _filed_year(row) == last]
    outcome, measure, met = (chosen[0] if chosen else None), None, None
    if outcome is None:
        undecided: str | None = NOT_STATED if target["year"] in reviewed else NOT_REVIEWED
    else:
        judged = [judge(target, row) for row in chosen]
        # Several figures of one subject: those that can be compared at all, if they say the same.
        at = next((n for n, (what, _, _) in enumerate(judged) if what), 0)
        outcome, (measure, met, undecided) = chosen[at], judged[at]
        if len({verdict for what, verdict, _ in judged if what}) > 1:
            met, undecided = None, SEVERAL
    named = {key: target[key] for key in ("township", "concept", "name", "year", "months", "place")}
    return {**named, "measure": measure, "met": met, "undecided": undecided, "target": target, "outcome": outcome}


def _subject(row: Row, name: str) -> Hashable:
    return name, row["year"], tuple(row["months"] or ()), row["place"]


def _filed_year(row: Row) -> int:
    """The year that the row's report is filed under, which its id has."""
    return int(row["report"].partition("-")[2][:4])


def _measure(target: Row, outcome: Row) -> str | None:
    """Values of one unit, else growth: what both state."""
    if target["value"] is not None:
        return "value" if outcome["value"] is not None and _unit(target) == _unit(outcome) else None
    return "yoy" if target["yoy"] is not None and outcome["yoy"] is not None else None


def _unit(row: Row) -> str | None:
    unit: str | None = row["standard"]["unit"] if row["standard"] else row["unit"]
    return unit


def _size(row: Row, measure: str) -> Any:
    return row["standard"]["value"] if measure == "value" and row["standard"] else row[measure]


def _bound(row: Row, measure: str) -> str:
    bound: str = row["bound"] if measure == "value" or row["value"] is None else "="
    return bound


_turned: Callable[[str], str] = {"=": "=", "~": "~", ">=": "<=", "<=": ">="}.__getitem__
