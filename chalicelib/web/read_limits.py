"""How many questions a client may ask on one machine: a bucket of tokens for each address, told in headers.

The headers are those of draft-ietf-httpapi-ratelimit-headers. All processes that answer share the buckets: a bucket is
one number, the moment at which it is full again (the generic cell rate algorithm). Two processes that take at the same
instant may count one token for two, which lets a client have a little more, never less.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import secrets
import struct
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple

from chalicelib.errors import ReportsError

SETTING = "REPORTS_READ_LIMIT"
DEFAULT = (3000, 60)
BUCKETS = 1 << 16
_NUMBER = struct.Struct("d")
_KEY_BYTES = _NUMBER.size * 2  # of the file's head: which client has which bucket is nobody's to foresee


class Policy(NamedTuple):
    """So many requests at once, and as many again in so many seconds. `local`: the machine itself is limited too."""

    quota: int
    seconds: int
    local: bool


class Verdict(NamedTuple):
    """What is left of a bucket; `wait` is in seconds, 0 where the request may pass, `full` until nothing is missing."""

    policy: Policy
    left: int
    full: float
    wait: float
    name: str = "reads"

    @property
    def headers(self) -> dict[str, str]:
        named = f'"{self.name}";q={self.policy.quota};w={self.policy.seconds}'
        told = {"RateLimit-Policy": named, "RateLimit": f'"{self.name}";r={self.left};t={math.ceil(self.full)}'}
        return {**told, "Retry-After": str(math.ceil(self.wait))} if self.wait else told


def read_policy(environ: Mapping[str, str]) -> Policy | None:
    """What `REPORTS_READ_LIMIT` says: `requests/seconds`, or `off`. Raises ReportsError for anything else."""
    asked = environ.get(SETTING, "")
    if not asked:
        return Policy(*DEFAULT, local=False)
    if asked == "off":
        return None
    quota, _, seconds = asked.partition("/")
    if not all(each.isascii() and each.isdigit() and 0 < int(each) < 10**6 for each in (quota, seconds)):
        raise ReportsError(
            "bad_setting", f"{SETTING} is {asked!r}.", "Set it to requests/seconds as 3000/60, or to off."
        )
    return Policy(int(quota), int(seconds), local=True)


def make_buckets(path: Path) -> None:
    """Write the file that all processes of a server share."""
    path.write_bytes(secrets.token_bytes(_KEY_BYTES) + bytes(BUCKETS * _NUMBER.size))


class ReadLimit:
    """The buckets of the file `path`. Clients of a machine's own network in IPv6, which is a /64, have one together."""

    def __init__(self, policy: Policy, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy, self._clock, self._lock = policy, clock, threading.Lock()
        with path.open("r+b") as file:
            self._held = mmap.mmap(file.fileno(), 0)
        key = self._held[:_KEY_BYTES]
        self._place = lru_cache(maxsize=4096)(lambda address: _place(key, address, policy.local))

    def take(self, address: str) -> Verdict | None:
        """Take a token of the client's bucket, if one is there. None for a client that has no limit."""
        place = self._place(address)
        if place is None:
            return None
        quota, seconds, _ = self._policy
        each, now = seconds / quota, self._clock()
        with self._lock:
            full = max(_NUMBER.unpack_from(self._held, place)[0], now) + each
            wait = full - now - seconds
            if wait > each * 1e-6:  # not for what rounding adds
                return Verdict(self._policy, 0, full - each - now, wait)
            _NUMBER.pack_into(self._held, place, full)
        return Verdict(self._policy, max(int((seconds - (full - now)) / each + 1e-6), 0), full - now, 0)


def _place(key: bytes, address: str, local: bool) -> int | None:
    """Where the client's bucket is in the file; None for the machine itself where it has no limit."""
    try:
        found = ip_address(address)
    except ValueError:  # a client without one, over a socket of the machine
        return None if not local else _hashed(key, b"")
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback and not local:
        return None
    return _hashed(key, found.packed[:8])


def _hashed(key: bytes, client: bytes) -> int:
    number = int.from_bytes(hashlib.blake2b(client, key=key, digest_size=8).digest())
    return _KEY_BYTES + number % BUCKETS * _NUMBER.size
