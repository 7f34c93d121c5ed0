"""Read everything again after the reader changed: by processes of this machine, or by a queue and its functions.

`REPORTS_REPROCESS_QUEUE` (the address of an SQS queue) selects the queue. Both ways give the same outcomes, told as a
line for each report that differs, and a table of gains and losses.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import orjson
from tqdm import tqdm

from chalicelib.errors import BadRequest, NotFound
from chalicelib.maintenance import outcome as told
from chalicelib.maintenance import pool, task
from chalicelib.maintenance.choice import read_choice
from chalicelib.maintenance.listing import READ_AT_ONCE, READERS, Subject, list_subjects
from chalicelib.maintenance.outcome import Outcome, Totals
from chalicelib.maintenance.task import Run
from chalicelib.storage import Storage, open_storage

QUEUE = "REPORTS_REPROCESS_QUEUE"
POLL_SECONDS = 2.0
# Listing all outcomes takes a second for 10,000 of them: this many times as long is waited in between.
POLL_SHARE = 5
# SQS counts its messages up to a minute late. A run that stands still for longer, with none on the way, has lost some
# to the dead-letter queue.
STILL_SECONDS = 90.0


def reprocess(where: Sequence[str], dry_run: bool, details: Path | None, wait: bool) -> int:
    """Run the command; its exit status: 1 where something failed. Raises ReportsError."""
    choice = read_choice(where)
    if details:
        details.touch()  # where it cannot be written, it is said before hours of work
    storage, queue = open_storage(os.environ), os.environ.get(QUEUE)
    run = Run(secrets.token_hex(6), tuple(choice.texts), dry_run)
    if not queue and not wait:
        raise BadRequest("no_queue", f"Without {QUEUE} there is nothing to come back to.", "Leave out --no-wait.")
    subjects = list(list_subjects(storage, choice))
    if not queue:
        found = pool.perform_all(run, subjects, max(1, min(os.cpu_count() or 1, len(subjects))))
        return _tell(_shown(found, len(subjects)), run, details)
    _send(storage, run, subjects, queue)
    if not wait:
        print(run.id)
        return 0
    print(f"run {run.id}: {len(subjects)} messages sent", file=sys.stderr)
    _await(storage, run, len(subjects), queue)
    return tell_run(storage, run.id, details)


def tell_run(storage: Storage, run_id: str, details: Path | None) -> int:
    """Tell what a run by queue has come to so far; 1 where something of it is not done. Raises NotFound."""
    try:
        sent = orjson.loads(storage.objects.get(_run_object(run_id)))
    except (NotFound, BadRequest) as error:
        raise NotFound("unknown_run", f"There is no run {run_id!r}.") from error
    run = Run(run_id, tuple(sent["where"]), sent["dry_run"])
    status = _tell(_kept_outcomes(storage, run_id), run, details)
    missing = sent["subjects"] - _count_outcomes(storage, run_id)
    if missing > 0:
        print(f"{'not done':<20}{missing:>9,}  still on the way, or in the dead-letter queue")
    return 1 if missing > 0 else status


def _tell(outcomes: Iterable[Outcome], run: Run, details: Path | None) -> int:
    """A line for each outcome that has one, and the table; every outcome as a line of JSON into `details`."""
    totals = Totals()
    with contextlib.closing(_Details(details)) as file:
        for outcome in outcomes:
            totals.add(outcome)
            file.add(outcome)
            if told.is_told(outcome):
                tqdm.write(told.describe(outcome), file=sys.stdout)
    print(told.write_table(totals, run.dry_run))
    return 1 if any(totals.count(kind, told.FAILED) for kind in told.STATUSES) else 0


class _Details:
    """A file of outcomes, one JSON object a line; none without a path."""

    def __init__(self, path: Path | None) -> None:
        self._file: BinaryIO | None = path.open("wb") if path else None

    def add(self, outcome: Outcome) -> None:
        if self._file:
            self._file.write(orjson.dumps(outcome, option=orjson.OPT_APPEND_NEWLINE))

    def close(self) -> None:
        if self._file:
            self._file.close()


def _shown(outcomes: Iterable[Outcome], total: int) -> Iterator[Outcome]:
    return iter(tqdm(outcomes, desc="reprocess", unit="report", total=total, file=sys.stderr, disable=None))


# By queue.


def _send(storage: Storage, run: Run, subjects: Sequence[Subject], queue: str) -> None:
    from chalicelib.storage.queue_aws import SqsQueue

    about = {
        "run": run.id,
        "where": run.where,
        "dry_run": run.dry_run,
        "subjects": len(subjects),
        "started": datetime.now(UTC),
    }
    storage.objects.put(_run_object(run.id), orjson.dumps(about), "application/json")
    bar = tqdm(subjects, desc="send", unit="message", file=sys.stderr, disable=None)
    SqsQueue(queue).send(task.write_message(run, subject) for subject in bar)


def _await(storage: Storage, run: Run, total: int, queue: str) -> None:
    """Wait until every outcome is there, or none is on its way any more."""
    from chalicelib.storage.queue_aws import SqsQueue

    sent, done, moved = SqsQueue(queue), 0, time.monotonic()
    with tqdm(total=total, desc="reprocess", unit="report", file=sys.stderr, disable=None) as bar:
        while done < total:
            began = time.monotonic()
            more = _count_outcomes(storage, run.id) - done
            bar.update(more)
            done, moved = done + more, began if more else moved
            if not more and began - moved > STILL_SECONDS and sent.on_the_way() == 0:
                return
            if done < total:
                time.sleep(max(POLL_SECONDS, POLL_SHARE * (time.monotonic() - began)))


def _count_outcomes(storage: Storage, run_id: str) -> int:
    return sum(1 for _ in storage.objects.keys(task.outcome_object(run_id, "").removesuffix(".json")))


def _kept_outcomes(storage: Storage, run_id: str) -> Iterator[Outcome]:
    keys = storage.objects.keys(task.outcome_object(run_id, "").removesuffix(".json"))
    with ThreadPoolExecutor(READERS) as readers:
        while some := list(islice(keys, READ_AT_ONCE)):
            yield from map(task.read_outcome, readers.map(storage.objects.get, some))


def _run_object(run_id: str) -> str:
    return f"reprocessed/{run_id}.json"
