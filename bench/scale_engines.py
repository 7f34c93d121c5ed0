"""Collections in DynamoDB Local and SeaweedFS."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

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
