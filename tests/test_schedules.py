"""Random schedules: uploads, deliveries, deaths, faults, sweeps and repairs in any order end in a sound storage.

The same schedules in every run. For other and longer ones by hand:
`SCHEDULES=5000 .venv/bin/python -m pytest tests/test_schedules.py -n 0 --hypothesis-seed=random`, or with a number.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from chalicelib.catalog import pending
from chalicelib.errors import Conflict, NotFound, StorageError
from chalicelib.ingestion import deliveries, ingest, upload_state, uploads, withdrawal
from chalicelib.ingestion.events import upload_event
from chalicelib.maintenance.reindex import reindex
from chalicelib.storage import Delete, Storage, local, local_index
from tests.broken_storage import READS, WRITES, Broken, Death, raising
from tests.editions import edition, towns
from tests.engines import Engines
from tests.made_reports import NOW, WORDS, read_report, write_report
from tests.soundness import assert_sound, assert_whole

pytestmark = pytest.mark.repair
TOWNS = towns(2)
REPORTS = [f"{town}-{year}" for town in TOWNS for year in (2021, 2022)]
# Of a call: which one, whether it breaks after it was done, and how.
breaks = st.tuples(st.integers(0, 18), st.booleans(), st.sampled_from(["death", "fault", "fault of any call"]))
places, editions, towns_ = st.integers(0, 20), st.integers(0, 3), st.sampled_from(TOWNS)
numbers = itertools.count()


class Schedule(RuleBasedStateMachine):
    """A queue and a storage. `open` gives a new storage for each schedule."""

    open: ClassVar[Iterator[Storage]]

    def __init__(self) -> None:
        super().__init__()
        self.storage, self.now = next(self.open), NOW
        self.queue, self.asked = list[str](), dict[str, str]()  # names of objects; township that an upload was named
        self.sent, self.twice = dict[str, bytes](), False

    def tick(self, hours: int = 0) -> datetime:
        self.now += timedelta(hours=hours, seconds=1)
        return self.now

    def put(self, name: str, data: bytes) -> None:
        if self.sent.setdefault(name, data) == data:
            self.storage.objects.put(f"incoming/{name}", data)
            self.queue.append(name)

    def take(self, storage: Storage, name: str) -> bool:
        now = self.tick()
        return deliveries.take(storage, upload_event([f"incoming/{name}"], now)["Records"][0], now)

    def whole(self) -> None:
        for report in REPORTS:
            assert_whole(self.storage, report)

    def chosen(self, place: int) -> str:
        return self.queue[place % len(self.queue)]

    @rule(town=towns_, number=editions, copy=st.sampled_from("ab"))
    def drop_a_file(self, town: str, number: int, copy: str) -> None:
        self.put(f"{town}-{number}{copy}", edition(town, number))

    @rule(town=towns_, number=editions, named=st.booleans())
    def upload_a_file(self, town: str, number: int, named: bool) -> None:
        upload = uploads.announce(self.storage, "a.txt", town if named else None, self.tick())
        self.put(upload["id"], edition(town, number))

    @rule(number=editions)
    def upload_a_file_that_leaves_its_township_open(self, number: int) -> None:
        upload = uploads.announce(self.storage, "a.txt", None, self.tick())
        figures = f"名 gdp {number} 元\n"
        self.put(upload["id"], write_report(figures + WORDS, candidates=" ".join(TOWNS), year=2021))

    @precondition(lambda self: self.queue)
    @rule(place=places, again=st.booleans())
    def deliver(self, place: int, again: bool) -> None:
        name = self.chosen(place)
        assert self.take(self.storage, name)
        if not again:
            self.queue.remove(name)
        self.whole()

    @precondition(lambda self: self.queue)
    @rule(place=places, how=breaks)
    def deliver_and_break(self, place: int, how: tuple[int, bool, str]) -> None:
        with suppress(Death):
            self.take(self.broken(*how), self.chosen(place))
        self.whole()

    @precondition(lambda self: self.queue)
    @rule(place=places, other=places, at=st.integers(0, 18))
    def deliver_two_at_once(self, place: int, other: int, at: int) -> None:
        first, second = self.chosen(place), self.chosen(other)
        between = Broken(self.storage, at, False, lambda: self.take(self.storage, second))
        assert self.take(between.storage, first)
        self.whole()

    @precondition(lambda self: self.queue)
    @rule(place=places, at=st.integers(0, 18))
    def deliver_and_stand_still_for_hours(self, place: int, at: int) -> None:
        between = Broken(self.storage, at, False, lambda: pending.sweep(self.storage, self.tick(hours=2)))
        assert self.take(between.storage, self.chosen(place))
        self.whole()

    @rule(town=towns_, place=places, how=st.none() | breaks)
    def name_a_township(self, town: str, place: int, how: tuple[int, bool, str] | None) -> None:
        waiting = [name for name in self.sent if self.state(name) == "needs_township"]
        if waiting:
            name = waiting[place % len(waiting)]
            self.settle(self.broken(*how) if how else self.storage, name, self.asked.setdefault(name, town))
            self.whole()

    @rule(report=st.sampled_from(REPORTS), how=st.none() | breaks)
    def withdraw(self, report: str, how: tuple[int, bool, str] | None) -> None:
        self.twice = True  # its bytes may be published again
        with suppress(Death, StorageError, NotFound):
            withdrawal.withdraw(self.broken(*how) if how else self.storage, report, None, self.tick())
        self.whole()

    @rule(hours=st.integers(0, 3))
    def sweep(self, hours: int) -> None:
        pending.sweep(self.storage, self.tick(hours))
        self.whole()

    @rule()
    def repair(self) -> None:
        reindex(self.storage, self.tick())
        self.whole()

    @rule()
    def lose_the_index_and_make_it_anew(self) -> None:
        self.twice = self.twice or any(pending.marks(self.storage.index))
        self.storage.index.write([Delete(entry.pk, entry.sk) for entry in list(self.storage.index.entries())])
        self.repair()

    def teardown(self) -> None:
        for name in [*reversed(self.queue), *self.queue]:  # out of order, and twice
            assert self.take(self.storage, name)
        for name, town in self.asked.items():  # who got no answer asks again
            self.settle(self.storage, name, town)
        assert_sound(self.storage, self.sent, REPORTS, self.tick(), self.twice)

    def broken(self, at: int, after: bool, how: str) -> Storage:
        error = Death() if how == "death" else StorageError("broken", "It failed.")
        names = WRITES | READS if how == "fault of any call" else WRITES
        return Broken(self.storage, at, after, raising(error), names).storage

    def state(self, name: str) -> str | None:
        held = upload_state.load(self.storage.index, name)
        return held.state["state"] if held else None

    def settle(self, storage: Storage, name: str, town: str) -> None:
        # A Conflict: it does not wait for a township any more. NotFound: an index was lost before any object had it.
        with suppress(Death, StorageError, Conflict, NotFound):
            ingest.settle(storage, name, town, self.tick())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.reading.parse.parse", read_report)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr("chalicelib.ingestion.deliveries._tell_failure", lambda *_: None)  # a log of thousands


def run(storages: Iterator[Storage], examples: int, steps: int) -> None:
    class Opened(Schedule):
        open = storages

    examples = int(os.environ.get("SCHEDULES", examples))
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    fixed = "SCHEDULES" not in os.environ
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=fixed,
        database=None,
        suppress_health_check=slow,
    )
    run_state_machine_as_test(Opened, settings=chosen)


def test_any_schedule_on_one_machine_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    # A process that dies loses nothing that it has written: no test here cuts the power.
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(local_index, "_PREPARE", "PRAGMA synchronous = OFF")
    with ExitStack() as stack:

        def opened() -> Iterator[Storage]:
            while True:
                stack.close()
                yield local.open_storage(Path(stack.enter_context(tempfile.TemporaryDirectory())))

        run(opened(), 60, 15)


@pytest.mark.engines
def test_any_schedule_on_the_engines_is_sound(engines: Engines, engines_session: object) -> None:
    with ExitStack() as stack:

        def opened() -> Iterator[Storage]:
            while True:
                stack.close()
                name = f"schedule-{next(numbers)}"
                yield stack.enter_context(engines.storage(name, engines_session))  # type: ignore[arg-type]

        run(opened(), 3, 12)
