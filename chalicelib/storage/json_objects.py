"""Objects that hold JSON: manifests and notes, which are there or not."""

from __future__ import annotations

from typing import Any

import orjson

from chalicelib.errors import NotFound
from chalicelib.storage import Objects


def read_json(objects: Objects, key: str) -> dict[str, Any] | None:
    """The JSON object under `key`; None where there is none."""
    try:
        found: dict[str, Any] = orjson.loads(objects.get(key))
    except NotFound:
        return None
    return found
