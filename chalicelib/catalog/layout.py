"""The table's layout: what a published report writes, and which key answers which question.

Every question of the API is one `get` or one `query` of one partition. Bodies are JSON; `indicators#…` is gzipped,
because a report's rows are the one body that may near DynamoDB's 400 KB. Records come as `records.dump` and a JSON
reader give them.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from chalicelib.storage import Delete, Put

Record = dict[str, Any]
Row = dict[str, Any]
Write = Put | Delete

HEAD, STATUS, YEARS = "head", "status", "years"
NO_YEAR = "0000"
TRANSACTION = 100  # writes that one commit takes
# Rows of concepts, written or removed, that go into the commit which shows a report; the other writes are some dozen.
TOGETHER = 80


class Key(NamedTuple):
    """Where an entry is."""

    pk: str
    sk: str


class Span(NamedTuple):
    """A run of entries: those of partition `pk` whose sort key starts with `prefix`."""

    pk: str
    prefix: str = ""


# Keys: which entry answers which question.


def head(report_id: str) -> Key:
    return Key(f"report#{report_id}", HEAD)


def revision(report_id: str, number: int) -> Key:
    return Key(f"report#{report_id}", f"revision#{number:06d}")


def revisions(report_id: str) -> Span:
    return Span(f"report#{report_id}", "revision#")


def upload(upload_id: str) -> Key:
    return Key(f"upload#{upload_id}", STATUS)


def known_source(sha256: str, township: str | None) -> Key:
    """What these bytes became; `township` is the code that the publisher named with them, if any."""
    return Key(f"sha256#{sha256}", township or "-")


def years() -> Span:
    return Span(YEARS)


def reports_of_year(year: int, division: str = "") -> Span:
    """Reports of a year by township code; `division` is the code of a province, prefecture, county or township."""
    return Span(f"year#{year:04d}", division)


def reports_of_township(code: str, year: int | None = None) -> Span:
    """Reports of a township in order of their years, or those of one year."""
    return Span(f"township#{code}", "report#" if year is None else f"report#{year:04d}#")


def indicators_of_township(code: str) -> Span:
    """A township's indicator rows, an entry a report, in order of the reports' years."""
    return Span(f"township#{code}", "indicators#")


def indicators_of_concept(concept: str, year: int | None = None, division: str = "") -> Span:
    """Rows of one concept by the year that the figure speaks of, then township; `division` needs a `year`."""
    return Span(f"concept#{concept}", "" if year is None else f"{year:04d}#{division}")


def after_year(year: int) -> str:
    """A sort key behind every key of `year` in a concept's partition (`$` follows `#`)."""
    return f"{year:04d}$"


def year_of_key(sk: str) -> int:
    """The year that a sort key of a concept's or the `years` partition begins with; 0 where the report states none."""
    return int(sk[:4])


def marks_ahead(report_id: str) -> Span:
    """An entry for each revision that has rows ahead, with the list of their keys."""
    return Span(f"report#{report_id}", "ahead#")


def mark_ahead(report_id: str, number: int) -> Key:
    return Key(f"report#{report_id}", f"ahead#{number:06d}")


class Ahead(NamedTuple):
    """Whose row an entry is, which counts while the report is of this revision."""

    report_id: str
    revision: int


def read_ahead(pk: str, sk: str) -> Ahead | None:
    """What the key of a row ahead says: it ends in a revision, as no other does."""
    fields = sk.split("#")
    return Ahead(fields[2], int(fields[3])) if pk.startswith("concept#") and len(fields) > 3 else None


def plain_sk(sk: str) -> str:
    """The sort key of a concept's row without a revision: one for all revisions of a report."""
    return "#".join(sk.split("#")[:3])


def record_object(report_id: str, number: int) -> str:
    return f"records/{report_id}/{number}.json"


def text_object(report_id: str, number: int) -> str:
    return f"text/{report_id}/{number}.txt"


def raw_object(sha256: str) -> str:
    return f"raw/{sha256}"


# Bodies: from a record to its entries, and back.


def report_year(report: Record) -> int | None:
    """The year a report is filed under: the one it plans for a plan alone, else the one it reviews."""
    year: int | None = report["plan_year"] if report["kind"] == "plan" else report["review_year"]
    return year


def summarise(record: Record, ingested: str, record_sha256: str) -> Record:
    """The report in a line, as lists give it: `ingested` is an ISO time in UTC, `record_sha256` of the stored bytes."""
    same = ("id", "revision", "kind", "title", "township", "review_year", "plan_year", "issuer", "issued", "published")
    return {
        **{key: record[key] for key in same},
        "sections": len(record["sections"]),
        "indicators": len(record["indicators"]),
        "source_sha256": record["source"]["sha256"],
        "filename": record["source"]["filename"],
        "ingested": ingested,
        "record_sha256": record_sha256,
    }


def indicator_rows(record: Record) -> list[Row]:
    """The record's indicators as rows that stand alone: with the report, its revision and its township."""
    whose = {"report": record["id"], "revision": record["revision"], "township": record["township"]}
    return [{**whose, **indicator} for indicator in record["indicators"]]


def read_rows(key_pk: str, body: bytes) -> list[Row]:
    """The rows of an entry of a township's or a concept's partition."""
    rows: list[Row] = orjson.loads(gzip.decompress(body) if key_pk.startswith("township#") else body)
    return rows


def published_writes(
    record: Record,
    summary: Record,
    *,
    expect: int | None = None,
    named: str | None = None,
    previous: Record | None = None,
) -> list[Write]:
    """Everything that makes a revision visible, the guarded head last.

    `expect` is the version that the head must have (0: none may be there), `named` the township that the publisher
    named, `previous` the record of the revision that this one replaces: what only that one had becomes a Delete. More
    rows than one commit holds go ahead of it (`catalog.ahead`).
    """
    rows, old = _concept_bodies(record), _concept_rows(previous) if previous else {}
    # Rows that were too many for one commit lie ahead, and no longer count when the head changes.
    replaced = set(old) if len(old) <= TOGETHER else set()
    ahead = len(rows.keys() | replaced) > TOGETHER
    puts = {**({} if ahead else rows), **_other_bodies(record, summary, named)}
    gone = (replaced | (_filed_keys(previous) if previous else set())) - puts.keys()
    return [
        *(_rows_ahead(record["id"], record["revision"], rows) if ahead else []),
        *(Delete(*key) for key in sorted(gone)),
        *_puts(puts),
        Put(*head(record["id"]), _json(summary), expect),
    ]


def transactions(writes: Sequence[Write], size: int = TRANSACTION) -> list[list[Write]]:
    """The writes in as few commits as hold them: what shows nothing goes ahead of the last, which has the guard."""
    early = [write for write in writes if _is_ahead(write)]
    last = [write for write in writes if not _is_ahead(write)]
    return [*(early[n : n + size] for n in range(0, len(early), size)), last]


def _rows_ahead(report_id: str, number: int, rows: dict[Key, bytes]) -> list[Put]:
    """The rows under keys of this revision alone, behind the mark that lists them."""
    moved = {Key(key.pk, f"{key.sk}#{number:06d}"): body for key, body in rows.items()}
    return [Put(*mark_ahead(report_id, number), orjson.dumps([tuple(key) for key in moved])), *_puts(moved)]


def _is_ahead(write: Write) -> bool:
    return write.sk.startswith("ahead#") or read_ahead(write.pk, write.sk) is not None


def _other_bodies(record: Record, summary: Record, named: str | None) -> dict[Key, bytes]:
    line = _json(summary)
    rows = gzip.compress(_json(indicator_rows(record)), compresslevel=6, mtime=0)
    keys = _report_keys(record)
    return {
        keys.by_township: line,
        keys.rows: rows,
        keys.by_year: line,
        keys.year: b"{}",
        revision(record["id"], record["revision"]): _json(_revision_line(summary)),
        known_source(summary["source_sha256"], named): _json({"report": record["id"], "revision": record["revision"]}),
    }


def filed_report(summary: Record) -> Key:
    """The entry of a township's partition that holds this summary."""
    return _report_keys(summary).by_township


class _ReportKeys(NamedTuple):
    by_township: Key
    rows: Key
    by_year: Key
    year: Key


def _report_keys(record: Record) -> _ReportKeys:
    year, code, report_id = _year(report_year(record)), record["township"]["code"], record["id"]
    return _ReportKeys(
        by_township=Key(f"township#{code}", f"report#{year}#{report_id}"),
        rows=Key(f"township#{code}", f"indicators#{year}#{report_id}"),
        by_year=Key(f"year#{year}", f"{code}#{report_id}"),
        year=Key(YEARS, year),
    )


def _filed_keys(record: Record) -> set[Key]:
    """What a later revision may leave behind; a year stays listed even when its last report moves away."""
    keys = _report_keys(record)
    return {keys.by_township, keys.rows, keys.by_year}


def _puts(bodies: dict[Key, bytes]) -> list[Put]:
    return [Put(*key, body) for key, body in bodies.items()]


def _concept_rows(record: Record) -> dict[Key, list[Row]]:
    code, grouped = record["township"]["code"], dict[Key, list[Row]]()
    for row in indicator_rows(record):
        if row["concept"] is not None:
            key = Key(f"concept#{row['concept']}", f"{_year(row['year'])}#{code}#{record['id']}")
            grouped.setdefault(key, []).append(row)
    return grouped


def _concept_bodies(record: Record) -> dict[Key, bytes]:
    return {key: _json(rows) for key, rows in _concept_rows(record).items()}


def _revision_line(summary: Record) -> Record:
    return {key: summary[key] for key in ("revision", "source_sha256", "filename", "ingested", "record_sha256")}


def _year(year: int | None) -> str:
    return NO_YEAR if year is None else f"{year:04d}"


def _json(value: Record | list[Row]) -> bytes:
    return orjson.dumps(value)
