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
from chalicelib.reading.index_numbers import find_counties, is_organisation
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


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        ("1133102200268512x4/2023-113279", ["331022"]),
        ("11331022002685121D", ["331022"]),
        ("LH331082-080/2024-131280", ["331082"]),
        ("640422-110/2021-00031", ["640422"]),
        ("4305250031/2019-00021", ["430525"]),
        ("6107280000/2024-001005", ["610728"]),
        ("510723013-2022-000012", ["510723"]),
        ("620702081/2026-00007", ["620702"]),
        ("11420300011137012X/2021-1", ["4203"]),
        ("11330183002501234K/2015-00012", ["330111"]),
        ("522425-0301/2011-00012", ["520524"]),
        ("130421-0012/2014-1", ["130402", "130403"]),
        ("１１３３１０２２００２６８５１２Ｘ４", ["331022"]),
        ("002582550/2024-72380", []),
        ("742045064/2019-51632", []),
        ("000550897/2020-00471", []),
        ("732464230/2020-00001", []),
        ("000014349/2020-12345", []),
        ("01526020-4/2019-00002", []),
        ("JXX-2020-001", []),
        ("JXX-2021-210112-001", []),
        ("20210112-093012", []),
        ("202103-000012", []),
        ("AJXD20-2020-0001", []),
        ("/2024-7238", []),
        ("", []),
    ],
)
def test_the_county_in_an_index_number(number: str, codes: list[str]) -> None:
    assert [code for each in find_counties(number).values() for code in each] == codes


@pytest.mark.parametrize("nine", ["002582550", "742045064", "000550897", "732464230", "000014349"])
def test_an_organisation_is_known_by_its_check_digit(nine: str) -> None:
    """Real ones; with any other last digit they are none."""
    assert is_organisation(nine)
    assert not any(is_organisation(nine[:8] + digit) for digit in "0123456789" if digit != nine[8])
