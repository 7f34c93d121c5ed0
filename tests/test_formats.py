"""Lists as JSON, CSV and lines of JSON: which one is chosen, that all say the same, and that CSV is safe to open."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import tables
from chalicelib.bulk import rows as bulk_rows
from chalicelib.errors import ReportsError
from chalicelib.storage import Storage
from chalicelib.web import formats
from chalicelib.web.routes import ROUTES
from tests.gateway import Answer, get
from tests.published import TINGPANG, indicator, publish, record

ALL = ("json", "csv", "ndjson")
ROWS = f"/v1/townships/{TINGPANG}/indicators"
FIRST = {"json": "application/json", "csv": "text/csv", "ndjson": "application/x-ndjson"}


@pytest.fixture
def filled(storage: Storage) -> Storage:
    for year in (2021, 2022):
        publish(storage, record(year=year, indicators=[indicator(n, year=year) for n in (1, 2)]))
    return storage


def read_csv(text: str) -> list[dict[str, str]]:
    assert text.startswith(tables.BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(tables.BOM), newline="")))


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("application/x-ndjson", "ndjson"),
        ("application/*", "json"),
        ("text/*", "csv"),
        ("application/json;q=0.4, text/csv;q=0.5", "csv"),
        ("application/json, text/csv", "json"),
        ("*/*;q=0.1, application/json;q=0", "csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8", "json"),
        ("text/csv;q=1.0, */*;q=0.9", "csv"),
        ("text/csv;q=nonsense", "csv"),
        ("text/csv;q=0, application/x-ndjson;q=0.001", "ndjson"),
    ],
)
def test_the_header_accept_chooses(accept: str, chosen: str) -> None:
    assert formats.choose(accept, ALL) == chosen


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "text/csv;q=0.0", "*/*;q=0"])
def test_what_nothing_fits_is_not_acceptable(accept: str) -> None:
    with pytest.raises(ReportsError) as caught:
        formats.choose(accept, ALL)
    assert (caught.value.code, caught.value.status) == ("not_acceptable", 406)


@given(st.text(max_size=60))
def test_no_accept_header_breaks_the_choice(accept: str) -> None:
    assert formats.choose(f"{accept}, */*;q=0.5", ALL) in ALL
    with contextlib.suppress(ReportsError):
        assert formats.choose(accept, ALL) in ALL


def test_the_parameter_goes_before_the_header(filled: Storage) -> None:
    for name, media in FIRST.items():
        for answer in (get(filled, f"{ROWS}?format={name}", accept="image/png"), get(filled, ROWS, accept=media)):
            assert answer.status == 200
            assert answer.headers["content-type"] == f"{media}; charset=utf-8"
            assert "Accept, Accept-Encoding" in answer.headers["vary"]
    refused = get(filled, ROWS, accept="image/png")
    assert (refused.status, refused.json["code"]) == (406, "not_acceptable")
    assert refused.json["allowed"] == list(FIRST.values())
    unknown = get(filled, f"{ROWS}?format=cvs")
    assert (unknown.status, unknown.json["nearest"]) == (400, ["csv"])


def test_each_format_has_an_etag_of_its_own(filled: Storage) -> None:
    etags = {get(filled, f"{ROWS}?format={name}").headers["etag"] for name in ALL}
    assert len(etags) == 3
    one = get(filled, ROWS, accept="text/csv")
    assert get(filled, ROWS, accept="text/csv", if_none_match=one.headers["etag"]).status == 304
    assert get(filled, ROWS, if_none_match=one.headers["etag"]).status == 200


LISTS = {
    "list_townships": "/v1/townships?limit=3&q=%E4%BA%AD%E6%97%81",
    "list_township_reports": f"/v1/townships/{TINGPANG}/reports",
    "list_township_indicators": ROWS,
    "list_reports": "/v1/reports",
    "list_sections": f"/v1/reports/{TINGPANG}-2022/sections",
    "list_report_indicators": f"/v1/reports/{TINGPANG}-2022/indicators",
    "list_revisions": f"/v1/reports/{TINGPANG}-2022/revisions",
    "list_indicators": "/v1/indicators?concept=fixed_asset_investment",
    "list_concepts": "/v1/concepts?limit=20",
    "list_township_year": f"/v1/townships/{TINGPANG}/reports/2022",
}


def ask_as(storage: Storage, url: str, name: str) -> Answer:
    return get(storage, f"{url}{'&' if '?' in url else '?'}format={name}")


@pytest.mark.parametrize("name", LISTS)
def test_all_formats_hold_the_same_rows(filled: Storage, name: str) -> None:
    url, route = LISTS[name], next(route for route in ROUTES if route.name == name)
    rows = ask_as(filled, url, "json").json["data"]
    assert rows
    assert [orjson.loads(line) for line in ask_as(filled, url, "ndjson").body.splitlines()] == rows
    if "csv" not in route.formats:
        assert ask_as(filled, url, "csv").status == 400
        return
    assert route.answer
    found = read_csv(ask_as(filled, url, "csv").body)
    assert len(found) == len(rows)
    for line, row in zip(found, rows, strict=True):
        for column in tables.columns(route.answer):
            assert line[column.name] == tables._cell(tables._value(row, column.path))


@pytest.mark.parametrize("schema", sorted({r.answer for r in ROUTES if "csv" in r.formats and r.answer}))
def test_every_leaf_of_a_row_has_one_column(schema: str) -> None:
    names = [column.name for column in tables.columns(schema)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


def test_a_page_without_rows_has_the_same_columns(filled: Storage) -> None:
    empty = get(filled, f"{ROWS}?year=1999&format=csv").body
    full = get(filled, f"{ROWS}?format=csv").body
    assert empty.splitlines() == full.splitlines()[:1]
    assert get(filled, f"{ROWS}?year=1999&format=ndjson").body == ""


def test_columns_are_named_as_in_the_bulk_files() -> None:
    (row,) = bulk_rows.indicator_rows(record(indicators=[indicator(1)]))
    # Only these two are in the bulk file alone: a row of the API does not know them.
    assert row.keys() - {c.name for c in tables.columns("indicator")} <= {"review_year", "plan_year", "section_path"}


def test_the_header_link_leads_through_the_pages_of_a_csv(filled: Storage) -> None:
    found: list[dict[str, str]] = []
    url = f"{ROWS}?limit=1&format=csv"
    first = True
    while url:
        answer = get(filled, url)
        found += read_csv(answer.body)
        links = dict(re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers.get("link", "")))
        names = {relation: address.removeprefix("https://reports.example/api") for address, relation in links.items()}
        assert names.get("first") == (None if first else f"{ROWS}?limit=1&format=csv")
        url, first = names.get("next", ""), False
    assert found == read_csv(get(filled, f"{ROWS}?format=csv").body)


@pytest.mark.parametrize("name", ["=1+1", "+86", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_a_formula(name: str) -> None:
    row = {"name": name, "value": -2, "yoy": -1.5, "months": [1, 6], "evidence": {"quote": f'{name},"x"\n'}}
    (line,) = read_csv(tables.csv_lines("indicator", [row]).decode())
    assert (line["name"], line["value"], line["yoy"]) == (f"'{name}", "-2", "-1.5")
    assert (line["month_from"], line["month_to"], line["standard_unit"]) == ("1", "6", "")
    assert line["quote"] == f'\'{name},"x"\n'


@pytest.mark.parametrize("sign", ["=", ">=", "~", "-"])
def test_a_sign_alone_is_no_formula_and_stays(sign: str) -> None:
    (line,) = read_csv(tables.csv_lines("indicator", [{"bound": sign}]).decode())
    assert line["bound"] == sign


@given(st.lists(st.text(min_size=1, max_size=20).filter(lambda t: t[0] not in "=+-@\t\r"), max_size=5))
def test_other_text_comes_back_as_it_is(names: list[str]) -> None:
    rows: list[dict[str, Any]] = [{"name": name} for name in names]
    assert [line["name"] for line in read_csv(tables.csv_lines("indicator", rows).decode())] == names


def test_chinese_names_stay(filled: Storage) -> None:
    answer = get(filled, f"/v1/townships?q={quote('亭旁')}&format=csv")
    assert "亭旁镇" in [line["township"] for line in read_csv(answer.body)]
