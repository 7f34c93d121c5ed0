"""How many uploads a key may announce in an hour, over both storages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import app
from chalicelib.catalog import layout
from chalicelib.errors import ReportsError
from chalicelib.maintenance.verify import verify
from chalicelib.storage import Storage
from chalicelib.web.replies import RefusedError
from chalicelib.web.upload_limits import read_limit, take
from tests.gateway import Answer, post
from tests.running_server import run_server

NOW = datetime(2024, 3, 1, 8, 59, 50, tzinfo=UTC)
SETTINGS = {"": 600, "1": 1, "999999999": 999999999, "off": None}


@pytest.fixture(autouse=True)
def _two_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTS_UPLOAD_LIMIT", "2")


@pytest.mark.parametrize(("asked", "limit"), SETTINGS.items())
def test_the_environment_sets_the_limit(monkeypatch: pytest.MonkeyPatch, asked: str, limit: int | None) -> None:
    monkeypatch.setenv("REPORTS_UPLOAD_LIMIT", asked)
    assert read_limit() == limit


@pytest.mark.parametrize("asked", ["0", "-1", "a", "1.5", "600/3600", "1000000000", "１"])
def test_any_other_setting_is_refused(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setenv("REPORTS_UPLOAD_LIMIT", asked)
    with pytest.raises(ReportsError, match="bad_setting"):
        read_limit()


def announce(storage: Storage) -> Answer:
    return post(storage, "/v1/uploads", {"filename": "a.txt", "bytes": 9})


def test_a_key_that_has_announced_too_much_is_told_when_to_go_on(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "clock", lambda: NOW)
    made = [announce(storage) for _ in range(2)]
    assert [(each.status, each.headers["ratelimit"]) for each in made] == [
        (201, '"uploads";r=1;t=10'),
        (201, '"uploads";r=0;t=10'),
    ]
    for _ in range(2):
        refused = announce(storage)
        assert (refused.status, refused.json["code"], refused.headers["retry-after"]) == (429, "upload_limit", "10")
        assert refused.headers["ratelimit-policy"] == '"uploads";q=2;w=3600'
        assert refused.headers["ratelimit"] == '"uploads";r=0;t=10'
    monkeypatch.setattr(app, "clock", lambda: NOW + timedelta(seconds=10))
    assert announce(storage).headers["ratelimit"] == '"uploads";r=1;t=3600'


def test_each_key_is_counted_alone_and_hours_that_are_over_leave_nothing(storage: Storage) -> None:
    for hour in range(3):
        for key in ("a", "b"):
            for _ in range(2):
                assert take(storage.index, key, NOW + timedelta(hours=hour))["RateLimit-Policy"]
            with pytest.raises(RefusedError, match="upload_limit"):
                take(storage.index, key, NOW + timedelta(hours=hour))
    for key in ("a", "b"):
        (left,) = storage.index.query(layout.rate(key, NOW).pk)
        assert (left.sk, left.version) == ("2024-03-01T10", 2)


def test_of_16_at_once_as_many_pass_as_may(local_storage: Storage) -> None:
    def passes(_: int) -> bool:
        try:
            return bool(take(local_storage.index, "a", NOW))
        except RefusedError:
            return False

    with ThreadPoolExecutor(16) as pool:
        passed = sum(pool.map(passes, range(16)))
    assert passed == 2


def test_nothing_is_counted_where_there_is_no_limit(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTS_UPLOAD_LIMIT", "off")
    assert "ratelimit" not in announce(storage).headers
    assert storage.index.query(layout.rate("key-1", NOW).pk) == []


@pytest.mark.repair
def test_what_is_counted_is_no_difference_between_index_and_objects(storage: Storage) -> None:
    take(storage.index, "a", NOW)
    assert verify(storage).differences == []


def test_a_server_counts_whichever_process_answers(tmp_path: Path) -> None:
    with run_server(tmp_path / "data", REPORTS_UPLOAD_LIMIT="5") as server:
        statuses = [server.announce("a.txt", 9).status_code for _ in range(8)]
    assert statuses == [201] * 5 + [429] * 3
