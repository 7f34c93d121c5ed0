"""The files of one year and province, and the note of them, by which the next pass knows that they need not be made again."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from chalicelib.bulk import rows, sheets
from chalicelib.bulk.sheets import SHEETS, Draft, File
from chalicelib.catalog import layout
from chalicelib.catalog.partitions import Partition, entries
from chalicelib.errors import StorageError
from chalicelib.storage import Entry, Objects, Storage
from chalicelib.storage.json_objects import read_json

FOLDER = "bulk/"
NOTES = FOLDER + "notes/"
FORMAT = 1  # to be counted up when equal reports give other rows


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a part: reports that stand, those withdrawn, townships with one that stands, and figures by concept and year.

    `figures` has years as text, "" for those of no year.
    """

    reports: int = 0
    withdrawn: int = 0
    townships: int = 0
    figures: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """What was made of the reports that `fingerprint` stands for."""

    fingerprint: str
    files: list[File]
    counts: Counts


def fingerprint(listed: Iterable[Entry]) -> str:
    """What changes with any of a part's reports, and with the columns that are made of them."""
    taking = _Fingerprint()
    for entry in listed:
        taking.add(entry)
    return taking.hex()


def read_note(shelf: Objects, partition: Partition) -> Note | None:
    """The note of a part; None where there is none that is whole."""
    found = read_json(shelf, _note(partition))
    if found is None:
        return None
    return Note(found["fingerprint"], [File(**each) for each in found["files"]], Counts(**found["counts"]))


def make(storage: Storage, shelf: Objects, partition: Partition) -> Note:
    """Write a part's files to the shelf, and then its note. One report at a time is in memory. Raises StorageError."""
    try:
        with tempfile.TemporaryDirectory(prefix="bulk-") as folder:
            note, drafts = _write(storage, Path(folder), partition)
            for file, draft in zip(note.files, drafts, strict=True):
                shelf.put_file(FOLDER + file.stored, draft.path, "application/gzip")
    except OSError as error:
        raise StorageError(
            "export_failed", f"A bulk file could not be written: {error}.", "Free some space."
        ) from error
    shelf.put(_note(partition), orjson.dumps(note), "application/json")
    return note


def _write(storage: Storage, folder: Path, partition: Partition) -> tuple[Note, list[Draft]]:
    taking, counted = _Fingerprint(), _Counting()
    with ExitStack() as stack:
        drafts = [Draft(folder, sheet, partition) for sheet in SHEETS]
        for draft in drafts:
            stack.callback(draft.close)
        for entry in entries(storage.index, partition.span):
            taking.add(entry)
            found = _rows(storage.objects, orjson.loads(entry.body))
            counted.add(found)
            for sheet, draft in zip(SHEETS, drafts, strict=True):
                draft.write(found[sheet.kind])
    return Note(taking.hex(), [draft.file() for draft in drafts], counted.counts()), drafts


def _rows(objects: Objects, summary: dict[str, Any]) -> dict[str, list[rows.Row]]:
    """One report's rows of each kind. Its objects never change, so they belong to one revision."""
    which = (summary["id"], summary["revision"])
    record = orjson.loads(objects.get(layout.record_object(*which)))
    text = objects.get(layout.text_object(*which)).decode()
    return {
        "reports": [rows.report_row(record, summary)],
        "sections": [*rows.section_rows(record, text)],
        "indicators": [*rows.indicator_rows(record)],
    }


class _Fingerprint:
    def __init__(self) -> None:
        self._digest = hashlib.sha256(f"{FORMAT} {sheets.columns()}".encode())

    def add(self, entry: Entry) -> None:
        self._digest.update(b"%d " % len(entry.body) + entry.body)

    def hex(self) -> str:
        return self._digest.hexdigest()


class _Counting:
    def __init__(self) -> None:
        self._reports, self._withdrawn, self._townships = 0, 0, set[str]()
        self._figures = Counter[tuple[str, str]]()

    def add(self, found: dict[str, list[rows.Row]]) -> None:
        (report,) = found["reports"]
        if report["withdrawn"] is not None:
            self._withdrawn += 1
            return
        self._reports += 1
        self._townships.add(report["township_code"])
        self._figures.update(
            (row["concept"], "" if row["year"] is None else str(row["year"]))
            for row in found["indicators"]
            if row["concept"] is not None
        )

    def counts(self) -> Counts:
        figures: dict[str, dict[str, int]] = {}
        for (concept, year), number in sorted(self._figures.items()):
            figures.setdefault(concept, {})[year] = number
        # A county's or province's own report is of no township.
        townships = sum(len(code) == 9 for code in self._townships)
        return Counts(self._reports, self._withdrawn, townships, figures)


def _note(partition: Partition) -> str:
    return f"{NOTES}{partition}.json"
