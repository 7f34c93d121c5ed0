"""The table's layout: what a published report writes, and which key answers which question.

Every question of the API is one `get` or one `query` of one partition. A report shows by one small transaction; its
rows (a township's and each concept's) are written before it, under keys that end in a token of that writing. The head
names the token that counts, `catalog.pending` says which rows to ask it for. Bodies are JSON, those of rows as
`stored_rows` writes them. Records come as `records.dump` and a JSON reader give them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from chalicelib.catalog.stored_rows import write_rows
from chalicelib.storage import Put

Record = dict[str, Any]
Row = dict[str, Any]

YEARS, PENDING, CHANGES, RATE = "years", "pending", "changes", "rate"
WRITING, SHOWN, TAKEN = "writing", "shown", "taken"  # stages of a pending mark
NO_YEAR = "0000"
TOKEN = 8  # hexadecimal digits
# A function's answer holds 6 MB; a report of a township has some 0.1 MB.
SERVABLE = 5_500_000


class Key(NamedTuple):
    """Where an entry is."""

    pk: str
    sk: str


class Span(NamedTuple):
    """A run of entries: those of partition `pk` whose sort key starts with `prefix`."""

    pk: str
    prefix: str = ""


class Rows(NamedTuple):
    """One writing of a report's rows: those of its revision `number` under `token`."""

    number: int
    token: str


# Keys: which entry answers which question.


def head(report_id: str) -> Key:
    """The current revision, in its township's partition: an id begins with the township's code and the year."""
    code, _, rest = report_id.partition("-")
    return Key(f"township#{code}", f"report#{rest[:4]}#{report_id}")


def revision(report_id: str, number: int) -> Key:
    return Key(f"report#{report_id}", f"revision#{number:06d}")


def revisions(report_id: str) -> Span:
    return Span(f"report#{report_id}", "revision#")


def upload(upload_id: str) -> Key:
    return Key(f"upload#{upload_id}", "status")


def rate(publisher: str, hour: datetime) -> Key:
    """The entry whose version counts what the holder of a key has uploaded in this hour."""
    return Key(f"{RATE}#{publisher}", hour.strftime("%Y-%m-%dT%H"))


def known_source(sha256: str, township: str | None) -> Key:
    """What these bytes became; `township` is the code that the publisher named with them, if any."""
    return Key(f"sha256#{sha256}", township or "-")


def known_sources(sha256: str) -> Span:
    """What these bytes became, under every name that came with them."""
    return Span(f"sha256#{sha256}")


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


def pending(report_id: str, token: str) -> Key:
    """The mark of rows that were written, or are being written, and may not count."""
    return Key(PENDING, f"{report_id}#{token}")


def position(moment: str, report_id: str, what: str) -> str:
    """Where a change stands among all: by its `moment` (ISO, UTC, to the millisecond), and unlike any other."""
    return f"{moment}#{report_id}#{what}"


def change(where: str) -> Key:
    """The change at this position, in its month's partition."""
    return Key(f"{CHANGES}#{where[:7]}", where)


def changed_month(where: str) -> Key:
    """The entry that makes the list of changes look into the month of this position."""
    return Key(CHANGES, where[:7])


class Owner(NamedTuple):
    """Whose a row is: it counts while the report's head names this token."""

    report_id: str
    token: str


def read_owner(sk: str) -> Owner:
    """What the sort key of a row or of a pending mark ends in."""
    return Owner(*sk.split("#")[-2:])


def is_head(key: Key) -> bool:
    """Whether it is the key of a report's head."""
    return key.pk.startswith("township#") and key.sk.startswith("report#")


def is_row(key: Key) -> bool:
    """Whether it is the key of rows, of a township's or of a concept's."""
    return key.pk.startswith(("concept#", "township#")) and not is_head(key)


def read_report(key: Key) -> str | None:
    """The report that an entry is of; None for one that is of none."""
    match key.pk.partition("#"):
        case ("report", _, report_id):
            return report_id
        case ("year", _, _):
            return key.sk.partition("#")[2]
        case ("township", _, _) if is_head(key):
            return key.sk.split("#")[2]
        case ("township" | "concept" | "pending", _, _):
            return read_owner(key.sk).report_id
        case ("changes", "#", _) if key.sk.count("#") == 2:
            return key.sk.split("#")[1]
    return None


def plain_sk(sk: str) -> str:
    """The sort key of a row without its token: one for all writings."""
    return sk.rpartition("#")[0]


def record_object(report_id: str, number: int) -> str:
    return f"records/{report_id}/{number}.json"


def text_object(report_id: str, number: int) -> str:
    return f"text/{report_id}/{number}.txt"


def shown_object(report_id: str, number: int, token: str) -> str:
    """What tells that a revision is shown; each writing has its own."""
    return f"shown/{report_id}/{number}-{token}.json"


def unshown_object(report_id: str, number: int, token: str) -> str:
    """What tells that a writing broke off: what it told does not count. It stands whether or not the other was written."""
    return f"shown/{report_id}/{number}-{token}.unshown"


def raw_object(sha256: str) -> str:
    return f"raw/{sha256}"


def upload_object(upload_id: str) -> str:
    return f"uploads/{upload_id}.json"


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
        **_withdrawn(record),
    }


def indicator_rows(record: Record) -> list[Row]:
    """The record's indicators as rows that stand alone: with the report, its revision and its township."""
    whose = {"report": record["id"], "revision": record["revision"], "township": record["township"]}
    return [{**whose, **indicator} for indicator in record["indicators"]]


class Head(NamedTuple):
    """What a head says: the summary as stored, and the token of the rows that count."""

    summary: bytes
    token: str


_HEAD = b'{"rows":"%s","summary":%s}'
_TOKEN_AT = len(b'{"rows":"')
_SUMMARY_AT = len(_HEAD % (b"0" * TOKEN, b"")) - 1


def write_head(summary: Record, token: str) -> bytes:
    return _HEAD % (token.encode(), orjson.dumps(summary))


def read_head(body: bytes) -> Head:
    """Both parts of a head, cut out of it: lists give summaries as they are stored."""
    return Head(body[_SUMMARY_AT:-1], body[_TOKEN_AT : _TOKEN_AT + TOKEN].decode())


def current_rows(head_body: bytes) -> Rows:
    """The rows that count, by the body of a head."""
    head = read_head(head_body)
    return Rows(int(orjson.loads(head.summary)["revision"]), head.token)


def new_token() -> str:
    """A token that no other writing has."""
    return secrets.token_hex(TOKEN // 2)


def row_bodies(record: Record, token: str) -> dict[Key, bytes]:
    """The rows of a record under the keys of one writing: a township's in one entry, and those of each concept."""
    code, report_id = record["township"]["code"], record["id"]
    whole = Key(f"township#{code}", f"indicators#{_filed_year(report_id)}#{report_id}#{token}")
    grouped: dict[Key, list[Row]] = {whole: []}
    for row in indicator_rows(record):
        grouped[whole].append(row)
        if row["concept"] is not None:
            key = Key(f"concept#{row['concept']}", f"{_year(row['year'])}#{code}#{report_id}#{token}")
            grouped.setdefault(key, []).append(row)
    return {key: write_rows(rows) for key, rows in grouped.items()}


def row_puts(record: Record, token: str) -> list[Put]:
    """The writes of `row_bodies`."""
    return [Put(*key, body) for key, body in row_bodies(record, token).items()]


def shown_writes(
    summary: Record, token: str, *, expect: int | None = None, known_as: Iterable[str | None] = (None,)
) -> list[Put]:
    """What makes a revision visible whose rows lie under `token`, the guarded head last.

    `expect` is the version that the head must have (0: none may be there), `known_as` the townships under which its
    bytes need not be read again, None for those that came without one.
    """
    report_id, number, sha256 = summary["id"], summary["revision"], summary["source_sha256"]
    bodies = {
        listed_report(report_id): orjson.dumps(summary),
        revision(report_id, number): orjson.dumps(revision_line(summary)),
        **{known_source(sha256, name): known_body(report_id, number) for name in known_as},
    }
    shown = [Put(*key, body) for key, body in bodies.items()]
    return [*shown, Put(*head(report_id), write_head(summary, token), expect)]


def listed_report(report_id: str) -> Key:
    """The report's entry in its year's partition."""
    return Key(f"year#{_filed_year(report_id)}", f"{report_id.partition('-')[0]}#{report_id}")


def listed_year(report_id: str) -> Key:
    """The entry that makes lists look into the year; it stays when the year has no report any more."""
    return Key(YEARS, _filed_year(report_id))


def known_body(report_id: str, number: int) -> bytes:
    return orjson.dumps({"report": report_id, "revision": number})


class Mark(NamedTuple):
    """A pending mark: the rows of its writing, those that go once these count, since when (ISO, UTC), and how far it is.

    `tells`: an object tells of its revision. `stage`: WRITING, or SHOWN once the rows count, or TAKEN by a sweep, so that
    they never will. `position` is that of its change in the list of all, where it is one.
    """

    rows: Rows
    replaces: Rows | None
    since: str
    tells: bool = False
    stage: str = WRITING
    position: str = ""


def write_pending(mark: Mark) -> bytes:
    return orjson.dumps(mark._asdict(), default=tuple)  # orjson takes no named tuples


def read_pending(body: bytes) -> Mark:
    found = orjson.loads(body)
    replaces = found["replaces"] and Rows(*found["replaces"])
    return Mark(
        Rows(*found["rows"]), replaces, found["since"], found["tells"], found["stage"], found.get("position", "")
    )


def _filed_year(report_id: str) -> str:
    return report_id.partition("-")[2][:4]


def revision_line(summary: Record) -> Record:
    """The revision as the list of a report's revisions gives it."""
    line = {key: summary[key] for key in ("revision", "source_sha256", "filename", "ingested", "record_sha256")}
    return {**line, **_withdrawn(summary)}


def digest(body: bytes) -> str:
    """SHA-256 of what is stored, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def _withdrawn(record: Record) -> Record:
    """Of a tombstone: since when and why. Nothing of any other."""
    return {"withdrawn": record["withdrawn"]} if "withdrawn" in record else {}


def change_body(summary: Record, previous: Record | None) -> bytes:
    """What happened to the report by this revision; `previous` is the record of the one before, if any."""
    number = previous["revision"] if previous else None
    which = {"report": summary["id"], "revision": summary["revision"], "previous": number}
    whose = {"township": summary["township"], "title": summary["title"], "year": report_year(summary)}
    reason = summary["withdrawn"]["reason"] if "withdrawn" in summary else None
    return orjson.dumps({"change": _kind_of_change(summary, previous), **which, **whose, "reason": reason})


def _kind_of_change(summary: Record, previous: Record | None) -> str:
    if "withdrawn" in summary:
        return "withdrawn"
    if previous is None:
        return "added"
    return "restored" if "withdrawn" in previous else "revised"


def _year(year: int | None) -> str:
    return NO_YEAR if year is None else f"{year:04d}"
