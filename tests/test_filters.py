"""Filters as a query writes them."""

from __future__ import annotations

import pytest

from chalicelib.catalog import lists
from chalicelib.storage import Storage
from tests.contract import check_problem
from tests.gateway import get
from tests.published import indicator, publish, record


@pytest.mark.parametrize(
    ("query", "years"),
    [
        ("concept=gdp,fixed_asset_investment", [2022, 2022]),
        ("theme=economy", [2022]),
        ("concept=fixed_asset_investment&value=150000001..", [2022]),
        ("concept=fixed_asset_investment&value>=150000001", [2022]),
        ("concept=fixed_asset_investment&value>=150000002", []),
        ("concept=fixed_asset_investment&value<=150000001&value>=1", [2022]),
        ("concept=fixed_asset_investment&year=..2021", []),
        ("concept=fixed_asset_investment&sort=-value&county=331022", [2022]),
    ],
)
def test_figures_are_chosen_by_several_values_and_runs(storage: Storage, query: str, years: list[int]) -> None:
    publish(storage, record(indicators=[indicator(1), indicator(2, "gdp")]))
    answer = get(storage, f"/v1/indicators?{query}")
    assert answer.status == 200
    assert [row["year"] for row in answer.json["data"]] == years


def test_the_next_page_is_asked_for_as_this_one_was(storage: Storage) -> None:
    for year in (2021, 2022):
        publish(storage, record(year=year, indicators=[indicator(1, year=year), indicator(2, "gdp", year)]))
    url: str | None = "/v1/indicators?concept=gdp,fixed_asset_investment&year=2021..2022&value>=1&limit=1"
    rows = []
    while url:
        answer = get(storage, url)
        rows += [(row["concept"], row["year"]) for row in answer.json["data"]]
        url = answer.json["next"] and answer.json["next"].removeprefix("https://reports.example/api")
        assert len(rows) < 9
    assert rows == [(c, year) for c in ("gdp", "fixed_asset_investment") for year in (2021, 2022)]


def test_more_rows_than_can_be_sorted_are_refused(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.catalog.indicators.SORTED", 1)
    publish(storage, record(indicators=[indicator(1), indicator(2)]))
    answer = get(storage, "/v1/indicators?concept=fixed_asset_investment&sort=value")
    check_problem(answer)
    found = answer.json
    assert (found["status"], found["code"], found["parameter"]) == (400, "too_many_rows", "sort")


@pytest.mark.parametrize(
    ("q", "some"),
    [("财政", "fiscal_revenue"), ("GDP", "gdp"), ("gross regional", "gdp"), ("fiscal_rev", "fiscal_revenue")],
)
def test_concepts_are_found_by_a_part_of_their_names(q: str, some: str) -> None:
    page = lists.concepts(q=q, cursor=None, limit=1000)
    assert some in [concept["id"] for concept in page.data]
    assert len(page.data) < 50
