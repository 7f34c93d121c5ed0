"""The body of a request to the server of one machine, and the bounds on waiting for it.

A body is read only by few requests at once, each block of it must come in time, and what is refused is taken and
dropped up to a bound. So clients that stall never hold the threads that answer the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

from chalicelib.errors import StorageError
from chalicelib.web.replies import RefusedError

BLOCK = 1 << 16
BLOCK_SECONDS = 30.0  # for each block; the slowest line that a report is sent over is far above 2 KB a second
DRAINED_BYTES, DRAIN_SECONDS = 1_000_000_000, 30.0
NO_TURN = "uploads_busy"

Environ = Mapping[str, Any]


class Body:
    """The bytes of one request. They are read in a thread of their own, since a read cannot be given up."""

    def __init__(self, environ: Environ) -> None:
        announced = environ.get("CONTENT_LENGTH") or environ.get("HTTP_CONTENT_LENGTH") or "-1"
        self.length = int(announced) if announced.isascii() and announced.isdigit() else -1
        # A body in chunks announces no length, nor need one over HTTP/2.
        bare = environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS") and not environ.get("HTTP_TRANSFER_ENCODING")
        self.comes = self.length > 0 or (self.length < 0 and not bare)
        self._waited_for = bool(environ.get("HTTP_EXPECT"))
        self._read: Callable[[int], bytes] = environ["wsgi.input"].read
        self._wanted: SimpleQueue[int] = SimpleQueue()
        self._found: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._started = self._stalled = False

    def read(self, size: int) -> bytes:
        """The next bytes, as many as `size` unless the body ends. Raises RefusedError `body_stalled`."""
        return self._next(size, BLOCK_SECONDS) if self.comes else b""

    def blocks(self) -> Iterator[bytes]:
        """The body as it arrives. Raises RefusedError `body_stalled`."""
        while block := self.read(BLOCK):
            yield block

    def drain(self) -> None:
        """Take what the client is still sending, within bounds: most read no answer before they have sent it all.

        One that asked first (`Expect: 100-continue`) is not sending yet, and need not begin.
        """
        left, end = DRAINED_BYTES, time.monotonic() + DRAIN_SECONDS
        try:
            while self.comes and not (self._waited_for or self._stalled) and left > 0:
                block = self._next(BLOCK, end - time.monotonic())
                left -= len(block) or left
        except (RefusedError, OSError):
            return

    def close(self) -> None:
        """End the thread, at once or with the read that it waits in."""
        if self._started:
            self._wanted.put(0)

    def _next(self, size: int, seconds: float) -> bytes:
        if not self._started:
            threading.Thread(target=self._serve, daemon=True).start()
            self._started = True
        self._wanted.put(size)
        try:
            found = self._found.get(timeout=max(seconds, 0))
        except Empty:
            self._stalled = True
            detail = f"The next {size:,} bytes of the body did not come within {seconds:.0f} seconds."
            raise RefusedError(408, "body_stalled", detail, "Send it again.") from None
        if isinstance(found, Exception):
            raise found
        return found

    def _serve(self) -> None:
        while size := self._wanted.get():
            try:
                self._found.put(self._read(size))
            except Exception as error:
                self._found.put(error)


class Turns:
    """How many bodies are read at once."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A turn until the context ends. Raises StorageError of the code `NO_TURN` at once when there is none."""
        if not self._free.acquire(blocking=False):
            raise StorageError(NO_TURN, "Too many files and bodies are arriving at once.", "Try again later.")
        try:
            yield
        finally:
            self._free.release()
