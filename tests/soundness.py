"""What has to hold of a storage whatever failed before: `assert_whole` at any moment, `assert_sound` at the end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from chalicelib.catalog import indicators, layout, lists, one_report, pending
from chalicelib.catalog.choice import read_runs
from chalicelib.errors import Gone, NotFound
from chalicelib.ingestion import upload_state
from chalicelib.maintenance.verify import verify
from chalicelib.storage import Storage
from tests.made_reports import exists
from tests.published import plain

ALL = 1000
CONCEPTS = ("exports", "fiscal_revenue", "gdp", "imports", "industrial_output")  # those that made reports have here


def assert_sound(
    storage: Storage, sent: Mapping[str, bytes], reports: Iterable[str], now: datetime, twice: bool = False
) -> None:
    """No upload is lost, and every report is whole and published once, as index and objects agree; nothing is left over.

    `sent` are the uploads by name under `incoming/`, `now` no time before the last write. `twice`: an index was lost
    while a writing lay there broken off, so that its revision may have been published beside a later one.
    """
    for hours in (2, 4):  # what a service does in the hours after
        pending.sweep(storage, now + timedelta(hours=hours))
    assert list(pending.marks(storage.index)) == []
    for name, data in sent.items():
        assert_not_lost(storage, name, data)
    for report_id in reports:
        assert_whole(storage, report_id)
    found = verify(storage, read_raw=True)
    assert (found.differences, found.writing) == ([], 0), "\n".join(map(str, [*found.differences, found.writing]))
    if not twice:
        assert_published_once(storage)


def assert_not_lost(storage: Storage, name: str, data: bytes) -> None:
    """The upload's bytes are kept, and it has its outcome; or its file lies there for another delivery."""
    if exists(storage, f"incoming/{name}"):
        return
    sha256 = hashlib.sha256(data).hexdigest()
    assert storage.objects.get(layout.raw_object(sha256)) == data
    # An upload that waited for its file when an index was lost is taken like a file that was dropped.
    dropped = hashlib.sha256(f"{name}\n{sha256}".encode()).hexdigest()[:32]
    held = upload_state.load(storage.index, name) or upload_state.load(storage.index, dropped)
    assert held is not None, f"{name} is unknown"
    assert upload_state.is_final(held), f"{name} is {held.state['state']}"
    whose = held.state["report"]
    if held.state["state"] == "published" and not pending.is_withdrawn(storage.index, whose["id"]):
        record = orjson.loads(one_report.record(storage, whose["id"], whose["revision"]))
        assert record["source"]["sha256"] == sha256 or held.state["unchanged"]


def assert_published_once(storage: Storage) -> None:
    """Of equal bytes there is one revision of each township, but for tombstones, and revisions are listed in the order of their numbers."""
    read = Counter[tuple[str, str]]()
    for entry in storage.index.entries():
        if entry.pk.startswith("report#") and b'"withdrawn"' not in entry.body:
            read[entry.pk[:16], orjson.loads(entry.body)["source_sha256"]] += 1
    assert [found for found, times in read.items() if times > 1] == []


def assert_whole(storage: Storage, report_id: str) -> int:
    """Every list tells the same revision of the report, all of it and nothing twice; its number, 0 for none."""
    code, _, rest = report_id.partition("-")
    year = int(rest[:4])
    summaries = [
        plain(lists.reports(storage, year=read_runs(str(year)), cursor=None, limit=ALL)),
        plain(lists.reports(storage, township=[code], cursor=None, limit=ALL)),
        plain(lists.reports_of_township(storage, code, None, ALL)),
    ]
    told = [[each for each in map(_plain, found) if each["id"] == report_id] for found in summaries]
    rows = [row for row in _rows_of_township(storage, code) if row["report"] == report_id]
    compared = [row for row in _rows_of_concepts(storage) if row["report"] == report_id]
    try:
        record = orjson.loads(one_report.record(storage, report_id))
    except NotFound:
        assert (told, rows, compared) == ([[], [], []], [], []), "half visible"
        return 0
    except Gone:
        assert (rows, compared, len({each[0]["revision"] for each in told})) == ([], [], 1), "half visible"
        assert all("withdrawn" in each for (each,) in told), "half visible"
        return int(told[0][0]["revision"])
    assert told == [[told[0][0]]] * 3, "half visible"
    number: int = record["revision"]
    assert told[0][0]["revision"] == number
    listed = [_plain(each)["revision"] for each in one_report.revisions(storage, report_id, None, ALL).data]
    assert (sorted(set(listed)), max(listed)) == (listed, number), "not the newest revision"
    expected = layout.indicator_rows(record)
    assert rows == expected, "half visible"
    by_concept = sorted((row for row in expected if row["concept"]), key=lambda row: str(row["concept"]))
    assert compared == by_concept, "half visible"
    text = one_report.text(storage, report_id).decode()
    assert all(text[i["evidence"]["start"] : i["evidence"]["end"]] == i["evidence"]["quote"] for i in rows)
    return number


def _rows_of_township(storage: Storage, code: str) -> list[dict[str, Any]]:
    return plain(indicators.of_township(storage, code, cursor=None, limit=ALL))


def _rows_of_concepts(storage: Storage) -> list[dict[str, Any]]:
    """The rows of every concept, by concept; the years that a concept tells are those of its rows."""
    found = []
    for concept in CONCEPTS:
        rows = plain(indicators.of_concepts(storage, concept=[concept], cursor=None, limit=ALL))
        assert set(indicators.concept(storage, concept)["years"]) == {row["year"] for row in rows}
        found += rows
    return found


def _plain(fragment: Any) -> dict[str, Any]:
    plain: dict[str, Any] = orjson.loads(orjson.dumps(fragment))
    return plain
