"""Collections in DynamoDB Local and SeaweedFS, and the read units of a GET as DynamoDB counts them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3

from chalicelib.storage import Storage, aws
from tests.engines import missing, running
from tests.resources import create_resources


@contextlib.contextmanager
def engine_session(folder: Path) -> Iterator[boto3.Session]:
    """A session of both engines, whose data stay in `folder`. Raises RuntimeError where one is not installed."""
    if lacks := missing():
        raise RuntimeError(f"The engines cannot run: {lacks}.")
    with running(folder) as engines, engines.session() as session:
        yield session


def make_resources(session: boto3.Session, name: str) -> None:
    """Bucket and table of this name, unless an earlier run made them."""
    if name not in session.client("dynamodb").list_tables()["TableNames"]:
        create_resources(session, name, name)


def opener(name: str) -> partial[Storage]:
    """Opens the storage in this or another process of the session's environment."""
    return partial(aws.open_storage, name, name)


class ReadUnits:
    """Adds up what the requests of a storage's DynamoDB client consume."""

    def __init__(self, storage: Storage) -> None:
        self.total = 0.0
        assert isinstance(storage.index, aws.DynamoIndex)
        events = storage.index.clients.dynamodb.meta.events
        events.register("before-parameter-build.dynamodb.*", self._ask)
        events.register("after-call.dynamodb.*", self._add)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _add(self, parsed: dict[str, Any], **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        for each in consumed if isinstance(consumed, list) else [consumed]:  # a list where there may be several tables
            self.total += each["CapacityUnits"]
