"""A disk that is full at any moment of an ingestion: the failure is named, the upload waits, and later all is sound."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from unittest import mock

import pytest

from chalicelib.errors import StorageError
from chalicelib.ingestion import ingest
from chalicelib.storage import Index, Storage, local_index
from tests.editions import LATER, SOON, edition, towns
from tests.made_reports import drop
from tests.soundness import assert_sound, assert_whole

pytestmark = [pytest.mark.usefixtures("made_up_reports"), pytest.mark.repair]
TOWN = towns(1)[0]
REPORT = f"{TOWN}-2022"


def receive_and_again(storage: Storage, number: int, full: AbstractContextManager[object]) -> bool:
    """Receive edition `number` while the disk is full, and again when it is not; whether it failed at first."""
    storage.objects.put(f"incoming/{number}", edition(TOWN, number))
    code = None
    with full:
        try:
            ingest.receive(storage, f"incoming/{number}", SOON)
        except StorageError as error:
            code = error.code
    assert code in (None, "disk_full")
    assert assert_whole(storage, REPORT) in (number, number + 1)
    ingest.receive(storage, f"incoming/{number}", LATER)
    assert assert_whole(storage, REPORT) == number + 1
    return code is not None


@contextmanager
def disk_full_at(at: int) -> Iterator[None]:
    """The file system refuses to sync its file or folder number `at`, from 0."""
    real, number = os.fsync, itertools.count()

    def fsync(descriptor: int) -> None:
        if next(number) == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with mock.patch.object(os, "fsync", fsync):
        yield


@contextmanager
def no_more_pages(index: Index) -> Iterator[None]:
    """SQLite says that its disk is full as soon as the index needs another page."""
    assert isinstance(index, local_index.LocalIndex)
    connection = index._connection()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


def test_no_space_for_any_object(local_storage: Storage) -> None:
    drop(local_storage, "0", edition(TOWN, 0))
    number = 1
    while receive_and_again(local_storage, number, disk_full_at(number - 1)):
        number += 1
    assert number > 8
    assert_sound(local_storage, {f"{each}": edition(TOWN, each) for each in range(number + 1)}, [REPORT], LATER)


def test_no_space_for_the_index(local_storage: Storage) -> None:
    drop(local_storage, "0", edition(TOWN, 0))
    failed = [receive_and_again(local_storage, number, no_more_pages(local_storage.index)) for number in range(1, 25)]
    assert sum(failed) > 3
    assert_sound(local_storage, {f"{each}": edition(TOWN, each) for each in range(25)}, [REPORT], LATER)
