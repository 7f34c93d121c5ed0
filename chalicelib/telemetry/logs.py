"""Log lines as JSON, each with the request or message that it belongs to.

`configure` turns them on where something collects them: on Lambda, or with `REPORTS_LOG=json`. Elsewhere nothing is set
up, so that warnings and errors are plain lines on stderr, as Python writes them.

No line holds what a file says. Where the reader of files is on the stack of an exception, its message is left out.

aws-lambda-powertools writes such lines too, for 45 to 140 ms more of processor time in a cold start (`bench.cold_start`).
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from chalicelib.errors import ReportsError

EVENTS = logging.getLogger("chalicelib.telemetry")
# Frames below these handle text of the uploaded file, and their exceptions may quote it.
_READERS = ("/chalicelib/decode/", "/chalicelib/reading/", "/chalicelib/records.py")
_UNTOLD = "(left out, since it may quote the file)"

_context: ContextVar[dict[str, Any] | None] = ContextVar("context", default=None)


@contextmanager
def context(**fields: Any) -> Iterator[dict[str, Any]]:
    """Every line that this thread logs meanwhile has these fields, and those that `note` adds."""
    held = {**(_context.get() or {}), **fields}
    token = _context.set(held)
    try:
        yield held
    finally:
        _context.reset(token)


def note(**fields: Any) -> None:
    """Add fields to the lines of the current context from now on; without one, as on the command line, nothing."""
    held = _context.get()
    if held is not None:
        held.update(fields)


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Note how many milliseconds the block took, also when it fails."""
    start = time.perf_counter()
    try:
        yield
    finally:
        note(**{name: milliseconds_since(start)})


def milliseconds_since(start: float) -> float:
    """Milliseconds since `start`, a reading of `time.perf_counter()`."""
    return round((time.perf_counter() - start) * 1000, 2)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: ASCII, so that no line separator of Unicode can break it."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(_context.get() or {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1]:
            line |= describe_exception(record.exc_info[1])
        return json.dumps({name: value for name, value in line.items() if value is not None}, default=str)


def describe_exception(error: BaseException) -> dict[str, str]:
    """`exception`, the name of its class, and `traceback`, that of its causes first, as Python prints it."""
    parts: list[str] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        frames = traceback.extract_tb(at.__traceback__)
        untold = any(reader in frame.filename for frame in frames for reader in _READERS)
        named = f"{type(at).__name__}: {_untold(at) if untold else at}\n"
        parts.insert(0, "".join(traceback.format_list(frames)) + named)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return {"exception": type(error).__name__, "traceback": "\n".join(parts)}


def _untold(error: BaseException) -> str:
    return error.code if isinstance(error, ReportsError) else _UNTOLD


def error_code(error: BaseException) -> str:
    """The code of a failure of the family, the class of any other."""
    return error.code if isinstance(error, ReportsError) else type(error).__name__


def configure(environ: Mapping[str, str]) -> None:
    """Write JSON lines to stdout where the environment says so. Raises ReportsError for an unknown `REPORTS_LOG`.

    Lambda's own handler has to go: it expects the line's end from its formatter, but not in every version.
    """
    if not _wants_json(environ):
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.WARNING)
    EVENTS.setLevel(logging.INFO)


def _wants_json(environ: Mapping[str, str]) -> bool:
    asked = environ.get("REPORTS_LOG", "")
    if asked not in ("", "json", "plain"):
        raise ReportsError("bad_setting", f"REPORTS_LOG is {asked!r}.", "Set it to json or plain, or not at all.")
    return asked == "json" or (not asked and "AWS_LAMBDA_FUNCTION_NAME" in environ)
