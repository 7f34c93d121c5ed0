"""Clients that stop sending, send too much or come too many at once: the server goes on, and says why it refuses."""

from __future__ import annotations

import io
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from chalicelib.web import body
from chalicelib.web.body import Body, Turns
from chalicelib.web.gateway import BODIES
from chalicelib.web.server import THREADS
from tests.running_server import PATIENCE, Server, run_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("served"), REPORTS_MAX_BYTES="1000000") as started:
        yield started


def begin(server: Server, method: str, target: str, length: int, sent: bytes = b"abc") -> socket.socket:
    """A connection on which a request announces `length` bytes and only `sent` has come."""
    parts = urlsplit(server.url)
    line = socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE)
    head = (
        f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    line.sendall(head.encode() + sent)
    return line


def target_of(server: Server, size: int = 5000) -> str:
    parts = urlsplit(server.ask_address("a.txt", size)["put"]["url"])
    return f"{parts.path}?{parts.query}"


def await_turns(server: Server) -> None:
    """Return when every process that answers takes bodies again, which is soon after it notices that clients are gone."""
    asked, end = 0, time.monotonic() + PATIENCE
    while asked < 10:
        assert time.monotonic() < end, "turns stay taken"
        answer = requests.post(
            f"{server.url}/v1/uploads", json={"filename": "a.txt", "bytes": 5}, headers=server.key, timeout=PATIENCE
        )
        asked = asked + 1 if answer.ok else 0


def refused(line: socket.socket) -> tuple[int, dict[str, str], Any]:
    """Status, headers and problem of the answer on a connection whose request has not been sent whole."""
    stream = line.makefile("rb")
    status = int(stream.readline().split()[1])
    lines = iter(lambda: stream.readline().decode().strip(), "")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    return status, headers, json.loads(stream.read(int(headers["content-length"])))


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_stalled_bodies_leave_the_rest_of_the_api_alone(server: Server, method: str) -> None:
    assert THREADS > BODIES
    target = target_of(server) if method == "PUT" else "/v1/uploads"
    with ExitStack() as lines:
        # Connections come to the processes by chance: so many that none of them has a turn left.
        for _ in range(2 * THREADS * (os.cpu_count() or 1)):
            lines.enter_context(closing(begin(server, method, target, 5000)))
        assert server.get("/v1/health").ok
        status, headers, problem = refused(lines.enter_context(closing(begin(server, method, target, 5000))))
        assert (status, problem["code"], headers["retry-after"]) == (503, "uploads_busy", "1")
    await_turns(server)


def test_turns_that_stalled_clients_held_are_free_once_they_are_gone(server: Server) -> None:
    for _ in range(2):
        lines = [begin(server, "PUT", target_of(server), 5000) for _ in range(3)]
        for line in lines:
            line.close()
        await_turns(server)
    assert server.put(server.ask_address("a.txt", 5), b"whole").ok


def test_a_file_over_the_limit_is_refused_at_once_and_what_was_under_way_is_taken(server: Server) -> None:
    size = 300_000_000
    target = target_of(server)
    with closing(begin(server, "PUT", target, size)) as line:
        status, _, problem = refused(line)
        assert (status, problem["code"]) == (413, "upload_too_large")
        block = bytes(1_000_000)
        for _ in range(size // len(block) - 1):
            line.sendall(block)
    state = server.get(f"/v1/uploads/{urlsplit(target).path.rpartition('/')[2]}").json()
    assert (state["state"], [reason["code"] for reason in state["reasons"]]) == ("rejected", ["too_large"])


# In one process.


def environ(stream: Any, **more: str) -> dict[str, Any]:
    asked = {"REQUEST_METHOD": "POST", "PATH_INFO": "/v1/uploads", "CONTENT_LENGTH": "5000"}
    return {**asked, "CONTENT_TYPE": "application/json", "wsgi.input": stream, **more}


def test_a_refusal_waits_for_the_rest_of_a_body_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "DRAIN_SECONDS", 0.0)
    Body(environ(sent := io.BytesIO(b"abc"))).drain()
    assert sent.tell() == 0


def test_a_refusal_takes_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "DRAINED_BYTES", 3 * body.BLOCK)
    Body(environ(sent := io.BytesIO(bytes(9 * body.BLOCK)))).drain()
    assert sent.tell() == 3 * body.BLOCK


@pytest.mark.parametrize(
    ("more", "comes"),
    [
        ({}, True),
        ({"CONTENT_LENGTH": "0"}, False),
        ({"CONTENT_LENGTH": ""}, True),
        ({"REQUEST_METHOD": "GET", "CONTENT_LENGTH": ""}, False),
        ({"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}, True),
    ],
)
def test_only_requests_that_have_a_body_need_a_turn(more: dict[str, str], comes: bool) -> None:
    assert Body(environ(io.BytesIO(), **more)).comes == comes


def test_a_turn_comes_back() -> None:
    turns = Turns(1)
    for _ in range(2):
        with turns.taken(), pytest.raises(Exception, match="uploads_busy"), turns.taken():
            pass
