"""What both storages promise of objects: the same functions over files and over S3 (moto, SeaweedFS)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from chalicelib.errors import BadRequest, NotFound, StorageError
from chalicelib.storage import Storage

EVERY_BYTE = bytes(range(256)) * 3
MB = 1024 * 1024


GOOD_KEYS = [
    "raw/abc",
    "text/331022103-2022/1.txt",
    "incoming/亭旁镇2022年度工作总结 (修订) 100%+#?.html",
    "incoming/.hidden",
    "incoming/" + "镇" * 85,
    "incoming/😀",
    "a/..b/c..",
]


@pytest.mark.parametrize("key", GOOD_KEYS)
def test_an_object_comes_back_as_it_was_put(storage: Storage, key: str) -> None:
    storage.objects.put(key, EVERY_BYTE, "text/plain")
    assert storage.objects.get(key) == EVERY_BYTE
    with storage.objects.open(key) as stream:
        assert (stream.read(100), stream.read()) == (EVERY_BYTE[:100], EVERY_BYTE[100:])
    assert list(storage.objects.keys("")) == [key]
    assert storage.objects.stat(key).size == len(EVERY_BYTE)


BAD_KEYS = {
    "empty": "",
    "one segment": "secret",
    "index": "index.sqlite",
    "absolute": "/etc/passwd",
    "parent": "incoming/../secret",
    "parent of the root": "../data/x",
    "ends in parent": "incoming/..",
    "dot segment": "incoming/./x",
    "empty segment": "incoming//x",
    "folder": "incoming/",
    "hidden folder": ".tmp/x",
    "NUL": "incoming/a\0b",
    "line break": "incoming/a\nb",
    "no Unicode text": "incoming/\udcff",
    "name of 256 bytes": "incoming/" + "镇" * 85 + "x",
    "key of 1025 bytes": "incoming/" + "x/" * 508,
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_bad_key_is_refused_and_leaves_nothing(storage: Storage, tmp_path: Path, key: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    writes: list[Callable[[], object]] = [
        lambda: storage.objects.put(key, b"x"),
        lambda: storage.objects.put_new(key, b"x"),
        lambda: storage.objects.put_file(key, source),
        lambda: storage.objects.put_blocks(key, [b"x"]),
        lambda: storage.objects.upload_address(key, 60, 10),
        lambda: storage.objects.download_address(key, 60, "x", "text/plain"),
    ]
    for write in writes:
        with pytest.raises(BadRequest) as caught:
            write()
        assert (caught.value.code, caught.value.extra) == ("object_key", {"parameter": "key"})
    assert list(storage.objects.keys("")) == []


@pytest.mark.parametrize("key", ["raw/none", "none/none/none", "raw", "raw/there/below", "x/" + "y" * 300])
def test_a_missing_object_is_not_found(storage: Storage, key: str) -> None:
    storage.objects.put("raw/there", b"x")
    with pytest.raises(NotFound):
        storage.objects.get(key)
    with pytest.raises(NotFound):
        storage.objects.stat(key)
    with pytest.raises(NotFound), storage.objects.open(key):
        pass
    storage.objects.delete(key)
    assert list(storage.objects.keys("")) == ["raw/there"]


@pytest.mark.parametrize(
    ("start", "length", "part"), [(0, 1, b"0"), (2, 3, b"234"), (7, 3, b"789"), (8, 9, b"89"), (10, 1, b"")]
)
def test_a_part_of_an_object_can_be_had(storage: Storage, start: int, length: int, part: bytes) -> None:
    storage.objects.put("raw/digits", b"0123456789")
    assert storage.objects.get_range("raw/digits", start, length) == part
    with pytest.raises(NotFound):
        storage.objects.get_range("raw/none", start, length)


def test_a_put_replaces_and_changes_the_etag(storage: Storage) -> None:
    etags = []
    for body in (b"one", b"two", b"3", b""):
        storage.objects.put("raw/x", body)
        assert storage.objects.get("raw/x") == body
        info = storage.objects.stat("raw/x")
        assert (info.key, info.size) == ("raw/x", len(body))
        assert info.etag
        assert '"' not in info.etag
        assert info == storage.objects.stat("raw/x")
        etags.append(info.etag)
    assert all(before != after for before, after in pairwise(etags))


def test_modified_is_utc_seconds_and_moves_on(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "clock").touch()
    storage.objects.put("raw/x", b"one")
    assert abs(storage.objects.stat("raw/x").modified - (tmp_path / "clock").stat().st_mtime) < 60


def test_put_new_leaves_what_is_there(storage: Storage) -> None:
    assert storage.objects.put_new("raw/x", b"first") is True
    assert storage.objects.put_new("raw/x", b"second") is False
    assert storage.objects.get("raw/x") == b"first"
    storage.objects.delete("raw/x")
    assert storage.objects.put_new("raw/x", b"third") is True


def test_of_16_threads_one_makes_the_new_object(storage: Storage) -> None:
    for round_ in range(5):
        start = threading.Barrier(16)

        def put(n: int, key: str = f"raw/{round_}", start: threading.Barrier = start) -> int | None:
            start.wait()
            return n if storage.objects.put_new(key, str(n).encode() * 1000) else None

        with ThreadPoolExecutor(16) as pool:
            winners = [n for n in pool.map(put, range(16)) if n is not None]
        assert len(winners) == 1
        assert storage.objects.get(f"raw/{round_}") == str(winners[0]).encode() * 1000


def test_a_big_file_goes_in_and_out_as_a_stream(storage: Storage, tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(EVERY_BYTE * (20 * MB // len(EVERY_BYTE)) + b"end")
    storage.objects.put_file("bulk/reports.ndjson.gz", source, "application/gzip")
    with storage.objects.open("bulk/reports.ndjson.gz") as stream, back.open("wb") as file:
        shutil.copyfileobj(stream, file)
    assert back.read_bytes() == source.read_bytes()
    assert storage.objects.stat("bulk/reports.ndjson.gz").size == source.stat().st_size


@pytest.mark.parametrize("size", [0, 1, 17 * MB, 33 * MB])
def test_blocks_of_any_size_become_one_object(storage: Storage, size: int) -> None:
    whole = (EVERY_BYTE * (size // len(EVERY_BYTE) + 1))[:size]
    cut = [0, *sorted({size // 7, size // 3, size // 2}), size]
    storage.objects.put_blocks("bulk/x", (whole[a:b] for a, b in pairwise(cut)), "application/gzip")
    assert storage.objects.get("bulk/x") == whole


def test_blocks_that_end_in_a_failure_store_nothing(storage: Storage) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * 17 * MB
        raise StorageError("object_damaged", "It is cut short.")

    storage.objects.put("bulk/x", b"as before")
    for key in ("bulk/x", "bulk/y"):
        with pytest.raises(StorageError, match="object_damaged"):
            storage.objects.put_blocks(key, broken())
    assert storage.objects.get("bulk/x") == b"as before"
    assert list(storage.objects.keys("bulk/")) == ["bulk/x"]


LISTED = ["a/b", "a/b-c", "a/b/c", "a/b0", "a-/x", "a0/x", "raw/z", "镇/一", "镇/一/二", "镇/丁", "镇/\uffee", "镇/😀"]
PREFIXES = ["", "a", "a/", "a/b", "a/b/", "a/b/c", "镇", "镇/一", "镇/一/", "nothing", "a/b/c/d"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_keys_come_by_prefix_in_ascending_order(storage: Storage, prefix: str) -> None:
    # A file system has no file and folder of one name, which S3 has.
    listed = [key for key in LISTED if key not in ("a/b", "镇/一")]
    for key in reversed(listed):
        storage.objects.put(key, b"")
    assert list(storage.objects.keys(prefix)) == sorted(key for key in listed if key.startswith(prefix))


def test_keys_of_more_than_one_page(storage: Storage) -> None:
    keys = [f"raw/{n:04}" for n in range(1003)]
    for key in keys:
        storage.objects.put_new(key, b"")
    assert list(storage.objects.keys("raw/")) == keys


@pytest.mark.parametrize("seconds", [0, -1, 7 * 24 * 3600 + 1])
def test_an_address_lasts_a_week_at_most(storage: Storage, seconds: int) -> None:
    with pytest.raises(BadRequest, match="address_seconds"):
        storage.objects.upload_address("incoming/x", seconds, 10)
    with pytest.raises(BadRequest, match="address_seconds"):
        storage.objects.download_address("incoming/x", seconds, "x", "text/plain")


def test_only_the_object_that_was_seen_is_removed(storage: Storage) -> None:
    storage.objects.put("incoming/a", b"one")
    seen = storage.objects.stat("incoming/a").etag
    storage.objects.put("incoming/a", b"two")
    storage.objects.delete_unchanged("incoming/a", seen)
    assert storage.objects.get("incoming/a") == b"two"
    now = storage.objects.stat("incoming/a").etag
    for _ in range(2):  # a missing one is no error
        storage.objects.delete_unchanged("incoming/a", now)
    assert list(storage.objects.keys("incoming/")) == []
