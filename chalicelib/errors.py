"""Every failure that a caller may meet, as one small family.

Each class is one HTTP problem type (`type`, `title`, `status`) and one machine-readable `code`; `detail` says what is
wrong and where, `way_out` what the caller can do. Nothing in this project answers a failure with `None`.
"""

from __future__ import annotations

from typing import Any


class ReportsError(Exception):
    """Base of the family. `extra` holds the members that a problem document adds (`parameter`, `candidates`, …)."""

    status = 500
    title = "Internal error"

    def __init__(self, code: str, detail: str, way_out: str = "", **extra: Any) -> None:
        super().__init__(detail)
        self.code, self.detail, self.way_out, self.extra = code, detail, way_out, extra

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}" + (f" {self.way_out}" if self.way_out else "")


class ReportError(ReportsError):
    """An upload that cannot become a record. `extra["place"]` names the line, byte or JSON Pointer where known."""

    status = 422
    title = "The file cannot be published"


class BadRequest(ReportsError):
    """A request that says something the API does not understand; `extra["parameter"]` names it."""

    status = 400
    title = "Bad request"


class NotFound(ReportsError):
    status = 404
    title = "Not found"


class Ambiguous(ReportsError):
    """A name that several things carry; `extra["candidates"]` lists them."""

    status = 300
    title = "Several things have this name"


class Conflict(ReportsError):
    """A conditional write lost against another writer: read again and decide anew."""

    status = 409
    title = "Conflict"


class Gone(ReportsError):
    """What was there was taken back; `extra` says since when and why."""

    status = 410
    title = "Gone"


class PreconditionFailed(ReportsError):
    status = 412
    title = "Precondition failed"


class Unauthorized(ReportsError):
    """Nothing valid says in whose name the request comes."""

    status = 401
    title = "Unauthorized"


class Forbidden(ReportsError):
    status = 403
    title = "Forbidden"


class TooLarge(ReportsError):
    status = 413
    title = "Too large"


class StorageError(ReportsError):
    """The storage itself failed (disk full, network, throttling): the same request may succeed later."""

    status = 503
    title = "Storage unavailable"
