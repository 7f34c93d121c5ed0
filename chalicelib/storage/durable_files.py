"""Files that are whole or not there and survive a power cut, and what a failing disk is called."""

from __future__ import annotations

import contextlib
import errno
import os
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from chalicelib.errors import BadRequest, ReportsError, StorageError
from chalicelib.storage.contract import object_missing

_BLOCK = 1 << 20

_FAILURES = {
    errno.ENOSPC: ("disk_full", "The disk is full.", "Free some space and try again."),
    errno.EDQUOT: ("quota_used_up", "The disk quota is used up.", "Free some space and try again."),
    errno.EROFS: ("read_only", "The disk is mounted read-only.", "Mount it writable or choose another data folder."),
    errno.EACCES: ("no_permission", "The data folder may not be written.", "Check its owner and permissions."),
    errno.EPERM: ("no_permission", "The data folder does not allow this.", "Check its permissions and file system."),
}


@contextlib.contextmanager
def written(folder: Path, chunks: Iterable[bytes], mode: int = 0o666) -> Iterator[Path]:
    """A scratch file in `folder` with these bytes, synced to the disk, to be linked or renamed into place."""
    make_folder(folder)
    scratch = folder / uuid.uuid4().hex
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(file.fileno())
        yield scratch
    finally:
        with contextlib.suppress(OSError):
            scratch.unlink()


def make_once(path: Path, content: bytes) -> bytes:
    """The bytes of a file for its owner alone, which is made where there is none. Raises StorageError."""
    with writing(path.name):
        if not path.exists():
            make_folder(path.parent)
            # Linked into place whole: of several processes at first use, one makes it and all read the same.
            with written(path.parent / ".tmp", [content], 0o600) as made, contextlib.suppress(FileExistsError):
                os.link(made, path)
                sync_folder(path.parent)
        return path.read_bytes()


def walk(folder: Path, above: str, prefix: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            # Linked folders are not followed, they may be loops; a linked file is an object like a dropped one.
            folders, plain = set(), set()
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.add(entry.name + "/")
                elif entry.is_file():
                    plain.add(entry.name)
    except FileNotFoundError:
        return  # removed meanwhile
    # With its slash a folder sorts among the files exactly where the keys below it do.
    for name in sorted(folders | plain):
        key = above + name
        if name.endswith("/"):
            if (above or not name.startswith(".")) and (key.startswith(prefix) or prefix.startswith(key)):
                yield from walk(folder / name, key, prefix)
        elif above and key.startswith(prefix):
            yield key


def blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def make_folder(path: Path) -> None:
    """Like `mkdir -p`, and a new folder survives a power cut, as the files put in it do."""
    if path.is_dir():
        return
    make_folder(path.parent)
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    else:
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(folder: Path, seconds: int) -> None:
    """Remove what killed processes and spent addresses left behind."""
    before = time.time() - seconds
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()


@contextlib.contextmanager
def reading(key: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise object_missing(key) from error
    except OSError as error:
        raise object_missing(key) if error.errno == errno.ENAMETOOLONG else _failure(error) from error


@contextlib.contextmanager
def writing(key: str) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, ConnectionError, TimeoutError):
        raise  # a key that is taken, and an uploading client that went away: neither is a failing disk
    except (NotADirectoryError, IsADirectoryError) as error:
        detail = f"{key!a:.200} cannot be an object's key: an object or folder of that name is in its way."
        raise BadRequest("object_key", detail, parameter="key") from error
    except OSError as error:
        raise _failure(error) from error


def _failure(error: OSError) -> ReportsError:
    known = _FAILURES.get(error.errno or 0)
    return StorageError(*known or ("storage_failed", f"The data folder failed: {error.strerror}.", "Try again later."))
