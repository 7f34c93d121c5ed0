"""The trigger of one machine: what arrives in `incoming/` goes to the function that AWS would call once it is whole.

The folder is watched in a thread of its own. A file that came through an upload address arrived by rename and is taken
at once; any other must have stopped changing first, and no process may be writing it still. A failure is tried again,
ever later, and again at the next start.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from watchfiles import watch

from chalicelib.ingestion import upload_state
from chalicelib.ingestion.events import PREFIX, Event, upload_event
from chalicelib.storage import Storage
from chalicelib.storage.open_files import is_being_written

# How long a file has to be without a change: one that the system says nobody is writing, one of which it says nothing,
# and an empty one, which something is yet to fill.
SETTLED_SECONDS, UNSURE_SECONDS, EMPTY_SECONDS = 1.0, 10.0, 60.0
FIRST_RETRY, LAST_RETRY, TRIES = 0.5, 60.0, 12  # seconds, seconds, some 6 minutes in all
STEP_MS, DEBOUNCE_MS, TURN_MS = 20, 100, 200
# What browsers, editors and copy programs call a file while they write it.
PARTIAL = (".part", ".partial", ".crdownload", ".download", ".tmp", ".filepart", ".swp", "~")

Handler = Callable[[Event, Any], Any]
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrival:
    """A file that waits to be handled: how it looked last, since when so, and how often it failed."""

    look: tuple[int, int]
    since: float
    whole: bool = False
    failures: int = 0
    not_before: float = 0.0


class Arrivals:
    """The files that wait, and which of them are due. `now` counts seconds on any steady clock."""

    def __init__(self, is_whole: Callable[[Path], bool]) -> None:
        """`is_whole` tells of a file that it arrived complete, so that nothing has to be waited for."""
        self._is_whole = is_whole
        self._waiting: dict[Path, Arrival] = {}
        self._links: set[Path] = set()

    def notice(self, path: Path, now: float) -> None:
        """A file that appeared or changed. Folders, vanished files and, with a line in the log, links are left out."""
        if path.is_symlink() and path not in self._links:
            self._links.add(path)
            log.warning("%s is a link and is left alone: copy the file itself", path)
        look = _look(path)
        if look is not None:
            whole = self._is_whole(path)
            self._waiting[path] = Arrival(look, now - SETTLED_SECONDS if whole else now, whole)

    def take_due(self, now: float) -> Iterator[Path]:
        """The files that are whole and whose pause is over, oldest first; `done` or `failed` has to follow for each."""
        for path, arrival in sorted(self._waiting.items(), key=lambda item: item[1].since):
            look = _look(path)
            if look is None:
                del self._waiting[path]
            elif look != arrival.look:
                self._waiting[path] = Arrival(look, now)
            elif now >= arrival.not_before and _is_settled(path, arrival, now):
                yield path

    def done(self, path: Path) -> None:
        self._waiting.pop(path, None)

    def failed(self, path: Path, now: float) -> None:
        """Keep the file for a later try, or after many give it up until it changes or the next start."""
        arrival = self._waiting[path]
        arrival.failures += 1
        arrival.not_before = now + min(LAST_RETRY, FIRST_RETRY * 2 ** (arrival.failures - 1))
        if arrival.failures >= TRIES:
            log.error("%s failed %d times and is left where it is", path, arrival.failures)
            self.done(path)


class Watcher:
    """A running watch over `data/incoming`; `stop` ends it."""

    def __init__(self, data: Path, storage: Storage, handle: Handler) -> None:
        self._folder = (data / PREFIX).resolve()
        self._handle, self._storage = handle, storage
        self._arrivals = Arrivals(self._came_by_address)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="incoming", daemon=True)

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """Return when the file that is being handled is done."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._watch()
            except Exception:
                log.exception("watching %s failed and begins again", self._folder)
                self._stopping.wait(1)

    def _watch(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        watched = self._folder.stat().st_ino
        turns = watch(
            self._folder,
            watch_filter=None,
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            rust_timeout=TURN_MS,
            yield_on_timeout=True,
            stop_event=self._stopping,
            raise_interrupt=False,
        )
        swept = False
        for changes in turns:
            if not self._folder.is_dir() or self._folder.stat().st_ino != watched:
                return  # removed or replaced, which a watch does not tell: begin with the one that is there
            # Swept once the watch stands, so that nothing can arrive between the two.
            changed = {Path(path) for _, path in changes} if swept else {self._folder}
            swept = True
            for path in sorted(file for place in changed for file in _files(place)):
                if _is_upload(path.relative_to(self._folder)):
                    self._arrivals.notice(path, time.monotonic())
            self._handle_due()

    def _handle_due(self) -> None:
        # Each is looked at when its turn has come: handling the one before may take a while.
        for path in self._arrivals.take_due(time.monotonic()):
            if self._stopping.is_set():
                return
            if self._handled(PREFIX + path.relative_to(self._folder).as_posix()):
                self._arrivals.done(path)
                # Left there: somebody began to write it meanwhile.
                self._arrivals.notice(path, time.monotonic())
            else:
                self._arrivals.failed(path, time.monotonic())

    def _handled(self, key: str) -> bool:
        try:
            answer = self._handle(upload_event([key], datetime.now(UTC)), None)
        except Exception:
            log.exception("%r could not be handled", key)
            return False
        return not (answer and answer.get("batchItemFailures"))

    def _came_by_address(self, path: Path) -> bool:
        name = upload_state.id_of(path.relative_to(self._folder).as_posix())
        return upload_state.is_id(name) and upload_state.load(self._storage.index, name) is not None


def start(data: Path, storage: Storage, handle: Handler) -> Watcher:
    """Begin to hand what lies and arrives in `data/incoming` to `handle`, which takes an SQS event and a context."""
    watcher = Watcher(data, storage, handle)
    watcher.start()
    return watcher


def _is_upload(path: Path) -> bool:
    """Whether a path below the folder is meant: nothing hidden, and no copy or download under way."""
    return not any(part.startswith(".") for part in path.parts) and not path.name.lower().endswith(PARTIAL)


def _files(place: Path) -> Iterator[Path]:
    """The file or link itself, or all of them below a folder: a folder that is moved in is one event."""
    if place.is_dir() and not place.is_symlink():
        for child in place.iterdir():
            yield from _files(child)
    else:
        yield place


def _is_settled(path: Path, arrival: Arrival, now: float) -> bool:
    """Whether a file that looks as it did before is whole."""
    still = now - arrival.since
    if not arrival.whole and still < (SETTLED_SECONDS if arrival.look[0] else EMPTY_SECONDS):
        return False
    try:
        written = is_being_written(path)
    except OSError:
        return False
    return arrival.whole or still >= UNSURE_SECONDS if written is None else not written


def _look(path: Path) -> tuple[int, int] | None:
    """What changes while a file is written: size in bytes and time of change; None for what is no file (any more)."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
