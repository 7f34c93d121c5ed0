"""Where records live: an object store for bytes and a key-value table for questions.

Two small Protocols and two implementations of both: `local` (files and SQLite under one folder) and `aws` (S3 and
DynamoDB). Neither knows what it stores. `open_storage` chooses by the environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """`size` in bytes, `modified` in seconds since the epoch (UTC), `etag` opaque and strong."""

    key: str
    size: int
    modified: float
    etag: str


class Objects(Protocol):
    """Bytes under keys `folder/name`. A key holds a whole object or none; a put is atomic and durable.

    Every write raises BadRequest for what cannot be a key, every method StorageError.
    """

    def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Store `body`, replacing what was there. Raises StorageError."""

    def put_new(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:
        """Store `body` only if the key is free, and say whether it was: of many at once exactly one gets True."""

    def put_file(self, key: str, path: Path, content_type: str = "application/octet-stream") -> None:
        """Store a file's bytes without holding them in memory."""

    def put_blocks(self, key: str, blocks: Iterable[bytes], content_type: str = "application/octet-stream") -> None:
        """Store what comes in blocks, a few of them in memory. What `blocks` raises passes through, and nothing is stored."""

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises NotFound."""

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes (at least 1) from `start` on, fewer where the object ends before. Raises NotFound."""

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The object as a readable binary stream. Raises NotFound."""

    def stat(self, key: str) -> ObjectInfo:
        """Raises NotFound."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that starts with `prefix`, ascending. For export and repair, never for a GET."""

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is no error."""

    def delete_unchanged(self, key: str, etag: str) -> None:
        """Remove the object if it is still the one of this `etag`, and no process is writing it as far as is known."""

    def upload_address(
        self, key: str, seconds: int, size: int, content_type: str = "application/octet-stream"
    ) -> UploadAddress:
        """Where a client may PUT the object `key`, once, for `seconds` (a week at most): `size` bytes of `content_type`."""

    def download_address(self, key: str, seconds: int, filename: str, content_type: str, *, head: bool = False) -> str:
        """Where a client may GET the object for `seconds`, saved as `filename`: a URL, or a path on this server.

        With `head` it may HEAD it, which S3 wants another signature for.
        """


@dataclass(frozen=True, slots=True)
class UploadAddress:
    url: str
    method: str = "PUT"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the table. `version` counts its writes from 1; the entries of a `pk` sort by `sk` (code points)."""

    pk: str
    sk: str
    body: bytes
    version: int = 0


@dataclass(frozen=True, slots=True)
class Put:
    """Write an entry. `expect`: None whatever is there, 0 nothing may be there, n the version that must be there."""

    pk: str
    sk: str
    body: bytes
    expect: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove an entry, if there is one. `expect`: None whatever is there, n the version that must be there."""

    pk: str
    sk: str
    expect: int | None = None


class Index(Protocol):
    """A key-value table: every question is one `get` or one `query` of one partition; only repair walks all of it."""

    def get(self, pk: str, sk: str) -> Entry | None: ...

    def query(self, pk: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[Entry]:
        """At most `limit` entries of `pk` whose `sk` starts with `prefix` and is greater than `after`, ascending.

        Fewer than `limit` means that there are no more.
        """

    def commit(self, writes: Sequence[Put | Delete]) -> None:
        """All of the writes or none; at most 100 and 4 MB, an entry at most 400 KB, no key twice.

        Raises Conflict when an `expect` does not hold, TooLarge beyond a limit. After a lost answer the Conflict may be
        with this very write: read again.
        """

    def write(self, writes: Sequence[Put | Delete]) -> None:
        """Each of the writes by itself, at any number and in any order; a Put begins the entry anew, at version 1.

        It costs half of what `commit` costs. After a failure some are made and some are not. Raises TooLarge for an
        entry over 400 KB, with nothing written, and ReportsError for a key twice or a write that expects something.
        """

    def entries(self) -> Iterator[Entry]:
        """Every entry, in any order. For verification and repair, never for a GET."""


@dataclass(frozen=True, slots=True)
class Storage:
    objects: Objects
    index: Index


def open_storage(environ: Mapping[str, str]) -> Storage:
    """AWS when `REPORTS_BUCKET` is set (with `REPORTS_TABLE`), else the folder `REPORTS_DATA` (default `data`)."""
    if environ.get("REPORTS_BUCKET"):
        from chalicelib.storage import aws

        return aws.open_storage(environ["REPORTS_BUCKET"], environ["REPORTS_TABLE"])
    from chalicelib.storage import local

    return local.open_storage(Path(environ.get("REPORTS_DATA") or "data"))


def open_for_repair(environ: Mapping[str, str]) -> Storage:
    """The same storage; of one machine, an index that cannot be read is put aside, and an empty one takes its place."""
    if not environ.get("REPORTS_BUCKET"):
        from chalicelib.storage import local

        local.put_index_aside(Path(environ.get("REPORTS_DATA") or "data"))
    return open_storage(environ)
