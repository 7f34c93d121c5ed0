"""Real processes: killed by SIGKILL at any write of an ingestion, and several at once on the same uploads."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from chalicelib.ingestion import ingest, uploads
from chalicelib.storage import Storage, local
from tests.dying import Nursery, nursery
from tests.editions import LATER, SOON, edition, towns
from tests.engines import Engines
from tests.made_reports import NOW, exists
from tests.soundness import assert_sound, assert_whole

pytestmark = [pytest.mark.usefixtures("made_up_reports"), pytest.mark.repair]
MOST = 30  # writes; an ingestion has half as many


Run = Callable[..., list[int]]
Place = tuple[Storage, Run]


@pytest.fixture(scope="module")
def local_nursery() -> Iterator[Nursery]:
    with nursery({}) as children:
        yield children


@pytest.fixture(scope="module")
def engines_nursery(engines: Engines) -> Iterator[Nursery]:
    with nursery(engines.environment()) as children:
        yield children


@pytest.fixture(params=["local", pytest.param("engines", marks=pytest.mark.engines)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A storage, and what runs processes on it."""
    children: Nursery = request.getfixturevalue(f"{request.param}_nursery")
    if request.param == "local":
        yield local.open_storage(tmp_path), partial(children.run, {"folder": str(tmp_path)})
        return
    engines: Engines = request.getfixturevalue("engines")
    name = f"killed-{uuid.uuid4().hex}"
    with engines.storage(name, request.getfixturevalue("engines_session")) as storage:
        yield storage, partial(children.run, {"bucket": name})


def order(key: str, now: object = SOON, at: int | None = None, after: bool = False) -> dict[str, object]:
    return {"key": f"incoming/{key}", "now": now, "at": at, "after": after}


@pytest.mark.parametrize("correction", [False, True], ids=["first revision", "correction"])
def test_a_process_killed_after_any_write_loses_nothing_and_shows_no_half(place: Place, correction: bool) -> None:
    kill_at_each_write(place, True, correction)


@pytest.mark.parametrize("place", ["local"], indirect=True)  # as after the write that came before it
@pytest.mark.parametrize("correction", [False, True], ids=["first revision", "correction"])
def test_a_process_killed_before_any_write_loses_nothing_and_shows_no_half(place: Place, correction: bool) -> None:
    kill_at_each_write(place, False, correction)


def kill_at_each_write(place: Place, after: bool, correction: bool) -> None:
    storage, run = place
    sent: dict[str, bytes] = {}
    codes = towns(MOST)
    for at, town in enumerate(codes):
        if correction:
            sent[f"{town}-1"] = edition(town, 0)
            storage.objects.put(f"incoming/{town}-1", sent[f"{town}-1"])
            ingest.receive(storage, f"incoming/{town}-1", NOW)
        upload_id = uploads.announce(storage, "a.txt", None, NOW)["id"]
        sent[upload_id] = edition(town, 1)
        storage.objects.put(f"incoming/{upload_id}", sent[upload_id])
        (status,) = run(order(upload_id, at=at, after=after))
        shown = assert_whole(storage, f"{town}-2022")
        if status == 0:
            break
        assert status == -9
        assert shown in ((1, 2) if correction else (0, 1))
        state = ingest.receive(storage, f"incoming/{upload_id}", LATER)
        last = uploads.read(storage, upload_id)
        assert (last["state"], last["unchanged"], last["report"]["revision"]) == ("published", False, 1 + correction)
        assert state in (last, None)
        assert not exists(storage, f"incoming/{upload_id}")
    else:
        raise AssertionError("it never came to an end")
    assert at > 8
    assert_sound(storage, sent, [f"{town}-2022" for town in codes[:at]], LATER)


def test_processes_at_once_on_the_same_message_and_on_different_revisions(place: Place) -> None:
    storage, run = place
    sent: dict[str, bytes] = {}
    for turn, town in enumerate(towns(4)):
        names = {f"{town}-甲": edition(town, 1), f"{town}-乙": edition(town, 2), f"{town}-丙": edition(town, 1)}
        sent |= names
        for name, data in names.items():
            storage.objects.put(f"incoming/{name}", data)
        moments = [SOON + timedelta(seconds=turn * 10 + n) for n in range(4)]
        keys = [f"{town}-甲", f"{town}-甲", f"{town}-乙", f"{town}-丙"]
        statuses = run(*map(order, keys, moments))
        assert set(statuses) <= {0, 3}, "a delivery that failed comes again, and no other"
        for key, status in zip(keys, statuses, strict=True):
            if status:
                assert run(order(key, LATER)) == [0]
        assert assert_whole(storage, f"{town}-2022") == 2
        assert not any(exists(storage, f"incoming/{name}") for name in names)
    assert_sound(storage, sent, [f"{town}-2022" for town in towns(4)], LATER)
