"""Servers of tests: each starts on free ports, is waited for until it answers, and never outlives its starter."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from botocore.exceptions import BotoCoreError, ClientError

_PATIENCE = 180.0  # seconds until an engine has to answer; it takes 2 to 6, but 50 on a machine with too much to do
_ATTEMPTS = 3  # between the choice of a port and its use another process may take it
_PORTS = range(12_000, 32_000)  # below those that systems give to outgoing connections

# The engine ends with a line on standard input or with its end, so that it never outlives its starter, however that
# goes. A killed one removes nothing, and SeaweedFS has its sockets outside of every folder that it is given.
_GUARDED = """trap : HUP INT TERM
exec 3<&0
"$@" 3<&- </dev/null & engine=$!
{ read -r _ <&3; kill -$END $engine; sleep 10; kill -KILL $engine; } & guard=$!
while kill -0 $engine 2>&-; do wait $engine; done
kill -KILL $guard
for port in $PORTS; do rm -f /tmp/seaweedfs-*-grpc-$port.sock; done
rm -rf "$SCRATCH"
"""

Command = Callable[[Sequence[int], Path], list[str]]


class EngineError(Exception):
    """An engine did not start; the message has the end of its log."""


@contextlib.contextmanager
def started(command: Command, count: int, ask: Callable[[str], object], end: str = "KILL") -> Iterator[str]:
    """The address of the engine that `command(ports, scratch folder)` starts; the signal `end` ends it.

    It gets `count` free ports. The address is that of the last one, from when `ask(address)` goes without failure.
    """
    for _ in range(_ATTEMPTS):
        scratch, ports = Path(tempfile.mkdtemp()), _free_ports(count)
        url = f"http://127.0.0.1:{ports[-1]}"
        guarded = {"END": end, "SCRATCH": str(scratch), "PORTS": " ".join(map(str, ports))}
        with tempfile.TemporaryFile() as log:
            with _process(command(ports, scratch), log, guarded) as process:
                if _opens(process, ports[-1]) and _answers(process, functools.partial(ask, url)):
                    yield url
                    return
            log.seek(0)
            said = log.read().decode(errors="replace")
    raise EngineError(f"An engine does not start. The end of its log:\n{said[-3000:]}")


@contextlib.contextmanager
def _process(command: list[str], log: IO[bytes], guarded: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        ["sh", "-c", _GUARDED, "sh", *command],
        cwd=guarded["SCRATCH"],  # where DynamoDB Local leaves a file
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, **guarded},
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.communicate(b"\n")


def _opens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether something listens at `port` within the time that an engine has."""
    return _happens(process, lambda: socket.create_connection(("127.0.0.1", port)).close(), OSError)


def _answers(process: subprocess.Popen[bytes], ask: Callable[[], object]) -> bool:
    return _happens(process, ask, BotoCoreError, ClientError)


def _happens(process: subprocess.Popen[bytes], act: Callable[[], object], *failures: type[Exception]) -> bool:
    """Whether `act` goes without failure within the time that an engine has, and while it runs."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(*failures):
            act()
            return True
        time.sleep(0.05)
    return False


def _free_ports(count: int) -> list[int]:
    free: list[int] = []
    while len(free) < count:
        port = random.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in free:
                free.append(port)
    return free
