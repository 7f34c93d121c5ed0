"""The bulk files: every report, section and indicator as gzipped NDJSON, and the manifest that names the current three.

Files go under names made of their content and the manifest goes last, so a reader of the manifest finds three files of
one moment. Equal data give equal bytes. One report at a time is in memory.
"""

from __future__ import annotations

import gzip
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import orjson

from chalicelib.bulk import rows
from chalicelib.catalog import layout
from chalicelib.catalog.layout import Span
from chalicelib.errors import NotFound, StorageError
from chalicelib.moments import iso
from chalicelib.storage import Entry, Index, Objects, Storage

FOLDER = "bulk/"
MANIFEST = FOLDER + "manifest.json"
RETIRED = FOLDER + "retired.json"
# Who has read the old manifest may still be fetching its files.
GRACE = timedelta(hours=1)
PAGE = 100

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A finished file: `name` as a person would call it, `stored_name` unique to its content."""

    name: str
    path: Path
    rows: int
    size: int
    sha256: str

    @property
    def stored_name(self) -> str:
        return f"{self.sha256[:16]}-{self.name}"


def publish_files(storage: Storage, now: datetime | None = None) -> Manifest:
    """Write the bulk files into the storage and point the manifest at them; the manifest. Raises StorageError."""
    moment = now or datetime.now(UTC)
    with tempfile.TemporaryDirectory(prefix="bulk-") as folder:
        sheets, reports = _write_sheets(storage, Path(folder))
        manifest = _manifest(sheets, reports, moment, lambda sheet: f"/v1/bulk/{sheet.stored_name}")
        current = read_manifest(storage.objects)
        if current and current["files"] == manifest["files"]:
            return current
        for sheet in sheets:
            storage.objects.put_file(FOLDER + sheet.stored_name, sheet.path, "application/gzip")
    storage.objects.put(MANIFEST, orjson.dumps(manifest), "application/json")
    _retire(storage.objects, {sheet.stored_name for sheet in sheets}, moment)
    return manifest


def write_folder(storage: Storage, folder: Path, now: datetime | None = None) -> Manifest:
    """Write the same files and their manifest into a folder of the file system; the manifest. Raises StorageError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bulk-", dir=folder) as scratch:
        sheets, reports = _write_sheets(storage, Path(scratch))
        manifest = _manifest(sheets, reports, now or datetime.now(UTC), lambda sheet: sheet.name)
        for sheet in sheets:
            sheet.path.replace(folder / sheet.name)
        draft = Path(scratch) / "manifest.json"
        draft.write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        draft.replace(folder / draft.name)
    return manifest


def read_manifest(objects: Objects) -> Manifest | None:
    """The manifest of the current files; None before the first export."""
    try:
        manifest: Manifest = orjson.loads(objects.get(MANIFEST))
    except NotFound:
        return None
    return manifest


def _write_sheets(storage: Storage, folder: Path) -> tuple[list[Sheet], int]:
    """The three files, written to `folder`, and the number of reports in them."""
    reports = 0
    try:
        with ExitStack() as stack:
            drafts = [_Draft(folder / f"{name}.ndjson.gz") for name in ("reports", "sections", "indicators")]
            for draft in drafts:
                stack.callback(draft.close)
            for summary in _summaries(storage.index):
                for draft, rows in zip(drafts, _rows(storage.objects, summary), strict=True):
                    draft.write(rows)
                reports += 1
        return [draft.sheet() for draft in drafts], reports
    except OSError as error:
        raise StorageError(
            "export_failed", f"A bulk file could not be written: {error}.", "Free some space."
        ) from error


class _Draft:
    """A file being written; its gzip header holds neither time nor name, so that equal rows give equal bytes."""

    def __init__(self, path: Path) -> None:
        self._path, self._rows = path, 0
        self._raw: IO[bytes] = path.open("wb")
        self._zip = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0, compresslevel=6)

    def write(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            self._zip.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            self._rows += 1

    def close(self) -> None:
        self._zip.close()
        self._raw.close()

    def sheet(self) -> Sheet:
        with self._path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return Sheet(self._path.name, self._path, self._rows, self._path.stat().st_size, digest)


def _summaries(index: Index) -> Iterator[dict[str, Any]]:
    """Every report's summary, by year, township and id."""
    for year in _entries(index, layout.years()):
        for entry in _entries(index, layout.reports_of_year(layout.year_of_key(year.sk))):
            yield orjson.loads(entry.body)


def _entries(index: Index, span: Span) -> Iterator[Entry]:
    after = ""
    while found := index.query(span.pk, prefix=span.prefix, after=after, limit=PAGE):
        yield from found
        after = found[-1].sk


def _rows(objects: Objects, summary: dict[str, Any]) -> tuple[Iterable[dict[str, Any]], ...]:
    """One report's rows for the three files. Its objects never change, so they belong to one revision."""
    which = (summary["id"], summary["revision"])
    record = orjson.loads(objects.get(layout.record_object(*which)))
    text = objects.get(layout.text_object(*which)).decode()
    return (
        [rows.report_row(record, summary)],
        rows.section_rows(record, text),
        rows.indicator_rows(record),
    )


def _manifest(sheets: Iterable[Sheet], reports: int, moment: datetime, address: Callable[[Sheet], str]) -> Manifest:
    files = [{"name": s.name, "url": address(s), "rows": s.rows, "bytes": s.size, "sha256": s.sha256} for s in sheets]
    return {"generated": iso(moment), "reports": reports, "files": files}


def _retire(objects: Objects, current: set[str], moment: datetime) -> None:
    """Note since when files are out of use, and remove those that have been for longer than the grace."""
    keep = current | {MANIFEST.removeprefix(FOLDER), RETIRED.removeprefix(FOLDER)}
    noted = _noted(objects)
    since = {
        name: noted.get(name, iso(moment))
        for name in (key.removeprefix(FOLDER) for key in objects.keys(FOLDER))
        if name not in keep
    }
    expired = {name for name, moment_out in since.items() if moment_out <= iso(moment - GRACE)}
    objects.put(RETIRED, orjson.dumps({n: out for n, out in since.items() if n not in expired}), "application/json")
    for name in expired:
        objects.delete(FOLDER + name)


def _noted(objects: Objects) -> dict[str, str]:
    try:
        noted: dict[str, str] = orjson.loads(objects.get(RETIRED))
    except NotFound:
        return {}
    return noted
