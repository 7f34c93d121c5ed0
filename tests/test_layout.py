"""The table's layout: what a report writes is found again under the keys that the questions ask for."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from chalicelib.catalog import layout, stored_rows
from chalicelib.catalog.layout import Mark, Rows
from chalicelib.storage import Put, Storage
from tests.published import TINGPANG, indicator, publish, record

SUMMARY_TIME, TOKEN = "2024-03-01T08:30:00Z", "0123abcd"


def shown(new: dict[str, Any], **more: Any) -> list[Put]:
    return layout.shown_writes(layout.summarise(new, SUMMARY_TIME, "0" * 64), TOKEN, **more)


def keys(found: list[Put]) -> set[tuple[str, str]]:
    return {(w.pk, w.sk) for w in found}


def test_a_report_writes_one_entry_for_each_question() -> None:
    new = record(indicators=[indicator(1), indicator(2, "gdp", 2021), indicator(3, None), indicator(4, "gdp", None)])
    assert keys(layout.row_puts(new, TOKEN)) == {
        ("township#331022103", f"indicators#2022#331022103-2022#{TOKEN}"),
        ("concept#fixed_asset_investment", f"2022#331022103#331022103-2022#{TOKEN}"),
        ("concept#gdp", f"2021#331022103#331022103-2022#{TOKEN}"),
        ("concept#gdp", f"0000#331022103#331022103-2022#{TOKEN}"),
    }
    assert keys(shown(new)) == {
        ("report#331022103-2022", "revision#000001"),
        ("township#331022103", "report#2022#331022103-2022"),
        ("year#2022", "331022103#331022103-2022"),
        (f"sha256#{new['source']['sha256']}", "-"),
    }
    assert layout.listed_year(new["id"]) == ("years", "2022")


def test_the_head_carries_the_guard_and_comes_last() -> None:
    last = shown(record(), expect=3)[-1]
    assert (last.pk, last.sk, last.expect) == (*layout.head("331022103-2022"), 3)


def test_a_head_gives_back_the_summary_as_stored_and_its_token() -> None:
    summary = layout.summarise(record(), SUMMARY_TIME, "0" * 64)
    head = layout.read_head(layout.write_head(summary, TOKEN))
    assert (orjson.loads(head.summary), head.token) == (summary, TOKEN)
    assert orjson.loads(layout.write_head(summary, TOKEN)) == {"rows": TOKEN, "summary": summary}


@pytest.mark.parametrize("report_id", ["", "x", "331022103", "331022103-", "-2022", "镇-2022", "a#b-2022"])
def test_what_is_no_report_id_leads_to_no_entry(storage: Storage, report_id: str) -> None:
    publish(storage, record())
    assert storage.index.get(*layout.head(report_id)) is None


def test_a_plan_is_filed_under_the_year_that_it_plans() -> None:
    new = {
        **record(suffix="-plan"),
        "kind": "plan",
        "review_year": None,
        "plan_year": 2023,
        "id": "331022103-2023-plan",
    }
    assert ("year#2023", "331022103#331022103-2023-plan") in keys(shown(new))


@pytest.mark.parametrize("concepts", [1, 80, 250])
def test_what_shows_a_report_is_as_small_for_many_figures_as_for_few(concepts: int) -> None:
    new = record(indicators=[indicator(n, f"c{n}") for n in range(concepts)])
    assert len(layout.row_puts(new, TOKEN)) == concepts + 1
    assert len(shown(new)) == 4
    assert all(len(put.pk + put.sk) + len(put.body) < 1000 for put in shown(new)), "an item of 1 KB is the cheapest"


def test_rows_come_back_from_both_partitions(storage: Storage) -> None:
    publish(storage, record(indicators=[indicator(n) for n in range(9)] + [indicator(9, None)]))
    for span, count in [
        (layout.indicators_of_township(TINGPANG), 10),
        (layout.indicators_of_concept("fixed_asset_investment", 2022, "33"), 9),
    ]:
        (entry,) = storage.index.query(span.pk, prefix=span.prefix)
        rows = stored_rows.read_rows(entry.body)
        assert [row["id"] for row in rows] == [f"i{n}" for n in range(count)]
        assert {row["report"] for row in rows} == {"331022103-2022"}


def test_equal_records_write_equal_bytes() -> None:
    assert layout.row_bodies(record(), TOKEN) == layout.row_bodies(record(), TOKEN)


def test_a_row_says_whose_it_is_and_has_one_name_for_all_writings() -> None:
    for key in layout.row_bodies(record(), TOKEN):
        assert layout.read_owner(key.sk) == ("331022103-2022", TOKEN)
        assert f"{layout.plain_sk(key.sk)}#{TOKEN}" == key.sk


@pytest.mark.parametrize("replaces", [None, Rows(1, "00000001")])
@pytest.mark.parametrize("tells", [False, True])
def test_a_mark_comes_back(replaces: Rows | None, tells: bool) -> None:
    mark = Mark(Rows(2, TOKEN), replaces, SUMMARY_TIME, tells, layout.TAKEN)
    assert layout.read_pending(layout.write_pending(mark)) == mark


@pytest.mark.parametrize("year", [0, 1978, 2022])
def test_after_year_lies_between_two_years(year: int) -> None:
    assert f"{year:04d}#\U0010ffff" > f"{year:04d}#331022103#x"
    assert f"{year:04d}#331022103#x" < layout.after_year(year) < f"{year + 1:04d}#"
