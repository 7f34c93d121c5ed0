"""Faults of S3 and DynamoDB under boto3: refusals, failures, and connections that break before or after the work is done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from chalicelib.storage import Storage, aws

Fault = Callable[[Any], AWSResponse]


class _Body:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> list[bytes]:
        return [self._body]


def _answer(request: Any, status: int, body: str) -> AWSResponse:
    return AWSResponse(request.url, status, HTTPHeaders(), _Body(body.encode()))


def refused(status: int, code: str) -> Fault:
    """An answer of either service with this error code; nothing was done."""

    def fault(request: Any) -> AWSResponse:
        if "X-Amz-Target" not in request.headers:
            return _answer(request, status, f"<Error><Code>{code}</Code><Message>no</Message></Error>")
        return _answer(request, status, json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}))

    return fault


def cancelled(request: Any) -> AWSResponse:
    """Another transaction is at work on one of the items."""
    asked = json.loads(request.body)["TransactItems"]
    reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in asked[1:])]
    kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    return _answer(request, 400, json.dumps({"__type": kind, "CancellationReasons": reasons}))


def unprocessed(request: Any) -> AWSResponse:
    """The table was too busy for all of a batch, which is an answer like any."""
    return _answer(request, 200, json.dumps({"UnprocessedItems": json.loads(request.body)["RequestItems"]}))


def not_sent(request: Any) -> NoReturn:
    raise ConnectTimeoutError(endpoint_url=request.url)


def answer_lost(request: Any) -> NoReturn:
    """The service does what it is asked, and the connection breaks before its answer is there."""
    URLLib3Session().send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def done_and_failed(request: Any) -> AWSResponse:
    """The service does what it is asked, and says that it failed."""
    URLLib3Session().send(request)
    return refused(500, "InternalError")(request)


ALWAYS: dict[str, Fault] = {"not sent": not_sent, "answer lost": answer_lost, "done, said 500": done_and_failed}
S3: dict[str, Fault] = {"503 SlowDown": refused(503, "SlowDown"), "500": refused(500, "InternalError"), **ALWAYS}
DYNAMODB: dict[str, Fault] = {
    "throughput exceeded": refused(400, "ProvisionedThroughputExceededException"),
    "throttled": refused(400, "ThrottlingException"),
    "500": refused(500, "InternalServerError"),
    **ALWAYS,
}
FAULTS: dict[str, dict[str, Fault]] = {
    **dict.fromkeys(("HeadObject", "GetObject", "PutObject", "DeleteObject"), S3),
    **dict.fromkeys(("GetItem", "Query", "UpdateItem", "DeleteItem"), DYNAMODB),
    "TransactWriteItems": {**DYNAMODB, "transaction conflict": cancelled},
    "BatchWriteItem": {**DYNAMODB, "unprocessed": unprocessed},
}


class Injector:
    """Makes calls of one operation fail: `times` attempts, beginning with its attempt number `at`, from 0."""

    def __init__(self) -> None:
        self.attempts = Counter[str]()
        self._plan: tuple[str, range, Fault] | None = None

    def plan(self, operation: str, fault: Fault, at: int, times: int) -> None:
        self.attempts.clear()
        self._plan = (operation, range(at, at + times), fault)

    def heal(self) -> None:
        self.attempts.clear()
        self._plan = None

    def __call__(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        number, self.attempts[operation] = self.attempts[operation], self.attempts[operation] + 1
        if self._plan and self._plan[0] == operation and number in self._plan[1]:
            return self._plan[2](request)
        return None


@contextmanager
def injected(storage: Storage) -> Iterator[Injector]:
    """The injector under the clients of a storage on AWS."""
    assert isinstance(storage.index, aws.DynamoIndex)
    injector, clients = Injector(), storage.index.clients
    for client in (clients.s3, clients.dynamodb):
        client.meta.events.register_first("before-send", injector)  # type: ignore[arg-type]
    yield injector
    for client in (clients.s3, clients.dynamodb):
        client.meta.events.unregister("before-send", injector)  # type: ignore[arg-type]
