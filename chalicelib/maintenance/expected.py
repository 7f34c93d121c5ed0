"""What the objects say that the index has to hold.

`shown/` tells which revisions of a report are published. A record without it was written by a writer that died before
its report showed, and counts only where nothing of the report is told: data of before that were told.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import orjson

from chalicelib.catalog import layout
from chalicelib.catalog.layout import Key
from chalicelib.errors import NotFound, StorageError
from chalicelib.moments import iso
from chalicelib.storage import Objects

Bodies = dict[Key, bytes]


def published(objects: Objects) -> Iterator[tuple[str, list[int]]]:
    """Every report with its published revisions, ascending; both of its folders are listed side by side."""
    keys = heapq.merge(objects.keys("records/"), objects.keys("shown/"), key=_place)
    for report_id, found in groupby(keys, lambda key: key.split("/")[1]):
        yield report_id, _revisions(found)


def revisions(objects: Objects, report_id: str) -> list[int]:
    """The published revisions of one report, ascending."""
    return _revisions(key for folder in ("records", "shown") for key in objects.keys(f"{folder}/{report_id}/"))


def report_bodies(objects: Objects, report_id: str, numbers: Sequence[int], token: str) -> Bodies:
    """The entries of a report whose rows lie under `token`.

    Raises NotFound for a missing record, StorageError `object_damaged` for one that is not as it was told.
    """
    bodies: Bodies = {}
    for number in numbers:
        record = objects.get(layout.record_object(report_id, number))
        line = told(objects, report_id, number, record)
        if hashlib.sha256(record).hexdigest() != line["record_sha256"]:
            raise StorageError(
                "object_damaged", f"The record of {report_id} revision {number} is not as it was stored."
            )
        parsed = orjson.loads(record)
        summary = layout.summarise(parsed, line["ingested"], line["record_sha256"])
        shown = layout.shown_writes(summary, token, known_as=line["known_as"])
        # The entries of the last revision replace those of the ones before.
        bodies |= {Key(put.pk, put.sk): put.body for put in shown}
    return {**bodies, layout.listed_year(report_id): b"{}", **layout.row_bodies(parsed, token)} if numbers else {}


def upload_bodies(objects: Objects, key: str) -> Bodies:
    """The entries that an outcome under `uploads/` makes: its own, and that bytes were known already as they came."""
    body = objects.get(key)
    state = orjson.loads(body)
    bodies = {layout.upload(state["id"]): body}
    if state["state"] == "published" and state["unchanged"]:
        known = layout.known_body(state["report"]["id"], state["report"]["revision"])
        bodies[layout.known_source(state["sha256"], state["township"])] = known
    return bodies


def _place(key: str) -> str:
    return key.partition("/")[2]


def _revisions(keys: Iterator[str]) -> list[int]:
    written, told = set[int](), set[int]()
    for key in keys:
        folder, _, name = key.split("/", 2)
        number = name.removesuffix(".json")
        if number.isascii() and number.isdigit():
            (told if folder == "shown" else written).add(int(number))
    return sorted(told or written)


def told(objects: Objects, report_id: str, number: int, record: bytes) -> dict[str, Any]:
    """The revision as `shown/` tells it; of one from before that was told, by its record and when that was stored."""
    try:
        line: dict[str, Any] = orjson.loads(objects.get(layout.shown_object(report_id, number)))
    except NotFound:
        stored = objects.stat(layout.record_object(report_id, number)).modified
        ingested = iso(datetime.fromtimestamp(stored, UTC))
        return {"ingested": ingested, "record_sha256": hashlib.sha256(record).hexdigest(), "known_as": [None]}
    return line
