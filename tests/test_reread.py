"""A report or an upload read again: ids stay, revisions come only where the record differs, whoever else writes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from chalicelib.catalog import indicators, layout, pending, stored_rows
from chalicelib.errors import NotFound, ReportError, StorageError
from chalicelib.ingestion import ingest, uploads
from chalicelib.maintenance import outcome as told
from chalicelib.maintenance.choice import Choice, read_choice
from chalicelib.maintenance.outcome import Outcome
from chalicelib.maintenance.reread import reread_report, retry_upload
from chalicelib.maintenance.verify import verify
from chalicelib.records import Parsed
from chalicelib.storage import Storage
from tests.made_reports import (
    NOW,
    OTHER_WORDS,
    REPORT,
    TOWN,
    WORDS,
    drop,
    exists,
    head,
    read_report,
    report,
    revisions,
    write_report,
)
from tests.published import plain
from tests.test_ingest_faults import failing, sweep_up

LATER = NOW + timedelta(minutes=1)
OTHER_TOWN = "331024106"
Read = Callable[..., Parsed]


pytestmark = pytest.mark.usefixtures("made_up_reports")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Callable[[Read], None]:
    """Changes the reader."""
    return lambda read: monkeypatch.setattr("chalicelib.reading.parse.parse", read)


def better(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
    """A reader that takes 财政收入 for something else, and has another version."""
    parsed = read_report(data, filename, township)
    figures = [{**i, "name": i["name"].replace("收入", "总收入")} for i in parsed.record["indicators"]]
    return Parsed({**parsed.record, "indicators": figures, "parser": {"version": "1", "rules": "1" * 64}}, parsed.text)


def newer(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
    """A reader of another version that reads alike."""
    parsed = read_report(data, filename, township)
    return Parsed({**parsed.record, "parser": {"version": "1", "rules": "1" * 64}}, parsed.text)


def refusing(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
    raise ReportError("cut_off", "The page breaks off.", "Save it again.")


def reading_as(**changes: Any) -> Read:
    """A reader that finds another township or year where none is named."""

    def read(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
        parsed = read_report(data, filename, township)
        record = parsed.record if township else {**parsed.record, **changes}
        code, year = record["township"]["code"], record["review_year"]
        return Parsed({**record, "id": f"{code}-{year}" if code and year else None}, parsed.text)

    return read


def place(code: str | None) -> dict[str, Any]:
    return {"code": code, "name": "某镇", "county": "某县", "prefecture": "某市", "province": "某省"}


def again(storage: Storage, report_id: str = REPORT, dry_run: bool = False) -> Outcome:
    return reread_report(storage, report_id, LATER, Choice(), dry_run)


def stored(storage: Storage, prefixes: tuple[str, ...] = ("records/", "text/", "uploads/", "rejected/")) -> Any:
    """All objects, and all entries of the partitions that a report is in."""
    objects = {key: storage.objects.get(key) for prefix in prefixes for key in storage.objects.keys(prefix)}
    partitions = (f"township#{TOWN}", f"report#{REPORT}", "year#2022", "concept#fiscal_revenue", layout.PENDING)
    return objects, [entry for pk in partitions for entry in storage.index.query(pk)]


def record(storage: Storage, number: int, report_id: str = REPORT) -> dict[str, Any]:
    return dict(orjson.loads(storage.objects.get(layout.record_object(report_id, number))))


# A report.


@pytest.mark.parametrize("read", [read_report, newer], ids=["same reader", "newer reader that reads alike"])
def test_what_is_read_as_before_changes_nothing(storage: Storage, reads: Callable[[Read], None], read: Read) -> None:
    drop(storage, "a.txt", report())
    before = stored(storage)
    reads(read)
    assert again(storage).status == told.UNCHANGED
    assert stored(storage) == before


def test_what_is_read_otherwise_is_the_next_revision_of_the_same_report(
    storage: Storage, reads: Callable[[Read], None]
) -> None:
    drop(storage, "a.txt", report())
    reads(better)
    outcome = again(storage)
    assert (outcome.status, outcome.id, outcome.revision) == (told.REVISED, REPORT, 2)
    assert outcome.differences
    assert [each["fields"] for each in outcome.differences["changed"]] == [{"name": ["财政收入", "财政总收入"]}]
    assert revisions(storage, REPORT) == [1, 2]
    summary = head(storage, REPORT)
    assert summary is not None
    assert (summary["revision"], summary["ingested"]) == (2, "2024-03-01T08:31:00Z")
    assert record(storage, 1)["parser"]["version"] == "0"
    assert (record(storage, 2)["parser"]["version"], record(storage, 2)["source"]) == (
        "1",
        record(storage, 1)["source"],
    )
    rows = plain(indicators.of_township(storage, TOWN, cursor=None, limit=9))
    assert [row["name"] for row in rows] == ["工业产值", "财政总收入"]
    assert list(pending.marks(storage.index)) == []
    assert again(storage).status == told.UNCHANGED


def test_a_text_that_is_cleaned_otherwise_is_a_revision(storage: Storage, reads: Callable[[Read], None]) -> None:
    def cleaner(*arguments: Any) -> Parsed:
        parsed = read_report(*arguments)
        return Parsed(parsed.record, parsed.text + "。")

    drop(storage, "a.txt", report())
    reads(cleaner)
    outcome = again(storage)
    assert (outcome.revision, outcome.differences and outcome.differences["text"]) == (2, True)


@pytest.mark.parametrize("named", [None, TOWN], ids=["no township named", "township named"])
def test_the_same_bytes_uploaded_after_it_change_nothing(
    storage: Storage, reads: Callable[[Read], None], named: str | None
) -> None:
    def upload() -> dict[str, Any]:
        key = f"incoming/{uploads.announce(storage, 'a.txt', named, LATER)['id']}"
        storage.objects.put(key, report())
        state = ingest.receive(storage, key, LATER)
        assert state is not None
        return state

    upload()
    reads(better)
    again(storage)
    reads(refusing)  # known bytes are not read at all
    state = upload()
    assert (state["unchanged"], state["report"]) == (True, {"id": REPORT, "revision": 2})
    assert revisions(storage, REPORT) == [1, 2]


def test_the_second_document_of_a_year_keeps_its_number(storage: Storage, reads: Callable[[Read], None]) -> None:
    drop(storage, "a.txt", report())
    drop(storage, "b.txt", report(OTHER_WORDS))
    reads(better)
    outcome = again(storage, f"{REPORT}-2")
    assert (outcome.status, revisions(storage, f"{REPORT}-2"), revisions(storage, REPORT)) == ("revised", [1, 2], [1])


def test_a_township_that_was_asked_for_is_named_again(storage: Storage, reads: Callable[[Read], None]) -> None:
    state = drop(storage, "a.txt", write_report("标题\n" + WORDS, candidates=f"{TOWN} {OTHER_TOWN}", year=2022))
    uploads.name_township(storage, state["id"], TOWN, NOW)
    assert again(storage).status == told.UNCHANGED
    reads(reading_as(township=place(OTHER_TOWN)))  # would settle it otherwise: the publisher's word counts
    assert again(storage).status == told.UNCHANGED


@pytest.mark.parametrize(
    ("read", "status", "detail"),
    [
        (reading_as(review_year=2021), told.MOVED, f"It would be {TOWN}-2021 now."),
        (reading_as(township=place(OTHER_TOWN)), told.MOVED, f"It would be {OTHER_TOWN}-2022 now."),
        (reading_as(review_year=None), told.REFUSED, "no_year: The report names no year."),
        (refusing, told.REFUSED, "cut_off: The page breaks off. Save it again."),
        (
            reading_as(kind="nonsense"),
            told.REFUSED,
            "schema: The record does not fit schemas/report.schema.json at /kind.",
        ),
    ],
    ids=["another year", "another township", "no year", "refused", "a record that is none"],
)
def test_what_is_another_report_or_none_now_is_left_alone(
    storage: Storage, reads: Callable[[Read], None], read: Read, status: str, detail: str
) -> None:
    drop(storage, "a.txt", report())
    before = stored(storage)
    reads(read)
    outcome = again(storage)
    assert (outcome.status, outcome.detail) == (status, detail)
    assert stored(storage) == before


def test_a_report_whose_township_is_not_certain_any_more_stays_where_it_is(
    storage: Storage, reads: Callable[[Read], None]
) -> None:
    drop(storage, "a.txt", report())
    reads(reading_as(township=place(None)))
    assert again(storage).status == told.UNCHANGED


def test_a_dry_run_tells_the_same_and_writes_nothing(storage: Storage, reads: Callable[[Read], None]) -> None:
    drop(storage, "a.txt", report())
    before = stored(storage)
    reads(better)
    foreseen = again(storage, dry_run=True)
    assert stored(storage) == before
    assert again(storage) == foreseen


def test_only_what_the_record_says_is_chosen_is_read(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(storage, "a.txt", report())
    monkeypatch.setattr("chalicelib.reading.parse.parse", None)
    outcome = reread_report(storage, REPORT, LATER, read_choice(["parser=9"]))
    assert outcome.status == told.SKIPPED


def test_a_report_that_is_none_is_told(storage: Storage) -> None:
    with pytest.raises(NotFound):
        again(storage)


# Other writers, and failures.


def test_an_upload_published_while_it_is_read_wins_and_is_read_instead(
    storage: Storage, reads: Callable[[Read], None]
) -> None:
    drop(storage, "a.txt", report())
    uploaded: list[int] = []

    def while_another_uploads(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
        if not uploaded:
            uploaded.append(1)
            drop(storage, "b.txt", report(WORDS + "后"))
        return better(data, filename, township)

    reads(while_another_uploads)
    assert again(storage).status == told.UNCHANGED  # the upload was read by the reader of now
    assert revisions(storage, REPORT) == [1, 2]
    assert storage.objects.get(layout.text_object(REPORT, 2)).decode().endswith("后")


def test_two_at_once_make_one_revision(storage: Storage, reads: Callable[[Read], None]) -> None:
    drop(storage, "a.txt", report())
    reads(better)
    barrier, outcomes = threading.Barrier(2), []

    def work() -> None:
        barrier.wait()
        outcomes.append(again(storage).status)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [told.REVISED, told.UNCHANGED]
    assert revisions(storage, REPORT) == [1, 2]


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_a_failure_at_any_write_and_a_second_run_end_in_one_revision(
    storage: Storage, reads: Callable[[Read], None], after: bool
) -> None:
    for at in range(40):
        town = f"3310{at:05d}"
        report_id = f"{town}-2022"
        reads(read_report)
        drop(storage, "a.txt", report(town=town))
        reads(better)
        try:
            reread_report(failing(storage, at, after), report_id, LATER, Choice())
            failed = False
        except StorageError:
            failed = True
        shown = head(storage, report_id)
        assert shown
        entries = pending.visible(storage.index, storage.index.query(f"township#{town}", prefix="indicators#"))
        names = {row["name"] for entry in entries for row in stored_rows.read_rows(entry.body)}
        assert names == {"工业产值", "财政总收入" if shown["revision"] == 2 else "财政收入"}
        again(storage, report_id)
        assert revisions(storage, report_id) == [1, 2]
        sweep_up(storage)
        if not failed:
            break
    assert at > 6
    assert failed is False


@pytest.mark.repair
def test_index_and_objects_agree_after_it(storage: Storage, reads: Callable[[Read], None]) -> None:
    drop(storage, "a.txt", report())
    reads(better)
    assert again(storage).status == told.REVISED
    found = verify(storage)
    assert (found.differences, found.revisions) == ([], 2)


# An upload that was not published.


def test_a_rejected_file_that_can_be_read_now_is_published(storage: Storage, reads: Callable[[Read], None]) -> None:
    reads(refusing)
    state = drop(storage, "a.txt", report())
    assert state["state"] == "rejected"
    reads(read_report)
    assert retry_upload(storage, state["id"], LATER, dry_run=True).status == told.PUBLISHED
    assert uploads.read(storage, state["id"]) == state
    outcome = retry_upload(storage, state["id"], LATER)
    assert (outcome.status, outcome.report, outcome.revision) == (told.PUBLISHED, REPORT, 1)
    assert uploads.read(storage, state["id"])["state"] == "published"
    assert retry_upload(storage, state["id"], LATER).status == told.UNCHANGED
    assert drop(storage, "b.txt", report())["unchanged"]


def test_a_file_rejected_as_before_keeps_its_state(storage: Storage, reads: Callable[[Read], None]) -> None:
    reads(refusing)
    state = drop(storage, "a.txt", report())
    before = stored(storage)
    assert retry_upload(storage, state["id"], LATER).status == told.UNCHANGED
    assert stored(storage) == before
    assert uploads.read(storage, state["id"]) == state


def test_a_file_rejected_for_another_reason_says_so(storage: Storage, reads: Callable[[Read], None]) -> None:
    state = drop(storage, "a.txt", b"no report")
    reads(refusing)
    outcome = retry_upload(storage, state["id"], LATER)
    assert (outcome.status, outcome.detail) == (told.REJECTED, "The page breaks off.")
    assert uploads.read(storage, state["id"])["reasons"][0]["code"] == "cut_off"


def test_a_file_over_the_limit_is_not_read(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("REPORTS_MAX_BYTES", "10")
        state = drop(storage, "a.txt", report())
        assert retry_upload(storage, state["id"], LATER).status == told.UNCHANGED
    assert retry_upload(storage, state["id"], LATER).status == told.PUBLISHED


def test_a_township_that_is_certain_now_is_not_asked_for_any_more(
    storage: Storage, reads: Callable[[Read], None]
) -> None:
    state = drop(storage, "a.txt", write_report(WORDS, candidates=f"{TOWN} {OTHER_TOWN}", year=2022))
    assert state["state"] == "needs_township"
    assert retry_upload(storage, state["id"], LATER).status == told.UNCHANGED
    reads(reading_as(township=place(TOWN), candidates=[]))
    assert retry_upload(storage, state["id"], LATER).report == REPORT
    assert exists(storage, layout.record_object(REPORT, 1))


def test_an_upload_that_was_settled_meanwhile_stays(storage: Storage) -> None:
    state = drop(storage, "a.txt", report())
    assert retry_upload(storage, state["id"], LATER).status == told.UNCHANGED
    with pytest.raises(NotFound):
        retry_upload(storage, "0" * 32, LATER)
