"""Every question over both storages: whole answers, in order, at a bounded number of key queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from chalicelib.catalog import indicators, lists, one_report, paging
from chalicelib.catalog.choice import Runs, read_runs
from chalicelib.catalog.paging import Page
from chalicelib.errors import Ambiguous, BadRequest, NotFound
from chalicelib.storage import Entry, Index, Storage
from tests.published import FANGCHENG, TINGPANG, indicator, plain, publish, record

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


def years(text: str) -> Runs:
    return read_runs(text)


def reports(count: int, **chosen: Any) -> tuple[Ask, int]:
    return lambda s, c, n: lists.reports(s, **chosen, cursor=c, limit=n), count


def figures(count: int, **chosen: Any) -> tuple[Ask, int]:
    return lambda s, c, n: indicators.of_township(s, TINGPANG, **chosen, cursor=c, limit=n), count


def across(count: int, *concept: str, **chosen: Any) -> tuple[Ask, int]:
    named = {"concept": concept or ("gdp",)}
    return lambda s, c, n: indicators.of_concepts(s, **{**named, **chosen}, cursor=c, limit=n), count


def stated(count: int, **chosen: Any) -> tuple[Ask, int]:
    return lambda s, c, n: one_report.indicators(s, f"{TINGPANG}-2022", None, **chosen, cursor=c, limit=n), count


LISTS: dict[str, tuple[Ask, int]] = {
    "reports": reports(9),
    "reports, oldest first": reports(9, sort="year"),
    "reports of a year": reports(3, year=years("2021")),
    "reports of years": reports(6, year=years("2020,2022")),
    "reports of a run of years": reports(6, year=years("2021..2023")),
    "reports since a year": reports(3, year=years("2022..")),
    "reports of a province": reports(6, province=["浙江省"]),
    "reports of provinces": reports(9, province=["33", "Beijing"]),
    "reports of a prefecture": reports(6, prefecture=["3310"]),
    "reports of counties": reports(6, county=["331022", "玉环市"]),
    "reports of a county in a province": reports(3, county=["331022"], province=["33", "11"]),
    "reports of a province and year": reports(2, year=years("2022"), province=["33"]),
    "reports of a township": reports(3, township=[TINGPANG]),
    "reports of townships": reports(6, township=[FANGCHENG, TINGPANG]),
    "reports of a township and years": reports(2, township=[TINGPANG], year=years("..2021")),
    "reports of a township elsewhere": reports(0, township=[TINGPANG], province=["11"]),
    "reports of a kind": reports(9, kind=["annual", "plan"]),
    "reports of a kind that there is not": reports(0, kind=["plan"]),
    "a township's reports": (lambda s, c, n: lists.reports_of_township(s, "亭旁镇", c, n), 3),
    "a township's year": (lambda s, c, n: lists.reports_of_year(s, TINGPANG, 2021, c, n), 1),
    "a township's indicators": figures(15),
    "a township's figures of a year": figures(5, year=years("2021")),
    "a township's figures of years": figures(5, year=years("2019,2022")),
    "a township's concept": figures(9, concept=["gdp"]),
    "a township's concepts": figures(12, concept=["gdp", "fixed_asset_investment"]),
    "a township's theme": figures(9, theme=["economy"], concept=["gdp", "grain_output"]),
    "a township's targets": figures(3, concept=["gdp"], status=["target"]),
    "a township's values": figures(6, value=years("150000002..150000003")),
    "a report's sections": (lambda s, c, n: one_report.sections(s, f"{TINGPANG}-2022", None, c, n), 3),
    "a report's indicators": stated(5),
    "a report's concept": stated(3, concept=["gdp"]),
    "a report's figures of a year": stated(3, year=years("2022")),
    "a report's revisions": (lambda s, c, n: one_report.revisions(s, f"{TINGPANG}-2022", c, n), 1),
    "a concept": across(27),
    "two concepts": across(36, "gdp", "fixed_asset_investment"),
    "a concept's year": across(9, year=years("2021")),
    "a concept's years": across(15, year=years("2021..2022")),
    "a concept since a year": across(9, year=years("2022..")),
    "a concept's province": across(18, province=["33"]),
    "a concept's provinces": across(27, province=["33", "11"]),
    "a concept's county": across(9, county=["331022"]),
    "a concept's province and year": across(3, year=years("2021"), province=["11"]),
    "a concept's targets": across(9, status=["target"]),
    "a concept's values": across(9, value=years("..150000002")),
    "a concept by value": across(27, sort="value"),
    "a concept by growth, the greatest first": across(9, sort="-yoy", year=years("2021")),
    "a concept without figures": across(0, "exports", province=["33"]),
}


def every_page(storage: Storage, ask: Ask, limit: int) -> list[Any]:
    rows, cursor = [], None
    while True:
        page = ask(storage, cursor, limit)
        assert len(page.data) <= limit
        rows += plain(page)
        if page.next is None:
            return rows
        assert page.next != cursor, "a page moves on"
        cursor = page.next


@pytest.mark.parametrize("name", LISTS)
def test_pages_visit_every_row_once_and_in_order(filled: Storage, name: str) -> None:
    ask, count = LISTS[name]
    whole = ask(filled, None, ALL)
    rows = plain(whole)
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
    rows = plain(across(0, year=years("2021"), province=["33"])[0](filled, None, ALL))
    assert {row["year"] for row in rows} == {2021}
    assert {row["report"] for row in rows} == {f"{c}-{y}" for c in (TINGPANG, FANGCHENG) for y in (2020, 2021, 2022)}


def test_a_report_that_arrives_meanwhile_neither_repeats_nor_hides_others(filled: Storage) -> None:
    ask = LISTS["reports of a year"][0]
    first = ask(filled, None, 1)
    publish(filled, record("110101002", 2021))
    publish(filled, record("110101001", 2021, suffix="-0"))
    ids = [row["id"] for row in plain(first)]
    cursor = first.next
    while cursor:
        page = ask(filled, cursor, 1)
        ids += [row["id"] for row in plain(page)]
        cursor = page.next
    assert ids == ["110101001-2021", "110101001-2021-0", "110101002-2021", f"{TINGPANG}-2021", f"{FANGCHENG}-2021"]


def test_the_pages_of_a_report_stay_with_one_revision(storage: Storage) -> None:
    old = record(indicators=[indicator(n) for n in range(1, 5)])
    publish(storage, old)
    first = one_report.indicators(storage, old["id"], None, cursor=None, limit=2)
    publish(storage, record(revision=2, indicators=[indicator(9)]), previous=old)
    second = one_report.indicators(storage, old["id"], None, cursor=first.next, limit=2)
    assert [row["id"] for row in first.data + second.data] == ["i1", "i2", "i3", "i4"]
    assert [row["id"] for row in one_report.indicators(storage, old["id"], None, cursor=None, limit=2).data] == ["i9"]


def test_a_filter_that_keeps_little_ends_the_page_before_it_reads_everything(local_storage: Storage) -> None:
    for year in range(1980, 2080):
        publish(local_storage, record(year=year, indicators=[indicator(1, "gdp", year), indicator(2, "exports", year)]))
    index = Counting(local_storage.index)
    counted = replace(local_storage, index=index)
    asked = []

    def ask(storage: Storage, cursor: str | None, limit: int) -> Page:
        index.asked = 0
        page = indicators.of_township(
            storage, TINGPANG, year=years("2079"), concept=["gdp"], cursor=cursor, limit=limit
        )
        asked.append(index.asked)
        return page

    listing = paging.QUERIES
    try:
        paging.QUERIES = 1
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
    assert [row["revision"] for row in plain(one_report.revisions(storage, old["id"], None, ALL))] == [1, 2]


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
    found = lists.townships(
        q=q, province=province and [province], county=county and [county], cursor=None, limit=ALL
    ).data
    assert len(found) == count
    assert first is None or found[0]["code"] == first


def test_every_township_is_listed_once() -> None:
    codes, cursor = [], None
    while True:
        page = lists.townships(cursor=cursor, limit=ALL)
        codes += [row["code"] for row in page.data]
        if (cursor := page.next) is None:
            break
    assert len(codes) == len(set(codes)) == 41_352
    assert codes == sorted(codes)


@pytest.mark.parametrize(
    ("parameter", "ask"),
    [
        ("province", lambda: lists.townships(province=["浙江"], cursor=None, limit=ALL)),
        ("province", lambda: lists.townships(province=["331022"], cursor=None, limit=ALL)),
        ("county", lambda: lists.townships(county=["三门"], cursor=None, limit=ALL)),
        ("county", lambda: lists.townships(province=["11"], county=["三门县"], cursor=None, limit=ALL)),
    ],
)
def test_an_unknown_division_is_named(parameter: str, ask: Callable[[], Page]) -> None:
    with pytest.raises(BadRequest) as caught:
        ask()
    assert caught.value.extra["parameter"] == parameter


def test_a_page_neither_repeats_nor_loses_rows_when_a_large_revision_comes_between(storage: Storage) -> None:
    def rows(count: int) -> list[dict[str, Any]]:
        return [*(indicator(n, "gdp") for n in range(3)), *(indicator(n, f"c{n}") for n in range(9, 9 + count))]

    old, new = record(indicators=rows(1)), record(revision=2, indicators=rows(90))
    publish(storage, old)
    publish(storage, record(FANGCHENG, indicators=rows(1)))
    for start in (1, 2, 3):
        first = indicators.of_concepts(storage, concept=["gdp"], year=years("2022"), cursor=None, limit=start)
        publish(storage, new, previous=old)
        assert first.next
        rest = indicators.of_concepts(storage, concept=["gdp"], year=years("2022"), cursor=first.next, limit=ALL)
        ids = [(row["report"], row["id"]) for row in [*plain(first), *plain(rest)]]
        assert ids == [(f"{code}-2022", f"i{n}") for code in (TINGPANG, FANGCHENG) for n in range(3)]
        publish(storage, {**old, "revision": 3}, previous=new)
        old = {**old, "revision": 3}
