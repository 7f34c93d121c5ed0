"""The server of one machine with a constant body in place of the app: what its HTTP costs alone.

BYTES=27000 .venv/bin/python -m bench.constant_server PORT
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any
from unittest import mock

from granian import Granian

from chalicelib.web import server


def make_application() -> Any:
    """Answers each request with `BYTES` bytes that say nothing."""
    body = b"[" + b"0" * (int(os.environ["BYTES"]) - 2) + b"]"
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]

    def application(_: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", headers)
        return [body]

    return application


def _granian(_: str, **options: Any) -> Any:
    return Granian("bench.constant_server:make_application", **options)


def main() -> int:
    """Serve as `chalicelib serve` does: the same server with the same settings, and nothing that ingests beside it."""
    with mock.patch.object(server, "Granian", _granian), mock.patch.object(server, "_publish_arrivals"):
        return server.serve("127.0.0.1", int(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
