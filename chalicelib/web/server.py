"""The server of one machine: granian in front of the gateway, and beside it the threads that publish what arrives.

Granian's worker processes answer, one for each CPU. This process ingests, so that reading a report holds up no answer.
"""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import socket
import tempfile
import threading
from contextlib import ExitStack
from multiprocessing import parent_process
from pathlib import Path
from time import sleep

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from chalicelib.errors import StorageError
from chalicelib.web import publishers, read_limits, upload_limits
from chalicelib.web.gateway import BODIES, Gateway

# A slow upload holds a thread until its last byte, so there are more threads than bodies are read at once. Measured on
# two cores with 16 connections, 16 threads answer as many requests as 1 or 4, for they share one interpreter.
THREADS = 2 * BODIES
GRACE_SECONDS = 10  # for the worker to end what it is answering
READY = "REPORTS_READY"  # names the folder where each worker leaves a file once it is made
LIMITS = "limits"  # beside these, the file of the readers' limits
TURN = 0.05  # seconds between two looks whether the worker listens


def serve(host: str, port: int) -> int:
    """Serve until SIGINT or SIGTERM; the exit status. Raises StorageError when it cannot listen."""
    require_free(host, port)
    upload_limits.read_limit()
    read_limits.read_policy(os.environ)  # a bad setting is told here, and not by each worker
    publishers.own_key(os.environ)  # made now, so that whoever reads where it is finds it there
    print(publishers.tell_key(os.environ), flush=True)
    # A forked worker would inherit the open database, and locks that other threads hold.
    multiprocessing.set_start_method("spawn", force=True)
    workers = os.cpu_count() or 1
    server = Granian(
        "chalicelib.web.server:make_application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        websockets=False,
        factory=True,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
    )
    with ExitStack() as running:
        if not os.environ.get("REPORTS_BUCKET"):
            _publish_arrivals(running)
        os.environ[READY] = running.enter_context(tempfile.TemporaryDirectory(prefix="serving-"))
        read_limits.make_buckets(Path(os.environ[READY]) / LIMITS)
        threading.Thread(target=_announce, args=(host, port, workers), daemon=True).start()
        server.serve()
    return 0


def make_application() -> Gateway:
    """The WSGI application, made in the worker process; it ends with the process that started it, even a killed one."""
    # Ctrl-C is sent to the whole process group. A worker that got it twice, from there and from the process that started
    # it, would be waited for until it is killed.
    os.setpgid(0, 0)
    from app import app

    threading.Thread(target=_end_with_parent, daemon=True).start()
    _ = app.storage  # opened before the threads come, so that it is opened once
    shared, policy = Path(os.environ[READY]), read_limits.read_policy(os.environ)
    gateway = Gateway(app, read_limits.ReadLimit(policy, shared / LIMITS) if policy else None)
    (shared / str(os.getpid())).touch()
    return gateway


def require_free(host: str, port: int) -> None:
    """Raise StorageError `port_in_use` or `address_unavailable` unless this address can be listened on.

    Granian shares its port (SO_REUSEPORT): without this, two servers would answer in turns.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        with socket.socket(found[0][0], socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        detail = f"Nothing can listen on {host}:{port} ({error.strerror})."
        if not isinstance(error, socket.gaierror) and error.errno in (errno.EADDRINUSE, errno.EACCES):
            way_out = "Stop what listens there, or choose another port: make run PORT=8001."
            raise StorageError("port_in_use", detail, way_out) from error
        way_out = "Choose an address of this machine: make run HOST=127.0.0.1."
        raise StorageError("address_unavailable", detail, way_out) from error


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _publish_arrivals(running: ExitStack) -> None:
    """Start ingestion and export beside the server, and stop them when `running` closes."""
    from app import app, ingest_upload
    from chalicelib.bulk import fresh
    from chalicelib.ingestion import watch

    data = Path(os.environ.get("REPORTS_DATA") or "data")
    running.callback(watch.start(data, app.storage, ingest_upload).stop)
    running.callback(fresh.start(data, app.storage).stop)


def _announce(host: str, port: int, workers: int) -> None:
    """One line once all workers are made and one listens."""
    with contextlib.suppress(FileNotFoundError):  # gone: stopped before
        while sum(file.name != LIMITS for file in Path(os.environ[READY]).iterdir()) < workers:
            sleep(TURN)
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            break
        except OSError:
            sleep(TURN)
    shown = f"[{address}]" if ":" in address else address
    print(f"Serving on http://{shown}:{port}", flush=True)
