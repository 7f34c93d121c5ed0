"""A storage that reads what is there and forgets what is written: for saying what would be done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from chalicelib.errors import NotFound
from chalicelib.storage import Delete, Entry, Index, ObjectInfo, Objects, Put, Storage, UploadAddress
from chalicelib.storage.contract import check_free_writes, check_key, check_writes


def unwritten(storage: Storage) -> Storage:
    """The same storage for reading; writes are checked for what they hold, and dropped."""
    return Storage(_Objects(storage.objects), _Index(storage.index))


class _Objects:
    def __init__(self, inner: Objects) -> None:
        self._inner = inner

    def put(self, key: str, body: bytes, content_type: str = "") -> None:  # noqa: ARG002
        check_key(key)

    def put_new(self, key: str, body: bytes, content_type: str = "") -> bool:  # noqa: ARG002
        """Whether the key is free."""
        check_key(key)
        try:
            self._inner.stat(key)
        except NotFound:
            return True
        return False

    def put_file(self, key: str, path: Path, content_type: str = "") -> None:  # noqa: ARG002
        check_key(key)

    def put_blocks(self, key: str, blocks: Iterable[bytes], content_type: str = "") -> None:  # noqa: ARG002
        check_key(key)
        for _ in blocks:
            pass

    def get(self, key: str) -> bytes:
        return self._inner.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self._inner.get_range(key, start, length)

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        return self._inner.open(key)

    def stat(self, key: str) -> ObjectInfo:
        return self._inner.stat(key)

    def keys(self, prefix: str) -> Iterator[str]:
        return self._inner.keys(prefix)

    def delete(self, key: str) -> None:
        pass

    def delete_unchanged(self, key: str, etag: str) -> None:
        pass

    def upload_address(
        self, key: str, seconds: int, size: int, content_type: str = "application/octet-stream"
    ) -> UploadAddress:
        return self._inner.upload_address(key, seconds, size, content_type)

    def download_address(self, key: str, seconds: int, filename: str, content_type: str, *, head: bool = False) -> str:
        return self._inner.download_address(key, seconds, filename, content_type, head=head)


class _Index:
    def __init__(self, inner: Index) -> None:
        self._inner = inner

    def get(self, pk: str, sk: str) -> Entry | None:
        return self._inner.get(pk, sk)

    def query(self, pk: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[Entry]:
        return self._inner.query(pk, prefix=prefix, after=after, limit=limit)

    def commit(self, writes: Sequence[Put | Delete]) -> None:
        """Whatever the writes expect is taken to hold."""
        check_writes(writes)

    def write(self, writes: Sequence[Put | Delete]) -> None:
        check_free_writes(writes)

    def entries(self) -> Iterator[Entry]:
        return self._inner.entries()
