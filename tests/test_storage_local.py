"""What the storage of one machine promises besides: kill -9, several processes, failing disks, addresses."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from chalicelib.errors import BadRequest, Conflict, Forbidden, StorageError, TooLarge
from chalicelib.storage import Put, Storage, local, open_storage
from chalicelib.storage.local import LocalObjects
from chalicelib.storage.local_index import LocalIndex

ROOT = Path(__file__).parent.parent
KEY = "incoming/亭旁镇 2022+1.txt"
NOW = 1_700_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def objects(folder: Path) -> LocalObjects:
    opened = local.open_storage(folder).objects
    assert isinstance(opened, LocalObjects)
    return opened


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses are given out at NOW."""
    monkeypatch.setattr(time, "time", lambda: NOW)


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


# --- addresses -------------------------------------------------------------------------------------------------------


def asked(url: str) -> tuple[str, dict[str, str]]:
    """The key and the query as a server hands them over."""
    parts = urlsplit(url)
    assert parts.path.startswith("/objects/")
    assert url.isascii()
    return unquote(parts.path.removeprefix("/objects/")), dict(parse_qsl(parts.query, keep_blank_values=True))


@pytest.mark.usefixtures("at_noon")
def test_an_upload_address_lets_in_one_file(objects: LocalObjects) -> None:
    address = objects.upload_address(KEY, 60, 1000)
    key, query = asked(address.url)
    assert (address.method, address.headers, key) == ("PUT", {}, KEY)
    assert objects.verify_upload(key, query, NOW + 59) == 1000
    objects.put_stream(key, [b"ab", b"", b"c"], 3)
    assert objects.get(key) == b"abc"
    for _ in range(2):
        with pytest.raises(Conflict) as caught:
            objects.verify_upload(key, query, NOW)
        assert caught.value.code == "upload_address_used"
        with pytest.raises(Conflict, match="upload_address_used"):
            objects.put_stream(key, [b"other"], 10)
        # Ingestion removes the object: the address stays spent.
        objects.delete(key)
    assert list(objects.keys("")) == []


@pytest.mark.usefixtures("at_noon")
def test_an_address_is_used_up_by_a_file_dropped_there(objects: LocalObjects) -> None:
    key, query = asked(objects.upload_address(KEY, 60, 1000).url)
    objects.put(key, b"dropped")
    with pytest.raises(Conflict, match="upload_address_used"):
        objects.verify_upload(key, query, NOW)
    with pytest.raises(Conflict, match="upload_address_used"):
        objects.put_stream(key, [b"other"], 10)
    assert objects.get(key) == b"dropped"


FORGERIES: dict[str, dict[str, str | None]] = {
    "greater size": {"max": "1001"},
    "later expiry": {"expires": "1700000061"},
    "no signature": {"signature": None},
    "empty signature": {"signature": ""},
    "foreign signature": {"signature": "0" * 64},
    "signature beyond ASCII": {"signature": "签名"},
    "no expiry": {"expires": None},
    "no size": {"max": None},
    "expiry that is no number": {"expires": "soon"},
}


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize("changes", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_upload_address_is_forbidden(objects: LocalObjects, changes: dict[str, str | None]) -> None:
    key, query = asked(objects.upload_address(KEY, 60, 1000).url)
    forged = {name: value for name, value in {**query, **changes}.items() if value is not None}
    with pytest.raises(Forbidden) as caught:
        objects.verify_upload(key, forged, NOW)
    assert caught.value.code == "address_forged"


@pytest.mark.usefixtures("at_noon")
def test_an_address_serves_one_key_one_method_one_server_and_one_time(tmp_path: Path, objects: LocalObjects) -> None:
    key, upload = asked(objects.upload_address(KEY, 60, 1000).url)
    _, download = asked(objects.download_address(KEY, 60, "x", "text/plain"))
    foreign = LocalObjects(tmp_path / "other")
    for verify in (
        lambda: objects.verify_upload("incoming/other", upload, NOW),
        lambda: objects.verify_download(key, upload, NOW),
        lambda: objects.verify_upload(key, download, NOW),
        lambda: foreign.verify_upload(key, upload, NOW),
    ):
        with pytest.raises(Forbidden, match="address_forged"):
            verify()
    with pytest.raises(Forbidden, match="address_expired"):
        objects.verify_upload(key, upload, NOW + 60)
    with pytest.raises(Forbidden, match="address_expired"):
        objects.verify_download(key, download, NOW + 60)


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize("name", ["亭旁镇2022年 (终稿).html", 'a"b&c=d+e%20.txt', ""])
def test_a_download_address_says_name_and_type(objects: LocalObjects, name: str) -> None:
    url = objects.download_address(KEY, 60, name, "text/html; charset=gb18030")
    key, query = asked(url)
    assert key == KEY
    assert objects.verify_download(key, query, NOW) == (name, "text/html; charset=gb18030")
    for changed in ({"filename": "another"}, {"type": "text/plain"}):
        with pytest.raises(Forbidden, match="address_forged"):
            objects.verify_download(key, {**query, **changed}, NOW)


@pytest.mark.usefixtures("at_noon")
def test_a_download_of_a_name_that_is_no_unicode_text_has_an_address(objects: LocalObjects) -> None:
    key, query = asked(objects.download_address(KEY, 60, "\udcb1\udca8.txt", "text/plain"))
    assert objects.verify_download(key, query, NOW) == ("??.txt", "text/plain")


def test_a_stream_beyond_its_bound_stores_nothing_and_may_be_sent_again(folder: Path, objects: LocalObjects) -> None:
    with pytest.raises(TooLarge) as caught:
        objects.put_stream(KEY, iter([b"x" * 60, b"x" * 41]), 100)
    assert caught.value.code == "upload_too_large"
    assert files(folder) == []
    objects.put_stream(KEY, iter([b"x" * 60, b"x" * 40]), 100)
    assert objects.stat(KEY).size == 100


def test_a_client_that_goes_away_stores_nothing(folder: Path, objects: LocalObjects) -> None:
    def broken() -> Iterator[bytes]:
        yield b"first"
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        objects.put_stream(KEY, broken(), 100)
    assert files(folder) == []
    objects.put_stream(KEY, [b"whole"], 100)


def test_of_16_uploads_to_one_address_one_gets_in(objects: LocalObjects) -> None:
    barrier = threading.Barrier(16)

    def upload(n: int) -> int | None:
        barrier.wait()
        try:
            objects.put_stream(KEY, [b"%d" % n], 10)
        except Conflict:
            return None
        return n

    with ThreadPoolExecutor(16) as pool:
        winners = [n for n in pool.map(upload, range(16)) if n is not None]
    assert len(winners) == 1
    assert objects.get(KEY) == b"%d" % winners[0]


def test_the_secret_is_private_and_lasts(folder: Path, objects: LocalObjects) -> None:
    key, query = asked(objects.upload_address(KEY, 60, 1000).url)
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    again = local.open_storage(folder).objects
    assert isinstance(again, LocalObjects)
    assert again.verify_upload(key, query, time.time()) == 1000


def test_a_damaged_secret_is_a_clear_error(folder: Path, objects: LocalObjects) -> None:
    (folder / "secret").write_bytes(b"")
    with pytest.raises(StorageError, match="secret_damaged"):
        objects.upload_address(KEY, 60, 1000)
