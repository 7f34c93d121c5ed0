"""Whether the index and the objects agree: both are walked, and every difference is named.

A service may write meanwhile: each difference is looked at once more before it is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import groupby
from typing import NamedTuple

import orjson

from chalicelib.catalog import layout, pending
from chalicelib.catalog.layout import Key
from chalicelib.errors import NotFound, StorageError
from chalicelib.ingestion.events import PREFIX
from chalicelib.maintenance import expected
from chalicelib.maintenance.called import Called
from chalicelib.maintenance.expected import Bodies, Revisions
from chalicelib.maintenance.progress import Progress, silent
from chalicelib.storage import Entry, Objects, Storage

# What the index keeps of itself: no object tells it.
_UNTOLD = ("waiting", "reading")


class Difference(NamedTuple):
    """`kind`: missing, wrong or stray entry; missing or damaged object. `report` is None where it is of none."""

    kind: str
    where: str
    report: str | None
    key: Key | None = None


@dataclass
class Findings:
    """What was walked, what differs, and what waits: uploads whose file was not read yet, writings under way."""

    reports: int = 0
    revisions: int = 0
    entries: int = 0
    uploads: int = 0
    differences: list[Difference] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    writing: int = 0


def verify(storage: Storage, progress: Progress = silent, read_raw: bool = False) -> Findings:
    """Walk objects and index. `read_raw` reads the uploaded files too and compares them with their SHA-256."""
    found = Findings(waiting=list(storage.objects.keys(PREFIX)))
    with Called() as called:
        suspects = [*_walk_objects(storage, called, found, progress, read_raw)]
        suspects += _walk_index(storage, called, found, progress)
        suspects += (Difference("missing entry", f"{key.pk} {key.sk}", owner, key) for key, owner in called.unseen())
    found.writing = sum(1 for _ in pending.marks(storage.index))
    found.differences = list(_confirmed(storage, suspects))
    return found


def _walk_objects(
    storage: Storage, called: Called, found: Findings, progress: Progress, read_raw: bool
) -> Iterator[Difference]:
    unshown = pending.unshown(storage.index)
    for report_id, numbers in progress(expected.published(storage.objects, unshown), "reports"):
        found.reports += bool(numbers)
        found.revisions += len(numbers)
        amiss = [*_check_objects(storage.objects, report_id, numbers, read_raw)]
        yield from amiss
        if any(each.where.startswith(("records/", "shown/")) for each in amiss):
            called.doubt(report_id)
            continue
        token = pending.current_token(storage.index, report_id) or ""
        called.add(report_id, expected.report_bodies(storage.objects, report_id, numbers, token))
    for key in progress(storage.objects.keys("uploads/"), "uploads"):
        found.uploads += 1
        called.add(None, expected.upload_bodies(storage.objects, key))


def _check_objects(objects: Objects, report_id: str, numbers: Revisions, read_raw: bool) -> Iterator[Difference]:
    """That each revision's record is the one that was told, and has its text and its uploaded file."""
    for number, teller in numbers.items():
        key = layout.record_object(report_id, number)
        try:
            record = objects.get(key)
        except NotFound:
            yield Difference("missing object", key, report_id)
            continue
        try:
            told = expected.told(objects, report_id, number, teller, record)
        except NotFound:
            yield Difference("missing object", str(teller), report_id)
            continue
        if hashlib.sha256(record).hexdigest() != told["record_sha256"]:
            yield Difference("damaged object", key, report_id)
            continue
        sha256 = orjson.loads(record)["source"]["sha256"]
        for other in (layout.text_object(report_id, number), layout.raw_object(sha256)):
            if not _exists(objects, other):
                yield Difference("missing object", other, report_id)
            elif read_raw and other.startswith("raw/") and hashlib.sha256(objects.get(other)).hexdigest() != sha256:
                yield Difference("damaged object", other, report_id)


def _exists(objects: Objects, key: str) -> bool:
    try:
        objects.stat(key)
    except NotFound:
        return False
    return True


def _walk_index(storage: Storage, called: Called, found: Findings, progress: Progress) -> Iterator[Difference]:
    changing = _changing(storage)
    for entry in progress(storage.index.entries(), "entries"):
        found.entries += 1
        report_id = _report_of(entry)
        match called.take(entry):
            case True:
                continue
            case False if not _is_untold(entry):
                yield _differs("wrong entry", entry, report_id)
            case None:
                if not _explains_itself(entry, report_id, changing, called):
                    yield _differs("stray entry", entry, report_id)


def _explains_itself(entry: Entry, report_id: str | None, changing: set[str], called: Called) -> bool:
    """Whether an entry that no object calls for is there by right; that of a report whose record is lost is kept."""
    if report_id in called.doubted:
        return True
    kind = entry.pk.partition("#")[0]
    if kind == "upload":
        return _is_untold(entry)
    if kind == "sha256":
        return called.has(_known_revision(entry.body))
    if _comes_ahead(Key(entry.pk, entry.sk)):
        return report_id in changing
    return kind in (layout.PENDING, layout.YEARS, layout.CHANGES, layout.RATE)


def _comes_ahead(key: Key) -> bool:
    """Whether a writing puts the entry there before its report is shown."""
    return layout.is_row(key) or key.pk.startswith(f"{layout.CHANGES}#")


def _is_untold(entry: Entry) -> bool:
    """Whether it is an upload that has no outcome, or is on the way to another one."""
    return entry.pk.startswith("upload#") and orjson.loads(entry.body)["state"] in _UNTOLD


def _changing(storage: Storage) -> set[str]:
    """The reports that have a mark."""
    return {layout.read_owner(mark.sk).report_id for mark in pending.marks(storage.index)}


def _known_revision(body: bytes) -> Key:
    known = orjson.loads(body)
    return layout.revision(known["report"], known["revision"])


def _differs(kind: str, entry: Entry, report_id: str | None) -> Difference:
    return Difference(kind, f"{entry.pk} {entry.sk}", report_id, Key(entry.pk, entry.sk))


def _report_of(entry: Entry) -> str | None:
    known = _known_revision(entry.body).pk.partition("#")[2] if entry.pk.startswith("sha256#") else None
    return known or layout.read_report(Key(entry.pk, entry.sk))


def _confirmed(storage: Storage, suspects: Iterable[Difference]) -> Iterator[Difference]:
    """The differences that are there when they are looked at again, now; what a report calls for is asked once for all."""
    by_report = sorted(suspects, key=lambda each: each.report or "")
    for report_id, group in groupby(by_report, lambda each: each.report):
        bodies_now = cache(partial(_report_now, storage, report_id))
        yield from (each for each in group if _still(storage, each, bodies_now))


def _still(storage: Storage, suspect: Difference, bodies_now: Callable[[], Bodies]) -> bool:
    if suspect.key is None:
        return True
    entry = storage.index.get(*suspect.key)
    if entry and (_is_untold(entry) or (_comes_ahead(suspect.key) and suspect.report in _changing(storage))):
        return False  # the row of a writing that began during the walk
    called = _called_now(storage, suspect.key, entry, bodies_now)
    if entry is None or called is None:
        return entry is not None or called is not None
    return entry.body != called and not suspect.key.pk.startswith("sha256#")


def _called_now(storage: Storage, key: Key, entry: Entry | None, bodies_now: Callable[[], Bodies]) -> bytes | None:
    """The body that the objects call for under a key."""
    if key.pk.startswith("upload#"):
        try:
            return storage.objects.get(layout.upload_object(key.pk.partition("#")[2]))
        except NotFound:
            return None
    bodies = bodies_now()
    if entry and key.pk.startswith("sha256#") and _known_revision(entry.body) in bodies:
        return entry.body
    return bodies.get(key)


def _report_now(storage: Storage, report_id: str | None) -> Bodies:
    """What the objects call for, of a moment in which no other revision or writing was shown; nothing where they fail."""
    while report_id is not None:
        token = pending.current_token(storage.index, report_id)
        numbers = expected.revisions(storage, report_id)
        try:
            bodies = expected.report_bodies(storage.objects, report_id, numbers, token or "")
        except (NotFound, StorageError):
            break
        if pending.current_token(storage.index, report_id) == token:
            return bodies
    return {}
