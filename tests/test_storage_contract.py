"""What both storages promise: the same functions over files with SQLite and over S3 with DynamoDB (moto)."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadRequest, Conflict, NotFound, ReportsError, TooLarge
from chalicelib.storage import Delete, Entry, Index, Put, Storage

EVERY_BYTE = bytes(range(256)) * 3
MB = 1024 * 1024


# --- objects ---------------------------------------------------------------------------------------------------------

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


# --- index -----------------------------------------------------------------------------------------------------------


def sks(entries: list[Entry]) -> list[str]:
    return [entry.sk for entry in entries]


@pytest.mark.parametrize("body", [b"", b"\0", EVERY_BYTE, "亭旁镇".encode("gb18030"), b"x" * 400_000])
def test_an_entry_comes_back_as_it_was_put(storage: Storage, body: bytes) -> None:
    storage.index.commit([Put("township#331022103", "report#2022#331022103-2022", body)])
    expected = Entry("township#331022103", "report#2022#331022103-2022", body, 1)
    assert storage.index.get("township#331022103", "report#2022#331022103-2022") == expected
    assert storage.index.query("township#331022103") == [expected]


def test_a_missing_entry_is_none(storage: Storage) -> None:
    storage.index.commit([Put("p", "s", b"")])
    assert [storage.index.get(*key) for key in [("p", "S"), ("P", "s"), ("p", "s "), ("s", "p")]] == [None] * 4
    assert storage.index.query("P") == []


def test_every_put_counts_the_version_and_a_delete_ends_it(storage: Storage) -> None:
    for version in (1, 2, 3):
        storage.index.commit([Put("p", "s", b"%d" % version)])
        assert storage.index.get("p", "s") == Entry("p", "s", b"%d" % version, version)
    for _ in range(2):
        storage.index.commit([Delete("p", "s")])
        assert storage.index.get("p", "s") is None
    storage.index.commit([Put("p", "s", b"again")])
    assert storage.index.get("p", "s") == Entry("p", "s", b"again", 1)


EXPECTATIONS = [
    # (versions there, expect, held)
    (0, None, True),
    (0, 0, True),
    (0, 1, False),
    (1, None, True),
    (1, 0, False),
    (1, 1, True),
    (1, 2, False),
    (3, 1, False),
    (3, 3, True),
]


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a transaction"])
@pytest.mark.parametrize(("there", "expect", "held"), EXPECTATIONS)
def test_a_write_is_made_when_its_expectation_holds(
    storage: Storage, there: int, expect: int | None, held: bool, alone: bool
) -> None:
    for _ in range(there):
        storage.index.commit([Put("p", "s", b"old")])
    writes: list[Put | Delete] = [Put("p", "s", b"new", expect)]
    if not alone:
        writes = [Put("p", "before", b"", 0), *writes, Put("q", "after", b"")]
    if held:
        storage.index.commit(writes)
        assert storage.index.get("p", "s") == Entry("p", "s", b"new", there + 1)
        assert len(storage.index.query("q")) == (0 if alone else 1)
    else:
        with pytest.raises(Conflict) as caught:
            storage.index.commit(writes)
        assert caught.value.code == "entry_changed"
        assert "'s'" in caught.value.detail
        assert storage.index.get("p", "s") == (Entry("p", "s", b"old", there) if there else None)
        assert (storage.index.get("p", "before"), storage.index.query("q")) == (None, [])


def test_a_conflict_undoes_deletes_and_puts(storage: Storage) -> None:
    storage.index.commit([Put("p", str(n), b"old") for n in range(5)])
    before = storage.index.query("p")
    with pytest.raises(Conflict):
        storage.index.commit(
            [Delete("p", "0"), Put("p", "1", b"new"), Put("p", "9", b"new"), Put("p", "2", b"new", 7), Delete("p", "3")]
        )
    assert storage.index.query("p") == before


def test_a_hundred_writes_are_one_commit(storage: Storage) -> None:
    storage.index.commit([Put("p", f"{n:03}", b"%d" % n) for n in range(100)])
    storage.index.commit([Delete("p", f"{n:03}") for n in range(50)] + [Put("q", f"{n:03}", b"") for n in range(50)])
    assert sks(storage.index.query("p")) == [f"{n:03}" for n in range(50, 100)]
    storage.index.commit([])
    assert len(storage.index.query("q")) == 50


REFUSED_COMMITS: dict[str, tuple[type[ReportsError], list[Put | Delete]]] = {
    "101 writes": (TooLarge, [Put("p", str(n), b"") for n in range(101)]),
    "an entry over 400 KB": (TooLarge, [Put("p", "a", b""), Put("p", "b", b"x" * 409_600)]),
    "over 4 MB together": (TooLarge, [Put("p", str(n), b"x" * 300_000) for n in range(15)]),
    "one key twice": (ReportsError, [Put("p", "a", b""), Delete("p", "a")]),
    "empty pk": (ReportsError, [Put("", "a", b"")]),
    "empty sk": (ReportsError, [Delete("p", "")]),
    "sk over 1024 bytes": (ReportsError, [Put("p", "镇" * 342, b"")]),
    "no Unicode text": (ReportsError, [Put("p", "\udcff", b"")]),
}


@pytest.mark.parametrize(("error", "writes"), REFUSED_COMMITS.values(), ids=REFUSED_COMMITS)
def test_what_one_storage_cannot_commit_none_does(
    storage: Storage, error: type[ReportsError], writes: list[Put | Delete]
) -> None:
    with pytest.raises(error):
        storage.index.commit(writes)
    assert storage.index.query("p") == []


# Sorted: `\uffee` is before `😀` by code point and by UTF-8 byte, and after it in UTF-16.
SORTED = [
    "",
    " ",
    "0",
    "10",
    "9",
    "A",
    "a",
    "a#",
    "a#1",
    "a#2",
    "a0",
    "b",
    "a\u0301",
    "é",
    "一",
    "丁",
    "丁#",
    "\uffee",
    "😀",
]
SORTED = sorted(sk for sk in SORTED if sk)
QUERIES = [
    # (prefix, after)
    ("", ""),
    ("a", ""),
    ("a#", ""),
    ("a#", "a#1"),
    ("a#", "a#15"),
    ("a#", "a#2"),
    ("a#", "a#"),
    ("a#", "0"),
    ("a#", "b"),
    ("", "a#1"),
    ("", "nothing of that name"),
    ("", "😀"),
    ("丁", ""),
    ("丁", "丁"),
    ("\uffee", ""),
    ("no", ""),
]


@pytest.mark.parametrize("limit", [0, 1, 3, 100])
def test_a_query_gives_its_part_of_the_partition_in_order(storage: Storage, limit: int) -> None:
    storage.index.commit(
        [Put("p", sk, sk.encode()) for sk in reversed(SORTED)] + [Put("p2", "a#3", b""), Put("o", "a#0", b"")]
    )
    for prefix, after in QUERIES:
        expected = [Entry("p", sk, sk.encode(), 1) for sk in SORTED if sk.startswith(prefix) and sk > after][:limit]
        assert storage.index.query("p", prefix=prefix, after=after, limit=limit) == expected, (prefix, after)


def pages(index: Index, pk: str, prefix: str, limit: int) -> Iterator[list[Entry]]:
    after = ""
    while True:
        page = index.query(pk, prefix=prefix, after=after, limit=limit)
        yield page
        if len(page) < limit:
            return
        after = page[-1].sk


@pytest.mark.parametrize("limit", [1, 5, 7, 16, 100])
def test_paging_visits_each_entry_of_a_big_partition_once(storage: Storage, limit: int) -> None:
    for start in range(0, 16, 8):
        storage.index.commit([Put("p", f"a#{n:02}", b"x" * 250_000) for n in range(start, start + 8)])
    storage.index.commit([Put("p", "a", b""), Put("p", "b", b"")])
    visited = [entry.sk for page in pages(storage.index, "p", "a#", limit) for entry in page]
    assert visited == [f"a#{n:02}" for n in range(16)]


def test_optimistic_writers_lose_no_step(storage: Storage) -> None:
    def step(_: int) -> None:
        while True:
            entry = storage.index.get("counter", "n")
            n, version = (int(entry.body), entry.version) if entry else (0, 0)
            try:
                return storage.index.commit(
                    [Put("counter", "n", b"%d" % (n + 1), version), Put("log", str(n + 1), b"", 0)]
                )
            except Conflict:
                continue

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(step, range(60)))
    assert storage.index.get("counter", "n") == Entry("counter", "n", b"60", 60)
    assert len(storage.index.query("log")) == 60


# --- against a model -------------------------------------------------------------------------------------------------

KEYS = st.tuples(st.sampled_from(["p", "镇"]), st.sampled_from(["a", "a#1", "a#2", "b", "一", "😀"]))
EXPECTED = st.sampled_from([None, 0, 1, 2])
WRITES: st.SearchStrategy[Put | Delete] = st.one_of(
    st.builds(lambda key, body, expect: Put(key[0], key[1], body, expect), KEYS, st.binary(max_size=3), EXPECTED),
    st.builds(lambda key: Delete(key[0], key[1]), KEYS),
)
COMMITS = st.lists(WRITES, min_size=1, max_size=4, unique_by=lambda write: (write.pk, write.sk))
RANGES = st.tuples(
    st.sampled_from(["", "a", "a#", "一"]), st.sampled_from(["", "a", "a#1", "b", "z"]), st.integers(1, 4)
)
Model = dict[tuple[str, str], Entry]


def commit_to_model(model: Model, writes: list[Put | Delete]) -> Model:
    after = dict(model)
    for write in writes:
        there = model.get((write.pk, write.sk))
        version = there.version if there else 0
        if isinstance(write, Delete):
            after.pop((write.pk, write.sk), None)
        elif write.expect in (None, version):
            after[write.pk, write.sk] = Entry(write.pk, write.sk, write.body, version + 1)
        else:
            raise Conflict("entry_changed", "")
    return after


def check_against_model(
    index: Index, world: str, commits: list[list[Put | Delete]], ranges: list[tuple[str, str, int]]
) -> None:
    """Run the commits in partitions of their own (`world`), and compare every answer."""
    model: Model = {}
    for writes in commits:
        there: list[Put | Delete] = [
            Put(world + w.pk, w.sk, w.body, w.expect) if isinstance(w, Put) else Delete(world + w.pk, w.sk)
            for w in writes
        ]
        try:
            model = commit_to_model(model, there)
        except Conflict:
            with pytest.raises(Conflict):
                index.commit(there)
        else:
            index.commit(there)
        for key in {(write.pk, write.sk) for write in there}:
            assert index.get(*key) == model.get(key)
    for pk in (world + "p", world + "镇"):
        for prefix, after, limit in [("", "", 100), *ranges]:
            mine = sorted(sk for p, sk in model if p == pk and sk.startswith(prefix) and sk > after)[:limit]
            assert index.query(pk, prefix=prefix, after=after, limit=limit) == [model[pk, sk] for sk in mine]


_worlds = count()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(COMMITS, max_size=12), st.lists(RANGES, max_size=4))
def test_local_index_is_a_dictionary(
    local_storage: Storage, commits: list[list[Put | Delete]], ranges: list[tuple[str, str, int]]
) -> None:
    check_against_model(local_storage.index, f"{next(_worlds)}#", commits, ranges)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(COMMITS, max_size=12), st.lists(RANGES, max_size=4))
def test_aws_index_is_a_dictionary(
    aws_storage: Storage, commits: list[list[Put | Delete]], ranges: list[tuple[str, str, int]]
) -> None:
    check_against_model(aws_storage.index, f"{next(_worlds)}#", commits, ranges)
