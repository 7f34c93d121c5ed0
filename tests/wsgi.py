"""The gateway of one machine called as granian calls it."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

Application = Callable[[dict[str, Any], Callable[[str, list[tuple[str, str]]], object]], Any]


@dataclass(frozen=True)
class Answered:
    """A response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    application: Application, url: str, method: str = "GET", address: str = "203.0.113.7", **headers: str
) -> Answered:
    """Send a request without a body for `url` (percent-encoded) from `address`."""
    parts, told = urlsplit(url), list[Any]()
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": "reports.example",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": address,
        "HTTP_HOST": "reports.example",
        "wsgi.input": io.BytesIO(),
        **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
    }
    body = b"".join(application(environ, lambda status, given: told.append((status, given))))
    ((status, given),) = told
    return Answered(int(status[:3]), {name.lower(): value for name, value in given}, body)
