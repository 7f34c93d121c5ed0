"""What the storage of one machine promises besides: kill -9, several processes, failing disks."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalicelib.errors import BadRequest, StorageError
from chalicelib.storage import Put, Storage, local, open_storage
from chalicelib.storage.local import LocalObjects
from chalicelib.storage.local_index import LocalIndex

ROOT = Path(__file__).parent.parent


def files(folder: Path) -> list[str]:
    """The objects in the folder, and what writes left in `.tmp`."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if "/" in name and not name.startswith(".used/"))


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill_after(process: subprocess.Popen[str], lines: int) -> list[str]:
    """All lines that the process printed until it was killed in the middle of its work."""
    assert process.stdout
    with process:
        first = [process.stdout.readline() for _ in range(lines)]
        process.kill()
        rest = process.stdout.readlines()
    assert process.returncode == -9
    return [line.strip() for line in first + rest if line.endswith("\n")]


# --- kill -9 ---------------------------------------------------------------------------------------------------------

COMMIT_FOR_EVER = """
import itertools, pathlib, sys
from chalicelib.storage import Put, local
index = local.open_storage(pathlib.Path(sys.argv[1])).index
for n in itertools.count(int(sys.argv[2])):
    index.commit([Put(pk, f"{n:08}", b"x" * 3000) for pk in ("a", "b", "c")])
    print(n, flush=True)
"""


def test_kill_9_loses_no_acknowledged_commit_and_leaves_none_half(folder: Path) -> None:
    acknowledged: list[str] = []
    for first in (0, 1_000_000, 2_000_000):
        acknowledged += kill_after(start(COMMIT_FOR_EVER, str(folder), str(first)), 40)
        index = local.open_storage(folder).index
        there = [[entry.sk for entry in index.query(pk, limit=10**6)] for pk in "abc"]
        assert there[0] == there[1] == there[2]
        assert {f"{int(n):08}" for n in acknowledged} <= set(there[0])
    with sqlite3.connect(folder / "index.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


REPLACE_FOR_EVER = """
import itertools, pathlib, sys
from chalicelib.storage import local
objects = local.open_storage(pathlib.Path(sys.argv[1])).objects
for n in itertools.count():
    objects.put("bulk/x", bytes([65 + n % 26]) * 2_000_000)
    print(n, flush=True)
"""


def test_kill_9_leaves_the_old_object_or_the_new_one(folder: Path) -> None:
    last = int(kill_after(start(REPLACE_FOR_EVER, str(folder)), 5)[-1])
    body = local.open_storage(folder).objects.get("bulk/x")
    assert body in [bytes([65 + n % 26]) * 2_000_000 for n in (last, last + 1)]


def test_remains_of_killed_writers_and_spent_addresses_are_swept_in_time(folder: Path) -> None:
    local.open_storage(folder).objects.put("raw/x", b"")
    (folder / ".used").mkdir()
    for name, age in {".tmp/old": 90_000, ".tmp/new": 60, ".used/old": 8 * 86_400, ".used/new": 6 * 86_400}.items():
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age,) * 2)
    local.open_storage(folder)
    assert [path.name for part in (".tmp", ".used") for path in (folder / part).iterdir()] == ["new", "new"]


# --- several processes and threads -----------------------------------------------------------------------------------

COUNT = """
import pathlib, sys
from chalicelib.errors import Conflict
from chalicelib.storage import Put, local
storage = local.open_storage(pathlib.Path(sys.argv[1]))
made = 0
while made < 25:
    entry = storage.index.get("counter", "n")
    n, version = (int(entry.body), entry.version) if entry else (0, 0)
    try:
        storage.index.commit([Put("counter", "n", b"%d" % (n + 1), version)])
    except Conflict:
        continue
    made += 1
print(storage.objects.put_new("raw/claim", sys.argv[2].encode()), storage.objects._secret.hex())
"""


def test_processes_share_one_folder_from_its_first_moment(folder: Path) -> None:
    processes = [start(COUNT, str(folder), str(n)) for n in range(4)]
    answers = [process.communicate()[0].split() for process in processes]
    entry = local.open_storage(folder).index.get("counter", "n")
    assert entry is not None
    assert (entry.body, entry.version) == (b"100", 100)
    assert sorted(won for won, _ in answers) == ["False", "False", "False", "True"]
    assert len({secret for _, secret in answers}) == 1
    assert list((folder / ".tmp").iterdir()) == []


def test_of_16_first_openers_none_fails(folder: Path) -> None:
    barrier = threading.Barrier(16)

    def first_use(n: int) -> bytes:
        barrier.wait()
        storage = local.open_storage(folder)
        storage.index.commit([Put("p", str(n), b"")])
        assert isinstance(storage.objects, LocalObjects)
        return storage.objects._secret

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(first_use, range(16)))) == 1
    assert len(local.open_storage(folder).index.query("p")) == 16


def test_a_forked_process_gets_a_connection_of_its_own(folder: Path) -> None:
    index = LocalIndex(folder_made(folder) / "index.sqlite")
    index.commit([Put("p", "parent", b"")])
    parents = index._connection()
    child = os.fork()
    if not child:
        status = 1
        try:
            index.commit([Put("p", "child", b"")])
            status = 2 if index._connection() is parents else 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    index.commit([Put("p", "parent again", b"")])
    assert [entry.sk for entry in index.query("p")] == ["child", "parent", "parent again"]


def test_readers_see_a_commit_whole_while_it_is_written(local_storage: Storage) -> None:
    index, torn = local_storage.index, []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            bodies = {entry.body for entry in index.query("p")}
            if len(bodies) > 1:
                torn.append(bodies)

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(watch) for _ in range(2)]
        for n in range(100):
            index.commit([Put("p", str(sk), b"%d" % n) for sk in range(20)])
        done.set()
        for reader in readers:
            reader.result()
    assert torn == []


# --- failing disks ---------------------------------------------------------------------------------------------------

DISK_FAILURES = {
    errno.ENOSPC: ("disk_full", "full"),
    errno.EDQUOT: ("quota_used_up", "quota"),
    errno.EROFS: ("read_only", "read-only"),
    errno.EACCES: ("no_permission", "permissions"),
    errno.EPERM: ("no_permission", "permissions"),
    errno.EIO: ("storage_failed", "Input/output error"),
}


@pytest.mark.parametrize("call", ["fsync", "link", "replace", "open", "mkdir"])
@pytest.mark.parametrize(("number", "expected"), DISK_FAILURES.items())
def test_a_failing_disk_is_a_clear_error_and_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int, expected: tuple[str, str]
) -> None:
    objects = local.open_storage(folder).objects
    objects.put("raw/old", b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    write = objects.put if call == "replace" else objects.put_new
    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(StorageError) as caught:
            write("text/new", b"new")
    assert caught.value.code == expected[0]
    assert expected[1] in str(caught.value)
    assert caught.value.way_out
    assert str(folder) not in str(caught.value)
    assert files(folder) == ["raw/old"]
    write("text/new", b"new")
    assert files(folder) == ["raw/old", "text/new"]


LIMITED = """
import pathlib, resource, sys
from chalicelib.errors import StorageError
from chalicelib.storage import local
objects = local.open_storage(pathlib.Path(sys.argv[1])).objects
objects.put("raw/x", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for size in (100_000, 100_001):
    try:
        objects.put("raw/x", b"x" * size)
        print("put")
    except StorageError as error:
        print(error)
"""


def test_a_write_that_breaks_off_in_the_middle_leaves_the_old_object(folder: Path) -> None:
    lines = start(LIMITED, str(folder)).communicate()[0].splitlines()
    assert lines[0] == "put"
    assert lines[1].startswith("storage_failed: The data folder failed: File too large.")
    assert files(folder) == ["raw/x"]
    assert local.open_storage(folder).objects.get("raw/x") == b"x" * 100_000


def test_a_folder_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    for folder in (tmp_path / "data", tmp_path / "data/below"):
        with pytest.raises(StorageError, match="no_folder"):
            local.open_storage(folder)


@pytest.mark.parametrize(("there", "key"), [("raw/x", "raw/x/y"), ("raw/x/y", "raw/x")])
def test_a_file_and_a_folder_of_one_name_are_refused(objects: LocalObjects, there: str, key: str) -> None:
    objects.put(there, b"there")
    with pytest.raises(BadRequest, match="in its way"):
        objects.put(key, b"")
    assert list(objects.keys("")) == [there]


def test_a_full_disk_under_the_index_is_a_clear_error_and_undone(folder: Path) -> None:
    index = LocalIndex(folder_made(folder) / "index.sqlite")
    index.commit([Put("p", "old", b"old")])
    index._connection().execute("PRAGMA max_page_count = 20")
    with pytest.raises(StorageError) as caught:
        index.commit([Put("p", "old", b"new"), Put("p", "new", b"x" * 200_000)])
    assert (caught.value.code, caught.value.detail) == ("disk_full", "The disk of the index is full.")
    assert [entry.body for entry in index.query("p")] == [b"old"]
    index.commit([Put("p", "small", b"")])


def folder_made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_a_locked_index_is_a_clear_error_and_still_readable(folder: Path) -> None:
    index = LocalIndex(folder_made(folder) / "index.sqlite", busy_seconds=0.05)
    index.commit([Put("p", "s", b"old")])
    other = sqlite3.connect(folder / "index.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="storage_busy"):
        index.commit([Put("p", "s", b"new")])
    assert [entry.body for entry in index.query("p")] == [b"old"]
    other.execute("ROLLBACK")
    index.commit([Put("p", "s", b"new")])
    other.close()


def spoil(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def test_a_damaged_index_is_a_clear_error(folder: Path) -> None:
    path = folder_made(folder) / "index.sqlite"
    path.write_bytes(b"this is no database at all, and long enough to be read as one" * 10)
    with pytest.raises(StorageError, match="index_damaged"):
        LocalIndex(path)


def test_damaged_pages_are_a_clear_error(folder: Path) -> None:
    path = folder_made(folder) / "index.sqlite"
    index = LocalIndex(path)
    index.commit([Put("p", f"{n:03}", b"x" * 2000) for n in range(100)])
    index._connection().close()
    spoil(path, 4096, b"\xff" * 4096 * 20)
    with pytest.raises(StorageError, match="index_damaged"):
        LocalIndex(path).query("p")


def test_an_index_of_another_layout_is_refused(folder: Path) -> None:
    local.open_storage(folder)
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError, match="index_layout"):
        local.open_storage(folder)


def test_a_removed_index_does_not_come_back_empty(folder: Path) -> None:
    index = local.open_storage(folder).index
    index.commit([Put("p", "s", b"")])
    for path in folder.glob("index.sqlite*"):
        path.unlink()
    with ThreadPoolExecutor(1) as other_thread, pytest.raises(StorageError):
        other_thread.submit(index.get, "p", "s").result()
    assert not (folder / "index.sqlite").exists()


def test_every_commit_is_synced(folder: Path) -> None:
    index = local.open_storage(folder).index
    assert isinstance(index, LocalIndex)
    settings = [index._connection().execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]


# --- files by hand ---------------------------------------------------------------------------------------------------


def test_a_query_costs_its_own_rows_however_many_lie_before_them(folder: Path) -> None:
    index = LocalIndex(folder_made(folder) / "index.sqlite")
    connection, steps = index._connection(), list[int]()
    before = (("a", f"2014#{number:05}", b"{}", 1) for number in range(20_000))
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?)", before)
    index.commit([Put("a", f"2015#{number}", b"{}") for number in range(5)])
    connection.set_progress_handler(lambda: steps.append(1), 100)  # called at every hundredth step of a statement
    for after, found in (("", 5), ("2014#00001", 5), ("2015#2", 2)):
        assert len(index.query("a", prefix="2015#", after=after)) == found
    assert len(steps) < 20


def test_a_dropped_file_is_an_object(folder: Path, objects: LocalObjects) -> None:
    (folder / "incoming").mkdir()
    names = ["亭旁镇 2022.txt", os.fsdecode("报告.txt".encode("gb18030"))]
    for name in names:
        (folder / "incoming" / name).write_bytes(b"dropped")
    assert set(objects.keys("incoming/")) == {f"incoming/{name}" for name in names}
    for name in names:
        assert objects.get(f"incoming/{name}") == b"dropped"
        assert objects.stat(f"incoming/{name}").size == 7
        objects.delete(f"incoming/{name}")
    assert list((folder / "incoming").iterdir()) == []


def test_the_folders_own_files_are_no_objects(folder: Path, objects: LocalObjects) -> None:
    objects.upload_address("incoming/x", 60, 10)
    (folder / ".git").mkdir()
    (folder / ".git/config").touch()
    objects.put_stream("incoming/x", [b"x"], 10)
    assert {path.name for path in folder.iterdir()} >= {"index.sqlite", "secret", ".tmp", ".used", ".git"}
    assert list(objects.keys("")) == ["incoming/x"]
    assert list(objects.keys(".")) == list(objects.keys("s")) == []


def test_linked_folders_are_not_followed_and_linked_files_are_objects(
    tmp_path: Path, folder: Path, objects: LocalObjects
) -> None:
    (tmp_path / "outside").write_bytes(b"outside")
    objects.put("raw/x", b"")
    (folder / "raw/loop").symlink_to(folder)
    (folder / "raw/gone").symlink_to(tmp_path / "nothing")
    (folder / "raw/file").symlink_to(tmp_path / "outside")
    assert list(objects.keys("")) == ["raw/file", "raw/x"]
    assert objects.get("raw/file") == b"outside"


def test_the_environment_chooses_the_folder(folder: Path) -> None:
    open_storage({"REPORTS_DATA": str(folder)}).objects.put("raw/x", b"")
    assert files(folder) == ["raw/x"]


def test_a_file_that_somebody_is_writing_is_not_removed(tmp_path: Path) -> None:
    objects = local.open_storage(tmp_path).objects
    objects.put("incoming/a", b"one")
    with (tmp_path / "incoming" / "a").open("ab"):
        objects.delete_unchanged("incoming/a", objects.stat("incoming/a").etag)
        assert objects.get("incoming/a") == b"one"
    objects.delete_unchanged("incoming/a", objects.stat("incoming/a").etag)
    assert list(objects.keys("incoming/")) == []
