"""What an explanation says of an indicator's fields is what the indicator has."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.explain.model import Trace
from chalicelib.explain.reasons import reasons
from chalicelib.reading.concepts import with_concepts
from chalicelib.reading.model import Identity, Indicator
from chalicelib.reading.parse import read_stages
from tests.reading_cases import FOLDER, Case, load, read
from tests.test_explain import PAGES, check_marks, explained, watched

# Every sentence of the genre that a case is of, whatever is read from it.
TABLES = [param.values[0] for path in sorted(FOLDER.glob("*.toml")) for param in load(path.stem)]
CASES: list[Case] = [case for case in TABLES if "text" in case and "expect" in case]
STATUS = {"estimate_word": "estimate"} | dict.fromkeys(
    ("reported", "share_reached", "done_in_plan", "done_column"), "actual"
)


def check_trace(trace: Trace, found: Indicator, identity: Identity) -> None:
    """What the trace says is what the indicator has."""
    causes = trace.causes()
    about = {decided: reasons()[cause.rule].about for decided, cause in causes.items()}
    assert {decided: of for decided, of in about.items() if decided != of} in ({}, {"growth": "name"})
    assert STATUS.get(trace.status.rule, "target") == found.status
    assert ("bound" in causes) == (found.bound != "=")
    assert ("growth" in causes) == (found.yoy is not None)
    assert (found.concept is not None) == (trace.concept.rule in ("concept_alias", "concept_pattern"))
    years = {"year_of_report": identity.review_year, "months_named": found.year, "year_unknown": None}
    assert years.get(trace.time.rule, found.year) == found.year
    assert found.months is None or trace.time.at


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_every_field_of_a_report_has_its_rule(path: Path) -> None:
    found, reading = explained(path), read_stages(path.read_bytes(), path.name)
    for trace, indicator in zip(found.traces, reading.indicators, strict=True):
        check_trace(trace, indicator, reading.identity)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["note"]))
def test_every_field_of_a_case_has_its_rule(case: Case) -> None:
    watch, marks, text = watched(case["text"], case)
    assert tuple(watch.made) == read(case)
    check_marks(marks, text, len(watch.made))
    for trace, indicator in zip(watch.traces, with_concepts(watch.made), strict=True):
        check_trace(trace, indicator, watch.identity)
