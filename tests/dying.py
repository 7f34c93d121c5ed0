"""Processes that ingest and are killed: a server forks them, so that each begins with everything imported.

`python -m tests.dying` reads one JSON object a line, `{storage, key, now, at, after}`, and answers with the exit status of
a child that took the delivery of `key`: 0, or -9 where it killed itself before or after its write number `at`. A list of
them is run at once. `storage` is `{folder}` or `{bucket}`; where boto3 works is in the environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.storage import Storage, local
from chalicelib.storage.local_index import LocalIndex

ROOT = Path(__file__).resolve().parent.parent
Order = Mapping[str, Any]


class Nursery:
    """The server, seen from the test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, storage: Order, *orders: Order) -> list[int]:
        """Run a child for each order, all at once; how each ended."""
        assert self._process.stdin
        assert self._process.stdout
        whole = [{**order, "now": order["now"].isoformat(), "storage": storage} for order in orders]
        print(json.dumps(whole), file=self._process.stdin, flush=True)
        answer: list[int] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def nursery(environment: Mapping[str, str]) -> Iterator[Nursery]:
    command = [sys.executable, "-m", "tests.dying"]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, **pipes) as process:
        try:
            yield Nursery(process)
        finally:
            process.communicate()


def serve() -> None:
    from chalicelib.ingestion import deliveries
    from tests import made_reports

    opened = _opener()
    import chalicelib.reading.parse as reader

    reader.parse = made_reports.read_report
    with tempfile.TemporaryDirectory() as folder:  # what is loaded at first use is loaded in the server
        made_reports.drop(local.open_storage(Path(folder)), "a.txt", made_reports.report())
    for line in sys.stdin:
        started = [_fork(order, opened, deliveries.take) for order in json.loads(line)]
        print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in started]), flush=True)


def _fork(order: Order, opened: Callable[[Order], Storage], take: Callable[..., bool]) -> int:
    child = os.fork()
    if child:
        return child
    from chalicelib.ingestion.events import upload_event

    status = 1
    try:
        now = datetime.fromisoformat(order["now"])
        storage = opened(order["storage"])
        if order.get("at") is not None:
            _kill_at(order["at"], order["after"])
        status = 0 if take(storage, upload_event([order["key"]], now)["Records"][0], now) else 3
    finally:
        os._exit(status)


def _opener() -> Callable[[Order], Storage]:
    """Opens a storage in the child: neither SQLite nor a connection may come in from the server."""
    session = None
    if "AWS_ENDPOINT_URL_S3" in os.environ:
        import boto3

        from chalicelib.storage import aws

        session = boto3.Session()
        clients = aws.Clients(session)
        for service in ("s3", "dynamodb"):
            getattr(clients, service)  # reads the service's model; makes no connection

    def opened(where: Order) -> Storage:
        if "folder" in where:
            return local.open_storage(Path(where["folder"]))
        from chalicelib.storage import aws

        return aws.open_storage(where["bucket"], where["bucket"], session)

    return opened


def _kill_at(at: int, after: bool) -> None:
    """End this process by SIGKILL at its write number `at`, from 0."""
    from chalicelib.storage import aws

    single: dict[type, Sequence[str]] = {
        local.LocalObjects: ("put", "put_new", "put_file", "delete"),
        LocalIndex: ("commit", "write"),
        aws.S3Objects: ("put", "put_new", "put_file", "delete", "delete_unchanged"),
        aws.DynamoIndex: ("commit", "_write_batch"),
    }
    made = 0

    def dying(write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal made
            mine, made = made == at, made + 1
            if mine and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = write(*arguments)
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return call

    for owner, names in single.items():
        for name in names:
            setattr(owner, name, dying(getattr(owner, name)))


if __name__ == "__main__":
    serve()
