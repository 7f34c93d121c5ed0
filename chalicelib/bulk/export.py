"""The bulk files: every report, section and indicator by year and province and as whole sets, and the manifest of them.

A pass makes those parts anew whose reports changed, then the whole sets of the parts. Files go under names made of their
content and the manifest goes last, so a reader of the manifest finds files of one moment. A part is done once its note is
written: a pass that breaks off is gone on with. Equal data give equal bytes. Few blocks and one report at a time are in
memory.
"""

from __future__ import annotations

import hashlib
import logging
import math
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from chalicelib.bulk import parts, refusals, sheets
from chalicelib.bulk.counts import Cube
from chalicelib.bulk.parts import FOLDER, NOTES
from chalicelib.bulk.sheets import SHEETS, File, Sheet
from chalicelib.catalog import changes, counts
from chalicelib.catalog.partitions import partitions
from chalicelib.errors import StorageError
from chalicelib.moments import iso
from chalicelib.storage import Objects, Storage
from chalicelib.storage.json_objects import read_json

MANIFEST = FOLDER + "manifest.json"
RETIRED = FOLDER + "retired.json"
# Who has read the old manifest may still be fetching its files.
GRACE = timedelta(hours=1)
BLOCK = 1 << 20
# A function is stopped when its time is over: nothing that may take longer is begun in the last minutes.
ENOUGH_SECONDS = 240.0

Manifest = dict[str, Any]

log = logging.getLogger(__name__)


class UnfinishedError(Exception):
    """The time was over before all files were made. The former ones stay in force, and the next pass goes on."""


def publish_files(
    storage: Storage, now: datetime | None = None, seconds_left: Callable[[], float] = lambda: math.inf
) -> Manifest:
    """Bring the bulk files of the storage up to what is published, and point the manifest at them; the manifest.

    Raises StorageError, and UnfinishedError when `seconds_left` says so.
    """
    moment, shelf = now or datetime.now(UTC), storage.objects
    files, complete_to = _write_files(storage, shelf, moment, seconds_left)
    current = read_manifest(shelf)
    if current and current["complete_to"] > complete_to:
        return current  # of another pass, which began later
    manifest = _manifest(files, complete_to, moment, lambda file: f"/v1/bulk/{file.stored}")
    if current and current["files"] == manifest["files"]:
        manifest["generated"] = current["generated"]
    shelf.put(MANIFEST, orjson.dumps(manifest), "application/json")
    _retire(shelf, {file.stored for file in files}, moment)
    return manifest


def write_folder(storage: Storage, folder: Path, now: datetime | None = None) -> Manifest:
    """Write the same files and their manifest into a folder of the file system; the manifest. Raises StorageError."""
    from chalicelib.storage.local import LocalObjects

    moment = now or datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bulk-", dir=folder) as scratch:
        files, complete_to = _write_files(storage, LocalObjects(Path(scratch)), moment, lambda: math.inf)
        manifest = _manifest(files, complete_to, moment, lambda file: file.name)
        for file in files:
            (Path(scratch) / FOLDER / file.stored).replace(folder / file.name)
        draft = Path(scratch) / "manifest.json"
        draft.write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        draft.replace(folder / draft.name)
    return manifest


def read_manifest(objects: Objects) -> Manifest | None:
    """The manifest of the current files; None before the first export."""
    found = read_json(objects, MANIFEST)
    return found if found and "complete_to" in found else None  # one of before parts were made has none


def _write_files(
    storage: Storage, shelf: Objects, moment: datetime, seconds_left: Callable[[], float]
) -> tuple[list[File], str]:
    """All files, on the shelf: whole sets first; and until when they are complete, asked for before anything is read."""
    complete_to = changes.complete_to(storage.index, moment)
    made, cube = list[File](), Cube()
    for partition, listed in partitions(storage.index):
        fingerprint = parts.fingerprint(listed)
        note = parts.read_note(shelf, partition)
        if note is None or note.fingerprint != fingerprint:
            _require_time(seconds_left, str(partition))
            note = parts.make(storage, shelf, partition)
        made += note.files
        cube.add(partition, note.counts)
    whole = list[File]()
    for sheet in SHEETS:
        own = [file for file in made if (file.kind, file.format) == sheet]
        whole.append(_join(shelf, sheet, own, lambda name: _require_time(seconds_left, name)))
    shelf.put(counts.OBJECT, cube.body(complete_to, refusals.count_refused(storage)), "application/x-ndjson")
    return [*whole, *made], complete_to


def _join(shelf: Objects, sheet: Sheet, files: Sequence[File], begin: Callable[[str], None]) -> File:
    """The file of everything: that of before where its parts are the same."""
    name, head = sheet.name(None), sheet.head or sheets.EMPTY
    stored = sheets.stored_name(hashlib.sha256(head + "".join(f.sha256 for f in files).encode()).hexdigest(), name)
    note = f"{NOTES}{name}.json"
    before = read_json(shelf, note)
    if before and before["stored"] == stored:
        return File(**before)
    begin(name)
    digest, size = hashlib.sha256(), 0

    def blocks() -> Iterator[bytes]:
        nonlocal size
        for block in _joined(shelf, files, len(sheet.head), b"" if files and not sheet.head else head):
            digest.update(block)
            size += len(block)
            yield block

    shelf.put_blocks(FOLDER + stored, blocks(), "application/gzip")
    rows = sum(file.rows for file in files)
    joined = File(name, stored, *sheet, None, None, rows, size, digest.hexdigest())
    shelf.put(note, orjson.dumps(joined), "application/json")
    return joined


def _joined(shelf: Objects, files: Sequence[File], skipped: int, head: bytes) -> Iterator[bytes]:
    """The head, and what follows the `skipped` first bytes of each file. Raises StorageError for one that is cut short."""
    yield head
    for file in files:
        place = skipped
        with shelf.open(FOLDER + file.stored) as stream:
            left = skipped
            while left:
                left -= len(stream.read(left)) or left
            while block := stream.read(BLOCK):
                place += len(block)
                yield block
        if place != file.bytes:
            detail = f"{file.stored} has {place} bytes instead of {file.bytes}."
            raise StorageError("object_damaged", f"A bulk file is not as it was stored: {detail}")


def _require_time(seconds_left: Callable[[], float], name: str) -> None:
    if seconds_left() < ENOUGH_SECONDS:
        log.warning("the time is over before the bulk files of %s; the next pass goes on", name)
        raise UnfinishedError(name)


def _manifest(files: Sequence[File], complete_to: str, moment: datetime, address: Callable[[File], str]) -> Manifest:
    fields = ("kind", "format", "year", "province_code", "rows", "bytes", "sha256")
    listed = [
        {"name": file.name, "url": address(file), **{field: getattr(file, field) for field in fields}} for file in files
    ]
    return {"generated": iso(moment), "complete_to": complete_to, "reports": files[0].rows, "files": listed}


def _retire(objects: Objects, current: set[str], moment: datetime) -> None:
    """Note since when files are out of use, and remove those that have been for longer than the grace."""
    keep = {MANIFEST, RETIRED, counts.OBJECT, *(FOLDER + stored for stored in current)}
    noted = read_json(objects, RETIRED) or {}
    since = {
        name: noted.get(name, iso(moment))
        for name in (
            key.removeprefix(FOLDER) for key in objects.keys(FOLDER) if key not in keep and not key.startswith(NOTES)
        )
    }
    expired = {name for name, moment_out in since.items() if moment_out <= iso(moment - GRACE)}
    objects.put(RETIRED, orjson.dumps({n: out for n, out in since.items() if n not in expired}), "application/json")
    for name in expired:
        objects.delete(FOLDER + name)
