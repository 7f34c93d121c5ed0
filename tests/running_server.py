"""The real server in a process of its own, and the requests that a publisher makes."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from chalicelib.web import publishers

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0  # seconds until a test gives up


@dataclass(frozen=True)
class Server:
    """A running server over the data folder `data`."""

    url: str
    data: Path
    key: dict[str, str] = field(default_factory=dict)  # the header that a publisher sends

    def get(self, path: str) -> requests.Response:
        return requests.get(self.url + path, timeout=PATIENCE)

    def announce(self, filename: str, size: int, query: str = "", **more: str) -> requests.Response:
        body: dict[str, Any] = {"filename": filename, "bytes": size, **more}
        return requests.post(f"{self.url}/v1/uploads{query}", json=body, headers=self.key, timeout=PATIENCE)

    def ask_address(self, filename: str, size: int, **more: str) -> dict[str, Any]:
        """What POST /v1/uploads answers for a file of `size` bytes."""
        answer = self.announce(filename, size, **more)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def put(self, upload: dict[str, Any], data: bytes | Iterable[bytes]) -> requests.Response:
        address = upload["put"]
        return requests.put(address["url"], data=data, headers=address["headers"], timeout=PATIENCE)

    def outcome(self, upload: dict[str, Any]) -> dict[str, Any]:
        """The upload's state once it is final."""
        return self.until(f"/v1/uploads/{upload['id']}", lambda s: s["state"] not in ("waiting", "reading"))

    def until(self, path: str, holds: Any) -> dict[str, Any]:
        """The JSON at `path` once it satisfies `holds`."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.get(path)
            if answer.ok and holds(answer.json()):
                return dict(answer.json())
            time.sleep(0.05)
        raise AssertionError(f"{path} never got there: {answer.text}")


@contextlib.contextmanager
def run_server(data: Path, **environment: str) -> Iterator[Server]:
    """A server on a free port; ended by SIGTERM."""
    port = free_port()
    command = [sys.executable, "-m", "chalicelib", "serve", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "REPORTS_DATA": str(data), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("Serving on"):
                    break
            else:
                raise AssertionError("the server ended before it served")
            key = publishers.own_key({"REPORTS_DATA": str(data), **environment})
            yield Server(f"http://127.0.0.1:{port}", data, {"X-API-Key": key})
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
