"""The index as one SQLite file, for several threads and several processes at once."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from chalicelib.errors import StorageError
from chalicelib.storage import Delete, Entry, Put
from chalicelib.storage.contract import check_free_writes, check_writes, entry_changed
from chalicelib.storage.durable_files import make_folder, sync_folder

# PRAGMA user_version of the file below; a layout of keys and bodies (catalog.layout) that is read otherwise counts too.
_LAYOUT = 4
_CREATE = f"""
PRAGMA journal_mode = WAL;
CREATE TABLE entries (
    pk TEXT NOT NULL, sk TEXT NOT NULL, body BLOB NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (pk, sk)
) WITHOUT ROWID;
PRAGMA user_version = {_LAYOUT};
"""
# FULL syncs the log at every commit. NORMAL survives kill -9 too, but a power cut takes back the last commits, and by
# then the upload has been answered and its incoming object removed. An upload is a handful of commits: it costs little.
_PREPARE = "PRAGMA synchronous = FULL"

_FAILURES = {
    sqlite3.SQLITE_FULL: ("disk_full", "The disk of the index is full.", "Free some space and try again."),
    sqlite3.SQLITE_BUSY: ("storage_busy", "Another process keeps the index locked.", "Try again later."),
    sqlite3.SQLITE_LOCKED: ("storage_busy", "Another writer keeps the index locked.", "Try again later."),
    sqlite3.SQLITE_READONLY: ("read_only", "The index cannot be written.", "Check the permissions of the data folder."),
    sqlite3.SQLITE_PERM: ("no_permission", "The index may not be opened.", "Check the permissions of the data folder."),
    sqlite3.SQLITE_CANTOPEN: ("storage_failed", "The index cannot be opened.", "Check the data folder."),
    sqlite3.SQLITE_CORRUPT: ("index_damaged", "The index file is damaged.", "Restore it from a backup."),
    sqlite3.SQLITE_NOTADB: ("index_damaged", "The index file is no SQLite database.", "Restore it from a backup."),
}

# Connections that came into this process by fork: SQLite forbids to use them here and even to close them.
_inherited: list[sqlite3.Connection] = []


class LocalIndex:
    """Entries in the SQLite file `path`, made when missing. A writer waits `busy_seconds` for the one before it."""

    def __init__(self, path: Path, busy_seconds: float = 10.0) -> None:
        self._path, self._busy_seconds = path, busy_seconds
        self._thread = threading.local()
        self._generation, self._counting = 0, threading.Lock()
        with _sqlite_failures():
            if not path.exists():
                _create(path)
            self._connection()

    def get(self, pk: str, sk: str) -> Entry | None:
        with _sqlite_failures():
            statement = "SELECT body, version FROM entries WHERE pk = ? AND sk = ?"
            row = self._connection().execute(statement, (pk, sk)).fetchone()
        return Entry(pk, sk, row[0], row[1]) if row else None

    def query(self, pk: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[Entry]:
        # SQLite compares TEXT by its UTF-8 bytes, which is by code point. Keys with one prefix lie side by side, and
        # none before the prefix itself: the first other key ends the answer. Of two bounds SQLite would search for the
        # one and walk to the other.
        start, above = (after, ">") if after >= prefix else (prefix, ">=")
        statement = f"SELECT sk, body, version FROM entries WHERE pk = ? AND sk {above} ? ORDER BY sk LIMIT ?"
        with _sqlite_failures():
            rows = self._connection().execute(statement, (pk, start, max(limit, 0)))
            mine = itertools.takewhile(lambda row: row[0].startswith(prefix), rows)
            return [Entry(pk, sk, body, version) for sk, body, version in mine]

    def generation(self) -> int:
        """A number that is greater after every commit, of any process, than before it.

        What was read after it was asked for is current for as long as it stays the same. It may grow without a commit.
        """
        try:
            connection = self._connection()
            # The one tells of all other connections' commits, the other of this one's.
            seen = connection.execute("PRAGMA data_version").fetchone()[0], connection.total_changes
        except sqlite3.Error:
            with _sqlite_failures():  # not around it: this is asked before every answer
                raise
        if seen != getattr(self._thread, "seen", None):
            with self._counting:
                self._generation += 1
            self._thread.seen = seen
        return self._generation

    def commit(self, writes: Sequence[Put | Delete]) -> None:
        check_writes(writes)
        with _sqlite_failures(), _transaction(self._connection()) as connection:
            for write in writes:
                if not _apply(connection, write):
                    raise entry_changed(write)

    def write(self, writes: Sequence[Put | Delete]) -> None:
        check_free_writes(writes)
        with _sqlite_failures(), _transaction(self._connection()) as connection:
            for write in writes:
                connection.execute("DELETE FROM entries WHERE pk = ? AND sk = ?", (write.pk, write.sk))
                if isinstance(write, Put):
                    _apply(connection, write)

    def entries(self) -> Iterator[Entry]:
        # Page by page: a statement left open would keep the log from being checkpointed.
        statement = "SELECT pk, sk, body, version FROM entries WHERE (pk, sk) > (?, ?) ORDER BY pk, sk LIMIT 1000"
        last = ("", "")
        while True:
            with _sqlite_failures():
                rows = self._connection().execute(statement, last).fetchall()
            if not rows:
                return
            yield from (Entry(*row) for row in rows)
            last = rows[-1][:2]

    def _connection(self) -> sqlite3.Connection:
        owner, connection = getattr(self._thread, "held", (0, None))
        if connection is not None and owner == os.getpid():
            return connection  # type: ignore[no-any-return]
        if connection is not None:
            _inherited.append(connection)
        connection = _connect(self._path, self._busy_seconds)
        self._thread.held = (os.getpid(), connection)
        return connection


def is_sound(path: Path) -> bool:
    """Whether the file is an index that this version reads, every page of it. Raises StorageError for any other failure."""
    try:
        with _sqlite_failures(), contextlib.closing(_connect(path, 10.0)) as connection:
            return bool(connection.execute("PRAGMA quick_check").fetchone()[0] == "ok")
    except StorageError as error:
        if error.code in ("index_layout", "index_damaged"):
            return False
        raise


def _connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    # mode=rw: a file that has gone must not come back as an empty index.
    address = f"file:{quote(str(path.absolute()))}?mode=rw"
    connection = sqlite3.connect(address, uri=True, timeout=busy_seconds, isolation_level=None)
    connection.execute(_PREPARE)
    layout = connection.execute("PRAGMA user_version").fetchone()[0]
    if layout != _LAYOUT:
        raise StorageError(
            "index_layout",
            f"The index has layout {layout}, this version reads {_LAYOUT}.",
            "Make it anew of the stored objects: python -m chalicelib reindex.",
        )
    return connection


def _create(path: Path) -> None:
    """Make the file elsewhere and link it into place: of several first users one wins, and nobody sees it half made."""
    scratch = path.parent / ".tmp" / uuid.uuid4().hex
    make_folder(scratch.parent)
    try:
        with contextlib.closing(sqlite3.connect(scratch, isolation_level=None)) as connection:
            connection.executescript(_CREATE)
        with contextlib.suppress(FileExistsError):
            os.link(scratch, path)
        sync_folder(path.parent)
    finally:
        scratch.unlink(missing_ok=True)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    # IMMEDIATE takes the write lock here: all waiting for other writers is done before the first write.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _apply(connection: sqlite3.Connection, write: Put | Delete) -> bool:
    """Whether the write's expectation held (and it was made)."""
    key = (write.pk, write.sk)
    if isinstance(write, Delete):
        if write.expect is None:
            connection.execute("DELETE FROM entries WHERE pk = ? AND sk = ?", key)
            return True
        statement = "DELETE FROM entries WHERE pk = ? AND sk = ? AND version = ?"
        return connection.execute(statement, (*key, write.expect)).rowcount == 1
    if write.expect:
        statement = "UPDATE entries SET body = ?, version = version + 1 WHERE pk = ? AND sk = ? AND version = ?"
        return connection.execute(statement, (write.body, *key, write.expect)).rowcount == 1
    taken = "NOTHING" if write.expect == 0 else "UPDATE SET body = excluded.body, version = version + 1"
    statement = f"INSERT INTO entries VALUES (?, ?, ?, 1) ON CONFLICT DO {taken}"
    return connection.execute(statement, (*key, write.body)).rowcount == 1


@contextlib.contextmanager
def _sqlite_failures() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        primary = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        known = _FAILURES.get(primary, ("storage_failed", f"The index failed: {error}.", "Try again later."))
        raise StorageError(*known) from error
    except OSError as error:
        raise StorageError(
            "storage_failed", f"The index failed: {error.strerror}.", "Check the data folder."
        ) from error
