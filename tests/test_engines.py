"""The engines themselves: what they keep, and that they end with whoever started them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests

from chalicelib.storage import Entry, Put, aws
from tests import engines
from tests.engine_process import EngineError, started

pytestmark = pytest.mark.engines
ROOT = Path(__file__).resolve().parent.parent


def answers(url: str) -> bool:
    try:
        requests.get(url, timeout=5)
    except requests.ConnectionError:
        return False
    return True


def test_data_in_a_folder_outlive_the_engines(tmp_path: Path) -> None:
    with engines.running(tmp_path) as first, first.storage("kept") as storage:
        storage.objects.put("raw/镇", b"body")
        storage.index.commit([Put("p", "s", b"1"), Put("p", "t", b"2", 0)])
    assert not answers(first.dynamodb)
    assert not answers(first.s3)
    with engines.running(tmp_path) as second, second.session() as session:
        storage = aws.open_storage("kept", "kept", session)
        assert storage.objects.get("raw/镇") == b"body"
        assert storage.index.get("p", "s") == Entry("p", "s", b"1", 1)


START = """
from tests import engines
from tests.engine_process import EngineError, started
with engines.running() as started:
    print(started.dynamodb, started.s3, flush=True)
    input()
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_engines_end_with_their_starter(end: signal.Signals) -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", START], cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as starter:
        assert starter.stdout is not None
        urls = starter.stdout.readline().split()
        assert [answers(url) for url in urls] == [True, True]
        starter.send_signal(end)
        starter.wait(10)
        deadline = time.monotonic() + 10
        while any(answers(url) for url in urls) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert [answers(url) for url in urls] == [False, False]


def test_an_engine_that_does_not_start_tells_why() -> None:
    tried: list[int] = []

    def command(ports: Sequence[int], _: Path) -> list[str]:
        tried.extend(ports)
        return ["sh", "-c", "echo no such option; exit 1"]

    with pytest.raises(EngineError, match="no such option"), started(command, 1, lambda _: None):
        pass
    assert len(tried) == 3
