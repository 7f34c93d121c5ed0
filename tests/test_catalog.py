"""Every question over both storages: whole answers, in order, at a bounded number of key queries."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalog import lists, one_report, paging
from chalicelib.catalog.paging import Page, Position
from chalicelib.errors import Ambiguous, BadRequest, NotFound
from chalicelib.storage import Entry, Index, Storage
from tests.published import FANGCHENG, TINGPANG, indicator, publish, record

BEIJING = "110101001"
ALL = 1000


@dataclass
class Counting:
    """An index that counts the questions that it is asked."""

    index: Index
    asked: int = field(default=0)

    def get(self, pk: str, sk: str) -> Entry | None:
        self.asked += 1
        return self.index.get(pk, sk)

    def query(self, pk: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[Entry]:
        self.asked += 1
        return self.index.query(pk, prefix=prefix, after=after, limit=limit)

    def commit(self, writes: Any) -> None:
        self.index.commit(writes)

    def write(self, writes: Any) -> None:
        self.index.write(writes)

    def entries(self) -> Iterator[Entry]:
        return self.index.entries()


@pytest.fixture
def filled(storage: Storage) -> Storage:
    """Three townships of two provinces; 2020 to 2022, with figures of neighbouring years in each."""
    for code in (TINGPANG, FANGCHENG, BEIJING):
        for year in (2020, 2021, 2022):
            rows = [
                indicator(1, year=year),
                indicator(2, "gdp", year),
                indicator(3, "gdp", year + 1, status="target"),
                indicator(4, None, year),
                indicator(5, "gdp", year - 1),
            ]
            publish(storage, record(code, year, indicators=rows))
    return storage


Ask = Callable[[Storage, str | None, int], Page]

figures, across = lists.indicators_of_township, lists.indicators_of_concept

LISTS: dict[str, tuple[Ask, int]] = {
    "reports": (lambda s, c, n: lists.reports(s, None, None, None, c, n), 9),
    "reports of a year": (lambda s, c, n: lists.reports(s, 2021, None, None, c, n), 3),
    "reports of a province": (lambda s, c, n: lists.reports(s, None, None, "浙江省", c, n), 6),
    "reports of a province and year": (lambda s, c, n: lists.reports(s, 2022, None, "33", c, n), 2),
    "reports of a township": (lambda s, c, n: lists.reports(s, None, TINGPANG, None, c, n), 3),
    "reports of a township elsewhere": (lambda s, c, n: lists.reports(s, None, TINGPANG, "11", c, n), 0),
    "a township's reports": (lambda s, c, n: lists.reports_of_township(s, "亭旁镇", c, n), 3),
    "a township's year": (lambda s, c, n: lists.reports_of_year(s, TINGPANG, 2021, c, n), 1),
    "a township's indicators": (lambda s, c, n: figures(s, TINGPANG, None, None, None, c, n), 15),
    "a township's figures of a year": (lambda s, c, n: figures(s, TINGPANG, 2021, None, None, c, n), 5),
    "a township's concept": (lambda s, c, n: figures(s, TINGPANG, None, "gdp", None, c, n), 9),
    "a township's targets": (lambda s, c, n: figures(s, TINGPANG, None, "gdp", "target", c, n), 3),
    "a report's sections": (lambda s, c, n: one_report.sections(s, f"{TINGPANG}-2022", None, c, n), 3),
    "a report's indicators": (lambda s, c, n: one_report.indicators(s, f"{TINGPANG}-2022", None, None, None, c, n), 5),
    "a report's concept": (lambda s, c, n: one_report.indicators(s, f"{TINGPANG}-2022", None, "gdp", None, c, n), 3),
    "a report's revisions": (lambda s, c, n: one_report.revisions(s, f"{TINGPANG}-2022", c, n), 1),
    "a concept": (lambda s, c, n: across(s, "gdp", None, None, None, c, n), 27),
    "a concept's year": (lambda s, c, n: across(s, "gdp", 2021, None, None, c, n), 9),
    "a concept's province": (lambda s, c, n: across(s, "gdp", None, "33", None, c, n), 18),
    "a concept's province and year": (lambda s, c, n: across(s, "gdp", 2021, "11", None, c, n), 3),
    "a concept's targets": (lambda s, c, n: across(s, "gdp", None, None, "target", c, n), 9),
    "a concept without figures": (lambda s, c, n: across(s, "exports", None, "33", None, c, n), 0),
}  # fmt: skip


def plain(rows: list[Any]) -> list[Any]:
    found: list[Any] = orjson.loads(orjson.dumps(rows))
    return found


def every_page(storage: Storage, ask: Ask, limit: int) -> list[Any]:
    rows, cursor = [], None
    while True:
        page = ask(storage, cursor, limit)
        assert len(page.data) <= limit
        rows += plain(page.data)
        if page.next is None:
            return rows
        assert page.next != cursor, "a page moves on"
        cursor = page.next


@pytest.mark.parametrize("name", LISTS)
def test_pages_visit_every_row_once_and_in_order(filled: Storage, name: str) -> None:
    ask, count = LISTS[name]
    whole = ask(filled, None, ALL)
    rows = plain(whole.data)
    assert whole.next is None
    assert len(rows) == count
    assert len({orjson.dumps(row) for row in rows}) == count
    for limit in (1, 2, 4):
        assert every_page(filled, ask, limit) == rows


@pytest.mark.parametrize("name", LISTS)
def test_a_page_costs_few_questions(filled: Storage, name: str) -> None:
    ask, count = LISTS[name]
    index = Counting(filled.index)
    counted, cursor = replace(filled, index=index), None
    for _ in range(count or 1):
        index.asked = 0
        page = ask(counted, cursor, 1)
        # Five fact years or three review years, each at most two questions, and two of its own.
        assert index.asked <= 13
        cursor = page.next


def test_reports_come_newest_year_first_then_by_township(filled: Storage) -> None:
    rows = every_page(filled, LISTS["reports"][0], 2)
    assert [row["id"] for row in rows] == [
        f"{code}-{year}" for year in (2022, 2021, 2020) for code in (BEIJING, TINGPANG, FANGCHENG)
    ]


def test_a_figure_counts_for_the_year_that_it_speaks_of(filled: Storage) -> None:
    page = lists.indicators_of_concept(filled, "gdp", 2021, "33", None, None, ALL)
    assert {row["year"] for row in page.data} == {2021}
    assert {row["report"] for row in page.data} == {
        f"{c}-{y}" for c in (TINGPANG, FANGCHENG) for y in (2020, 2021, 2022)
    }


def test_a_report_that_arrives_meanwhile_neither_repeats_nor_hides_others(filled: Storage) -> None:
    ask = LISTS["reports of a year"][0]
    first = ask(filled, None, 1)
    publish(filled, record("110101002", 2021))
    publish(filled, record("110101001", 2021, suffix="-0"))
    ids = [row["id"] for row in plain(first.data)]
    cursor = first.next
    while cursor:
        page = ask(filled, cursor, 1)
        ids += [row["id"] for row in plain(page.data)]
        cursor = page.next
    assert ids == ["110101001-2021", "110101001-2021-0", "110101002-2021", f"{TINGPANG}-2021", f"{FANGCHENG}-2021"]


def test_the_pages_of_a_report_stay_with_one_revision(storage: Storage) -> None:
    old = record(indicators=[indicator(n) for n in range(1, 5)])
    publish(storage, old)
    first = one_report.indicators(storage, old["id"], None, None, None, None, 2)
    publish(storage, record(revision=2, indicators=[indicator(9)]), previous=old)
    second = one_report.indicators(storage, old["id"], None, None, None, first.next, 2)
    assert [row["id"] for row in first.data + second.data] == ["i1", "i2", "i3", "i4"]
    assert [row["id"] for row in one_report.indicators(storage, old["id"], None, None, None, None, 2).data] == ["i9"]


def test_a_filter_that_keeps_little_ends_the_page_before_it_reads_everything(local_storage: Storage) -> None:
    years = range(1980, 2080)
    for year in years:
        publish(local_storage, record(year=year, indicators=[indicator(1, "gdp", year), indicator(2, "exports", year)]))
    index = Counting(local_storage.index)
    counted = replace(local_storage, index=index)
    asked = []

    def ask(storage: Storage, cursor: str | None, limit: int) -> Page:
        index.asked = 0
        page = lists.indicators_of_township(storage, TINGPANG, 2079, "gdp", None, cursor, limit)
        asked.append(index.asked)
        return page

    listing = paging.QUERIES
    try:
        paging.QUERIES = 5
        assert [row["year"] for row in every_page(counted, ask, 10)] == [2079]
    finally:
        paging.QUERIES = listing
    assert max(asked) <= 12, "each with one for the rows that are being written"
    assert len(asked) > 3


def test_revisions_stay_readable(storage: Storage) -> None:
    old, new = record(title="旧"), record(revision=2, title="新")
    bodies = [publish(storage, old), publish(storage, new, previous=old)]
    assert one_report.record(storage, old["id"]) == bodies[1]
    assert [one_report.record(storage, old["id"], n) for n in (1, 2)] == bodies
    assert [row["revision"] for row in plain(one_report.revisions(storage, old["id"], None, ALL).data)] == [1, 2]


def test_objects_without_an_index_entry_are_not_visible(storage: Storage) -> None:
    new = record()
    storage.objects.put(f"records/{new['id']}/1.json", b"{}")
    with pytest.raises(NotFound, match="unknown_report"):
        one_report.record(storage, new["id"])
    publish(storage, new)
    storage.objects.put(f"records/{new['id']}/2.json", b"{}")
    with pytest.raises(NotFound, match="unknown_revision"):
        one_report.record(storage, new["id"], 2)


def test_a_section_brings_its_text(filled: Storage) -> None:
    section = one_report.section(filled, f"{TINGPANG}-2022", "s2", None)
    assert section["text"] == "(一)工业\n新增企业3家。\n"
    assert section["parent"] == "s1"


def test_whole_records_are_cut_where_the_answer_grows_too_large(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in ("", "-2", "-3"):
        publish(local_storage, record(suffix=suffix))
    monkeypatch.setattr(lists, "ANSWER_BYTES", 10)
    first = lists.reports_of_year(local_storage, TINGPANG, 2022, None, ALL)
    assert len(first.data) == 1
    rows = every_page(local_storage, lambda s, c, n: lists.reports_of_year(s, TINGPANG, 2022, c, n), ALL)
    assert [row["id"] for row in rows] == [f"{TINGPANG}-2022{suffix}" for suffix in ("", "-2", "-3")]


def test_a_township_tells_the_years_that_it_has_reports_of(filled: Storage) -> None:
    publish(filled, record(TINGPANG, 2022, suffix="-h1"))
    found = lists.township(filled, "亭旁镇")
    assert (found["code"], found["county"], found["level"]) == (TINGPANG, "三门县", "township")
    assert found["pinyin"] == "Tingpang Zhen"
    assert found["years"][-1] == {"year": 2022, "reports": [f"{TINGPANG}-2022", f"{TINGPANG}-2022-h1"]}
    assert [each["year"] for each in found["years"]] == [2020, 2021, 2022]


def test_a_missing_year_names_those_that_there_are(filled: Storage) -> None:
    with pytest.raises(NotFound, match="2020, 2021, 2022"):
        lists.reports_of_year(filled, TINGPANG, 2019, None, ALL)


def test_an_ambiguous_name_lists_its_candidates(local_storage: Storage) -> None:
    with pytest.raises(Ambiguous) as caught:
        lists.township(local_storage, "太平镇")
    assert len(caught.value.extra["candidates"]) == 50


def test_a_misspelt_name_meets_its_neighbours(local_storage: Storage) -> None:
    with pytest.raises(NotFound) as caught:
        lists.township(local_storage, "亭旁乡")
    assert "亭旁镇" in caught.value.extra["nearest"]


@pytest.mark.parametrize(
    ("q", "province", "county", "first", "count"),
    [
        pytest.param("亭旁", None, None, TINGPANG, 1, id="a part of a name"),
        pytest.param("太平镇", "四川省", None, None, 8, id="a name within a province"),
        pytest.param("太平镇", "51", None, None, 8, id="a province by code"),
        pytest.param(None, None, "331022", "331022001", 10, id="a county by code"),
        pytest.param(None, "33", "三门县", "331022001", 10, id="a county by name"),
        pytest.param("亭旁", "11", None, None, 0, id="a name elsewhere"),
        pytest.param("tingpang", "Zhejiang", "sanmen xian", TINGPANG, 1, id="everything in pinyin"),
        pytest.param("Taiping Zhen", "Shaanxi", None, "610423111", 1, id="Shaanxi is not Shanxi"),
    ],
)
def test_townships_are_found(
    q: str | None, province: str | None, county: str | None, first: str | None, count: int
) -> None:
    found = lists.townships(q, province, county, None, ALL).data
    assert len(found) == count
    assert first is None or found[0]["code"] == first


def test_every_township_is_listed_once() -> None:
    codes, cursor = [], None
    while True:
        page = lists.townships(None, None, None, cursor, ALL)
        codes += [row["code"] for row in page.data]
        if (cursor := page.next) is None:
            break
    assert len(codes) == len(set(codes)) == 41_352
    assert codes == sorted(codes)


@pytest.mark.parametrize(
    ("parameter", "ask"),
    [
        ("province", lambda: lists.townships(None, "浙江", None, None, ALL)),
        ("province", lambda: lists.townships(None, "331022", None, None, ALL)),
        ("county", lambda: lists.townships(None, None, "三门", None, ALL)),
        ("county", lambda: lists.townships(None, "11", "三门县", None, ALL)),
    ],
)
def test_an_unknown_division_is_named(parameter: str, ask: Callable[[], Page]) -> None:
    with pytest.raises(BadRequest) as caught:
        ask()
    assert caught.value.extra["parameter"] == parameter


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_cursors(text: str) -> None:
    with contextlib.suppress(BadRequest):
        paging.read_cursor(text)


@given(st.builds(Position, st.text(), st.text(), st.integers(0, 10**6)))
def test_a_cursor_comes_back_as_it_was(position: Position) -> None:
    assert paging.read_cursor(paging.write_cursor(position)) == position


@pytest.mark.parametrize("name", [name for name in LISTS if "revisions" not in name and "without" not in name])
def test_a_cursor_fits_its_own_list_alone(filled: Storage, name: str) -> None:
    strange = paging.write_cursor(Position("report#x", "revision#000001", 0))
    with pytest.raises((BadRequest, NotFound)) as caught:
        LISTS[name][0](filled, strange, 1)
    assert caught.value.code == "bad_cursor"


@pytest.mark.parametrize(
    "position", [("a", "b"), ("a", 1, 2), ("a", "b", -1), ("a", "b", True), ("a", "b", 1.5), 3, {}]
)
def test_a_cursor_has_one_form(position: Any) -> None:
    text = base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")
    with pytest.raises(BadRequest):
        paging.read_cursor(text)


def test_a_page_neither_repeats_nor_loses_rows_when_a_large_revision_comes_between(storage: Storage) -> None:
    def rows(count: int) -> list[dict[str, Any]]:
        return [*(indicator(n, "gdp") for n in range(3)), *(indicator(n, f"c{n}") for n in range(9, 9 + count))]

    old, new = record(indicators=rows(1)), record(revision=2, indicators=rows(90))
    publish(storage, old)
    publish(storage, record(FANGCHENG, indicators=rows(1)))
    for start in (1, 2, 3):
        first = lists.indicators_of_concept(storage, "gdp", 2022, None, None, None, start)
        publish(storage, new, previous=old)
        assert first.next
        rest = lists.indicators_of_concept(storage, "gdp", 2022, None, None, first.next, ALL)
        ids = [(row["report"], row["id"]) for row in [*first.data, *rest.data]]
        assert ids == [(f"{code}-2022", f"i{n}") for code in (TINGPANG, FANGCHENG) for n in range(3)]
        publish(storage, {**old, "revision": 3}, previous=new)
        old = {**old, "revision": 3}
