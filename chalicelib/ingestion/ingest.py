"""From an uploaded object to a published report or a rejection: the one way in, whoever triggers it.

Every step may be repeated: a redelivered event, a crash after any write and another writer at the same moment all end
in the same state. A report's objects are written first, then one guarded transaction makes them visible together with the
upload's own state, which is kept as an object too, and the incoming object goes last. What loses against another writer
is decided anew.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson

from chalicelib.catalog import layout, pending
from chalicelib.errors import BadRequest, Conflict, ReportError, StorageError
from chalicelib.ingestion import intake, publish, upload_state
from chalicelib.ingestion.events import ODD_BYTES, PREFIX
from chalicelib.ingestion.intake import Arrival
from chalicelib.ingestion.preview import make_preview
from chalicelib.ingestion.publish import OvertakenError
from chalicelib.ingestion.upload_state import Held, State
from chalicelib.moments import iso
from chalicelib.records import Parsed
from chalicelib.storage import Put, Storage
from chalicelib.telemetry import logs

ATTEMPTS = 9
# From this attempt on, a revision number that somebody took and never published is passed over.
PATIENCE = 5
FIRST_PAUSE = 0.02  # seconds, doubled at each attempt: 9 attempts wait 5 seconds on average

T = TypeVar("T")


def receive(storage: Storage, key: str, now: datetime) -> State | None:
    """Handle the object under `key` (`incoming/…`) and return its upload's state.

    None when nothing lies there and no upload has this address: a file that was dropped and taken away again.
    Raises StorageError when the storage fails (the same event may succeed later), BadRequest for a key elsewhere.
    """
    if not key.startswith(PREFIX):
        raise BadRequest("no_upload", f"{key!r} does not lie under {PREFIX!r}.")
    return decide_anew(lambda attempt: _receive(_Work(storage, now, attempt), key))


def settle(storage: Storage, upload_id: str, township: str, now: datetime) -> State:
    """Publish an upload in the state `needs_township` as the report of `township`; its state afterwards.

    Raises NotFound `unknown_upload`, and Conflict `township_not_asked` in any other state.
    """
    return decide_anew(lambda attempt: _settle(_Work(storage, now, attempt), upload_id, township))


def retry(storage: Storage, upload_id: str, now: datetime) -> State:
    """Decide anew on the kept bytes of an upload that was rejected or waits for its township; its state afterwards.

    An upload that has another state, or never had a file, stays as it is. Raises NotFound `unknown_upload`, or
    `object_missing` where its bytes are gone.
    """
    return decide_anew(lambda attempt: _retry(_Work(storage, now, attempt), upload_id))


def find_known(storage: Storage, sha256: str, township: str | None) -> dict[str, Any] | None:
    """`{id, revision}` that these bytes were published as; None for bytes that have to be read.

    With a township named: as a report of it, whatever name came with them. Without: those that came without, since
    bytes that came with a name may say another one themselves. Those of a withdrawn report are read anew: they restore it.
    """
    span = layout.known_sources(sha256)
    names = {entry.sk: orjson.loads(entry.body) for entry in storage.index.query(span.pk)}
    same = (found for found in names.values() if township and found["report"].startswith(f"{township}-"))
    found = names.get(layout.known_source(sha256, township).sk) or next(same, None)
    if found and pending.is_withdrawn(storage.index, found["report"]):
        return None
    return found and {"id": found["report"], "revision": found["revision"]}


@dataclass(frozen=True, slots=True)
class _Work:
    """What every step of one attempt needs."""

    storage: Storage
    now: datetime
    attempt: int

    def commit(self, *writes: Put) -> None:
        try:
            self.storage.index.commit(writes)
        except Conflict as error:
            raise OvertakenError from error

    def advance(self, held: Held, *more: Put) -> Held:
        self.commit(*more, upload_state.put(held))
        if upload_state.is_final(held):
            upload_state.keep(self.storage, held.state["id"])
        return Held(held.state, held.version + 1)


def decide_anew(decide: Callable[[int], T]) -> T:
    """What `decide` gives for the number of the attempt, again after each OvertakenError, with growing pauses.

    Raises StorageError `contended` when other writers are always first.
    """
    for attempt in range(ATTEMPTS):
        try:
            return decide(attempt)
        except OvertakenError:
            time.sleep(random.uniform(0, 2 * FIRST_PAUSE * 2**attempt))
    raise StorageError("contended", "Too many writers at the same report.", "Try again in a minute.")


def _receive(work: _Work, key: str) -> State | None:
    limit = intake.max_bytes(os.environ)
    arrival = intake.take_in(work.storage.objects, key, limit)
    if arrival is None:
        held = upload_state.load(work.storage.index, upload_state.id_of(key.removeprefix(PREFIX)))
        return held.state if held else None
    held = _find_upload(work, arrival)
    if upload_state.is_final(held) and held.state["sha256"] not in (None, arrival.sha256):
        _refuse_second_file(work, held, arrival)
    elif held.state["state"] in ("published", "checked", "needs_township"):
        upload_state.keep(work.storage, held.state["id"])  # an earlier delivery may have ended before it did
    else:
        if (held.state["state"], held.state["sha256"]) != ("reading", arrival.sha256):
            # Not again: of two that read the same upload, each would for ever make the other's outcome a Conflict.
            held = work.advance(upload_state.step(held, "reading", work.now, sha256=arrival.sha256))
        held = _decide(work, held, arrival.data, arrival.size, limit)
    intake.clear(work.storage.objects, arrival)
    return held.state


def _settle(work: _Work, upload_id: str, township: str) -> State:
    held = upload_state.find(work.storage.index, upload_id)
    state = held.state
    if state["state"] in ("published", "checked") and state["township"] == township:
        upload_state.keep(work.storage, upload_id)
        return state
    if state["state"] != "needs_township":
        detail = f"The upload is {state['state']}: it does not wait for a township."
        raise Conflict("township_not_asked", detail, "Upload the file again and name the township with it.")
    data = work.storage.objects.get(layout.raw_object(state["sha256"]))
    named = Held({**state, "township": township}, held.version)
    return _decide(work, named, data, len(data), len(data)).state


def _retry(work: _Work, upload_id: str) -> State:
    held = upload_state.find(work.storage.index, upload_id)
    sha256 = held.state["sha256"]
    if (
        upload_state.is_dry_run(held.state)
        or sha256 is None
        or held.state["state"] not in ("rejected", "needs_township")
    ):
        return held.state
    objects, key, limit = work.storage.objects, layout.raw_object(sha256), intake.max_bytes(os.environ)
    size = objects.stat(key).size
    return _decide(work, held, objects.get(key) if size <= limit else None, size, limit).state


def _find_upload(work: _Work, arrival: Arrival) -> Held:
    """The upload that asked for this address; a file dropped by hand has an id made of its name and bytes."""
    name = arrival.key.removeprefix(PREFIX)
    asked = upload_state.load(work.storage.index, upload_state.id_of(name))
    if asked is not None:
        return asked
    dropped = hashlib.sha256(f"{name}\n{arrival.sha256}".encode(errors=ODD_BYTES)).hexdigest()[:32]
    dry_run = name.startswith(upload_state.DRY_RUN)
    return upload_state.load(work.storage.index, dropped) or upload_state.new(dropped, name, None, work.now, dry_run)


def _decide(work: _Work, held: Held, data: bytes | None, size: int, limit: int) -> Held:
    """Publish or check, ask for the township, or reject: the upload in its final state, as stored."""
    try:
        intake.require_size(size, limit)
        assert data is not None
        return _check(work, held, data) if upload_state.is_dry_run(held.state) else _publish(work, held, data)
    except ReportError as error:
        return _reject(work, held, error)


def _publish(work: _Work, held: Held, data: bytes) -> Held:
    sha256, named = held.state["sha256"], held.state["township"]
    if known := find_known(work.storage, sha256, named):
        return _tell_unchanged(work, held, known)
    parsed = parse(data, held.state["filename"], named)
    code = parsed.record["township"]["code"]
    if code is None:
        return _ask_township(work, held, parsed)
    if known := find_known(work.storage, sha256, code):
        return _tell_unchanged(work, held, known)
    return _show(work, held, parsed)


def _show(work: _Work, held: Held, parsed: Parsed) -> Held:
    _require_year(parsed)
    place = publish.find_place(work.storage, parsed.record, parsed.text)
    if place.previous and publish.says_the_same(work.storage.objects, parsed, place.previous):
        return _tell_unchanged(work, held, {key: place.previous[key] for key in ("id", "revision")})
    place, stored = publish.store(work.storage.objects, place, parsed, skip_taken=work.attempt >= PATIENCE)
    report = {"id": place.report_id, "revision": place.number}
    final = upload_state.step(held, "published", work.now, report=report)
    publish.show(work.storage, place, stored, _names(held), work.now, upload_state.put(final))
    upload_state.keep(work.storage, held.state["id"])
    return Held(final.state, final.version + 1)


def _check(work: _Work, held: Held, data: bytes) -> Held:
    """Tell what publishing would come to; nothing is published, nor are the bytes known afterwards."""
    sha256, filename, named = (held.state[name] for name in ("sha256", "filename", "township"))
    known = find_known(work.storage, sha256, named)
    parsed = parse(data, filename, named)
    if parsed.record["township"]["code"] is None and known:  # somebody named it when they were published
        parsed = parse(data, filename, known["id"].partition("-")[0])
    code = parsed.record["township"]["code"]
    if code is None:
        return _ask_township(work, held, parsed)
    _require_year(parsed)
    preview = make_preview(work.storage, parsed, known or find_known(work.storage, sha256, code))
    return work.advance(upload_state.step(held, "checked", work.now, preview=preview))


def _require_year(parsed: Parsed) -> None:
    if parsed.record["id"] is None:
        raise ReportError(
            "no_year", "The report names no year.", "Check that the title or the text says which year it is of."
        )


def _tell_unchanged(work: _Work, held: Held, known: dict[str, Any]) -> Held:
    """Published before as `known`: the upload says so, and its bytes are known as they came from now on."""
    final = upload_state.step(held, "published", work.now, report=known, unchanged=True)
    body = layout.known_body(known["id"], known["revision"])
    return work.advance(final, *(Put(*layout.known_source(held.state["sha256"], n), body) for n in _names(held)))


def _names(held: Held) -> list[str | None]:
    """The townships under which these bytes need not be read again; None, without any, where they had to be asked for."""
    named = held.state["township"]
    return [named, None] if named and held.state["state"] == "needs_township" else [named]


def _ask_township(work: _Work, held: Held, parsed: Parsed) -> Held:
    candidates = parsed.record["candidates"]
    if not candidates:
        way_out = "Upload it again and name the township with it."
        raise ReportError("no_township", "Nothing in the file says which township it is of.", way_out)
    return work.advance(upload_state.step(held, "needs_township", work.now, candidates=candidates))


def _reject(work: _Work, held: Held, error: ReportError) -> Held:
    reasons = [upload_state.reason(error)]
    _keep_reasons(work, held.state["id"], held.state["filename"], held.state["sha256"], reasons)
    return work.advance(upload_state.step(held, "rejected", work.now, reasons=reasons))


def _refuse_second_file(work: _Work, held: Held, arrival: Arrival) -> None:
    """Another file at an address that had its outcome: kept and noted, the first outcome stays."""
    detail = "This upload address had already received another file."
    error = ReportError("upload_address_used", detail, "Ask for a new address at POST /v1/uploads.")
    name = f"{held.state['id']}-{arrival.sha256[:16]}"
    _keep_reasons(work, name, held.state["filename"], arrival.sha256, [upload_state.reason(error)])


def _keep_reasons(work: _Work, name: str, filename: str, sha256: str, reasons: list[dict[str, Any]]) -> None:
    body = {
        "upload": name[:32],
        "filename": filename,
        "sha256": sha256,
        "time": iso(work.now),
        "reasons": reasons,
    }
    work.storage.objects.put(f"rejected/{name}.json", orjson.dumps(body), "application/json")


def parse(data: bytes, filename: str, township: str | None) -> Parsed:
    """Read a file of a stranger, as `parse_upload` does."""
    from chalicelib.reading.parse import parse_upload  # here, so that reading an upload's state never loads the parser

    with logs.timed("parse_ms"):
        parsed = parse_upload(data, filename, township)
    logs.note(indicators=len(parsed.record["indicators"]))
    return parsed
