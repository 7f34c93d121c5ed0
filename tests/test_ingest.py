"""Ingestion: whatever is uploaded, crashes, comes twice or comes at once, the outcome is one and whole."""

from __future__ import annotations

import hashlib
import tracemalloc
from typing import Any

import orjson
import pytest

from chalicelib.catalog import layout
from chalicelib.errors import BadRequest
from chalicelib.ingestion import identity, ingest, publish, uploads
from chalicelib.storage import Storage
from tests.made_reports import (
    NOW,
    OTHER_WORDS,
    REPORT,
    TOWN,
    WORDS,
    drop,
    head,
    read_report,
    report,
    revisions,
    write_report,
)

pytestmark = pytest.mark.usefixtures("made_up_reports")


def test_a_report_is_published_whole_and_its_upload_removed(storage: Storage) -> None:
    state = drop(storage, "报告 1.txt", report())
    assert (state["state"], state["report"], state["unchanged"]) == (
        "published",
        {"id": REPORT, "revision": 1},
        False,
    )
    assert state["filename"] == "报告 1.txt"
    assert uploads.read(storage, state["id"]) == state
    record = orjson.loads(storage.objects.get(layout.record_object(REPORT, 1)))
    text = storage.objects.get(layout.text_object(REPORT, 1)).decode()
    assert all(
        text[i["evidence"]["start"] : i["evidence"]["end"]] == i["evidence"]["quote"] for i in record["indicators"]
    )
    assert storage.objects.get(layout.raw_object(record["source"]["sha256"])) == report()
    assert list(storage.objects.keys("incoming/")) == []
    summary = head(storage, REPORT)
    assert summary is not None
    stored = storage.objects.get(layout.record_object(REPORT, 1))
    assert summary["record_sha256"] == hashlib.sha256(stored).hexdigest()


@pytest.mark.parametrize("name", ["深/层/报告.txt", "a b+c.txt", "报告%20.txt", "0" * 32])
def test_a_file_dropped_by_hand_under_any_name_is_an_upload(storage: Storage, name: str) -> None:
    assert drop(storage, name, report())["state"] == "published"


def test_the_same_bytes_again_change_nothing(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    first = drop(storage, "a.txt", report())

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("chalicelib.reading.parse.parse", never)
    again = drop(storage, "b.txt", report())
    assert (again["unchanged"], again["report"]) == (True, first["report"])
    assert again["id"] != first["id"]
    assert revisions(storage, REPORT) == [1]


def test_the_same_bytes_with_the_township_named_are_known_too(storage: Storage) -> None:
    drop(storage, "a.txt", report())
    named = uploads.announce(storage, "b.txt", TOWN, NOW)["id"]
    assert drop(storage, named, report())["unchanged"] is True


def test_bytes_first_read_with_a_named_township_are_known_without_it(storage: Storage) -> None:
    named = uploads.announce(storage, "b.txt", TOWN, NOW)["id"]
    assert drop(storage, named, report())["unchanged"] is False
    assert [drop(storage, name, report())["unchanged"] for name in ("a.txt", "c.txt")] == [True, True]
    assert revisions(storage, REPORT) == [1]


def test_the_same_document_in_other_bytes_changes_nothing_and_its_bytes_are_known(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = report(WORDS), report(WORDS, furniture="saved by another program")
    assert first != other
    published = drop(storage, "a.txt", first)["report"]
    monkeypatch.setattr(publish, "store", None)
    for name in ("b.txt", "c.txt"):
        again = drop(storage, name, other)
        assert (again["state"], again["report"], again["unchanged"]) == ("published", published, True)
    sha256 = hashlib.sha256(other).hexdigest()
    assert all(ingest.find_known(storage, sha256, name) == published for name in (None, TOWN))
    assert revisions(storage, REPORT) == [1]


@pytest.mark.parametrize("second", [report(WORDS + "后"), report(WORDS, index="A/1")], ids=["text", "record"])
def test_what_differs_in_more_than_its_source_is_a_revision(local_storage: Storage, second: bytes) -> None:
    drop(local_storage, "a.txt", report(WORDS))
    state = drop(local_storage, "b.txt", second)
    assert (state["report"]["revision"], state["unchanged"]) == (2, False)


def test_a_corrected_document_is_the_next_revision_and_the_old_one_stays_readable(storage: Storage) -> None:
    drop(storage, "a.txt", report())
    state = drop(storage, "a.txt", report(WORDS + "更正"))
    assert state["report"] == {"id": REPORT, "revision": 2}
    assert revisions(storage, REPORT) == [1, 2]
    assert storage.objects.get(layout.text_object(REPORT, 1)).decode().endswith(WORDS)
    assert storage.objects.get(layout.text_object(REPORT, 2)).decode().endswith("更正")


def test_rows_that_a_correction_no_longer_has_are_gone(storage: Storage) -> None:
    drop(storage, "a.txt", report(f"{WORDS}\n招商引资 investment 5 元\n"))
    assert storage.index.query("concept#investment")
    drop(storage, "a.txt", report(f"{WORDS}\n招商引资 - 5 元\n"))
    assert storage.index.query("concept#investment") == []
    assert len(storage.index.query("concept#fiscal_revenue")) == 1


@pytest.mark.parametrize(
    ("second", "report_id"),
    [
        pytest.param(report(WORDS[:300] + OTHER_WORDS[:100]), REPORT, id="mostly the same text"),
        pytest.param(report(OTHER_WORDS, index="A/1"), REPORT, id="same index number"),
        pytest.param(report(OTHER_WORDS, index="A/2"), f"{TOWN}-2022-2", id="other text"),
        pytest.param(report(WORDS, year=2021), f"{TOWN}-2021", id="other year"),
        pytest.param(report(WORDS, town="331022104"), "331022104-2022", id="other township"),
    ],
)
def test_same_document_or_another(local_storage: Storage, second: bytes, report_id: str) -> None:
    drop(local_storage, "a.txt", report(WORDS, index="A/1"))
    assert drop(local_storage, "b.txt", second)["report"]["id"] == report_id


def test_a_correction_of_the_second_document_finds_it(local_storage: Storage) -> None:
    drop(local_storage, "a.txt", report(WORDS))
    drop(local_storage, "b.txt", report(OTHER_WORDS))
    assert drop(local_storage, "c.txt", report(OTHER_WORDS + "改"))["report"] == {"id": f"{TOWN}-2022-2", "revision": 2}
    assert drop(local_storage, "d.txt", report("第三" * 200))["report"]["id"] == f"{TOWN}-2022-3"


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("", "", 1.0, 1.0),
        ("abcdef", " ab\ncdef ", 1.0, 1.0),
        ("abcdef", "ghijkl", 0.0, 0.0),
        ("ab", "ab", 1.0, 1.0),
        ("ab", "", 0.0, 0.0),
        (WORDS, WORDS[:390], 0.95, 0.999),
        (WORDS * 2000, OTHER_WORDS * 2000, 0.0, 0.0),
        (WORDS * 2000 + OTHER_WORDS, WORDS * 2000, 0.4, 0.6),
    ],
)
def test_similarity(one: str, other: str, low: float, high: float) -> None:
    assert low <= identity.similarity(one, other) <= high
    assert identity.similarity(one, other) == identity.similarity(other, one)


def test_a_refused_file_is_kept_with_the_reason(storage: Storage) -> None:
    data = b"\x89PNG no report"
    state = drop(storage, "图.png", data)
    assert (state["state"], state["reasons"][0]["code"]) == ("rejected", "no_report")
    assert state["reasons"][0]["way_out"]
    kept = orjson.loads(storage.objects.get(f"rejected/{state['id']}.json"))
    assert kept == {
        "upload": state["id"],
        "filename": "图.png",
        "sha256": hashlib.sha256(data).hexdigest(),
        "time": "2024-03-01T08:30:00Z",
        "reasons": state["reasons"],
    }
    assert storage.objects.get(layout.raw_object(kept["sha256"])) == data
    assert list(storage.objects.keys("incoming/")) == []


def test_a_record_that_fails_its_schema_is_refused_and_nothing_of_it_is_visible(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def misread(*arguments: Any) -> Any:
        parsed = read_report(*arguments)
        parsed.record["indicators"][0]["bound"] = "about"
        return parsed

    monkeypatch.setattr("chalicelib.reading.parse.parse", misread)
    state = drop(storage, "a.txt", report())
    assert state["reasons"][0]["pointers"][0]["pointer"] == "/indicators/0/bound"
    assert head(storage, REPORT) is None
    assert list(storage.objects.keys("records/")) == list(storage.objects.keys("text/")) == []


def test_a_report_without_a_year_is_refused(local_storage: Storage) -> None:
    state = drop(local_storage, "a.txt", write_report(WORDS, township=TOWN))
    assert state["reasons"][0]["code"] == "no_year"


def test_a_file_over_the_limit_is_refused_with_both_sizes_and_kept(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTS_MAX_BYTES", "1000")
    data = b"x" * 2_500_000
    state = drop(storage, "big.txt", data)
    assert state["reasons"][0]["code"] == "too_large"
    assert "2,500,000" in state["reasons"][0]["detail"]
    assert "1,000" in state["reasons"][0]["detail"]
    assert storage.objects.get(layout.raw_object(hashlib.sha256(data).hexdigest())) == data


def test_a_file_far_over_the_limit_is_never_in_memory(local_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTS_MAX_BYTES", "1000")
    local_storage.objects.put("incoming/big.txt", b"x" * 40_000_000)
    tracemalloc.start()
    try:
        state = ingest.receive(local_storage, "incoming/big.txt", NOW)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert state is not None
    assert state["reasons"][0]["code"] == "too_large"
    assert peak < 10_000_000


def test_a_file_refused_once_is_read_again_when_it_comes_again(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTS_MAX_BYTES", "10")
    assert drop(local_storage, "a.txt", report())["state"] == "rejected"
    monkeypatch.delenv("REPORTS_MAX_BYTES")
    assert drop(local_storage, "a.txt", report())["state"] == "published"


def test_an_event_for_a_file_that_is_gone_does_nothing(storage: Storage) -> None:
    assert ingest.receive(storage, "incoming/gone.txt", NOW) is None


def test_a_key_outside_incoming_is_refused(local_storage: Storage) -> None:
    with pytest.raises(BadRequest):
        ingest.receive(local_storage, "raw/x", NOW)


def test_a_redelivered_event_returns_the_outcome(storage: Storage) -> None:
    upload_id = uploads.announce(storage, "a.txt", None, NOW)["id"]
    first = drop(storage, upload_id, report())
    assert ingest.receive(storage, f"incoming/{upload_id}", NOW) == first
    assert drop(storage, upload_id, report()) == first


def test_another_file_at_a_used_address_is_kept_and_noted_and_the_outcome_stays(storage: Storage) -> None:
    upload_id = uploads.announce(storage, "a.txt", None, NOW)["id"]
    first = drop(storage, upload_id, report())
    second = report(OTHER_WORDS)
    assert drop(storage, upload_id, second) == first
    sha256 = hashlib.sha256(second).hexdigest()
    assert storage.objects.get(layout.raw_object(sha256)) == second
    note = orjson.loads(storage.objects.get(f"rejected/{upload_id}-{sha256[:16]}.json"))
    assert (note["upload"], note["reasons"][0]["code"]) == (upload_id, "upload_address_used")
    assert head(storage, f"{TOWN}-2022-2") is None
    assert list(storage.objects.keys("incoming/")) == []


def test_more_figures_than_the_index_holds_are_refused_and_nothing_of_them_is_visible(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("storage.contract", "ingestion.publish"):
        monkeypatch.setattr(f"chalicelib.{module}.MAX_ENTRY_BYTES", 3000)
    body = "".join(f"名{n * n} fiscal_revenue {n * n * n} 元\n" for n in range(300))
    state = drop(local_storage, "a.txt", report(body))
    assert state["reasons"][0]["code"] == "too_many_figures"
    assert head(local_storage, REPORT) is None
    assert local_storage.index.query("concept#fiscal_revenue") == []
    assert list(local_storage.objects.keys("records/")) == []


def test_a_fault_of_the_parser_is_a_refusal_and_the_file_is_kept(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr("chalicelib.reading.parse.parse", fail)
    state = drop(storage, "a", report())
    assert state is not None
    assert (state["state"], state["reasons"][0]["code"]) == ("rejected", "parser_failed")
    assert storage.objects.get(f"raw/{state['sha256']}") == report()


def test_a_report_that_no_answer_could_hold_is_refused(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.catalog.layout.SERVABLE", 500)
    state = drop(storage, "a", report())
    assert state is not None
    assert (state["state"], state["reasons"][0]["code"]) == ("rejected", "too_large")
    assert "500" in state["reasons"][0]["detail"]
    assert list(storage.objects.keys("records/")) == []
