"""One delivery of the queue of reprocessing: its message handled, and a log line that says what came of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.maintenance import task
from chalicelib.storage import Storage
from chalicelib.telemetry import logs

log = logging.getLogger(__name__)


def take(storage: Storage, message: Mapping[str, Any], now: datetime, request_id: str | None = None) -> bool:
    """Do what an SQS message says; False when it has to be delivered again. `request_id` is that of Lambda's invocation."""
    received = message.get("attributes", {}).get("ApproximateReceiveCount")
    about = {"request_id": request_id, "message_id": message["messageId"], "receive_count": received and int(received)}
    start = time.perf_counter()
    with logs.context(**about):
        try:
            outcome = task.take_message(storage, message["body"], now)
        except Exception as error:
            logs.note(error_code=logs.error_code(error))
            log.exception("message %s comes again", message["messageId"])
            return False
        told = {f"{outcome.kind}_id": outcome.id, "revision": outcome.revision, "outcome": outcome.status}
        line = {**told, "duration_ms": logs.milliseconds_since(start)}
        logs.EVENTS.info("%s reprocessed", outcome.kind, extra={"fields": line})
    return True
