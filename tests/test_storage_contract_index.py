"""What both storages promise of the index: the same functions over SQLite and over DynamoDB (moto, DynamoDB Local), and a model."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import Conflict, ReportsError, TooLarge
from chalicelib.storage import Delete, Entry, Index, Put, Storage

EVERY_BYTE = bytes(range(256)) * 3


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


# --- writes that expect nothing, and the walk over everything ---------------------------------------------------------


def test_free_writes_are_made_each_by_itself_at_any_number(storage: Storage) -> None:
    storage.index.commit([Put("p", "000", b"old"), Put("p", "000", b"old"), Put("p", "x", b"")][1:])
    storage.index.write([Put("p", f"{n:03}", b"%d" % n) for n in range(130)] + [Delete("p", "x"), Delete("p", "none")])
    assert storage.index.query("p", limit=200) == [Entry("p", f"{n:03}", b"%d" % n, 1) for n in range(130)]
    storage.index.write([Delete("p", f"{n:03}") for n in range(1, 130)])
    storage.index.write([])
    storage.index.commit([Put("p", "000", b"guarded", 1)])
    storage.index.write([Put("p", "000", b"anew")])
    assert storage.index.query("p") == [Entry("p", "000", b"anew", 1)]


REFUSED_WRITES: dict[str, tuple[type[ReportsError], list[Put | Delete]]] = {
    "an entry over 400 KB": (TooLarge, [Put("p", "a", b""), Put("p", "b", b"x" * 409_600)]),
    "one key twice": (ReportsError, [Put("p", "a", b""), Delete("p", "a")]),
    "an expectation": (ReportsError, [Put("p", "a", b""), Put("p", "b", b"", 0)]),
    "an expectation of a removal": (ReportsError, [Put("p", "a", b""), Delete("p", "b", 1)]),
    "empty sk": (ReportsError, [Put("p", "a", b""), Delete("p", "")]),
}


@pytest.mark.parametrize(("error", "writes"), REFUSED_WRITES.values(), ids=REFUSED_WRITES)
def test_what_one_storage_cannot_write_none_does(
    storage: Storage, error: type[ReportsError], writes: list[Put | Delete]
) -> None:
    with pytest.raises(error):
        storage.index.write(writes)
    assert storage.index.query("p") == []


@pytest.mark.parametrize(("there", "expect", "held"), [(0, 1, False), (1, 1, True), (2, 1, False), (2, 2, True)])
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a transaction"])
def test_a_removal_is_made_when_its_expectation_holds(
    storage: Storage, there: int, expect: int, held: bool, alone: bool
) -> None:
    for _ in range(there):
        storage.index.commit([Put("p", "s", b"")])
    writes: list[Put | Delete] = [Delete("p", "s", expect)]
    if not alone:
        writes.append(Put("q", "s", b""))
    if held:
        storage.index.commit(writes)
    else:
        with pytest.raises(Conflict, match="'s'"):
            storage.index.commit(writes)
    assert (storage.index.get("p", "s") is None) == (held or not there)
    assert (storage.index.get("q", "s") is None) == (alone or not held)


@pytest.mark.repair
def test_the_walk_visits_every_entry_once(storage: Storage) -> None:
    keys = {(pk, f"{n:04}") for pk in ("p", "镇", "q") for n in range(400)}
    storage.index.write([Put(*key, key[1].encode() * 300) for key in sorted(keys)])
    found = list(storage.index.entries())
    assert sorted((e.pk, e.sk) for e in found) == sorted(keys)
    assert all(e.body == e.sk.encode() * 300 and e.version == 1 for e in found)


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
def test_remote_index_is_a_dictionary(
    remote_storage: Storage, commits: list[list[Put | Delete]], ranges: list[tuple[str, str, int]]
) -> None:
    check_against_model(remote_storage.index, f"{next(_worlds)}#", commits, ranges)
