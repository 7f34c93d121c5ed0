"""Answers given again: what was kept is current, and no more is kept than fits."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.storage import Delete, Put
from chalicelib.storage.local_index import LocalIndex
from chalicelib.web.kept_answers import KeptAnswers

ENTRY = Put("a", "b", b"1")


def test_an_answer_is_found_in_its_generation_alone() -> None:
    kept = KeptAnswers[str](100)
    kept.keep("/a", 3, "old", 3)
    assert kept.find("/a", 3) == "old"
    assert kept.find("/a", 4) is None
    kept.keep("/b", 4, "new", 3)
    assert (kept.find("/a", 4), kept.find("/b", 4)) == (None, "new")


def test_an_answer_made_before_a_commit_is_not_kept_behind_it() -> None:
    kept = KeptAnswers[str](100)
    kept.keep("/b", 4, "new", 3)
    kept.keep("/a", 3, "read before the commit", 3)
    assert (kept.find("/a", 3), kept.find("/a", 4), kept.find("/b", 4)) == (None, None, "new")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=60))
def test_no_more_is_kept_than_fits_and_the_last_ones_stay(asked: list[tuple[int, int]]) -> None:
    kept = KeptAnswers[int](100)
    for key, size in asked:
        kept.keep(key, 1, size, size)
        assert kept.find(key, 1) == size
    assert sum(kept.find(key, 1) or 0 for key in range(10)) <= 100


def test_an_answer_that_does_not_fit_leaves_the_others() -> None:
    kept = KeptAnswers[str](100)
    kept.keep("/a", 1, "small", 60)
    kept.keep("/b", 1, "large", 101)
    assert (kept.find("/a", 1), kept.find("/b", 1)) == ("small", None)


def test_every_commit_ends_a_generation_in_every_thread_and_process(tmp_path: Path) -> None:
    index, other = LocalIndex(tmp_path / "index.sqlite"), LocalIndex(tmp_path / "index.sqlite")
    with ThreadPoolExecutor(1) as thread:
        for write in (ENTRY, ENTRY, Delete("a", "b"), Put("a", "c", b"2", 0)):
            for writer in (index, other):
                before = index.generation()
                assert thread.submit(index.generation).result() >= before
                settled = index.generation()
                assert settled == index.generation(), "without a commit it comes to rest"
                (writer.commit if write.expect is None else writer.write)([Put(write.pk, write.sk, b"x")])
                assert index.generation() > settled
                assert thread.submit(index.generation).result() > settled


def test_what_is_read_after_a_generation_is_current_while_it_lasts(tmp_path: Path) -> None:
    """Readers keep what they read under the generation before it, while a writer counts up."""
    index = LocalIndex(tmp_path / "index.sqlite")
    index.commit([Put("n", "n", b"0")])
    kept, done, last = KeptAnswers[int](100), threading.Event(), [0]

    def read() -> None:
        while not done.is_set():
            at_least = last[0]
            generation = index.generation()
            found = kept.find("n", generation)
            if found is None:
                entry = index.get("n", "n")
                assert entry is not None
                found = int(entry.body)
                kept.keep("n", generation, found, 1)
            assert found >= at_least, "an answer is older than what was committed before it was asked for"

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        for number in range(1, 300):
            index.commit([Put("n", "n", str(number).encode())])
            last[0] = number
        done.set()
        for reader in readers:
            reader.result()
