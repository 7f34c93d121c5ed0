"""What the clients of a storage on AWS ask for, and the capacity units that DynamoDB counts for it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chalicelib.storage import Storage, aws

# Operations whose units are write units; those of all others are read units.
WRITES = frozenset({"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"})


@dataclass
class Consumed:
    """Requests by operation, units by operation."""

    requests: Counter[str] = field(default_factory=Counter)
    units: dict[str, float] = field(default_factory=dict)

    @property
    def read_units(self) -> float:
        return sum(units for name, units in self.units.items() if name not in WRITES)

    @property
    def write_units(self) -> float:
        return sum(units for name, units in self.units.items() if name in WRITES)


class Meter:
    """Counts what a storage's clients do within `counting()`."""

    def __init__(self, storage: Storage) -> None:
        assert isinstance(storage.index, aws.DynamoIndex)
        self._now = Consumed()
        table, bucket = storage.index.clients.dynamodb.meta.events, storage.index.clients.s3.meta.events
        table.register("before-parameter-build.dynamodb.*", self._ask)
        table.register("after-call.dynamodb.*", self._add)
        bucket.register("before-call.s3.*", self._note)

    @contextlib.contextmanager
    def counting(self) -> Iterator[Consumed]:
        self._now = found = Consumed()
        yield found
        self._now = Consumed()

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _add(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        units = sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))
        self._now.requests[model.name] += 1
        self._now.units[model.name] = self._now.units.get(model.name, 0) + units

    def _note(self, model: Any, **_: Any) -> None:
        self._now.requests[model.name] += 1
