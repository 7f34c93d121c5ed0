"""Rows ahead of what shows them: which count, for readers at any moment, and what a sweep takes away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from chalicelib.catalog import indicators, layout, pending
from chalicelib.catalog.layout import Mark, Rows
from chalicelib.errors import Conflict
from chalicelib.storage import Delete, Put, Storage
from tests.published import TINGPANG, indicator, plain, publish, record

NOW = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
OLD = record(indicators=[indicator(1, "gdp"), indicator(2, "exports")])
NEW = record(revision=2, indicators=[indicator(1, "gdp"), indicator(3, "imports")])
REPORT = OLD["id"]
FIRST, SECOND = Rows(1, "00000001"), Rows(2, "00000002")


def mark(storage: Storage, rows: Rows, replaces: Rows | None, minutes_ago: int = 0) -> None:
    since = (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = layout.pending(REPORT, rows.token)
    storage.index.commit([Put(*key, layout.write_pending(Mark(rows, replaces, since)))])


def seen(storage: Storage) -> tuple[list[str], list[str]]:
    """The concepts of the township's rows, and of the rows that the concepts' lists have."""
    own = plain(indicators.of_township(storage, TINGPANG, cursor=None, limit=99))
    across = [
        row["concept"]
        for concept in ("exports", "gdp", "imports")
        for row in plain(indicators.of_concepts(storage, concept=[concept], cursor=None, limit=99))
    ]
    years = {c for c in ("exports", "gdp", "imports") if indicators.concept(storage, c)["years"]}
    assert years == set(across)
    return sorted(row["concept"] for row in own), across


def stored(storage: Storage) -> int:
    return sum(len(storage.index.query(f"concept#{c}")) for c in ("exports", "gdp", "imports"))


def write_objects(storage: Storage) -> None:
    for each in (OLD, NEW):
        storage.objects.put(layout.record_object(REPORT, each["revision"]), orjson.dumps(each))


def test_rows_without_a_mark_count(storage: Storage) -> None:
    publish(storage, OLD)
    assert seen(storage) == (["exports", "gdp"], ["exports", "gdp"])


@pytest.mark.parametrize("written", range(4), ids=["none", "one", "two", "all"])
def test_rows_of_a_first_revision_that_is_being_written_do_not_count(storage: Storage, written: int) -> None:
    mark(storage, FIRST, None)
    storage.index.write(layout.row_puts(OLD, FIRST.token)[:written])
    assert seen(storage) == ([], [])


@pytest.mark.parametrize("written", range(4), ids=["none", "one", "two", "all"])
def test_until_the_new_revision_shows_the_old_one_does(storage: Storage, written: int) -> None:
    publish(storage, OLD)
    mark(storage, SECOND, FIRST)
    storage.index.write(layout.row_puts(NEW, SECOND.token)[:written])
    assert seen(storage) == (["exports", "gdp"], ["exports", "gdp"])


@pytest.mark.parametrize("removed", range(4), ids=["none", "one", "two", "all"])
def test_once_the_new_revision_shows_the_old_one_does_not(storage: Storage, removed: int) -> None:
    publish(storage, OLD)
    mark(storage, SECOND, FIRST)
    publish(storage, NEW)
    storage.index.write([Delete(*key) for key in list(layout.row_bodies(OLD, FIRST.token))[:removed]])
    assert seen(storage) == (["gdp", "imports"], ["gdp", "imports"])


def test_rows_of_two_writings_without_a_mark_are_settled_by_the_head(storage: Storage) -> None:
    publish(storage, OLD)
    publish(storage, NEW)  # a mark that went between the reading of the rows and the question for marks
    assert seen(storage)[0] == ["gdp", "imports"]
    assert seen(storage)[1].count("gdp") == 1


def test_more_marks_than_one_page_are_all_asked_for(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "PAGE", 2)
    for number in range(5):
        mark(storage, Rows(1, f"{number:08x}"), None)
    assert len(list(pending.marks(storage.index))) == 5


# Sweeps, an hour and two after a writing broke off: rows left, and what shows.

BROKEN_OFF = {
    "before its rows": (False, 0, False, 2, ["exports", "gdp"]),
    "amid its rows": (False, 2, False, 2, ["exports", "gdp"]),
    "before it showed": (False, 3, False, 2, ["exports", "gdp"]),
    "after it showed": (False, 3, True, 2, ["gdp", "imports"]),
    "the first one, before it showed": (True, 3, False, 0, []),
}


@pytest.mark.parametrize(("first", "written", "shown", "left", "expected"), BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_what_a_broken_off_writing_left_goes(
    storage: Storage, first: bool, written: int, shown: bool, left: int, expected: list[str]
) -> None:
    write_objects(storage)
    if not first:
        publish(storage, OLD)
    mark(storage, SECOND, None if first else FIRST, 60)
    storage.index.write(layout.row_puts(NEW, SECOND.token)[:written])
    if shown:
        publish(storage, NEW)
    for hours in (0, 1):
        assert pending.sweep(storage, NOW + timedelta(hours=hours)) == 1
        assert seen(storage)[0] == expected
    assert stored(storage) == left
    assert list(pending.marks(storage.index)) == []
    assert pending.sweep(storage, NOW + timedelta(hours=2)) == 0


def test_a_young_mark_is_left_alone(storage: Storage) -> None:
    mark(storage, FIRST, None, 59)
    assert pending.sweep(storage, NOW) == 0
    assert len(list(pending.marks(storage.index))) == 1


def test_a_writing_cannot_show_once_its_mark_was_taken(storage: Storage) -> None:
    write_objects(storage)
    mark(storage, FIRST, None, 61)
    pending.sweep(storage, NOW)
    with pytest.raises(Conflict):
        storage.index.commit([Delete(*layout.pending(REPORT, FIRST.token), 1)])


def test_rows_replaced_before_the_sweep_go_though_another_writing_counts_by_then(storage: Storage) -> None:
    write_objects(storage)
    publish(storage, OLD)
    mark(storage, SECOND, FIRST, 60)
    publish(storage, NEW)  # shown, and stopped before the old rows went
    third = record(revision=3, indicators=[indicator(1, "gdp")])
    publish(storage, third)
    for hours in (0, 1):
        pending.sweep(storage, NOW + timedelta(hours=hours))
    assert (stored(storage), seen(storage)[0]) == (1, ["gdp"])
