"""One piece of a run of reprocessing: what is to be read again and how, as a process or a queue hands it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from chalicelib.catalog import layout
from chalicelib.errors import BadRequest, NotFound, ReportsError
from chalicelib.maintenance import outcome as told
from chalicelib.maintenance.choice import read_choice
from chalicelib.maintenance.listing import Subject
from chalicelib.maintenance.outcome import Outcome
from chalicelib.maintenance.reread import reread_report, retry_upload
from chalicelib.storage import Storage


@dataclass(frozen=True, slots=True)
class Run:
    """What holds for every task of a run; `where` are the conditions as they were given."""

    id: str
    where: tuple[str, ...] = ()
    dry_run: bool = False


def perform(
    storage: Storage, run: Run, subject: Subject, now: datetime, announce: Callable[[Outcome], None] = lambda _: None
) -> Outcome:
    """Read one report or upload again. Raises ReportsError as `reread_report` and `retry_upload`."""
    if subject.kind == told.UPLOAD:
        return retry_upload(storage, subject.id, now, run.dry_run)
    return reread_report(storage, subject.id, now, read_choice(run.where), run.dry_run, announce)


def write_message(run: Run, subject: Subject) -> str:
    """The body of the queue's message."""
    more = {"where": run.where, "dry_run": run.dry_run}
    return orjson.dumps({"reprocess": {"run": run.id, subject.kind: subject.id, **more}}).decode()


def take_message(storage: Storage, body: str, now: datetime) -> Outcome:
    """Do what a message says and keep its outcome for whoever waits for the run.

    A message may come twice. Raises BadRequest `bad_message` for anything that `write_message` did not write, and
    ReportsError for what may succeed at the next delivery.
    """
    run, subject = _read_message(body)
    outcome = perform(storage, run, subject, now, lambda early: keep_outcome(storage, run, early))
    if not _told_before(storage, run, outcome):
        keep_outcome(storage, run, outcome)
    return outcome


def keep_outcome(storage: Storage, run: Run, outcome: Outcome) -> None:
    storage.objects.put(outcome_object(run.id, outcome.id), orjson.dumps(outcome), "application/json")


def outcome_object(run: str, subject_id: str) -> str:
    return f"reprocessed/{run}/{subject_id}.json"


def read_outcome(body: bytes) -> Outcome:
    return Outcome(**orjson.loads(body))


def _told_before(storage: Storage, run: Run, outcome: Outcome) -> bool:
    """Whether an earlier delivery did the work that is left undone here, and what it told is true.

    It tells of a new revision before it shows it, and what it did not show somebody else may have overtaken.
    """
    if outcome.status != told.UNCHANGED or run.dry_run:
        return False
    try:
        before = read_outcome(storage.objects.get(outcome_object(run.id, outcome.id)))
    except NotFound:
        return False
    if before.status != told.REVISED or before.revision is None:
        return outcome.kind == told.UPLOAD
    return storage.index.get(*layout.revision(outcome.id, before.revision)) is not None


def _read_message(body: str) -> tuple[Run, Subject]:
    try:
        asked: dict[str, Any] = orjson.loads(body)["reprocess"]
        kind = told.UPLOAD if told.UPLOAD in asked else told.REPORT
        run = Run(str(asked["run"]), tuple(asked.get("where", ())), asked.get("dry_run") is True)
        return run, Subject(kind, str(asked[kind]))
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise BadRequest("bad_message", f"The message asks for no report: {body[:200]!r}.") from error


def failed(subject: Subject, error: ReportsError) -> Outcome:
    return Outcome(subject.kind, subject.id, told.FAILED, str(error))
