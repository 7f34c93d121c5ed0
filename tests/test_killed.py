"""Real processes: killed by SIGKILL at any write of an ingestion, and several at once on the same uploads."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib.ingestion import ingest, uploads
from chalicelib.storage import Storage, local
from tests.dying import Nursery, nursery
from tests.editions import LATER, SOON, edition, towns
from tests.made_reports import NOW, exists, read_report
from tests.soundness import assert_sound, assert_whole

pytestmark = pytest.mark.repair
MOST = 30  # writes; an ingestion has half as many


@pytest.fixture(autouse=True)
def _made_up_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.reading.parse.parse", read_report)


Place = tuple[Storage, Nursery]


@pytest.fixture(params=["local", pytest.param("engines", marks=pytest.mark.engines)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A storage, and processes that work on it."""
    if request.param == "local":
        with nursery({"folder": str(tmp_path / "data")}, {}) as children:
            yield local.open_storage(tmp_path / "data"), children
        return
    engines, name = request.getfixturevalue("engines"), f"killed-{uuid.uuid4().hex}"
    session = request.getfixturevalue("engines_session")
    with engines.storage(name, session) as storage, nursery({"bucket": name}, engines.environment()) as children:
        yield storage, children


def order(key: str, now: object = SOON, at: int | None = None, after: bool = False) -> dict[str, object]:
    return {"key": f"incoming/{key}", "now": now, "at": at, "after": after}


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("correction", [False, True], ids=["first revision", "correction"])
def test_a_process_killed_at_any_write_loses_nothing_and_shows_no_half(
    place: Place, after: bool, correction: bool
) -> None:
    storage, children = place
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
        (status,) = children.run(order(upload_id, at=at, after=after))
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
    storage, children = place
    sent: dict[str, bytes] = {}
    for turn, town in enumerate(towns(4)):
        names = {f"{town}-甲": edition(town, 1), f"{town}-乙": edition(town, 2), f"{town}-丙": edition(town, 1)}
        sent |= names
        for name, data in names.items():
            storage.objects.put(f"incoming/{name}", data)
        moments = [SOON + timedelta(seconds=turn * 10 + n) for n in range(4)]
        keys = [f"{town}-甲", f"{town}-甲", f"{town}-乙", f"{town}-丙"]
        statuses = children.run(*map(order, keys, moments))
        assert set(statuses) <= {0, 3}, "a delivery that failed comes again, and no other"
        for key, status in zip(keys, statuses, strict=True):
            if status:
                assert children.run(order(key, LATER)) == [0]
        assert assert_whole(storage, f"{town}-2022") == 2
        assert not any(exists(storage, f"incoming/{name}") for name in names)
    assert_sound(storage, sent, [f"{town}-2022" for town in towns(4)], LATER)
