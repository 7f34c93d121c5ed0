"""One delivery of the upload queue: its message handled, and a log line for each upload that says what became of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.catalog import pending
from chalicelib.ingestion import events, ingest, upload_state
from chalicelib.ingestion.upload_state import State
from chalicelib.moments import iso
from chalicelib.storage import Storage
from chalicelib.telemetry import logs, metrics

log = logging.getLogger(__name__)


def take(storage: Storage, message: Mapping[str, Any], now: datetime, request_id: str | None = None) -> bool:
    """Handle the uploads that an SQS message reports; False when it has to be delivered again.

    `request_id` is that of Lambda's invocation.
    """
    received = message.get("attributes", {}).get("ApproximateReceiveCount")
    about = {"request_id": request_id, "message_id": message["messageId"], "receive_count": received and int(received)}
    with logs.context(**about):
        try:
            keys = events.uploaded_keys(message["body"])
        except Exception as error:
            _tell_failure(error, message["messageId"], {}, time.perf_counter())
            return False
        # One that fails keeps none of the others of its message waiting.
        taken = [_taken(storage, key, now, message["messageId"]) for key in keys]
    return all(taken)


def sweep(storage: Storage, now: datetime) -> None:
    """Remove what writings left that broke off an hour ago or before. Its failure is no failure of what was delivered."""
    try:
        pending.sweep(storage, now)
    except Exception:
        log.exception("what broken-off writings left stays for now")


def _taken(storage: Storage, key: str, now: datetime, message_id: str) -> bool:
    name, start = key.removeprefix(events.PREFIX), time.perf_counter()
    # What was dropped under another name has its id only once it is read, and such a name may be anything.
    upload_id = upload_state.id_of(name)
    with logs.context(upload_id=upload_id if upload_state.is_id(upload_id) else None) as noted:
        try:
            tell_outcome(ingest.receive(storage, key, now), now, noted, start)
        except Exception as error:
            _tell_failure(error, message_id, noted, start)
            return False
    return True


def tell_outcome(state: State | None, now: datetime, noted: Mapping[str, Any], start: float) -> None:
    """Log the upload's state as the outcome of what began at `start` (`time.perf_counter()`)."""
    if state is not None:
        logs.note(upload_id=state["id"], state=state["state"], sha256=state["sha256"])
        if state["report"]:
            logs.note(report_id=state["report"]["id"], revision=state["report"]["revision"])
        if state["reasons"]:
            logs.note(error_code=state["reasons"][0]["code"])
    metrics.tell_upload(outcome(state, now), noted, logs.milliseconds_since(start))


def outcome(state: State | None, now: datetime) -> str:
    """`published`, `unchanged`, `checked`, `needs_township` or `rejected`, where that was decided at `now`.

    Else `repeated`, for an upload that had its outcome before; `missing`, where there is no object and no upload.
    """
    if state is None:
        return "missing"
    if state["updated"] != iso(now):
        return "repeated"
    return "unchanged" if state["unchanged"] else str(state["state"])


def _tell_failure(error: Exception, message_id: str, noted: Mapping[str, Any], start: float) -> None:
    logs.note(error_code=logs.error_code(error))
    duration = logs.milliseconds_since(start)
    metrics.tell_upload("failed", noted, duration, error, f"message {message_id} comes again")
