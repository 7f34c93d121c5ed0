"""Answers that are given again while nothing was committed since: prepared bytes that are never stale.

Each is kept under the generation of the index that was read before the answer was made. A commit by anybody, of this
process or another, ends that generation, so that whoever asks afterwards reads anew.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

# Of each process that answers.
MOST_BYTES, MOST_OF_MEMORY = 256_000_000, 1 / 16


def most_bytes() -> int:
    """How many bytes of answers a process keeps on this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(MOST_BYTES, int(memory * MOST_OF_MEMORY))


class KeptAnswers(Generic[T]):
    """The answers used last, `most` bytes of them. For many threads at once."""

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0
        self._generation = 0
        self._held: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: Hashable, generation: int) -> T | None:
        """The answer that was kept in this generation of the index."""
        with self._lock:
            if generation != self._generation:
                return None
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def keep(self, key: Hashable, generation: int, answer: T, size: int) -> None:
        """Keep an answer of `size` bytes, made after `generation` was read. Those of another generation go."""
        with self._lock:
            if generation < self._generation or size > self._most:
                return
            if generation > self._generation:
                self._held.clear()
                self._generation, self._bytes = generation, 0
            _, before = self._held.pop(key, (None, 0))
            self._held[key] = (answer, size)
            self._bytes += size - before
            while self._bytes > self._most:
                _, (_, oldest) = self._held.popitem(last=False)
                self._bytes -= oldest
