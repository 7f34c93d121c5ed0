"""Whose report a page is, from bytes to identity: hard cases one by one, and made pages of many townships by form."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bench import place_reports
from chalicelib import divisions
from chalicelib.decode import decode
from chalicelib.reading.identify import identify
from chalicelib.reading.page import clean_page
from tests.pages import PROSE

CASES = tomllib.loads((Path(__file__).parent / "cases" / "townships.toml").read_text("utf-8"))["case"]
PLACES = place_reports.make_places(150)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_place_of_a_page(case: dict[str, Any]) -> None:
    source = case["text"].replace("{prose}", PROSE)
    identity = identify(clean_page(decode(source.encode(), "upload")))
    township, candidates = identity.township, {candidate.township.code for candidate in identity.candidates}
    if "code" in case:
        assert (township.code, candidates) == (case["code"], set())
    else:
        assert (township.code, township.name or "") == (None, case["open"])
        assert set(case.get("candidates", ())) <= candidates


def test_the_cases_are_of_every_kind_of_place() -> None:
    assert len(CASES) >= 110
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert all(("code" in case) != ("open" in case) for case in CASES)
    assert {len(case["code"]) for case in CASES if "code" in case} == {2, 4, 6, 9}


def test_the_cases_are_of_every_province() -> None:
    named = {case["code"][:2] for case in CASES if "code" in case}
    named |= {code[:2] for case in CASES for code in case.get("candidates", ())}
    assert {division.code for division in divisions.children("")} - named == set()


@pytest.mark.parametrize("form", place_reports.FORMS)
def test_no_form_of_page_is_given_to_another_township(form: str) -> None:
    """Never wrong; and right as often as the page allows, or the township is asked about."""
    found = [judged for place in PLACES if (judged := place_reports.judge(form, place))]
    outcomes = [outcome for outcome, _ in found]
    assert len(found) >= 10
    assert outcomes.count("wrong") == 0
    assert outcomes.count("right") >= FLOORS.get(form, 0.985) * len(found)
    assert outcomes.count("open") <= 0.07 * len(found)


# The part of the pages that must be right where that is not nearly all: a name alone is most often that of several
# townships, and one that the table lacks cannot be right.
FLOORS = {
    "name and county in the text": 0.93,
    "name alone": 0.6,
    "a far county alone": 0.6,
    "lacking, county in the title": 0,
    "lacking, county in the site": 0,
    "lacking, county in the text": 0,
}
