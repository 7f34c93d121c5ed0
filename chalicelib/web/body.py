"""The body of a request to the server of one machine, and the bounds on waiting for it.

A body is read only by few requests at once, and what is refused is taken and dropped up to a bound. So clients that
stall hold each other up, and never the threads that answer the rest. A read has no deadline: granian gives the thread
up when the client goes away, and stops altogether when a read is left unfinished behind an answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalicelib.errors import StorageError

BLOCK = 1 << 16
DRAINED_BYTES, DRAIN_SECONDS = 1_000_000_000, 30.0
NO_TURN = "uploads_busy"

Environ = Mapping[str, Any]


class Body:
    """The bytes of one request; `length` is what the client announces, -1 for a body in chunks."""

    def __init__(self, environ: Environ) -> None:
        announced = environ.get("CONTENT_LENGTH") or environ.get("HTTP_CONTENT_LENGTH") or "-1"
        self.length = int(announced) if announced.isascii() and announced.isdigit() else -1
        # A body in chunks announces no length, nor need one over HTTP/2.
        bare = environ["REQUEST_METHOD"] in ("GET", "HEAD", "OPTIONS") and not environ.get("HTTP_TRANSFER_ENCODING")
        self.comes = self.length > 0 or (self.length < 0 and not bare)
        self._waited_for = bool(environ.get("HTTP_EXPECT"))
        self._read: Callable[[int], bytes] = environ["wsgi.input"].read

    def blocks(self) -> Iterator[bytes]:
        """The body as it arrives."""
        while self.comes and (block := self._read(BLOCK)):
            yield block

    def drain(self) -> None:
        """Take what the client is still sending, within bounds: most read no answer before they have sent it all.

        One that asked first (`Expect: 100-continue`) is not sending yet, and need not begin.
        """
        left, end = DRAINED_BYTES, time.monotonic() + DRAIN_SECONDS
        blocks = self.blocks()
        while not self._waited_for and left > 0 and time.monotonic() < end and (block := next(blocks, b"")):
            left -= len(block)


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
