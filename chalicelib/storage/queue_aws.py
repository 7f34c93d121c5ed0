"""A queue of SQS, for handing work to a function."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.errors import StorageError
from chalicelib.storage.aws import Clients
from chalicelib.storage.aws_failures import failures

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_BATCH = 10  # messages that one request takes
_ATTEMPTS = 6
_PAUSE_SECONDS = 0.1
_ON_THE_WAY: list[QueueAttributeNameType] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]


class SqsQueue:
    """The queue at `url`. Messages come at least once and in any order."""

    def __init__(self, url: str, session: boto3.Session | None = None) -> None:
        self._url, self._clients = url, Clients(session)

    def send(self, bodies: Iterable[str]) -> int:
        """Send all, ten in a request; their number. Raises StorageError, after which some are sent and some are not."""
        sent, rest = 0, iter(bodies)
        while some := list(islice(rest, _BATCH)):
            self._send_batch([{"Id": str(number), "MessageBody": body} for number, body in enumerate(some)])
            sent += len(some)
        return sent

    def on_the_way(self) -> int:
        """Messages that wait or are being worked on. SQS counts them about, and up to a minute late."""
        with failures():
            found = self._clients.sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=_ON_THE_WAY)
        return sum(map(int, found["Attributes"].values()))

    def _send_batch(self, entries: list[Any]) -> None:
        for attempt in range(_ATTEMPTS):
            # What the queue was too busy for is named in an answer that is none the less a success.
            with failures():
                answer = self._clients.sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
            refused = {each["Id"] for each in answer.get("Failed", [])}
            entries = [entry for entry in entries if entry["Id"] in refused]
            if not entries:
                return
            time.sleep(random.uniform(0, _PAUSE_SECONDS * 2**attempt))
        raise StorageError("queue_busy", f"The queue refused {len(entries)} messages.", "Try again later.")
