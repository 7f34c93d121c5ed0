"""The list of changes: in order, resumable, nothing missed and nothing twice, whatever is written meanwhile."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.catalog import changes, layout, pending
from chalicelib.ingestion import deliveries
from chalicelib.ingestion.events import upload_event
from chalicelib.maintenance.reindex import reindex
from chalicelib.maintenance.verify import verify
from chalicelib.moments import iso_precise
from chalicelib.storage import Put, Storage, local
from chalicelib.web.routes import BY_NAME
from tests.broken_storage import WRITES, Breaking, Broken, Death, raising
from tests.contract import check_shape
from tests.editions import LATER, edition, towns
from tests.gateway import get
from tests.made_reports import NOW, REPORT, TOWN, WORDS, drop, report
from tests.published import publish, record

pytestmark = pytest.mark.usefixtures("made_up_reports")
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def soon() -> datetime:
    """A time at which all that has been written until now is settled."""
    return datetime.now(UTC) + changes.BEHIND + timedelta(milliseconds=2)


def listed(storage: Storage, now: datetime | None = None) -> list[dict[str, Any]]:
    return changes.changes(storage, None, None, 1000, now or soon()).data


def told(storage: Storage) -> list[tuple[str, str, int, int | None]]:
    return [(row["change"], row["report"], row["revision"], row["previous"]) for row in listed(storage)]


class Reader:
    """Goes on at the cursor that the page before gave."""

    def __init__(self, storage: Storage, limit: int = 3) -> None:
        self._storage, self._limit, self._cursor = storage, limit, None
        self.read = list[dict[str, Any]]()

    def go_on(self) -> None:
        page = changes.changes(self._storage, None, self._cursor, self._limit, soon())
        self.read, self._cursor = [*self.read, *page.data], page.next  # type: ignore[assignment]

    def go_to_the_end(self) -> None:
        before = -1
        while len(self.read) > before:
            before = len(self.read)
            self.go_on()


def test_what_was_added_and_revised_is_listed_in_order(storage: Storage) -> None:
    drop(storage, "a.txt", report())
    drop(storage, "b.txt", report(year=2021))
    drop(storage, "c.txt", report(WORDS + "后"))
    drop(storage, "again.txt", report(WORDS + "后"))  # known: nothing happens
    assert told(storage) == [
        ("added", REPORT, 1, None),
        ("added", f"{TOWN}-2021", 1, None),
        ("revised", REPORT, 2, 1),
    ]
    positions = [row["position"] for row in listed(storage)]
    assert positions == sorted(positions)


def test_what_was_written_in_the_last_seconds_is_not_told_yet(storage: Storage) -> None:
    drop(storage, "a.txt", report())
    now = datetime.now(UTC)
    assert listed(storage, now) == []
    assert len(listed(storage, now + changes.BEHIND)) == 1


def test_readers_stay_further_behind_than_a_mark_takes() -> None:
    assert changes.BEHIND.total_seconds() > pending.PROMPT + 1  # and by what clocks differ


def test_pages_follow_each_other_and_the_last_cursor_goes_on_later(storage: Storage) -> None:
    reader = Reader(storage, limit=2)
    reader.go_on()
    assert reader.read == []
    for year in range(2015, 2020):
        drop(storage, f"{year}.txt", report(year=year))
    reader.go_to_the_end()
    drop(storage, "late.txt", report(year=2014))
    reader.go_to_the_end()
    assert [row["report"][-4:] for row in reader.read] == ["2015", "2016", "2017", "2018", "2019", "2014"]


def test_a_list_goes_on_over_months(storage: Storage) -> None:
    moments = ["2023-11-30T23:59:59.999Z", "2023-12-01T00:00:00.000Z", "2024-02-01T00:00:00.000Z"]
    for number, moment in enumerate(moments):
        where = layout.position(moment, f"{TOWN}-{2000 + number}", "0")
        storage.index.write([Put(*layout.change(where), b"{}"), Put(*layout.changed_month(where), b"{}")])
    reader = Reader(storage, limit=1)
    reader.go_to_the_end()
    assert [row["time"] for row in reader.read] == moments
    since = {
        day: len(changes.changes(storage, day, None, 9, soon()).data)
        for day in (
            "2023-11-30",
            "2023-12-01",
            "2023-12-01T08:00:00+08:00",
            "2023-12-01T00:00:01",
            "2024-03-01",
        )
    }
    assert list(since.values()) == [3, 2, 2, 1, 0]


# While others write.


def deliver(storage: Storage, name: str, data: bytes) -> None:
    storage.objects.put(f"incoming/{name}", data)
    assert deliveries.take(storage, upload_event([f"incoming/{name}"], LATER)["Records"][0], LATER)


def watched(storage: Storage, look: Callable[[], None]) -> Storage:
    """The storage, with a look before and after each write."""
    halves: Any = [Breaking(half, WRITES, lambda _: look()) for half in (storage.objects, storage.index)]
    return Storage(*halves)


steps = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 3)), min_size=2, max_size=5)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps)
def test_a_reader_at_any_moment_of_writings_within_writings_misses_and_repeats_nothing(
    tmp_path_factory: pytest.TempPathFactory, chosen: list[tuple[int, int, int]]
) -> None:
    storage = local.open_storage(tmp_path_factory.mktemp("changes"))
    reader, codes = Reader(storage, limit=2), towns(3)
    looking = watched(storage, reader.go_on)
    numbers = itertools.count()

    def write(left: list[tuple[int, int, int]]) -> None:
        (at, town, number), *inner = left
        within = Broken(looking, at, False, lambda: write(inner)) if inner else None
        name = f"{next(numbers)}"
        deliver(within.storage if within else looking, name, edition(codes[town], number))

    write(chosen)
    reader.go_to_the_end()
    assert [row["position"] for row in reader.read] == [row["position"] for row in listed(storage)]
    shown = sorted(
        (e.pk.partition("#")[2], int(e.sk[-6:])) for e in storage.index.entries() if e.pk.startswith("report#")
    )
    assert sorted((row["report"], row["revision"]) for row in reader.read) == shown


@pytest.mark.repair
@pytest.mark.parametrize("at", range(6))
def test_a_writing_that_broke_off_holds_the_list_until_a_sweep_and_is_never_told(storage: Storage, at: int) -> None:
    now = datetime.now(UTC)
    storage.objects.put("incoming/a.txt", report())
    with pytest.raises(Death):
        deliveries.take(
            Broken(storage, at, True, raising(Death()), ("commit", "write")).storage,
            upload_event(["incoming/a.txt"], now)["Records"][0],
            now,
        )
    drop(storage, "b.txt", report(year=2021))
    expected = [REPORT] if storage.index.get(*layout.head(REPORT)) else []
    pending.sweep(storage, now + timedelta(hours=2))
    assert [row["report"] for row in listed(storage)] == [*expected, f"{TOWN}-2021"]
    pending.sweep(storage, now + timedelta(hours=4))
    assert [row["report"] for row in listed(storage)] == [*expected, f"{TOWN}-2021"]
    assert len([e for e in storage.index.entries() if e.pk.startswith("changes#")]) == len(expected) + 1


def test_a_mark_that_took_too_long_gets_another_position(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = itertools.chain([0.0, pending.PROMPT + 0.1], itertools.repeat(9.0))
    seen = list[str]()
    real = layout.position

    def note(*parts: str) -> str:
        seen.append(real(*parts))
        return seen[-1]

    monkeypatch.setattr(layout, "position", note)
    monkeypatch.setattr("chalicelib.catalog.pending.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    drop(storage, "a.txt", report())
    assert len(seen) == 2
    assert [row["position"] for row in listed(storage)] == seen[1:]


def test_who_loses_against_another_writer_does_not_hold_the_list(storage: Storage) -> None:
    drop(storage, "a.txt", report())
    for at in range(8):
        between = Broken(storage, at, False, lambda at=at: drop(storage, f"b{at}.txt", report(WORDS + "改" * (at + 1))))  # type: ignore[misc]
        drop(between.storage, f"c{at}.txt", report(WORDS + "后" * (at + 1)))
    assert len(listed(storage)) == len({row["revision"] for row in listed(storage)}) == 17


@pytest.mark.repair
def test_reindexing_restores_every_change_at_its_position(storage: Storage) -> None:
    drop(storage, "a.txt", report())
    drop(storage, "b.txt", report(WORDS + "后"))
    before = listed(storage)
    for where in before:
        storage.index.write([Put(*layout.change(where["position"]), b"{}")])
    assert {each.kind for each in verify(storage).differences} == {"wrong entry"}
    reindex(storage, NOW)
    assert (listed(storage), verify(storage).differences) == (before, [])


# As HTTP shows it.


@pytest.fixture
def filled(storage: Storage) -> Storage:
    publish(storage, record())
    publish(storage, record(revision=2, title="a & <b>\x0b镇"), record())
    return storage


def test_the_list_has_the_shape_of_the_contract_and_always_a_next(filled: Storage) -> None:
    answer = get(filled, "/v1/changes?since=2024-01-01")
    check_shape(BY_NAME["list_changes"], answer)
    assert [row["url"].removeprefix("https://reports.example/api") for row in answer.json["data"]] == [
        f"/v1/reports/{REPORT}?revision={n}" for n in (1, 2)
    ]
    following = answer.json["next"]
    again = get(filled, following.removeprefix("https://reports.example/api"))
    assert again.json["data"] == []
    assert parse_qs(urlsplit(again.json["next"]).query) == parse_qs(urlsplit(following).query)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("since=yesterday", "since"), ("since=2024-13-01", "since"), ("cursor=x", "cursor"), ("cursor=WyJhIiwiYiIsMF0", "cursor"),
     ("before=2024-01-01", "before")],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/changes", "/v1/changes.atom"])
def test_what_is_no_time_and_no_cursor_is_named(filled: Storage, path: str, query: str, parameter: str) -> None:
    answer = get(filled, f"{path}?{query}")
    assert (answer.status, answer.json["parameter"]) == (400, parameter)


def test_the_feed_is_valid_atom(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "LONGEST", timedelta(days=36500))
    answer = get(filled, "/v1/changes.atom")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = Xml.fromstring(answer.body)
    for element in (feed, *feed.iter(f"{ATOM}entry")):  # RFC 4287: one of each
        assert [len(element.findall(ATOM + name)) for name in ("id", "title", "updated")] == [1, 1, 1]
        datetime.fromisoformat(element.findtext(f"{ATOM}updated") or "")
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    entries = feed.findall(f"{ATOM}entry")
    assert [e.find(f"{ATOM}category").get("term") for e in entries] == ["revised", "added"]  # type: ignore[union-attr]
    assert "a & <b>镇" in (entries[0].findtext(f"{ATOM}title") or "")
    ids = [e.findtext(f"{ATOM}id") for e in (feed, *entries)]
    assert len(set(ids)) == 3
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == ids[0]  # type: ignore[union-attr]


def test_the_feed_since_a_time_goes_forward_with_a_link_to_the_next_page(filled: Storage) -> None:
    feed = Xml.fromstring(get(filled, "/v1/changes.atom?since=2024-01-01&limit=1").body)
    following = feed.find(f"{ATOM}link[@rel='next']").get("href")  # type: ignore[union-attr]
    rest = Xml.fromstring(get(filled, following.removeprefix("https://reports.example/api")).body)  # type: ignore[union-attr]
    terms = [e.get("term") for each in (feed, rest) for e in each.iter(f"{ATOM}category")]
    assert terms == ["added", "revised"]


@pytest.mark.parametrize("limit", [1, 2, 5, 50])
def test_the_newest_are_found_however_many_there_are(storage: Storage, limit: int) -> None:
    now = datetime(2024, 6, 1, tzinfo=UTC)
    gaps = [0.01 * 3**n for n in range(18)]
    where = [layout.position(iso_precise(now - timedelta(seconds=9 + gap)), f"{TOWN}-2022", "0") for gap in gaps]
    storage.index.write([Put(*layout.change(each), b"{}") for each in where])
    months = {layout.changed_month(each): Put(*layout.changed_month(each), b"{}") for each in where}
    storage.index.write(list(months.values()))
    found = [row["position"] for row in changes.newest(storage, limit, now)]
    assert found == where[: len(found)]
    assert limit / 2 <= len(found) <= limit or found == [w for w in where if w > iso_precise(now - changes.LONGEST)]
