"""The watch over `incoming/`: what counts as complete, what is tried again, and that files reach the handler."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.bulk import export, fresh
from chalicelib.errors import StorageError
from chalicelib.ingestion import uploads, watch
from chalicelib.ingestion.events import Event, uploaded_keys
from chalicelib.storage import Storage, local
from tests.made_reports import NOW, drop, read_report, report

SETTLED = watch.SETTLED_SECONDS
PATIENCE = 20.0  # seconds until a test gives up


# What is due when: no clock but the numbers given.


@pytest.fixture
def arrivals() -> watch.Arrivals:
    return watch.Arrivals(lambda path: path.name.startswith("whole"))


def due(arrivals: watch.Arrivals, now: float) -> list[str]:
    return [path.name for path in arrivals.take_due(now)]


def test_a_dropped_file_is_due_once_it_has_stopped_changing(arrivals: watch.Arrivals, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("half")
    arrivals.notice(path, 0)
    assert due(arrivals, SETTLED / 2) == []
    path.write_text("half and more")
    assert due(arrivals, SETTLED) == []
    assert due(arrivals, SETTLED * 1.5) == []
    assert due(arrivals, SETTLED * 2) == ["a.txt"]


def test_a_change_of_equal_size_is_a_change(arrivals: watch.Arrivals, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("half")
    arrivals.notice(path, 0)
    os.utime(path, ns=(1, 1))
    assert due(arrivals, SETTLED) == []


def test_a_file_that_arrived_whole_is_due_at_once_and_before_others(arrivals: watch.Arrivals, tmp_path: Path) -> None:
    for number, name in enumerate(["a.txt", "whole"]):
        (tmp_path / name).write_text("x")
        arrivals.notice(tmp_path / name, number * SETTLED / 2)
    assert due(arrivals, SETTLED / 2) == ["whole"]
    assert due(arrivals, SETTLED) == ["whole", "a.txt"]


def test_what_is_done_vanished_or_no_file_is_not_due(arrivals: watch.Arrivals, tmp_path: Path) -> None:
    for name in ("done", "gone"):
        (tmp_path / name).write_text("x")
        arrivals.notice(tmp_path / name, 0)
    (tmp_path / "link").symlink_to("/etc/hostname")
    for name in ("link", "never"):
        arrivals.notice(tmp_path / name, 0)
    arrivals.notice(tmp_path, 0)
    arrivals.done(tmp_path / "done")
    (tmp_path / "gone").unlink()
    assert due(arrivals, 100) == []


def test_a_failure_is_tried_again_ever_later_and_given_up_in_the_end(arrivals: watch.Arrivals, tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_text("x")
    arrivals.notice(path, 0)
    now, pauses = 0.0, []
    while waiting := due(arrivals, 1e9):
        assert waiting == ["whole"]
        arrivals.failed(path, now)
        pause = next((p for p in range(1, 200) if due(arrivals, now + p / 2) == ["whole"]), 0) / 2
        pauses.append(pause)
        now += pause
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 0]


def test_a_file_given_up_is_taken_again_when_it_changes(arrivals: watch.Arrivals, tmp_path: Path) -> None:
    path = tmp_path / "whole"
    path.write_text("x")
    arrivals.notice(path, 0)
    for _ in range(watch.TRIES):
        arrivals.failed(path, 0)
    assert due(arrivals, 100) == []
    arrivals.notice(path, 100)
    assert due(arrivals, 100) == ["whole"]


def test_a_file_that_is_being_written_is_never_due(arrivals: watch.Arrivals, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with path.open("w") as copy:
        copy.write("half")
        copy.flush()
        arrivals.notice(path, 0)
        assert due(arrivals, 1e6) == []
    assert due(arrivals, 1e6) == ["a.txt"]


def test_an_empty_file_is_given_time_to_be_filled(arrivals: watch.Arrivals, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.touch()
    arrivals.notice(path, 0)
    assert due(arrivals, watch.EMPTY_SECONDS - 1) == []
    path.write_text("x")
    assert due(arrivals, watch.EMPTY_SECONDS) == []
    assert due(arrivals, watch.EMPTY_SECONDS + SETTLED) == ["a.txt"]


def test_where_the_system_does_not_tell_who_writes_a_file_has_to_rest_longer(
    arrivals: watch.Arrivals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "is_being_written", lambda _: None)
    for name in ("a.txt", "whole"):
        (tmp_path / name).write_text("x")
        arrivals.notice(tmp_path / name, 0)
    assert due(arrivals, watch.UNSURE_SECONDS - 1) == ["whole"]
    assert due(arrivals, watch.UNSURE_SECONDS) == ["whole", "a.txt"]


def test_a_link_is_left_alone_with_one_line(
    arrivals: watch.Arrivals, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    for now in range(3):
        arrivals.notice(tmp_path / "link", now)
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'link'} is a link and is left alone: copy the file itself"
    ]


# The running watch.


class Handler:
    """Stands for the app's handler: notes the keys, removes the files as ingestion does, fails when it is told to."""

    def __init__(self, data: Path) -> None:
        self.data, self.keys, self.failures, self.leaves = data, list[str](), list[str](), 0

    def __call__(self, event: Event, context: Any) -> dict[str, Any]:
        failed = []
        for message in event["Records"]:
            for key in uploaded_keys(message["body"]):
                if self.failures:
                    if self.failures.pop() == "raise":
                        raise RuntimeError("broken")
                    failed.append({"itemIdentifier": message["messageId"]})
                    continue
                self.keys.append(key)
                self.leaves -= 1
                if self.leaves < 0:
                    (self.data / key).unlink(missing_ok=True)
        return {"batchItemFailures": failed}


@pytest.fixture
def handler(tmp_path: Path) -> Handler:
    return Handler(tmp_path / "data")


@pytest.fixture
def begin(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Storage]]:
    """Starts the watch over the handler's folder; what was started is stopped when the test ends."""
    monkeypatch.setattr(watch, "SETTLED_SECONDS", 0.2)
    monkeypatch.setattr(watch, "FIRST_RETRY", 0.05)
    running: list[watch.Watcher] = []

    def start() -> Storage:
        storage = local.open_storage(handler.data)
        running.append(watch.start(handler.data, storage, handler))
        return storage

    yield start
    for watcher in running:
        watcher.stop()


def wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.02)


def test_what_lies_there_and_what_arrives_reaches_the_handler(handler: Handler, begin: Callable[[], Storage]) -> None:
    incoming = handler.data / "incoming"
    (incoming / "深").mkdir(parents=True)
    (incoming / "深" / "早.txt").write_text("x")
    begin()
    wait_for(lambda: handler.keys == ["incoming/深/早.txt"])
    (incoming / "晚 1+2.txt").write_text("x")
    wait_for(lambda: handler.keys[1:] == ["incoming/晚 1+2.txt"])
    folder = handler.data / "folder"
    folder.mkdir()
    (folder / "c.txt").write_text("x")
    folder.rename(incoming / "moved")
    wait_for(lambda: handler.keys[2:] == ["incoming/moved/c.txt"])


def test_a_copy_that_pauses_is_taken_when_it_is_closed(
    handler: Handler, begin: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EMPTY_SECONDS", 0.2)
    begin()
    with (handler.data / "incoming" / "slow.txt").open("w") as copy:
        copy.write("half")
        copy.flush()
        (handler.data / "incoming" / "later.txt").write_text("x")  # the time that this one takes is the pause
        wait_for(lambda: bool(handler.keys))
        assert handler.keys == ["incoming/later.txt"]
    wait_for(lambda: handler.keys[1:] == ["incoming/slow.txt"])


def test_a_file_that_its_handler_had_to_leave_is_handled_again(handler: Handler, begin: Callable[[], Storage]) -> None:
    handler.leaves = 1
    begin()
    (handler.data / "incoming" / "a.txt").write_text("x")
    wait_for(lambda: handler.keys == ["incoming/a.txt"] * 2)


@pytest.mark.parametrize("failure", ["raise", "report"])
def test_a_failed_file_comes_again(handler: Handler, begin: Callable[[], Storage], failure: str) -> None:
    handler.failures = [failure] * 3
    begin()
    (handler.data / "incoming" / "a.txt").write_text("x")
    wait_for(lambda: handler.keys == ["incoming/a.txt"])
    assert handler.failures == []


def test_hidden_and_partial_files_are_left_alone(handler: Handler, begin: Callable[[], Storage]) -> None:
    begin()
    for name in (".a.txt", "b.txt.part", "c.txt.crdownload", "d.txt~", "e.txt"):
        (handler.data / "incoming" / name).write_text("x")
    (handler.data / "incoming" / "b.txt.part").rename(handler.data / "incoming" / "b.txt")
    wait_for(lambda: sorted(handler.keys) == ["incoming/b.txt", "incoming/e.txt"])
    assert len(list((handler.data / "incoming").iterdir())) == 3


def test_a_file_put_at_an_upload_address_waits_for_nothing(
    handler: Handler, begin: Callable[[], Storage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SETTLED_SECONDS", 3600)
    storage = begin()
    upload_id = uploads.announce(storage, "a.txt", None, NOW)["id"]
    storage.objects.put(f"incoming/{upload_id}", b"x")
    storage.objects.put("incoming/" + "f" * 32, b"dropped under a name like an upload's")
    wait_for(lambda: handler.keys == [f"incoming/{upload_id}"])


def test_a_folder_that_is_removed_is_made_again(handler: Handler, begin: Callable[[], Storage]) -> None:
    begin()
    (handler.data / "incoming" / "a.txt").write_text("x")
    wait_for(lambda: len(handler.keys) == 1)
    (handler.data / "incoming").rename(handler.data / "elsewhere")
    wait_for((handler.data / "incoming").is_dir)
    (handler.data / "incoming" / "b.txt").write_text("x")
    wait_for(lambda: handler.keys[1:] == ["incoming/b.txt"])


@pytest.mark.parametrize(
    ("changed_at", "exported_at"),
    [
        ([0], [2]),
        ([0, 1, 2, 20], [4, 22]),
        (range(130), [60, 121, 131]),
        ([], []),
    ],
    ids=["one change", "changes and pauses", "changes without a pause", "no change"],
)
def test_an_export_comes_with_the_quiet_or_after_a_minute(changed_at: list[int], exported_at: list[int]) -> None:
    changes, found = fresh.Changes(0, -1), list[int]()
    assert changes.are_due(0, -1)
    changes.exported(0)
    for now in range(200):
        stamp = sum(at <= now for at in changed_at)
        if changes.are_due(stamp, now):
            found.append(now)
            changes.exported(stamp)
    assert found == exported_at


def test_an_export_that_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TURN": 0.02, "QUIET": 0.0, "REST": 0, "RETRY": 0.05}.items():
        monkeypatch.setattr(fresh, name, value)
    tries, publish_files = list[int](), export.publish_files

    def fail_twice(storage: Storage) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise StorageError("disk_full", "The disk is full.")
        publish_files(storage)

    monkeypatch.setattr(export, "publish_files", fail_twice)
    storage = local.open_storage(tmp_path)
    exporter = fresh.start(tmp_path, storage)
    try:
        wait_for(lambda: export.read_manifest(storage.objects) is not None)
    finally:
        exporter.stop()


def test_the_bulk_files_follow_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.reading.parse.parse", read_report)
    monkeypatch.setattr(fresh, "TURN", 0.02)
    monkeypatch.setattr(fresh, "QUIET", 0.1)
    monkeypatch.setattr(fresh, "REST", 0)
    storage = local.open_storage(tmp_path)

    def reports() -> Any:
        return (export.read_manifest(storage.objects) or {}).get("reports")

    exporter = fresh.start(tmp_path, storage)
    try:
        wait_for(lambda: reports() == 0)
        drop(storage, "a.txt", report())
        wait_for(lambda: reports() == 1)
        threading.Thread(target=drop, args=(storage, "b.txt", report(year=2021))).start()
        wait_for(lambda: reports() == 2)
    finally:
        exporter.stop()
