"""The table's layout: what a report writes is found again under the keys that the questions ask for."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from chalicelib.catalog import layout
from chalicelib.catalog.layout import Key
from chalicelib.storage import Delete, Put, Storage
from tests.published import TINGPANG, indicator, publish, record

SUMMARY_TIME = "2024-03-01T08:30:00Z"


def writes(new: dict[str, Any], **more: Any) -> list[Put | Delete]:
    return layout.published_writes(new, layout.summarise(new, SUMMARY_TIME, "0" * 64), **more)


def keys(found: list[Put | Delete], kind: type) -> set[tuple[str, str]]:
    return {(w.pk, w.sk) for w in found if isinstance(w, kind)}


def test_a_report_writes_one_entry_for_each_question() -> None:
    new = record(indicators=[indicator(1), indicator(2, "gdp", 2021), indicator(3, None), indicator(4, "gdp", None)])
    assert keys(writes(new), Put) == {
        ("report#331022103-2022", "head"),
        ("report#331022103-2022", "revision#000001"),
        ("township#331022103", "report#2022#331022103-2022"),
        ("township#331022103", "indicators#2022#331022103-2022"),
        ("year#2022", "331022103#331022103-2022"),
        ("years", "2022"),
        ("concept#fixed_asset_investment", "2022#331022103#331022103-2022"),
        ("concept#gdp", "2021#331022103#331022103-2022"),
        ("concept#gdp", "0000#331022103#331022103-2022"),
        (f"sha256#{new['source']['sha256']}", "-"),
    }


def test_the_head_carries_the_guard_and_comes_last() -> None:
    last = writes(record(), expect=3)[-1]
    assert isinstance(last, Put)
    assert (last.sk, last.expect) == ("head", 3)


def test_what_only_the_previous_revision_had_is_deleted() -> None:
    old = record(indicators=[indicator(1), indicator(2, "gdp", 2021)])
    new = record(revision=2, indicators=[indicator(1)])
    found = writes(new, previous=old)
    assert keys(found, Delete) == {("concept#gdp", "2021#331022103#331022103-2022")}
    assert keys(found, Put).isdisjoint(keys(found, Delete))


def test_a_corrected_year_moves_the_entries_but_keeps_the_id() -> None:
    old = record()
    new = {**record(revision=2), "review_year": 2021}
    gone = keys(writes(new, previous=old), Delete)
    assert {("year#2022", "331022103#331022103-2022"), ("township#331022103", "report#2022#331022103-2022")} <= gone
    assert ("years", "2022") not in gone, "another report may be of that year"


def test_a_plan_is_filed_under_the_year_that_it_plans() -> None:
    new = {**record(suffix="-plan"), "kind": "plan", "review_year": None, "plan_year": 2023}
    assert ("year#2023", "331022103#331022103-2022-plan") in keys(writes(new), Put)


@pytest.mark.parametrize("before", [0, 7, 80, 81, 250])
@pytest.mark.parametrize("concepts", [1, 73, 74, 80, 81, 250])
def test_transactions_stay_within_their_limit_and_show_nothing_before_the_last(concepts: int, before: int) -> None:
    new = record(revision=2, indicators=[indicator(n, f"c{n}") for n in range(concepts)])
    old = record(indicators=[indicator(n, f"d{n}") for n in range(before)])
    every = writes(new, previous=old)
    batches = layout.transactions(every)
    assert all(0 < len(batch) <= layout.TRANSACTION for batch in batches)
    assert len(batches[-1]) <= 95, "the upload's own state and its names go with them"
    assert sorted(map(repr, every)) == sorted(repr(w) for batch in batches for w in batch)
    early = [w for batch in batches[:-1] for w in batch]
    assert all(w.sk.endswith("#000002") and isinstance(w, Put) for w in early)
    assert len(early) == (0 if concepts + (before if before <= 80 else 0) <= 80 else concepts + 1)
    assert batches[-1][-1].sk == "head"


def test_rows_come_back_from_both_partitions(storage: Storage) -> None:
    publish(storage, record(indicators=[indicator(1), indicator(2, None)]))
    for span, ids in [
        (layout.indicators_of_township(TINGPANG), ["i1", "i2"]),
        (layout.indicators_of_concept("fixed_asset_investment", 2022, "33"), ["i1"]),
    ]:
        (entry,) = storage.index.query(span.pk, prefix=span.prefix)
        rows = layout.read_rows(entry.pk, entry.body)
        assert [row["id"] for row in rows] == ids
        assert {row["report"] for row in rows} == {"331022103-2022"}


def test_equal_records_write_equal_bytes() -> None:
    assert writes(record()) == writes(record())


def test_a_summary_leads_to_its_own_entry() -> None:
    summary = layout.summarise(record(), SUMMARY_TIME, "0" * 64)
    assert layout.filed_report(summary) == Key("township#331022103", "report#2022#331022103-2022")
    assert orjson.loads(orjson.dumps(summary))["indicators"] == 1


@pytest.mark.parametrize("year", [0, 1978, 2022])
def test_after_year_lies_between_two_years(year: int) -> None:
    assert f"{year:04d}#\U0010ffff" > f"{year:04d}#331022103#x"
    assert f"{year:04d}#331022103#x" < layout.after_year(year) < f"{year + 1:04d}#"
