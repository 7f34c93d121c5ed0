"""Keeps the bulk files of one machine fresh: exports again when the data changed and a quiet moment has come."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from chalicelib.bulk import export
from chalicelib.storage import Storage

TURN = 0.5  # seconds between two looks
QUIET = 2.0  # seconds without a change
# An export rests ten times as long as it took, so that a large collection is not exported all the time.
REST = 10

log = logging.getLogger(__name__)


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
        exported, seen, changed, rest = None, self._stamp(), time.monotonic() - QUIET, 0.0
        while not self._stopping.wait(TURN):
            stamp, now = self._stamp(), time.monotonic()
            if stamp != seen:
                seen, changed = stamp, now
            if seen != exported and now - changed >= QUIET and now >= rest:
                exported = seen
                self._export()
                rest = time.monotonic() + REST * (time.monotonic() - now)

    def _export(self) -> None:
        try:
            export.publish_files(self._storage)
        except Exception:
            log.exception("the bulk files could not be written; the next change tries again")

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
