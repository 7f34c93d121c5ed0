"""Targets and outcomes: what is joined, and what may be said of it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.catalog.targets import (
    NOT_COMPARABLE,
    NOT_REVIEWED,
    NOT_STATED,
    OPEN_BOUND,
    SEVERAL,
    join_targets,
    judge,
)
from chalicelib.storage import Storage
from tests.contract import check_shape
from tests.gateway import get
from tests.published import TINGPANG, indicator, publish, record

Row = dict[str, Any]


def figure(value: float | None = 100, yoy: float | None = None, bound: str = "=", unit: str = "CNY") -> Row:
    standard = None if value is None else {"value": value, "unit": unit}
    return {"value": value, "unit": "元", "standard": standard, "yoy": yoy, "bound": bound}


JUDGED: dict[str, tuple[Row, Row, tuple[str | None, bool | None, str | None]]] = {
    "reached exactly": (figure(100), figure(100), ("value", True, None)),
    "exceeded": (figure(100, bound=">="), figure(101), ("value", True, None)),
    "missed by a little": (figure(100, bound=">="), figure(99.9), ("value", False, None)),
    "missed, said to be about": (figure(100), figure(80, bound="~"), ("value", False, None)),
    "about a little less than the target": (figure(100), figure(97, bound="~"), ("value", None, OPEN_BOUND)),
    "about as much as the target": (figure(100), figure(100, bound="~"), ("value", None, OPEN_BOUND)),
    "over more than the target": (figure(100), figure(110, bound=">="), ("value", True, None)),
    "over less than the target may be anything": (figure(100), figure(90, bound=">="), ("value", None, OPEN_BOUND)),
    "under less than the target": (figure(100), figure(90, bound="<="), ("value", False, None)),
    "under more than the target may be anything": (figure(100), figure(110, bound="<="), ("value", None, OPEN_BOUND)),
    "a ceiling kept": (figure(100, bound="<="), figure(90), ("value", True, None)),
    "a ceiling broken": (figure(100, bound="<="), figure(110), ("value", False, None)),
    "a ceiling, and under it": (figure(100, bound="<="), figure(90, bound="<="), ("value", True, None)),
    "a ceiling, and over less": (figure(100, bound="<="), figure(90, bound=">="), ("value", None, OPEN_BOUND)),
    "a ceiling, and over more": (figure(100, bound="<="), figure(110, bound=">="), ("value", False, None)),
    "about a target, exceeded": (figure(100, bound="~"), figure(120), ("value", True, None)),
    "about a target, nearly": (figure(100, bound="~"), figure(95), ("value", None, OPEN_BOUND)),
    "about a target, far from it": (figure(100, bound="~"), figure(60), ("value", False, None)),
    "growth reached": (figure(None, 6), figure(None, 6.5), ("yoy", True, None)),
    "growth missed": (figure(None, 6, ">="), figure(500, 5.9), ("yoy", False, None)),
    "a value's bound is not its growth's": (figure(None, 6), figure(500, 5.9, ">="), ("yoy", False, None)),
    "a decline that went further": (figure(None, -3), figure(None, -4), ("yoy", True, None)),
    "a decline that fell short": (figure(None, -3), figure(None, -2), ("yoy", False, None)),
    "no growth is stated": (figure(None, 6), figure(500), (None, None, NOT_COMPARABLE)),
    "no value is stated": (figure(100, 6), figure(None, 8), (None, None, NOT_COMPARABLE)),
    "other units": (figure(100), figure(100, unit="percent"), (None, None, NOT_COMPARABLE)),
}


@pytest.mark.parametrize("name", JUDGED)
def test_a_target_is_judged_by_what_both_figures_state(name: str) -> None:
    target, outcome, said = JUDGED[name]
    assert judge(target, outcome) == said


def row(report: int, number: int = 1, **more: Any) -> Row:
    whose = {"report": f"{TINGPANG}-{report}", "revision": 1, "township": {"code": TINGPANG}}
    return {**whose, **indicator(number, **{"year": report, **more})}


def target(year: int = 2022, **more: Any) -> Row:
    return row(year - 1, 7, year=year, status="target", **more)


JOINED: dict[str, tuple[list[Row], tuple[str | None, bool | None, str | None]]] = {
    "the next report tells": ([target(), row(2022)], (f"{TINGPANG}-2022", False, None)),
    "the next report is not there": ([target()], (None, None, NOT_REVIEWED)),
    "the next report does not tell": ([target(), row(2022, concept="gdp", name="生产总值")], (None, None, NOT_STATED)),
    "a later report tells": ([target(), row(2023, year=2022)], (f"{TINGPANG}-2023", False, None)),
    "the year's own report goes first": ([target(), row(2023, year=2022), row(2022)], (f"{TINGPANG}-2022", False, None)),
    "the report of the target is no outcome": ([target(), row(2021, year=2022)], (None, None, NOT_REVIEWED)),
    "another year is none": ([target(), row(2022, year=2021)], (None, None, NOT_STATED)),
    "a half-year is none": ([target(), row(2022, months=[1, 6])], (None, None, NOT_STATED)),
    "a village is none": ([target(), row(2022, place="某村")], (None, None, NOT_STATED)),
    "another target is none": ([target(), row(2022, status="target")], (None, None, NOT_REVIEWED)),
    "without a concept the name joins": (
        [target(concept=None), row(2022, 8, concept=None)], (f"{TINGPANG}-2022", True, None),
    ),
    "figures that contradict each other": ([target(), row(2022, 1), row(2022, 9)], (f"{TINGPANG}-2022", None, SEVERAL)),
    "figures that say the same": ([target(), row(2022, 8), row(2022, 9)], (f"{TINGPANG}-2022", True, None)),
    "one of two can be compared": (
        [target(), row(2022, 1, value=None, standard=None), row(2022, 9)], (f"{TINGPANG}-2022", True, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JOINED)
def test_a_target_is_joined_to_what_a_later_report_says_of_its_year(name: str) -> None:
    rows, (report, met, undecided) = JOINED[name]
    first = join_targets(rows)[0]
    assert (first["outcome"] and first["outcome"]["report"], first["met"], first["undecided"]) == (
        report,
        met,
        undecided,
    )
    assert first["target"] == rows[0]


def test_targets_come_by_their_year() -> None:
    rows = [target(2023), target(2021), target(2022), target(2022, concept="gdp")]
    assert [(each["year"], each["concept"] == "gdp") for each in join_targets(rows)] == [
        (2021, False),
        (2022, False),
        (2022, True),
        (2023, False),
    ]


def test_a_township_answers_for_its_targets(storage: Storage) -> None:
    from chalicelib.web.routes import BY_NAME

    aim = indicator(2, year=2022, status="target")
    publish(storage, record(year=2021, indicators=[indicator(1, year=2021), aim]))
    publish(storage, record(year=2022, indicators=[indicator(3), indicator(4, "gdp", 2023, status="target")]))
    url = f"/v1/townships/{TINGPANG}/targets"
    answer = get(storage, url)
    check_shape(BY_NAME["list_township_targets"], answer)
    assert [(each["year"], each["met"], each["undecided"]) for each in answer.json["data"]] == [
        (2022, True, None),
        (2023, None, NOT_REVIEWED),
    ]
    joined = answer.json["data"][0]
    assert joined["target"]["evidence"]["quote"]
    assert joined["outcome"]["evidence"]["quote"]
    for query, years in {
        "year=2023": [2023],
        "concept=gdp": [2023],
        "met=true": [2022],
        "met=false": [],
        "met=null": [2023],
    }.items():
        assert [each["year"] for each in get(storage, f"{url}?{query}").json["data"]] == years
    first = get(storage, f"{url}?limit=1").json
    second = get(storage, first["next"].removeprefix("https://reports.example/api")).json
    assert [each["year"] for each in first["data"] + second["data"]] == [2022, 2023]
    assert get(storage, f"{url}?met=perhaps").json["parameter"] == "met"
    assert get(storage, "/v1/townships/110101001/targets").json["data"] == []
