"""From a read report to a visible one: which id and revision it is, its objects, and the writes that show it.

Objects never change once they are written. Whoever writes `records/{id}/{n}.json` first owns revision n; only a
guarded transaction makes it visible, so a reader sees one revision or the other, whole.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from chalicelib import records
from chalicelib.catalog import layout
from chalicelib.errors import ReportError
from chalicelib.ingestion import identity
from chalicelib.ingestion.upload_state import iso
from chalicelib.storage import Delete, Objects, Put, Storage

Record = dict[str, Any]

# A function's answer holds 6 MB; a report of a township has some 0.1 MB.
SERVABLE = 5_500_000


class OvertakenError(Exception):
    """Another writer was first; what was read is stale, and everything has to be decided anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a report goes: revision `number` of `report_id`, whose head has `head_version` (0: there is none yet)."""

    report_id: str
    number: int
    head_version: int
    previous: Record | None


def find_place(storage: Storage, record: Record, text: str) -> Place:
    """The next revision of the document that this one corrects, or the first of the next free id."""
    best, likeness = None, identity.SAME_DOCUMENT
    for report_id in identity.ids(record["id"]):
        head = storage.index.get(*layout.head(report_id))
        if head is None:
            return best or Place(report_id, 1, 0, None)
        current = int(orjson.loads(head.body)["revision"])
        previous = orjson.loads(storage.objects.get(layout.record_object(report_id, current)))
        other = storage.objects.get(layout.text_object(report_id, current)).decode()
        found = identity.resemblance(record["index_number"], text, previous["index_number"], other)
        if found > likeness or (best is None and found == likeness):
            best, likeness = Place(report_id, current + 1, head.version, previous), found
    raise AssertionError("the ids have no end")


def store(objects: Objects, place: Place, parsed: records.Parsed, skip_taken: bool) -> Place:
    """Write the record and its text under their final keys; the place that they took.

    A number that other content holds belongs to a writer that is about to publish it, or one that died before: raises
    OvertakenError, or with `skip_taken` goes on to the next number. Raises ReportError `schema` or `too_large`
    with nothing written.
    """
    while True:
        record = records.identified(parsed.record, place.report_id, place.number)
        body = records.dump(record)
        _require_servable(len(body), len(parsed.text.encode()))
        records.validate(orjson.loads(body))
        key = layout.record_object(place.report_id, place.number)
        if objects.put_new(key, body, "application/json") or objects.get(key) == body:
            text = layout.text_object(place.report_id, place.number)
            objects.put(text, parsed.text.encode(), "text/plain; charset=utf-8")
            return place
        if not skip_taken:
            raise OvertakenError(key)
        place = replace(place, number=place.number + 1)


def _require_servable(*sizes: int) -> None:
    if max(sizes) > SERVABLE:
        detail = f"The report's text or record has {max(sizes):,} bytes, and an answer of the API holds {SERVABLE:,}."
        raise ReportError("too_large", detail, "Upload the report alone, or its parts one by one.")


def says_the_same(objects: Objects, parsed: records.Parsed, previous: Record) -> bool:
    """Whether the revision `previous` has this text and record already, read from other bytes."""
    which = (previous["id"], previous["revision"])
    new = orjson.loads(records.dump(records.identified(parsed.record, *which)))
    if {**new, "source": None} != {**previous, "source": None}:
        return False
    return objects.get(layout.text_object(*which)) == parsed.text.encode()


def visible_writes(parsed: records.Parsed, place: Place, named: str | None, now: datetime) -> list[Put | Delete]:
    """The index writes that show the stored revision and make its bytes known as uploaded, with `named` or without."""
    body = records.dump(records.identified(parsed.record, place.report_id, place.number))
    record = orjson.loads(body)
    summary = layout.summarise(record, iso(now), hashlib.sha256(body).hexdigest())
    return layout.published_writes(record, summary, expect=place.head_version, named=named, previous=place.previous)


def known_write(sha256: str, township: str | None, id: str, revision: int) -> Put:  # noqa: A002
    """The write that makes bytes known as this revision."""
    return Put(*layout.known_source(sha256, township), orjson.dumps({"report": id, "revision": revision}))
