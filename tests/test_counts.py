"""Counts of reports and figures by groups, and the coverage of townships: what the lists would have, prepared."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chalicelib import divisions
from chalicelib.bulk import export
from chalicelib.ingestion import ingest, uploads
from chalicelib.storage import Storage
from tests.contract import check_problem, check_shape
from tests.gateway import get
from tests.made_reports import NOW
from tests.published import FANGCHENG, TINGPANG, indicator, publish, record
from tests.test_app import ROUTE

BEIJING = next(code for code in divisions.table().codes if len(code) == 9 and code.startswith("11"))


@pytest.fixture
def filled(storage: Storage) -> Storage:
    """Reports of two provinces and two years, one of a county, one of half a year, and one that was withdrawn."""
    figures = [indicator(1, "gdp", 2022), indicator(2, "gdp", None), indicator(3, "exports", 2021), indicator(4, None)]
    for code in (TINGPANG, FANGCHENG, BEIJING, "331022"):
        publish(storage, record(code, 2022, indicators=figures))
    publish(storage, record(TINGPANG, 2021, indicators=figures[:1]))
    publish(storage, record(TINGPANG, 2022, suffix="-h1", kind="half-year", indicators=figures[1:2]))
    gone = {"time": "2024-03-01T08:30:00Z", "reason": "a mistake"}
    publish(storage, record(BEIJING, 2021, indicators=[], withdrawn=gone))
    export.publish_files(storage)
    return storage


def ask(storage: Storage, url: str) -> list[dict[str, Any]]:
    answer = get(storage, url)
    assert answer.status == 200, answer.body
    check_shape(ROUTE["list_reports" if url.startswith("/v1/reports") else "list_indicators"], answer)
    rows: list[dict[str, Any]] = answer.json["data"]
    return rows


ZHEJIANG, PEKING = (
    {"province_code": "33", "province": "浙江省"},
    {"province_code": "11", "province": "北京市"},
)
REPORTS = {
    "by year": ("group_by=year", [{"year": 2021, "count": 2}, {"year": 2022, "count": 5}]),
    "by province": ("group_by=province", [{**PEKING, "count": 2}, {**ZHEJIANG, "count": 5}]),
    "by both": (
        "group_by=province,year",
        [
            {"year": 2021, **PEKING, "count": 1},
            {"year": 2021, **ZHEJIANG, "count": 1},
            {"year": 2022, **PEKING, "count": 1},
            {"year": 2022, **ZHEJIANG, "count": 4},
        ],
    ),
    "of a province": ("group_by=year&province=33", [{"year": 2021, "count": 1}, {"year": 2022, "count": 4}]),
    "of years": ("group_by=province&year=..2021", [{**PEKING, "count": 1}, {**ZHEJIANG, "count": 1}]),
    "of nothing": ("group_by=year&year=1999", []),
}


@pytest.mark.parametrize(("query", "rows"), REPORTS.values(), ids=REPORTS)
def test_reports_are_counted_by_groups(filled: Storage, query: str, rows: list[dict[str, Any]]) -> None:
    assert ask(filled, f"/v1/reports?{query}") == rows


FIGURES = {
    "by concept": ("group_by=concept", [{"concept": "exports", "count": 4}, {"concept": "gdp", "count": 10}]),
    "by the year that they speak of": (
        "group_by=year&concept=gdp",
        [{"year": None, "count": 5}, {"year": 2022, "count": 5}],
    ),
    "of a province": (
        "group_by=concept&province=11",
        [{"concept": "exports", "count": 1}, {"concept": "gdp", "count": 2}],
    ),
    "of a theme": ("group_by=province&theme=trade", [{**PEKING, "count": 1}, {**ZHEJIANG, "count": 3}]),
    "of a year": ("group_by=concept&year=2021", [{"concept": "exports", "count": 4}]),
    "by two": (
        "group_by=concept,province&year=2022",
        [{**PEKING, "concept": "gdp", "count": 1}, {**ZHEJIANG, "concept": "gdp", "count": 4}],
    ),
}


@pytest.mark.parametrize(("query", "rows"), FIGURES.values(), ids=FIGURES)
def test_figures_are_counted_by_groups(filled: Storage, query: str, rows: list[dict[str, Any]]) -> None:
    assert ask(filled, f"/v1/indicators?{query}") == rows


def test_a_count_is_that_of_the_list(filled: Storage) -> None:
    listed = Counter(
        each["id"][10:14] if each["id"][9] == "-" else each["id"][7:11] for each in ask(filled, "/v1/reports")
    )
    assert {str(row["year"]): row["count"] for row in ask(filled, "/v1/reports?group_by=year")} == listed
    for concept in ("gdp", "exports"):
        listed_figures = Counter(each["year"] for each in ask(filled, f"/v1/indicators?concept={concept}"))
        counted = ask(filled, f"/v1/indicators?concept={concept}&group_by=year")
        assert {row["year"]: row["count"] for row in counted} == listed_figures


def test_counts_come_in_pages_and_as_csv(filled: Storage) -> None:
    first = get(filled, "/v1/indicators?group_by=province,concept&limit=3")
    assert (len(first.json["data"]), first.json["count"]) == (3, 4)
    second = get(filled, first.json["next"].removeprefix("https://reports.example/api"))
    assert [*first.json["data"], *second.json["data"]] == ask(filled, "/v1/indicators?group_by=province,concept")
    table = get(filled, "/v1/reports?group_by=province&format=csv").body.removeprefix("\ufeff")
    assert table.splitlines() == ["year,province_code,province,concept,count", ",11,北京市,,2", ",33,浙江省,,5"]
    other = get(filled, "/v1/indicators?group_by=year&cursor=" + first.json["next"].partition("cursor=")[2])
    assert (other.status, other.json["code"]) == (400, "bad_cursor")


REFUSED = {
    "a filter that is not counted": ("/v1/reports?group_by=year&kind=annual", "kind"),
    "a value": ("/v1/indicators?group_by=year&value>=1", "value"),
    "a place below the province": ("/v1/indicators?group_by=year&county=331022", "county"),
    "an order": ("/v1/reports?group_by=year&sort=year", "sort"),
    "a group that there is not": ("/v1/reports?group_by=county", "group_by"),
    "a concept of reports": ("/v1/reports?group_by=concept", "group_by"),
}


@pytest.mark.parametrize(("url", "parameter"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_counted_is_refused_by_name(filled: Storage, url: str, parameter: str) -> None:
    answer = get(filled, url)
    assert (answer.status, answer.json["parameter"]) == (400, parameter)
    check_problem(answer)


@pytest.mark.parametrize("url", ["/v1/reports?group_by=year", "/v1/indicators?group_by=year", "/v1/coverage"])
def test_before_anything_was_counted_the_answer_says_so(local_storage: Storage, url: str) -> None:
    answer = get(local_storage, url)
    assert (answer.status, answer.json["code"]) == (404, "no_export")


def test_an_answer_says_until_when_it_has_everything(filled: Storage) -> None:
    answer = get(filled, "/v1/reports?group_by=year")
    manifest = export.read_manifest(filled.objects)
    assert manifest is not None
    assert answer.headers["x-indexed"] == manifest["complete_to"]


def test_coverage_has_every_province_of_every_year(filled: Storage) -> None:
    answer = get(filled, "/v1/coverage?limit=1000")
    check_shape(ROUTE["list_coverage"], answer)
    rows = answer.json["data"]
    provinces = {code for code in divisions.table().codes if len(code) == 2}
    assert [(row["year"], row["province_code"]) for row in rows] == [
        (year, code) for year in (2022, 2021) for code in sorted(provinces)
    ]
    assert sum(row["townships"] for row in rows) == 2 * sum(len(code) == 9 for code in divisions.table().codes)
    zhejiang = next(row for row in rows if (row["year"], row["province_code"]) == (2022, "33"))
    # Two townships; the county's report and the half-year's are reports of none more.
    assert (zhejiang["reported"], zhejiang["reports"], zhejiang["withdrawn"]) == (2, 4, 0)
    assert zhejiang["missing"] == zhejiang["townships"] - 2
    peking = next(row for row in rows if (row["year"], row["province_code"]) == (2021, "11"))
    assert (peking["reported"], peking["reports"], peking["withdrawn"]) == (0, 0, 1)
    assert {row["rejected"] for row in rows} == {None}
    some = get(filled, "/v1/coverage?year=2021&province=33,11").json["data"]
    assert [row["province"] for row in some] == ["北京市", "浙江省"]


def test_refused_files_are_counted_by_the_province_that_was_named(storage: Storage) -> None:
    for name, township in (("a", TINGPANG), ("b", FANGCHENG), ("c", BEIJING), ("d", None)):
        state = uploads.announce(storage, name, township, NOW)
        storage.objects.put(f"incoming/{state['id']}", b"\x00\x01" + name.encode())
        assert ingest.receive(storage, f"incoming/{state['id']}", NOW)["state"] == "rejected"  # type: ignore[index]
    for _ in range(2):
        export.publish_files(storage)
        answer = get(storage, "/v1/coverage")
        check_shape(ROUTE["list_coverage"], answer)
        assert [(row["year"], row["province"], row["rejected"]) for row in answer.json["data"]] == [
            (None, None, 1),
            (None, "北京市", 1),
            (None, "浙江省", 2),
        ]
    assert [row["rejected"] for row in get(storage, "/v1/coverage?province=33").json["data"]] == [2]
    assert get(storage, "/v1/coverage?year=2022").json["data"] == []
