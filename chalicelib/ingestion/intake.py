"""The bytes of an upload: hashed and kept for ever under `raw/`, whatever becomes of them, without filling memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chalicelib.catalog import layout
from chalicelib.errors import NotFound, ReportError, StorageError
from chalicelib.storage import Objects

MAX_BYTES = 20_000_000
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Arrival:
    """What lay under an incoming key. `data` is None for a file over the limit, which is kept but never read."""

    key: str
    etag: str
    sha256: str
    size: int
    data: bytes | None


def max_bytes(environ: Mapping[str, str]) -> int:
    """The largest file that is read, in bytes: `REPORTS_MAX_BYTES`, by default 20,000,000."""
    return int(environ.get("REPORTS_MAX_BYTES") or MAX_BYTES)


def require_size(size: int, limit: int) -> None:
    """Raise ReportError `too_large` for a file over the limit."""
    if size > limit:
        raise ReportError(
            "too_large",
            f"The file has {size:,} bytes, and the limit is {limit:,}.",
            "Upload the report alone, without pictures and attachments.",
        )


def take_in(objects: Objects, key: str, limit: int) -> Arrival | None:
    """Keep the object's bytes under `raw/{sha256}` and say what they are; None when nothing lies under the key."""
    try:
        info = objects.stat(key)
        with objects.open(key) as stream:
            head = stream.read(limit + 1)
            if len(head) > limit:
                return _spool(objects, key, info.etag, head, stream)
    except NotFound:
        return None
    digest = hashlib.sha256(head).hexdigest()
    objects.put_new(layout.raw_object(digest), head)
    return Arrival(key, info.etag, digest, len(head), head)


def clear(objects: Objects, arrival: Arrival) -> None:
    """Remove the incoming object, unless other bytes have taken its place since: those bring an event of their own."""
    objects.delete_unchanged(arrival.key, arrival.etag)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read piece by piece."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _spool(objects: Objects, key: str, etag: str, head: bytes, rest: BinaryIO) -> Arrival:
    digest, size = hashlib.sha256(head), len(head)
    try:
        with tempfile.NamedTemporaryFile(prefix="upload-") as spool:
            spool.write(head)
            while chunk := rest.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                spool.write(chunk)
            spool.flush()
            objects.put_file(layout.raw_object(digest.hexdigest()), Path(spool.name))
    except OSError as error:
        detail = f"The file could not be copied: {error.strerror}."
        raise StorageError("spool_failed", detail, "Free some disk space.") from error
    return Arrival(key, etag, digest.hexdigest(), size, None)
