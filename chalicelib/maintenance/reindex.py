"""The index made anew of the objects alone: what is missing or wrong is written, what nothing calls for goes.

It may run beside a live service: a report is written as ingestion writes it, and an upload that moved on stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime

import orjson

from chalicelib.catalog import layout, pending
from chalicelib.catalog.layout import Rows
from chalicelib.errors import Conflict, NotFound
from chalicelib.ingestion import upload_state
from chalicelib.ingestion.upload_state import Held
from chalicelib.maintenance import expected
from chalicelib.maintenance.expected import Revisions
from chalicelib.maintenance.progress import Progress, silent
from chalicelib.maintenance.verify import Difference, Findings, verify
from chalicelib.storage import Delete, Objects, Put, Storage

ATTEMPTS = 5


def reindex(storage: Storage, now: datetime, progress: Progress = silent) -> tuple[Findings, Findings]:
    """Make the index agree with the objects; what was found before, and what is found after."""
    before = verify(storage, progress)
    mend(storage, before.differences, now, progress)
    return before, verify(storage, progress)


def mend(storage: Storage, differences: Iterable[Difference], now: datetime, progress: Progress = silent) -> None:
    """Write every report and upload that has a difference; remove the entries that nothing calls for."""
    amiss = [each for each in differences if each.key is not None]
    strays = [each.key for each in amiss if each.kind == "stray entry" and each.key]
    # An upload's outcome that no object has yet is no stray: it is stored below.
    storage.index.write(
        [Delete(*key) for key in strays if not layout.is_head(key) and not key.pk.startswith("upload#")]
    )
    for key in filter(layout.is_head, strays):  # with its rows still there it would be a report again
        storage.index.commit([Delete(*key)])
    for report_id in progress(sorted({each.report for each in amiss if each.report}), "reports"):
        with contextlib.suppress(NotFound):  # it went meanwhile
            write_report(storage, report_id, now)
    uploads = {each.key.pk.partition("#")[2] for each in amiss if each.key and each.key.pk.startswith("upload#")}
    for upload_id in sorted(uploads):
        with contextlib.suppress(NotFound):
            write_upload(storage, upload_id)


def write_report(storage: Storage, report_id: str, now: datetime) -> None:
    """Write all entries of a report. Raises NotFound for a missing record, Conflict when others keep at it."""
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(Conflict):
            _write_report(storage, report_id, now)
            return
    _write_report(storage, report_id, now)


def _write_report(storage: Storage, report_id: str, now: datetime) -> None:
    head, listed = layout.head(report_id), layout.listed_report(report_id)
    old = storage.index.get(*head)  # first: what is shown after this makes the writing below a Conflict
    numbers = expected.revisions(storage, report_id)
    if not numbers:
        return
    _tell(storage.objects, report_id, numbers)
    token = layout.new_token()
    bodies = expected.report_bodies(storage.objects, report_id, numbers, token)
    rows = [Put(*key, body) for key, body in bodies.items() if layout.is_row(key)]
    shows = [Put(*listed, bodies[listed]), Put(*head, bodies[head], old.version if old else 0)]
    storage.index.write(
        [Put(*key, body) for key, body in bodies.items() if not layout.is_row(key) and key not in (head, listed)]
    )
    replaces = layout.current_rows(old.body) if old else None
    pending.replace_rows(storage, report_id, {Rows(max(numbers), token): rows}, replaces, shows, now)


def _tell(objects: Objects, report_id: str, numbers: Revisions) -> None:
    """Tell of the revisions that nothing tells of. Raises NotFound for one whose text is not there: it was not whole."""
    for number in (number for number, teller in numbers.items() if teller is None):
        objects.stat(layout.text_object(report_id, number))
        line = expected.told(objects, report_id, number, None, objects.get(layout.record_object(report_id, number)))
        told = layout.shown_object(report_id, number, layout.new_token())
        objects.put(told, orjson.dumps(line), "application/json")


def write_upload(storage: Storage, upload_id: str) -> None:
    """Make both sides of an upload agree: an outcome that the index has is the later one.

    Raises NotFound where neither has one.
    """
    entry = storage.index.get(*layout.upload(upload_id))
    state = orjson.loads(entry.body) if entry else None
    if state and upload_state.is_final(Held(state, 0)):
        upload_state.keep(storage, upload_id)
    bodies = expected.upload_bodies(storage.objects, layout.upload_object(upload_id))
    storage.index.write([Put(*key, body) for key, body in bodies.items()])
