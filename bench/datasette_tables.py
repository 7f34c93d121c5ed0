"""The reports of a data folder as tables for Datasette, with an index for each question that is compared."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.load_collection import Case
from chalicelib.bulk import rows
from chalicelib.catalog import one_report
from chalicelib.storage import Storage

_INDEXES = """
CREATE INDEX by_township ON indicators (township_code, year);
CREATE INDEX by_concept ON indicators (concept, year, province, township_code);
ANALYZE;
"""


def make_tables(storage: Storage, cases: Sequence[Case], path: Path) -> int:
    """Write `reports` (id, record as JSON) and `indicators` (the flat rows of the bulk files); the number of rows.

    A file that is there is kept: it is written elsewhere and renamed when it is whole.
    """
    if not path.exists():
        scratch = path.with_suffix(".making")
        scratch.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(scratch)) as connection:
            _fill(connection, _records(storage, cases))
        scratch.rename(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM indicators").fetchone()[0])


def _records(storage: Storage, cases: Sequence[Case]) -> Iterator[bytes]:
    return (one_report.record(storage, f"{code}-{year}") for code, year in cases)


def _fill(connection: sqlite3.Connection, records: Iterator[bytes]) -> None:
    connection.execute("CREATE TABLE reports (id TEXT PRIMARY KEY, record TEXT)")
    made = False
    for body in records:
        record: dict[str, Any] = orjson.loads(body)
        connection.execute("INSERT INTO reports VALUES (?, ?)", (record["id"], body.decode().strip()))
        for row in rows.indicator_rows(record):
            if not made:
                # Datasette's parameters are text, which equals a number only in a column of numbers.
                columns = ", ".join(f'"{name}"{" INTEGER" if name == "year" else ""}' for name in row)
                connection.execute(f"CREATE TABLE indicators ({columns})")
                made = True
            connection.execute(f"INSERT INTO indicators VALUES ({', '.join('?' * len(row))})", list(row.values()))
    connection.executescript(_INDEXES)
    connection.commit()
