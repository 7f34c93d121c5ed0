"""What both storages hold to alike: the keys and sizes that they take, and the words of their common failures.

The sizes are those of S3 and DynamoDB. The local storage refuses the same: what works on one machine works on AWS.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from chalicelib.errors import BadRequest, Conflict, NotFound, ReportsError, TooLarge
from chalicelib.storage import Delete, Put

MAX_KEY_BYTES = 1024  # S3
MAX_SEGMENT_BYTES = 255  # a file name on ext4, XFS and APFS
MAX_WRITES = 100  # one DynamoDB transaction
MAX_PK_BYTES, MAX_SK_BYTES = 2048, 1024
# DynamoDB counts names and numbers too: `pk`, `sk`, `body`, `version` and at most 21 bytes of a number.
MAX_ENTRY_BYTES = 400 * 1024 - 36
MAX_COMMIT_BYTES = 4 * 1024 * 1024 - MAX_WRITES * 36
MAX_ADDRESS_SECONDS = 7 * 24 * 3600  # the longest that S3 signs for

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_UNSAFE_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\/%]')


def is_object_key(key: str) -> bool:
    """Whether `key` names a place below the storage's root: `folder/name`, no empty, `.` or `..` segment.

    The first segment is never hidden, and a key has at least two: what lies directly in the local folder (index,
    secret) and in its dot folders can thus never be taken for an object.
    """
    segments = key.split("/")
    return (
        len(segments) > 1
        and not key.startswith(".")
        and "\0" not in key
        and all(segment not in ("", ".", "..") for segment in segments)
    )


def check_key(key: str) -> None:
    """Raises BadRequest when an object cannot be written under `key` in every storage."""
    reason = _key_fault(key)
    if reason:
        raise BadRequest("object_key", f"{key!a:.200} cannot be an object's key: {reason}.", parameter="key")


def _key_fault(key: str) -> str:
    if not is_object_key(key):
        return "a key is folder/name, without empty, '.' or '..' parts, and its folder does not start with a dot"
    if _CONTROL.search(key):
        return "it has a control character"
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "it is not Unicode text"
    if size > MAX_KEY_BYTES:
        return f"it has {size} bytes in UTF-8, the limit is {MAX_KEY_BYTES}"
    longest = max(len(segment.encode()) for segment in key.split("/"))
    if longest > MAX_SEGMENT_BYTES:
        return f"one of its names has {longest} bytes in UTF-8, the limit is {MAX_SEGMENT_BYTES}"
    return ""


def check_seconds(seconds: int) -> None:
    """Raises BadRequest when an address cannot be valid for so long."""
    if not 0 < seconds <= MAX_ADDRESS_SECONDS:
        raise BadRequest(
            "address_seconds",
            f"An address is valid for 1 to {MAX_ADDRESS_SECONDS} seconds, not {seconds}.",
            parameter="seconds",
        )


def check_writes(writes: Sequence[Put | Delete]) -> None:
    """Raises TooLarge when one commit cannot hold the writes, ReportsError when they contradict each other."""
    if len(writes) > MAX_WRITES:
        raise TooLarge("commit_too_large", f"One commit holds {MAX_WRITES} writes, not {len(writes)}.")
    total = _total_bytes(writes)
    if total > MAX_COMMIT_BYTES:
        raise TooLarge("commit_too_large", f"One commit holds {MAX_COMMIT_BYTES} bytes, not {total}.")


def check_free_writes(writes: Sequence[Put | Delete]) -> None:
    """Raises TooLarge for an entry that no storage holds, ReportsError for a key twice or for an expectation."""
    _total_bytes(writes)
    if any(write.expect is not None for write in writes):
        raise ReportsError("write_expects", "A write outside of a commit cannot expect anything.")


def _total_bytes(writes: Sequence[Put | Delete]) -> int:
    if len({(write.pk, write.sk) for write in writes}) < len(writes):
        raise ReportsError("commit_key_twice", "Two writes have the same key.")
    return sum(_entry_bytes(write) for write in writes)


def _entry_bytes(write: Put | Delete) -> int:
    try:
        pk, sk = len(write.pk.encode()), len(write.sk.encode())
    except UnicodeEncodeError as error:
        raise ReportsError("entry_key", "The key of an entry is not Unicode text.") from error
    if not (0 < pk <= MAX_PK_BYTES and 0 < sk <= MAX_SK_BYTES):
        raise ReportsError(
            "entry_key", f"A pk has 1 to {MAX_PK_BYTES} bytes and an sk 1 to {MAX_SK_BYTES}, not {pk} and {sk}."
        )
    size = pk + sk + (len(write.body) if isinstance(write, Put) else 0)
    if size > MAX_ENTRY_BYTES:
        raise TooLarge(
            "entry_too_large",
            f"The entry {write.sk!r} of {write.pk!r} has {size} bytes, the limit is {MAX_ENTRY_BYTES}.",
        )
    return size


def object_missing(key: str) -> NotFound:
    return NotFound("object_missing", f"There is no object {key!a:.200}.")


def entry_changed(write: Put | Delete) -> Conflict:
    return Conflict(
        "entry_changed", f"The entry {write.sk!r} of {write.pk!r} is not as expected.", "Read it again and decide anew."
    )


def address_used(key: str) -> Conflict:
    return Conflict(
        "upload_address_used", f"Something was uploaded as {key!a:.200} already.", "Ask for a new upload address."
    )


def content_disposition(filename: str) -> str:
    """The header that saves a download as `filename`: quoted ASCII for old clients, UTF-8 for the others (RFC 6266)."""
    name = _CONTROL.sub("_", filename.encode(errors="replace").decode())
    return f"attachment; filename=\"{_UNSAFE_IN_QUOTES.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"
