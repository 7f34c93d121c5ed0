"""Before each write of one delivery another one takes place, whole: every outcome is sound.

The deliveries that are between have other times, as real ones do. That covers what two functions at once can do to each
other as far as one of them works while the other waits; tests/test_killed.py has real ones.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from chalicelib.catalog import pending
from chalicelib.errors import Conflict
from chalicelib.ingestion import deliveries, ingest, uploads
from chalicelib.ingestion.events import upload_event
from chalicelib.maintenance.reindex import reindex
from chalicelib.maintenance.verify import verify
from chalicelib.storage import Storage
from tests.broken_storage import Broken, Death, raising
from tests.editions import LATER, SOON, edition, towns
from tests.made_reports import NOW, WORDS, write_report
from tests.soundness import assert_sound, assert_whole

pytestmark = [pytest.mark.usefixtures("made_up_reports"), pytest.mark.repair]
MOST = 40


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def deliver(storage: Storage, name: str, now: object = SOON) -> bool:
    return deliveries.take(storage, upload_event([f"incoming/{name}"], now)["Records"][0], now)  # type: ignore[arg-type]


class Town:
    """A township with two editions of its report published or on their way, and what was sent for it."""

    def __init__(self, storage: Storage, code: str, published: int) -> None:
        self.storage, self.report, self.sent = storage, f"{code}-2022", dict[str, bytes]()
        self.code, self.published = code, published
        for number in range(published):
            deliver(storage, self.send(f"{number}", edition(code, number)), NOW)
        self.main = uploads.announce(storage, "a.txt", None, NOW)["id"]
        self.send("", edition(code, 1))

    def send(self, name: str, data: bytes) -> str:
        name = f"{self.code}-{name}" if name else self.main
        self.sent[name] = data
        self.storage.objects.put(f"incoming/{name}", data)
        return name


def same_message(town: Town) -> None:
    assert deliver(town.storage, town.main, LATER)


def a_correction(town: Town) -> None:
    assert deliver(town.storage, town.send("b", edition(town.code, 2)), LATER)


def two_corrections(town: Town) -> None:
    a_correction(town)
    assert deliver(town.storage, town.send("c", edition(town.code, 3)), LATER)


def same_bytes_by_another_name(town: Town) -> None:
    assert deliver(town.storage, town.send("b", edition(town.code, 1)), LATER)


def same_bytes_and_name_with_the_township_named(town: Town) -> None:
    other = uploads.announce(town.storage, "a.txt", town.code, NOW)["id"]
    town.sent[other] = edition(town.code, 1)
    town.storage.objects.put(f"incoming/{other}", town.sent[other])
    assert deliver(town.storage, other, LATER)


def a_correction_that_dies(town: Town) -> None:
    """With everything written but the transaction that would have shown it."""
    dying = Broken(town.storage, 0, True, raising(Death()), ("write",))
    with pytest.raises(Death):
        deliver(dying.storage, town.send("b", edition(town.code, 2)), LATER)


def a_sweep_that_found_it_standing_still(town: Town) -> None:
    pending.sweep(town.storage, NOW + timedelta(hours=2))


def a_walk_and_a_repair(town: Town) -> None:
    reindex(town.storage, LATER)


BETWEEN = (
    same_message,
    a_correction,
    two_corrections,
    same_bytes_by_another_name,
    same_bytes_and_name_with_the_township_named,
    a_correction_that_dies,
    a_sweep_that_found_it_standing_still,
    a_walk_and_a_repair,
)


def interleaved(storage: Storage, published: int, between: Callable[[Town], object]) -> Iterator[Town]:
    """A township for each write of a delivery, after that delivery with `between` before the write."""
    for at, code in enumerate(towns(MOST)):
        town = Town(storage, code, published)
        broken = Broken(storage, at, False, lambda town=town: between(town))  # type: ignore[misc]
        assert deliver(broken.storage, town.main)
        yield town
        if not broken.acted:
            return
    raise AssertionError("it never came to an end")


@pytest.mark.parametrize("published", [0, 1], ids=["first revision", "correction"])
@pytest.mark.parametrize("between", BETWEEN, ids=lambda each: each.__name__)
def test_another_delivery_before_any_write_leaves_all_sound(
    local_storage: Storage, published: int, between: Callable[[Town], object]
) -> None:
    deliver_interleaved(local_storage, published, between)


@pytest.mark.engines
@pytest.mark.parametrize("between", [same_message, a_correction], ids=lambda each: each.__name__)
def test_on_the_engines_too(engines_storage: Storage, between: Callable[[Town], object]) -> None:
    deliver_interleaved(engines_storage, 1, between)


def deliver_interleaved(storage: Storage, published: int, between: Callable[[Town], object]) -> None:
    passed, sent = list[str](), dict[str, bytes]()
    for town in interleaved(storage, published, between):
        assert_whole(storage, town.report)
        for name in town.sent:  # what died, and what comes twice all the same
            assert deliver(storage, name, LATER + timedelta(minutes=1))
        passed, sent = [*passed, town.report], sent | town.sent
    assert len(passed) > 8
    assert_sound(storage, sent, passed, NOW + timedelta(hours=3))  # after the sweep that was between


def test_two_names_for_one_upload_at_once_publish_one_of_them(local_storage: Storage) -> None:
    storage = local_storage
    for at in range(MOST):
        mine, other = towns(2 * MOST)[2 * at : 2 * at + 2]
        name = uploads.announce(storage, "a.txt", None, NOW)["id"]
        data = write_report(WORDS + f"名 gdp {at} 元\n", candidates=f"{mine} {other}", year=2022)
        storage.objects.put(f"incoming/{name}", data)
        deliver(storage, name, NOW)

        def settle(name: str = name, other: str = other) -> None:
            with contextlib.suppress(Conflict):  # it was late
                ingest.settle(storage, name, other, LATER)

        broken = Broken(storage, at, False, settle)
        lost = False
        try:
            ingest.settle(broken.storage, name, mine, SOON)
        except Conflict:
            lost = True
        whole = [assert_whole(storage, f"{code}-2022") for code in (mine, other)]
        assert whole == ([0, 1] if lost else [1, 0])
        if not broken.acted:
            break
    assert at > 5
    assert_sound(storage, {name: data}, [f"{code}-2022" for code in towns(2 * at)], LATER)


def test_a_walk_beside_a_writing_takes_nothing_of_it_for_a_stray(local_storage: Storage) -> None:
    storage = local_storage
    town = Town(storage, towns(1)[0], 0)

    def write_between(items: object, unit: str) -> object:
        if unit == "entries":  # it stops when its rows are there, and before they are shown
            with pytest.raises(Death):
                deliver(Broken(storage, 0, True, raising(Death()), ("write",)).storage, town.main)
        return items

    assert verify(storage, write_between).differences == []  # type: ignore[arg-type]
