"""Lists with some members alone: the same rows in every format, what a name stands for, and what is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import tables
from chalicelib.search import build
from chalicelib.storage import Storage
from chalicelib.web import narrowing
from chalicelib.web.routes import ROUTES
from tests.gateway import get
from tests.published import TINGPANG, indicator, publish, record
from tests.test_formats import LISTS, ROWS, read_csv

SCHEMAS = sorted({route.answer for route in ROUTES if "fields" in [p.name for p in route.parameters] and route.answer})


@pytest.fixture
def filled(storage: Storage) -> Storage:
    for year in (2021, 2022):
        publish(storage, record(year=year, indicators=[indicator(n, year=year) for n in (1, 2)]))
    return storage


def rows(storage: Storage, url: str) -> list[Any]:
    answer = get(storage, url)
    assert answer.status == 200, answer.body
    found: list[Any] = answer.json["data"]
    return found


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ("id", {"id": "i1"}),
        ("value,id", {"value": 150000001, "id": "i1"}),
        ("township.name", {"township": {"name": "亭旁镇"}}),
        ("township.name,value,township.code", {"township": {"name": "亭旁镇", "code": TINGPANG}, "value": 150000001}),
        ("standard", {"standard": {"value": 150000001, "unit": "CNY"}}),
        ("standard,standard.unit", {"standard": {"value": 150000001, "unit": "CNY"}}),
        ("standard.unit,standard", {"standard": {"value": 150000001, "unit": "CNY"}}),
        ("evidence.number", {"evidence": {"number": "1.5亿元"}}),
        # Columns of CSV.
        ("township_code,quote", {"township": {"code": TINGPANG}, "evidence": {"quote": "完成投资1.5亿元。"}}),
        ("month_from,indicator", {"months": None, "id": "i1"}),
    ],
)
def test_rows_have_the_members_that_are_named(filled: Storage, fields: str, row: dict[str, Any]) -> None:
    first = rows(filled, f"{ROWS}?fields={fields}&limit=1")[0]
    assert orjson.dumps(first) == orjson.dumps(row), "in their order"
    lines = get(filled, f"{ROWS}?fields={fields}&limit=1&format=ndjson")
    assert orjson.loads(lines.body) == row


@pytest.mark.parametrize(
    ("fields", "header"),
    [
        ("value,id", ["value", "indicator"]),
        ("quote,township_code", ["quote", "township_code"]),
        ("township.name,evidence.quote", ["township", "quote"]),
        ("township", ["township"]),  # a column: the name
        ("standard", ["standard_value", "standard_unit"]),
        ("months,value,value", ["month_from", "month_to", "value"]),
    ],
)
def test_csv_has_the_columns_that_are_named(filled: Storage, fields: str, header: list[str]) -> None:
    whole = read_csv(get(filled, f"{ROWS}?format=csv").body)
    found = read_csv(get(filled, f"{ROWS}?format=csv&fields={fields}").body)
    assert found == [{name: line[name] for name in header} for line in whole]
    assert list(found[0]) == header


def test_what_is_null_or_not_there_stays_so(storage: Storage) -> None:
    publish(storage, record(indicators=[indicator(1, standard=None)]))
    assert rows(storage, f"{ROWS}?fields=standard.unit") == [{"standard": None}]
    assert rows(storage, "/v1/reports?fields=id,withdrawn") == [{"id": f"{TINGPANG}-2022"}]
    assert rows(storage, "/v1/reports?fields=withdrawn") == [{}]


@pytest.mark.parametrize("name", [*LISTS, "list_changes", "search_reports"])
def test_every_list_takes_each_of_its_fields(filled: Storage, name: str) -> None:
    build.refresh(filled)
    url = {"list_changes": "/v1/changes?since=2024-02-01", "search_reports": "/v1/search?q=投资"}.get(
        name, LISTS.get(name, "")
    )
    route = next(route for route in ROUTES if route.name == name)
    assert route.answer
    sign = "&" if "?" in url else "?"
    whole = rows(filled, url)
    assert whole
    for field in narrowing.fields(route.answer):
        cut = rows(filled, f"{url}{sign}fields={field}")
        assert len(cut) == len(whole)
        for row, part in zip(whole, cut, strict=True):
            assert _within(part, row), field
    if "csv" in route.formats:
        lines = read_csv(get(filled, f"{url}{sign}format=csv").body)
        for column in tables.columns(route.answer):
            found = read_csv(get(filled, f"{url}{sign}format=csv&fields={column.name}").body)
            assert found == [{column.name: line[column.name]} for line in lines]


def _within(part: Any, whole: Any) -> bool:
    if isinstance(part, dict):
        return part.keys() <= whole.keys() and all(_within(part[name], whole[name]) for name in part)
    return bool(part == whole)


def test_later_pages_have_the_same_fields(filled: Storage) -> None:
    url, found = f"{ROWS}?fields=id,report&limit=1", []
    while url:
        page = get(filled, url).json
        found += page["data"]
        url = (page["next"] or "").removeprefix("https://reports.example/api")
    assert found == [{"id": row["id"], "report": row["report"]} for row in rows(filled, ROWS)]


@pytest.mark.parametrize(
    ("url", "named", "nearest"),
    [
        (f"{ROWS}?fields=valeu", "valeu", "value"),
        (f"{ROWS}?fields=id,evidence.qoute", "evidence.qoute", "evidence.quote"),
        ("/v1/reports?fields=value", "value", None),
        ("/v1/concepts?fields=", "''", None),
        ("/v1/reports?fields=id,,title", "''", None),
        (f"/v1/reports?fields={'x' * 5000}", "xxx", None),
    ],
)
def test_an_unknown_field_is_named_with_those_near_it(
    filled: Storage, url: str, named: str, nearest: str | None
) -> None:
    answer = get(filled, url)
    assert (answer.status, answer.json["code"], answer.json["parameter"]) == (400, "bad_parameter", "fields")
    assert named in answer.json["detail"]
    assert len(answer.body) < 4000
    if nearest:
        assert answer.json["nearest"][0] == nearest
        assert answer.json["way_out"].startswith(f"Nearest: {nearest}")


def test_counts_have_no_fields(filled: Storage) -> None:
    answer = get(filled, "/v1/reports?group_by=year&fields=id")
    assert (answer.status, answer.json["parameter"]) == (400, "fields")


def test_only_rows_that_are_cut_are_parsed(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("rows were parsed")

    monkeypatch.setattr(narrowing, "cut_rows", refuse)
    for url in LISTS.values():
        assert get(filled, url).status == 200


@pytest.mark.parametrize("schema", SCHEMAS)
def test_each_field_stands_for_columns(schema: str) -> None:
    names = narrowing.fields(schema)
    assert len(set(names)) == len(names)
    assert set(narrowing.chosen_columns(schema, names)) == set(tables.columns(schema))


@given(st.lists(st.sampled_from(narrowing.fields("indicator")), min_size=1, max_size=8))
def test_any_fields_cut_to_a_part_in_any_order(names: list[str]) -> None:
    row = {**indicator(1), "report": "x", "township": {"code": TINGPANG, "name": "亭旁镇"}}
    (part,) = narrowing.cut_rows("indicator", names, [row])
    assert _within(part, row)
    assert narrowing.cut_rows("indicator", names, [part]) == [part]
