"""Keeps the bulk files and the search of one machine fresh: exports again when the data changed and a quiet moment has come.

Under changes without a pause it exports all the same, once a minute.
"""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from chalicelib.bulk import export
from chalicelib.search import build
from chalicelib.storage import Storage

TURN = 0.5  # seconds between two looks
QUIET = 2.0  # seconds without a change
LONGEST = 60.0  # seconds that a change waits for the quiet at most
RETRY = 10.0  # seconds after a failure
# An export rests ten times as long as it took, so that a large collection is not exported all the time.
REST = 10

log = logging.getLogger(__name__)


class Changes:
    """When to export: the data as last seen and exported, and since when they differ. Times are on any steady clock."""

    def __init__(self, stamp: object, now: float) -> None:
        """What is there at the start needs no quiet."""
        self._exported: object = None
        self._seen, self._first, self._last = stamp, now, now - QUIET
        self.rest_until = now

    def are_due(self, stamp: object, now: float) -> bool:
        """Whether the data, which look like `stamp` now, are to be exported."""
        if stamp != self._seen:
            if self._seen == self._exported:
                self._first = now
            self._seen, self._last = stamp, now
        waited = now - self._last >= QUIET or now - self._first >= LONGEST
        return stamp != self._exported and waited and now >= self.rest_until

    def exported(self, stamp: object) -> None:
        """What looked like `stamp` before the export began is in the files."""
        self._exported = stamp


class FreshBulk:
    """An export that runs in a thread of its own until `stop`. The first one comes without a change."""

    def __init__(self, data: Path, storage: Storage) -> None:
        self._data, self._storage = data, storage
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bulk", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the export under way is done."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        changes = Changes(self._stamp(), time.monotonic())
        while not self._stopping.wait(TURN):
            stamp, now = self._stamp(), time.monotonic()
            if changes.are_due(stamp, now):
                if self._export():
                    changes.exported(stamp)
                    changes.rest_until = time.monotonic() + REST * (time.monotonic() - now)
                else:
                    changes.rest_until = time.monotonic() + RETRY

    def _export(self) -> bool:
        try:
            build.refresh(self._storage)
            export.publish_files(self._storage)
        except Exception:
            log.exception("the search or the bulk files could not be written and are tried again")
            return False
        return True

    def _stamp(self) -> tuple[int, ...]:
        """What changes with every commit of any process: the times of the index's file and of its log."""
        return tuple(_changed(self._data / name) for name in ("index.sqlite", "index.sqlite-wal"))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def start(data: Path, storage: Storage) -> FreshBulk:
    """Begin to keep the bulk files of the local storage under `data` fresh."""
    fresh = FreshBulk(data, storage)
    fresh.start()
    return fresh
