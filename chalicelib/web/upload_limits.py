"""How many uploads a publisher may announce in an hour, told by the headers that readers get.

Each key and hour has an entry in the index, whose version counts: every write adds one to it, in both storages, and is made
on the condition that nobody else's came between. So exactly the limit passes, whichever process or function is reached.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from datetime import datetime, timedelta

from chalicelib.catalog import layout
from chalicelib.errors import Conflict, ReportsError, StorageError
from chalicelib.storage import Delete, Index, Put
from chalicelib.web.read_limits import Policy, Verdict
from chalicelib.web.replies import RefusedError

SETTING = "REPORTS_UPLOAD_LIMIT"
DEFAULT = 600
HOUR = timedelta(hours=1)
ATTEMPTS, FIRST_PAUSE = 10, 0.02  # seconds, doubled at each attempt


def read_limit() -> int | None:
    """Uploads an hour that `REPORTS_UPLOAD_LIMIT` allows each key, None for `off`. Raises ReportsError for anything else."""
    asked = os.environ.get(SETTING) or str(DEFAULT)
    if asked == "off":
        return None
    if not (asked.isascii() and asked.isdigit() and 0 < int(asked) < 10**9):
        raise ReportsError("bad_setting", f"{SETTING} is {asked!r}.", "Set it to uploads an hour as 600, or to off.")
    return int(asked)


def take(index: Index, publisher: str, now: datetime) -> dict[str, str]:
    """Count an upload that `publisher` announces; the headers that say how many are left in this hour.

    Raises RefusedError `upload_limit` (429), with these headers, where none is left.
    """
    limit = read_limit()
    if limit is None:
        return {}
    hour = now.replace(minute=0, second=0, microsecond=0)
    count = _count(index, publisher, hour, limit)
    seconds = (hour + HOUR - now).total_seconds()
    policy = Policy(limit, int(HOUR.total_seconds()), local=True)
    verdict = Verdict(policy, max(limit - count, 0), seconds, seconds if count > limit else 0, "uploads")
    if verdict.wait:
        detail = f"This key has announced {limit:,} uploads within the hour, as many as it may."
        way_out = "The header Retry-After says in how many seconds to go on."
        raise RefusedError(429, "upload_limit", detail, way_out, headers=verdict.headers)
    return verdict.headers


def _count(index: Index, publisher: str, hour: datetime, limit: int) -> int:
    """How many this one makes; what is over the limit already is not written any more."""
    key = layout.rate(publisher, hour)
    for attempt in range(ATTEMPTS):
        entry = index.get(*key)
        count = entry.version if entry else 0
        if count >= limit:
            return count + 1
        with contextlib.suppress(Conflict):
            index.commit([Put(*key, b"{}", count)])
            if count == 0:
                index.write([Delete(old.pk, old.sk) for old in index.query(key.pk) if old.sk < key.sk])
            return count + 1
        time.sleep(random.uniform(0, FIRST_PAUSE * 2**attempt))
    raise StorageError("contended", "Too many uploads are announced with this key at once.", "Try again later.")
