"""What the objects call for while the index is walked, on disk: memory grows with what differs, not with the collection."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from chalicelib.catalog.layout import Key
from chalicelib.maintenance.expected import Bodies
from chalicelib.storage import Entry


class Called:
    """Entries by key, with a digest of the body, the report that it is of, and whether the walk has met it."""

    def __enter__(self) -> Called:
        self.doubted = set[str]()
        self._folder = tempfile.TemporaryDirectory(prefix="verify-")
        self._rows = sqlite3.connect(Path(self._folder.name) / "called.sqlite", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute("PRAGMA synchronous = OFF")
        self._rows.execute(
            "CREATE TABLE called (pk, sk, digest, report, seen DEFAULT 0, PRIMARY KEY (pk, sk)) WITHOUT ROWID"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()
        self._folder.cleanup()

    def doubt(self, report_id: str) -> None:
        """Note that what a report calls for cannot be told."""
        self.doubted.add(report_id)

    def add(self, report_id: str | None, bodies: Bodies) -> None:
        rows = ((*key, _digest(body), report_id) for key, body in bodies.items())
        self._rows.executemany("INSERT OR IGNORE INTO called (pk, sk, digest, report) VALUES (?, ?, ?, ?)", rows)

    def take(self, entry: Entry) -> bool | None:
        """Whether the entry is as it is called for; None where nothing calls for it."""
        key = Key(entry.pk, entry.sk)
        row = self._rows.execute("SELECT digest FROM called WHERE pk = ? AND sk = ?", key).fetchone()
        if row is None:
            return None
        self._rows.execute("UPDATE called SET seen = 1 WHERE pk = ? AND sk = ?", key)
        return bool(row[0] == _digest(entry.body)) or key.pk.startswith("sha256#")

    def has(self, key: Key) -> bool:
        return self._rows.execute("SELECT 1 FROM called WHERE pk = ? AND sk = ?", key).fetchone() is not None

    def unseen(self) -> Iterator[tuple[Key, str | None]]:
        for pk, sk, report in self._rows.execute("SELECT pk, sk, report FROM called WHERE seen = 0"):
            yield Key(pk, sk), report


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:16]
