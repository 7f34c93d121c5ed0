"""What the clients of a storage on AWS ask for, and the capacity units that it costs.

The units are those of `ReturnConsumedCapacity`, but for two things that DynamoDB Local 2 counts wrong: it says 4 of every
transaction whose last item has at most 1 KB, however many there are, where AWS bills 2 for each started KB of each item;
and 0 of a query that finds nothing, where AWS bills the least that a read can cost.
"""

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
        self._now, self._transaction = Consumed(), 0
        table, bucket = storage.index.clients.dynamodb.meta.events, storage.index.clients.s3.meta.events
        table.register("before-parameter-build.dynamodb.*", self._ask)
        table.register("after-call.dynamodb.*", self._add)
        bucket.register("before-call.s3.*", self._note)

    @contextlib.contextmanager
    def counting(self) -> Iterator[Consumed]:
        self._now = found = Consumed()
        yield found
        self._now = Consumed()

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"
        if model.name == "TransactWriteItems":
            self._transaction = sum(2 * _kilobytes(each) for each in params["TransactItems"])

    def _add(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        units = sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))
        if model.name == "TransactWriteItems":
            units = self._transaction
        elif model.name == "Query":
            units = max(units, 1)  # all of ours are consistent
        self._now.requests[model.name] += 1
        self._now.units[model.name] = self._now.units.get(model.name, 0) + units

    def _note(self, model: Any, **_: Any) -> None:
        self._now.requests[model.name] += 1


def _kilobytes(write: dict[str, Any]) -> int:
    """The started KB of an item that a transaction writes: names and values of its attributes. A removed one is small."""
    ((_, request),) = write.items()
    values = [request.get("ExpressionAttributeValues", {}).get(":body", {}).get("B", b"")]
    values += [each["S"].encode() for each in request["Key"].values()]
    return -(-(sum(map(len, values)) + len("pkskbodyversion") + 2) // 1024)
