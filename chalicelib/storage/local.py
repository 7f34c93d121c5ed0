"""Files and SQLite under one folder: the storage of one machine (Linux or macOS).

The folder is the objects' root: the key `incoming/x` is the file `incoming/x`, so a file dropped there is an object.
Beside them lie `index.sqlite`, `secret` (signs the addresses), `publisher-key`, `.tmp` (writes under way) and `.used` (spent upload
addresses). A key that is a folder of other keys is refused, which S3 would allow.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from chalicelib.errors import NotFound, StorageError, TooLarge
from chalicelib.storage import ObjectInfo, Storage, UploadAddress, signing
from chalicelib.storage.contract import (
    MAX_ADDRESS_SECONDS,
    address_used,
    check_key,
    check_seconds,
    is_object_key,
    object_missing,
)
from chalicelib.storage.durable_files import (
    blocks,
    make_folder,
    make_once,
    reading,
    sweep,
    sync_folder,
    walk,
    writing,
    written,
)
from chalicelib.storage.local_index import LocalIndex, is_sound
from chalicelib.storage.open_files import is_being_written

_SECRET_BYTES = 32
_STALE_SECONDS = 24 * 3600  # a write under way is never that old: its process was killed


def open_storage(folder: Path) -> Storage:
    """The storage under `folder`, which is made when missing. Raises StorageError when it cannot be used."""
    with writing(""):
        try:
            make_folder(folder)
        except NotADirectoryError as error:
            raise StorageError("no_folder", f"{folder} is no folder.", "Choose another data folder.") from error
        sweep(folder / ".tmp", _STALE_SECONDS)
        sweep(folder / ".used", MAX_ADDRESS_SECONDS)
    return Storage(LocalObjects(folder), LocalIndex(folder / "index.sqlite"))


def put_index_aside(folder: Path) -> None:
    """Rename an index that this version cannot read, so that an empty one is made in its place."""
    path = folder / "index.sqlite"
    if path.exists() and not is_sound(path):
        for part in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
            if part.exists():
                part.replace(part.with_name(f"{part.name}.aside-{time.time_ns()}"))
        sync_folder(folder)


class LocalObjects:
    """Objects as the files below `root`, which carry no content type. A write that returned survives a power cut."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:  # noqa: ARG002
        self._store(key, [body], os.replace)

    def put_new(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:  # noqa: ARG002
        try:
            # A hard link fails when the name is taken, which a rename does not.
            self._store(key, [body], os.link)
        except FileExistsError:
            return False
        return True

    def put_file(self, key: str, path: Path, content_type: str = "application/octet-stream") -> None:  # noqa: ARG002
        self._store(key, blocks(path), os.replace)

    def put_blocks(self, key: str, blocks: Iterable[bytes], content_type: str = "application/octet-stream") -> None:  # noqa: ARG002
        self._store(key, blocks, os.replace)

    def put_stream(self, key: str, chunks: Iterable[bytes], max_bytes: int) -> None:
        """Store what an upload address was given out for, without holding it in memory.

        Raises TooLarge beyond `max_bytes`, and Conflict when the key has been uploaded before: even one whose object
        has been removed since, as ingestion does. What `chunks` raises passes through, and nothing is stored.
        """
        try:
            self._store(key, _bounded(chunks, max_bytes), self._store_once(key))
        except FileExistsError as error:
            raise address_used(key) from error

    def get(self, key: str) -> bytes:
        with self.open(key) as stream, reading(key):
            return stream.read()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with self.open(key) as stream, reading(key):
            stream.seek(start)
            return stream.read(length)

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        with reading(key):
            stream = self._path(key).open("rb")
        with stream:
            yield stream

    def stat(self, key: str) -> ObjectInfo:
        """The ETag is inode, size and time of change: strong, since every put makes a new file while the old one still
        exists, so two versions in a row differ in their inode even within one tick of the clock. A hash of the content
        would have to be read for every stat, or kept beside files that may also be dropped in by hand.
        """
        with reading(key):
            found = self._path(key).stat()
        if stat.S_ISDIR(found.st_mode):
            raise object_missing(key)
        etag = f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"
        return ObjectInfo(key, found.st_size, found.st_mtime, etag)

    def keys(self, prefix: str) -> Iterator[str]:
        with reading(prefix):
            yield from walk(self._root, "", prefix)

    def delete(self, key: str) -> None:
        with contextlib.suppress(NotFound), reading(key):
            path = self._path(key)
            if not path.is_dir():
                path.unlink()
                sync_folder(path.parent)

    def delete_unchanged(self, key: str, etag: str) -> None:
        with contextlib.suppress(NotFound), reading(key):
            # In this order: who had it open at the first look, or closed it before, has changed what the second sees.
            if not is_being_written(self._path(key)) and self.stat(key).etag == etag:
                self.delete(key)

    def upload_address(
        self, key: str, seconds: int, size: int, content_type: str = "application/octet-stream"
    ) -> UploadAddress:
        check_key(key)
        check_seconds(seconds)
        url = signing.sign_upload(self._secret, key, int(time.time()) + seconds, size, content_type)
        return UploadAddress(url, headers={"Content-Type": content_type})

    def download_address(
        self,
        key: str,
        seconds: int,
        filename: str,
        content_type: str,
        *,
        head: bool = False,  # noqa: ARG002
    ) -> str:
        check_key(key)
        check_seconds(seconds)
        return signing.sign_download(self._secret, key, int(time.time()) + seconds, filename, content_type)

    def verify_upload(self, key: str, query: Mapping[str, str], now: float) -> tuple[int, str]:
        """How many bytes of which content type may be PUT. Raises Forbidden for an address that is forged or expired at
        `now` (seconds since the epoch), Conflict `upload_address_used` for a spent one."""
        bound = signing.read_upload(self._secret, key, query, now)
        if _is_made(self._used(key)) or self._path(key).exists():
            raise address_used(key)
        return bound

    def verify_download(self, key: str, query: Mapping[str, str], now: float) -> tuple[str, str]:
        """The file name and content type to send. Raises Forbidden for a forged address or one expired at `now`."""
        return signing.read_download(self._secret, key, query, now)

    def _path(self, key: str) -> Path:
        if not is_object_key(key):
            raise object_missing(key)
        return self._root / key

    def _store(self, key: str, chunks: Iterable[bytes], place: Callable[[Path, Path], None]) -> None:
        check_key(key)
        target = self._path(key)
        with writing(key), written(self._root / ".tmp", chunks) as scratch:
            make_folder(target.parent)
            place(scratch, target)
            sync_folder(target.parent)

    def _store_once(self, key: str) -> Callable[[Path, Path], None]:
        def place(scratch: Path, target: Path) -> None:
            # The mark is locked until it is made: of many at once one gets in, however fast its object is ingested and
            # removed. It is made last: a process that is killed before leaves the object, or an address still good.
            mark = self._used(key)
            make_folder(mark.parent)
            with mark.open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if _is_made(mark):
                    raise FileExistsError(key)
                os.link(scratch, target)
                sync_folder(target.parent)
                lock.write(b"used")
                lock.flush()
                os.fsync(lock.fileno())
            sync_folder(mark.parent)

        return place

    def _used(self, key: str) -> Path:
        return self._root / ".used" / hashlib.sha256(key.encode()).hexdigest()

    @cached_property
    def _secret(self) -> bytes:
        secret = make_once(self._root / "secret", secrets.token_bytes(_SECRET_BYTES))
        if len(secret) != _SECRET_BYTES:
            raise StorageError("secret_damaged", "The data folder's secret is damaged.", "Remove the file `secret`.")
        return secret


def _is_made(mark: Path) -> bool:
    """Whether an address is spent: an empty mark is one that was never finished."""
    try:
        return mark.stat().st_size > 0
    except FileNotFoundError:
        return False


def _bounded(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise TooLarge("upload_too_large", f"The file has more than {max_bytes} bytes.", "Upload a smaller file.")
        yield chunk
