"""What a publisher asks of uploads: an address, the state, and to settle the township."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest

from chalicelib.catalog import layout, lists
from chalicelib.errors import BadRequest, Conflict, NotFound, StorageError
from chalicelib.ingestion import publish, upload_state, uploads
from chalicelib.storage import Storage
from tests.made_reports import NOW, REPORT, TOWN, WORDS, drop, head, report, revisions, write_report

OTHER_TOWN = "331024106"
UNSETTLED = write_report(WORDS, candidates=f"{TOWN} {OTHER_TOWN}", year=2022)


pytestmark = pytest.mark.usefixtures("made_up_reports")


def test_a_new_upload_waits_at_an_address_of_its_own(storage: Storage) -> None:
    state, address = uploads.create(storage, uploads.Announced("报告.txt", 9), NOW)
    other, other_address = uploads.create(storage, uploads.Announced("报告.txt", 9), NOW)
    assert state == {
        "id": state["id"],
        "state": "waiting",
        "filename": "报告.txt",
        "township": None,
        "received": "2024-03-01T08:30:00Z",
        "updated": "2024-03-01T08:30:00Z",
        "report": None,
        "candidates": [],
        "reasons": [],
        "sha256": None,
        "unchanged": False,
    }
    assert uploads.read(storage, state["id"]) == state
    assert state["id"] in address.url
    assert (address.method, state["id"] != other["id"], address.url != other_address.url) == ("PUT", True, True)


@pytest.mark.parametrize("code", ["331022103", "331022", "3310", "33"])
def test_a_report_may_be_of_a_township_or_of_what_is_above_it(local_storage: Storage, code: str) -> None:
    state, _ = uploads.create(local_storage, uploads.Announced("a.txt", 9, township=code), NOW)
    assert state["township"] == code


@pytest.mark.parametrize("code", ["", "1101", "331022999", "亭旁乡", "331022103 ", "33102210３"])
def test_a_township_that_is_none_is_refused_before_anything_is_made(local_storage: Storage, code: str) -> None:
    for refuse in (
        lambda: uploads.create(local_storage, uploads.Announced("a.txt", 9, township=code), NOW),
        lambda: uploads.name_township(local_storage, "0" * 32, code, NOW),
    ):
        with pytest.raises(BadRequest) as caught:
            refuse()
        assert (caught.value.code, caught.value.extra["parameter"]) == ("unknown_township", "township")


@pytest.mark.parametrize("named", ["331022103", "亭旁镇", "浙江省三门县亭旁镇", "Tingpang Town, Sanmen County"])
def test_a_township_may_be_given_by_its_name(local_storage: Storage, named: str) -> None:
    state, _ = uploads.create(local_storage, uploads.Announced("a.txt", 9, township=named), NOW)
    assert state["township"] == "331022103"


def test_a_name_of_several_townships_is_refused(local_storage: Storage) -> None:
    with pytest.raises(BadRequest) as caught:
        uploads.create(local_storage, uploads.Announced("a.txt", 9, township="城关镇"), NOW)
    assert (caught.value.code, caught.value.extra["parameter"]) == ("ambiguous_township", "township")


@pytest.mark.parametrize("upload_id", ["", "x", "0" * 32, "../secret", "亭"])
def test_an_unknown_upload_is_not_found(storage: Storage, upload_id: str) -> None:
    with pytest.raises(NotFound) as caught:
        uploads.read(storage, upload_id)
    assert caught.value.code == "unknown_upload"


def test_an_upload_whose_address_expired_without_a_file_is_rejected(storage: Storage) -> None:
    upload_id = uploads.announce(storage, "a.txt", None, NOW)["id"]
    still, late = (NOW + timedelta(seconds=seconds) for seconds in (1799, 1800))
    assert lists.upload(storage, upload_id, still)["state"] == "waiting"
    told = lists.upload(storage, upload_id, late)
    assert (told["state"], told["updated"]) == ("rejected", "2024-03-01T08:45:00Z")
    assert [reason["code"] for reason in told["reasons"]] == ["address_expired"]
    drop(storage, upload_id, report())
    assert lists.upload(storage, upload_id, late)["state"] == "published"


def test_a_file_that_its_address_refused_is_told_and_a_smaller_one_may_follow(storage: Storage) -> None:
    upload_id = uploads.announce(storage, "a.txt", None, NOW)["id"]
    uploads.refuse_too_large(storage, upload_id, 3_000_000, 2_000_000, NOW)
    state = lists.upload(storage, upload_id, NOW)
    assert (state["state"], state["reasons"][0]["code"]) == ("rejected", "too_large")
    assert "3,000,000 bytes" in state["reasons"][0]["detail"]
    published = drop(storage, upload_id, report())
    assert (published["state"], published["reasons"]) == ("published", [])
    for each in (upload_id, "0" * 32, "../x"):
        uploads.refuse_too_large(storage, each, 3_000_000, 2_000_000, NOW)
    assert lists.upload(storage, upload_id, NOW) == published


def test_an_upload_of_an_unsettled_township_waits_with_its_candidates(storage: Storage) -> None:
    state = drop(storage, "a.txt", UNSETTLED)
    assert state["state"] == "needs_township"
    assert [c["code"] for c in state["candidates"]] == [TOWN, OTHER_TOWN]
    assert storage.objects.get(layout.raw_object(state["sha256"])) == UNSETTLED
    assert head(storage, REPORT) is None
    assert list(storage.objects.keys("incoming/")) == []
    assert drop(storage, "a.txt", UNSETTLED) == state


def test_naming_the_township_publishes_from_the_kept_bytes(storage: Storage) -> None:
    upload_id = drop(storage, "a.txt", UNSETTLED)["id"]
    state = uploads.name_township(storage, upload_id, OTHER_TOWN, NOW)
    assert (state["state"], state["report"]) == ("published", {"id": f"{OTHER_TOWN}-2022", "revision": 1})
    assert (state["township"], state["candidates"]) == (OTHER_TOWN, [])
    assert uploads.name_township(storage, upload_id, OTHER_TOWN, NOW) == state
    record = orjson.loads(storage.objects.get(layout.record_object(f"{OTHER_TOWN}-2022", 1)))
    assert record["township"]["code"] == OTHER_TOWN


def test_bytes_whose_township_was_settled_are_not_asked_about_again(storage: Storage) -> None:
    first, second = (drop(storage, name, UNSETTLED)["id"] for name in ("a.txt", "b.txt"))
    settled = uploads.name_township(storage, first, TOWN, NOW)
    assert uploads.name_township(storage, second, TOWN, NOW)["unchanged"] is True
    again = drop(storage, "c.txt", UNSETTLED)
    assert (again["state"], again["report"], again["unchanged"]) == ("published", settled["report"], True)
    assert revisions(storage, REPORT) == [1]


def test_bytes_that_came_with_a_name_are_a_question_without_it_until_it_is_answered(storage: Storage) -> None:
    named = uploads.announce(storage, "a.txt", TOWN, NOW)["id"]
    assert drop(storage, named, UNSETTLED)["state"] == "published"
    asked = drop(storage, "b.txt", UNSETTLED)
    assert asked["state"] == "needs_township"
    assert uploads.name_township(storage, asked["id"], TOWN, NOW)["unchanged"] is True
    assert drop(storage, "c.txt", UNSETTLED)["unchanged"] is True


def test_a_township_can_only_be_named_where_it_is_asked_for(storage: Storage) -> None:
    waiting = uploads.announce(storage, "a.txt", None, NOW)["id"]
    rejected = drop(storage, "b.txt", b"no report")["id"]
    settled = drop(storage, "c.txt", UNSETTLED)["id"]
    uploads.name_township(storage, settled, TOWN, NOW)
    for upload_id, code in ((waiting, TOWN), (rejected, TOWN), (settled, OTHER_TOWN)):
        with pytest.raises(Conflict) as caught:
            uploads.name_township(storage, upload_id, code, NOW)
        assert caught.value.code == "township_not_asked"


def test_an_upload_that_fails_while_its_township_is_named_still_waits(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = drop(storage, "a.txt", UNSETTLED)["id"]

    def full(*_: Any, **__: Any) -> None:
        raise StorageError("disk_full", "The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(publish, "store", full)
        with pytest.raises(StorageError):
            uploads.name_township(storage, upload_id, TOWN, NOW)
    assert uploads.read(storage, upload_id)["state"] == "needs_township"
    assert uploads.name_township(storage, upload_id, TOWN, NOW)["state"] == "published"


def test_nothing_that_names_a_township_is_a_rejection(storage: Storage) -> None:
    state = drop(storage, "a.txt", write_report(WORDS, year=2022))
    assert (state["state"], state["reasons"][0]["code"]) == ("rejected", "no_township")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("报告.txt", "报告.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\报告.html", "报告.html"),
        ("深/层/报告.txt", "报告.txt"),
        ("../a <b>/c?.txt", "c?.txt"),
        ("cut, </body> in script", "cut, <_body> in script"),
        ("8:30/9:30\\会议.txt", "8:30_9:30_会议.txt"),
        ("/", "upload"),
        ("..", "upload"),
        ("", "upload"),
        ("a\0b\r\nc\u202etxt.exe", "abctxt.exe"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
        ("报告.txt".encode("gb18030").decode("utf-8", "surrogateescape"), "报告.txt"),
        ("\ud800a.txt", "?a.txt"),
    ],
)
def test_a_file_name_is_kept_bare_and_harmless(given: str, kept: str) -> None:
    assert upload_state.clean_filename(given) == kept
