"""The tasks of a run on this machine: a process for each CPU, each with a storage of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime

from chalicelib.errors import ReportsError
from chalicelib.maintenance.listing import Subject
from chalicelib.maintenance.outcome import Outcome
from chalicelib.maintenance.task import Run, failed, perform
from chalicelib.storage import Storage, open_storage

AHEAD = 4  # tasks a process that are handed on before their turn, so that none is idle while outcomes are taken

_opened: list[Storage] = []


def perform_all(run: Run, subjects: Iterable[Subject], processes: int) -> Iterator[Outcome]:
    """The outcomes in the order of the subjects; one that fails is FAILED. Raises ReportsError `process_died`.

    Whoever stops taking them ends the run after the tasks that are under way: the same run again goes on from there.
    """
    # A child that is forked would have the connections and threads of this process.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(processes, context, initializer=_begin)
    waiting = deque[Future[Outcome]]()
    try:
        for subject in subjects:
            waiting.append(executor.submit(_perform, run, subject))
            if len(waiting) >= AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        detail = "A process that read reports was killed, perhaps for want of memory."
        raise ReportsError("process_died", detail, "Run the same command again: it goes on.") from error
    finally:
        executor.shutdown(cancel_futures=True)


def _begin() -> None:
    # Ctrl-C reaches every process of the terminal; the first one tells these when to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _perform(run: Run, subject: Subject) -> Outcome:
    if not _opened:
        _opened.append(open_storage(os.environ))
    try:
        return perform(_opened[0], run, subject, datetime.now(UTC))
    except ReportsError as error:
        return failed(subject, error)
