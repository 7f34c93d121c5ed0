"""What bulk files there are: three kinds of rows in two formats, of a year and province each, and of everything.

Files are gzipped. One of everything is those of the parts in a row, for gzip members in a row are one file (RFC 1952);
the header line of CSV is a member of its own, which is left out of all parts but the first.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

from chalicelib import tables
from chalicelib.catalog.partitions import Partition

LEVEL = 6
Row = Mapping[str, Any]
SCHEMAS = {"reports": "bulk-report", "sections": "bulk-section", "indicators": "bulk-indicator"}
ROWS: dict[str, Callable[[str, Sequence[Row]], bytes]] = {
    "ndjson": lambda _, rows: tables.json_lines(rows),
    "csv": tables.csv_rows,
}


class Sheet(NamedTuple):
    """A kind of rows in a format."""

    kind: str
    format: str

    def name(self, partition: Partition | None) -> str:
        """As a person would call the file of a part, or of everything."""
        part = "" if partition is None else f"-{partition}"
        return f"{self.kind}{part}.{self.format}.gz"

    @property
    def head(self) -> bytes:
        """What the file begins with before its first row, gzipped; empty where that is nothing."""
        return _zipped(tables.csv_head(SCHEMAS[self.kind])) if self.format == "csv" else b""


SHEETS = tuple(Sheet(kind, form) for form in ROWS for kind in SCHEMAS)
EMPTY = gzip.compress(b"", mtime=0)


@dataclass(frozen=True, slots=True)
class File:
    """A finished file: `name` as a person would call it, `stored` unique to its content; `bytes` and `sha256` as it lies.

    Of everything where `year` and `province_code` are None.
    """

    name: str
    stored: str
    kind: str
    format: str
    year: int | None
    province_code: str | None
    rows: int
    bytes: int
    sha256: str


class Draft:
    """A part's file being written; its gzip header holds neither time nor name, so that equal rows give equal bytes."""

    def __init__(self, folder: Path, sheet: Sheet, partition: Partition) -> None:
        self.path = folder / sheet.name(partition)
        self._sheet, self._partition, self._rows = sheet, partition, 0
        self._raw: IO[bytes] = self.path.open("wb")
        self._raw.write(sheet.head)
        self._zip = gzip.GzipFile(filename="", mode="wb", fileobj=self._raw, mtime=0, compresslevel=LEVEL)

    def write(self, rows: Sequence[Row]) -> None:
        self._zip.write(ROWS[self._sheet.format](SCHEMAS[self._sheet.kind], rows))
        self._rows += len(rows)

    def close(self) -> None:
        self._zip.close()
        self._raw.close()

    def file(self) -> File:
        """What was written, once it is closed."""
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        name, size = self.path.name, self.path.stat().st_size
        return File(name, stored_name(digest, name), *self._sheet, *self._partition, self._rows, size, digest)


def stored_name(digest: str, name: str) -> str:
    return f"{digest[:16]}-{name}"


def columns() -> str:
    """The columns of all kinds in a word that changes with them."""
    every: Iterable[object] = (tables.columns(schema) for schema in SCHEMAS.values())
    return hashlib.sha256(repr([*every]).encode()).hexdigest()


@cache
def _zipped(head: bytes) -> bytes:
    return gzip.compress(head, LEVEL, mtime=0)
