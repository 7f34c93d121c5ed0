"""What the objects say that the index has to hold.

`shown/` tells which revisions of a report are published, but for writings that the index marks as not shown. A record of
which it tells nothing was written by a writer that died before its report showed, or is of before that was told: those
come before all numbers that `shown/` speaks of.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import orjson

from chalicelib.catalog import layout, pending
from chalicelib.catalog.layout import Key, Owner
from chalicelib.errors import StorageError
from chalicelib.moments import iso, iso_precise
from chalicelib.storage import Objects, Storage

Bodies = dict[Key, bytes]
_NAME = re.compile(r"(?P<number>[0-9]+)(?:-(?P<token>[0-9a-f]+))?\.(?P<kind>json|unshown)")
Revisions = Mapping[int, str | None]  # ascending, each with the key of what tells it: None for those of before


def published(objects: Objects, unshown: Container[Owner]) -> Iterator[tuple[str, Revisions]]:
    """Every report with its published revisions; both of its folders are listed side by side."""
    keys = heapq.merge(objects.keys("records/"), objects.keys("shown/"), key=_place)
    for report_id, found in groupby(keys, lambda key: key.split("/")[1]):
        yield report_id, _revisions(report_id, found, unshown)


def revisions(storage: Storage, report_id: str) -> Revisions:
    """The published revisions of one report. Which are not shown is asked after what tells of them."""
    keys = [key for folder in ("records", "shown") for key in storage.objects.keys(f"{folder}/{report_id}/")]
    return _revisions(report_id, keys, pending.unshown(storage.index))


def report_bodies(objects: Objects, report_id: str, numbers: Revisions, token: str) -> Bodies:
    """The entries of a report whose rows lie under `token`.

    Raises NotFound for a missing record, StorageError `object_damaged` for one that is not as it was told.
    """
    bodies: Bodies = {}
    previous: dict[str, Any] | None = None
    for number, teller in numbers.items():
        record = objects.get(layout.record_object(report_id, number))
        line = told(objects, report_id, number, teller, record)
        if hashlib.sha256(record).hexdigest() != line["record_sha256"]:
            raise StorageError(
                "object_damaged", f"The record of {report_id} revision {number} is not as it was stored."
            )
        parsed = orjson.loads(record)
        summary = layout.summarise(parsed, line["ingested"], line["record_sha256"])
        shown = layout.shown_writes(summary, token, known_as=line["known_as"])
        # The entries of the last revision replace those of the ones before.
        bodies |= {Key(put.pk, put.sk): put.body for put in shown}
        bodies |= _change(line["position"], layout.change_body(summary, previous))
        previous = parsed
    return {**bodies, layout.listed_year(report_id): b"{}", **layout.row_bodies(parsed, token)} if numbers else {}


def _change(position: str, body: bytes) -> Bodies:
    return {layout.change(position): body, layout.changed_month(position): b"{}"}


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


def _revisions(report_id: str, keys: Iterable[str], unshown: Container[Owner]) -> Revisions:
    names = [(key.partition("/")[0], _NAME.fullmatch(key.split("/", 2)[2]), key) for key in keys]
    written = {int(found["number"]) for folder, found, _ in names if found and folder == "records"}
    spoken_of = [(found, key) for folder, found, key in names if found and folder == "shown"]
    taken_back = {found["token"] for found, _ in spoken_of if found["kind"] == "unshown"}
    told = {
        int(found["number"]): key
        for found, key in spoken_of
        if found["token"] not in taken_back and (report_id, found["token"]) not in unshown
    }
    first = min((int(found["number"]) for found, _ in spoken_of), default=math.inf)
    return dict(sorted({**{number: None for number in written if number < first}, **told}.items()))


def told(objects: Objects, report_id: str, number: int, teller: str | None, record: bytes) -> dict[str, Any]:
    """The revision as `teller` tells it; of one from before that was told, by its record and when that was stored.

    One from before changes had positions has that of its time.
    """
    if teller is not None:
        line: dict[str, Any] = orjson.loads(objects.get(teller))
    else:
        stored = objects.stat(layout.record_object(report_id, number)).modified
        ingested = iso(datetime.fromtimestamp(stored, UTC))
        line = {"ingested": ingested, "record_sha256": hashlib.sha256(record).hexdigest(), "known_as": [None]}
    moment = iso_precise(datetime.fromisoformat(line["ingested"]))
    return {"position": layout.position(moment, report_id, f"{number:06d}"), **line}
