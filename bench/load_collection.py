"""Made reports into a storage by the way that every upload takes: announced, put under `incoming/`, received.

Two processes share the townships. Loading again goes on where it ended, since bytes that are known are left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import multiprocessing
import os
import random
import secrets
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from bench.made_collection import YEARS, filename, report_text, reports
from chalicelib import records
from chalicelib.catalog import pending
from chalicelib.ingestion import ingest, upload_state, uploads
from chalicelib.moments import iso_precise
from chalicelib.storage import Storage, local, local_index

PROCESSES = 2
NOW = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)  # when everything arrived, so that two loads give the same entries
Case = tuple[str, int]
Opener = Callable[[], Storage]


@dataclass(frozen=True, slots=True)
class Loaded:
    """`new` of `reports` had not been there; `seconds` of wall time for all."""

    reports: int
    new: int
    seconds: float


def first_cases(size: int) -> list[Case]:
    """The first `size` reports: whole townships, county by county. Raises ValueError where that is not possible."""
    cases = list(itertools.islice(reports(), size))
    if size < 1 or size % len(YEARS) or len(cases) < size:
        raise ValueError(f"{size} is no number of whole townships, which have {len(YEARS)} reports each")
    return cases


def receive(storage: Storage, case: Case) -> str | None:
    """Publish the report: the id of its upload, None where its bytes are published already.

    The township is named only where the page leaves it open or does not tell it, as a publisher does. Raises RuntimeError
    for a report that became anything but the one that it is.
    """
    data = report_text(*case).encode()
    if ingest.find_known(storage, hashlib.sha256(data).hexdigest(), case[0]):
        return None
    state = _send(storage, case, data, None)
    if state["state"] == "needs_township":
        with _names_of(case):
            state = ingest.settle(storage, state["id"], case[0], NOW)
    elif [each["code"] for each in state["reasons"]] == ["no_township"]:
        state = _send(storage, case, data, case[0])
    if not state["report"] or state["report"]["id"] != f"{case[0]}-{case[1]}":
        raise RuntimeError(f"{case} became {state}")
    return str(state["id"])


def _send(storage: Storage, case: Case, data: bytes, township: str | None) -> upload_state.State:
    upload = uploads.announce(storage, filename(*case), township, NOW)["id"]
    key = upload_state.object_key(upload)
    storage.objects.put(key, data)
    with _names_of(case):
        state = ingest.receive(storage, key, NOW)
    assert state is not None
    return state


@contextlib.contextmanager
def _names_of(case: Case) -> Iterator[None]:
    """What ingestion names its writings by is random and of their moment, so that no two are called alike; here two loads
    shall be."""
    chance = random.Random(f"{case}")
    with (
        mock.patch.object(secrets, "token_hex", lambda size: chance.randbytes(size).hex()),
        mock.patch.object(pending, "iso_precise", _arrival),
    ):
        yield


def _arrival(_: datetime) -> str:
    return iso_precise(NOW)


def load(opener: Opener, cases: Sequence[Case], quick: bool, told: str = "") -> Loaded:
    """Load the cases by a pool of processes, which `opener` (of a module, for they are new) gives the storage.

    With `quick` the pool's processes wait for no disk and do not check the records by the schema, see `without_waiting`.
    """
    start, done, new = time.perf_counter(), 0, 0
    townships = [list(group) for _, group in itertools.groupby(cases, key=lambda case: case[0])]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, initializer=_start, initargs=(opener, quick)) as pool:
        for group, found in zip(townships, pool.map(_load_township, townships, chunksize=5), strict=True):
            done, new = done + len(group), new + found
            if told and (done % 1000 == 0 or done == len(cases)):
                seconds = time.perf_counter() - start
                print(
                    f"{told}: {done:,} of {len(cases):,}, {new / seconds:.1f} new a second", file=sys.stderr, flush=True
                )
    return Loaded(len(cases), new, time.perf_counter() - start)


@contextlib.contextmanager
def without_waiting() -> Iterator[None]:
    """In this process a write may be lost by a power cut, and records are taken to fit their schema.

    Neither changes what is written: `check_same` compares it with what ingestion writes otherwise.
    """
    with (
        # Functions, since a Mock keeps what it was called with.
        mock.patch.object(os, "fsync", _nothing),
        mock.patch.object(local_index, "_PREPARE", "PRAGMA synchronous = OFF"),
        mock.patch.object(records, "validate", _nothing),
    ):
        yield


def _nothing(_: object) -> None:
    pass


_held: list[Storage] = []  # of a process of the pool
_stack = contextlib.ExitStack()


def _start(opener: Opener, quick: bool) -> None:
    if quick:
        _stack.enter_context(without_waiting())
    _held.append(opener())


def _load_township(cases: Sequence[Case]) -> int:
    return sum(receive(_held[0], case) is not None for case in cases)


def copy_folder(source: Path, target: Path) -> None:
    """A collection that may grow on its own: objects are never changed, so links to them do; the index is copied."""
    scratch = target.with_name(target.name + ".copying")
    shutil.rmtree(scratch, ignore_errors=True)
    ignored = shutil.ignore_patterns("index.sqlite*", ".tmp", ".used", "incoming")
    shutil.copytree(source, scratch, copy_function=os.link, ignore=ignored)
    with (
        contextlib.closing(sqlite3.connect(source / "index.sqlite")) as old,
        contextlib.closing(sqlite3.connect(scratch / "index.sqlite")) as new,
    ):
        old.backup(new)
        new.execute("PRAGMA journal_mode = WAL")
    scratch.rename(target)


def check_same(folder: Path, cases: Sequence[Case]) -> int:
    """Receive the cases as the service does, and compare every entry and object with those of `folder`.

    The number of what was compared: all but what tells of the uploads themselves, whose ids are random. Raises RuntimeError
    for anything that differs, NotFound for an object that is missing.
    """
    loaded, compared = local.open_storage(folder), 0
    with tempfile.TemporaryDirectory() as scratch:
        storage = local.open_storage(Path(scratch))
        ids = [str(receive(storage, case)) for case in cases]
        for key in storage.objects.keys(""):
            if not any(each in key for each in ids):
                compared += 1
                _require_same(key, storage.objects.get(key), loaded.objects.get(key))
        with contextlib.closing(sqlite3.connect(Path(scratch) / "index.sqlite")) as connection:
            rows = connection.execute("SELECT pk, sk, body FROM entries").fetchall()
        for pk, sk, body in rows:
            if not any(each in pk for each in ids):
                compared += 1
                entry = loaded.index.get(pk, sk)
                _require_same(f"{pk} {sk}", body, None if entry is None else entry.body)
    return compared


def _require_same(what: str, received: bytes, loaded: bytes | None) -> None:
    if received != loaded:
        raise RuntimeError(f"{what} differs")
