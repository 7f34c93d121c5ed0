"""An object of the local storage as S3 would send it: whole or a range of it, or not at all to who has it already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.utils import formatdate

from chalicelib.storage.contract import content_disposition
from chalicelib.storage.local import LocalObjects
from chalicelib.web.body import BLOCK
from chalicelib.web.core import CORS, matches
from chalicelib.web.replies import RefusedError

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)


def read_object(
    objects: LocalObjects, key: str, filename: str, media: str, asked: Mapping[str, str]
) -> tuple[int, dict[str, str], Iterator[bytes]]:
    """Status, headers and bytes; `asked` are the request's headers, with names in lower case.

    A range is told by RFC 9110, section 14: of several at once, or of one that cannot be read, all is sent. Raises
    NotFound, RefusedError `range_not_satisfiable`.
    """
    info = objects.stat(key)
    etag = f'"{info.etag}"'
    headers = {
        "Content-Type": media,
        "Content-Disposition": content_disposition(filename),
        # Uploaded by anybody: a browser saves it, and runs nothing of it.
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=0",
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "Last-Modified": formatdate(info.modified, usegmt=True),
        **CORS,
    }
    if "if-none-match" in asked and matches(asked["if-none-match"], etag):
        return 304, {name: value for name, value in headers.items() if name != "Content-Type"}, iter(())
    part = _asked_range(asked, info.size, etag)
    start, end = part or (0, info.size)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size}"
    return 206 if part else 200, headers, _read(objects, key, start, end)


def _asked_range(asked: Mapping[str, str], size: int, etag: str) -> tuple[int, int] | None:
    """Where the range begins, and the place behind its end; None for all of the object."""
    found = _RANGE.fullmatch(asked.get("range", "").strip())
    if found is None or asked.get("if-range", etag) != etag:
        return None
    first, last, tail = found.groups()
    start = max(0, size - int(tail)) if tail else int(first)
    end = min(size, int(last) + 1) if last else size
    if last and int(last) < start:
        return None  # no range at all
    if start >= size or (tail and not int(tail)):
        detail = f"The file has {size} bytes, and the range begins behind them."
        raise RefusedError(416, "range_not_satisfiable", detail, "Ask for a range within the file.", size=size)
    return start, end


def _read(objects: LocalObjects, key: str, start: int, end: int) -> Iterator[bytes]:
    with objects.open(key) as stream:
        stream.seek(start)
        left = end - start
        while left and (block := stream.read(min(BLOCK, left))):
            left -= len(block)
            yield block
