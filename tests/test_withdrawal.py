"""A report that is taken back: nothing of it is served, lists tell that it was there, and it may come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import orjson
import pytest

from chalicelib.bulk import export
from chalicelib.catalog import layout, pending
from chalicelib.errors import Gone, PreconditionFailed
from chalicelib.ingestion import withdrawal
from chalicelib.maintenance import outcome
from chalicelib.maintenance.choice import read_choice
from chalicelib.maintenance.reindex import reindex
from chalicelib.maintenance.reread import reread_report
from chalicelib.maintenance.verify import verify
from chalicelib.search import build
from chalicelib.storage import Delete, Storage
from chalicelib.web.routes import BY_NAME
from tests.broken_storage import Broken, Death, raising
from tests.contract import check_shape
from tests.editions import towns
from tests.gateway import call, get
from tests.made_reports import NOW, REPORT, TOWN, WORDS, drop, exists, head, report, revisions
from tests.soundness import assert_sound, assert_whole
from tests.test_changes import told

pytestmark = pytest.mark.usefixtures("made_up_reports")
LATER = NOW + timedelta(hours=1)
SENT = {"a.txt": report(), "b.txt": report(year=2021)}
ADDRESS = f"/v1/reports/{REPORT}"
CONTENT = (
    "",
    "/sections",
    "/sections/s1",
    "/indicators",
    "/text",
    "/source",
    "?revision=1",
    "/text?revision=1",
    "?revision=2",
)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture
def filled(storage: Storage) -> Storage:
    for name, data in SENT.items():
        drop(storage, name, data)
    return storage


def withdraw(storage: Storage) -> None:
    withdrawal.withdraw(storage, REPORT, "by mistake", LATER)


def test_the_content_answers_gone_with_time_and_reason(filled: Storage) -> None:
    withdraw(filled)
    for path in CONTENT:
        answer = get(filled, ADDRESS + path)
        assert (answer.status, answer.json["code"]) == (410, "withdrawn"), path
        assert answer.json["withdrawn"] == {"time": "2024-03-01T09:30:00Z", "reason": "by mistake"}
    assert get(filled, f"/v1/townships/{TOWN}/reports/2022").status == 410
    assert get(filled, f"/v1/reports/{TOWN}-2021").status == 200


def test_lists_keep_a_row_that_tells_it(filled: Storage) -> None:
    withdraw(filled)
    for path in (
        "/v1/reports",
        "/v1/reports?year=2022",
        f"/v1/townships/{TOWN}/reports",
        f"/v1/reports?township={TOWN}",
    ):
        answer = get(filled, path)
        check_shape(BY_NAME["list_reports"], answer)
        assert {row["id"]: "withdrawn" in row for row in answer.json["data"]}[REPORT], path
    answer = get(filled, f"{ADDRESS}/revisions")
    check_shape(BY_NAME["list_revisions"], answer)
    assert ["withdrawn" in row for row in answer.json["data"]] == [False, True]


def test_its_figures_are_in_no_list(filled: Storage) -> None:
    withdraw(filled)
    for path in (f"/v1/townships/{TOWN}/indicators", "/v1/indicators?concept=fiscal_revenue"):
        assert {row["report"] for row in get(filled, path).json["data"]} == {f"{TOWN}-2021"}


def test_no_search_finds_it_before_or_after_its_segments_are_written_anew(filled: Storage) -> None:
    build.refresh(filled)
    words = "/v1/search?q=%E5%B7%A5%E4%BD%9C%E6%80%BB%E7%BB%93"
    assert {row["report"]["id"] for row in get(filled, words).json["data"]} == {REPORT, f"{TOWN}-2021"}
    withdraw(filled)
    for _ in range(2):
        assert {row["report"]["id"] for row in get(filled, words).json["data"]} == {f"{TOWN}-2021"}
        build.refresh(filled)


def test_changes_and_bulk_tell_it(filled: Storage) -> None:
    withdraw(filled)
    assert told(filled)[-1] == ("withdrawn", REPORT, 2, 1)
    export.publish_files(filled)
    rows = {name: bulk_rows(filled, name) for name in ("reports", "sections", "indicators")}
    assert {row["report"]: row["withdrawn"] for row in rows["reports"]} == {
        REPORT: "2024-03-01T09:30:00Z",
        f"{TOWN}-2021": None,
    }
    assert {row["report"] for row in rows["sections"] + rows["indicators"]} == {f"{TOWN}-2021"}


def bulk_rows(storage: Storage, name: str) -> list[dict[str, object]]:
    import gzip

    (key,) = [key for key in storage.objects.keys("bulk/") if key.endswith(f"{name}.ndjson.gz")]
    return [orjson.loads(line) for line in gzip.decompress(storage.objects.get(key)).splitlines()]


@pytest.mark.parametrize("data", [report(), report(WORDS + "后")], ids=["same bytes", "correction"])
def test_a_later_upload_restores_it_as_the_next_revision(filled: Storage, data: bytes) -> None:
    withdraw(filled)
    state = drop(filled, "again.txt", data)
    assert (state["report"], state["unchanged"]) == ({"id": REPORT, "revision": 3}, False)
    assert get(filled, ADDRESS).json["revision"] == 3
    assert get(filled, f"{ADDRESS}?revision=1").status == 200
    assert get(filled, f"{ADDRESS}?revision=2").status == 410
    assert told(filled)[-1] == ("restored", REPORT, 3, 2)
    assert drop(filled, "once more.txt", data)["unchanged"]


def test_who_reads_reports_again_leaves_it_alone(filled: Storage) -> None:
    withdraw(filled)
    assert reread_report(filled, REPORT, LATER, read_choice([])).status == outcome.SKIPPED
    assert revisions(filled, REPORT) == [1, 2]


@pytest.mark.repair
def test_an_index_made_anew_keeps_it_withdrawn(filled: Storage) -> None:
    withdraw(filled)
    before, changes = head(filled, REPORT), told(filled)
    assert verify(filled, read_raw=True).differences == []
    filled.index.write([Delete(e.pk, e.sk) for e in list(filled.index.entries())])
    reindex(filled, LATER)
    assert (head(filled, REPORT), told(filled), verify(filled).differences) == (before, changes, [])


@pytest.mark.repair
@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
def test_one_that_dies_at_any_write_leaves_the_report_or_the_tombstone_and_may_be_repeated(
    local_storage: Storage, after: bool
) -> None:
    codes = towns(20)
    for at, town in enumerate(codes):
        which = f"{town}-2022"
        drop(local_storage, f"{town}.txt", report(town=town))
        broken = Broken(local_storage, at, after, raising(Death()))
        try:
            withdrawal.withdraw(broken.storage, which, None, LATER)
        except Death:
            assert_whole(local_storage, which)
        again = withdrawal.withdraw(local_storage, which, None, LATER)
        assert "withdrawn" in again
        assert withdrawal.withdraw(local_storage, which, None, LATER) == again == head(local_storage, which)
        if not broken.acted:
            break
    assert at > 5
    assert_sound(local_storage, {}, [f"{town}-2022" for town in codes[: at + 1]], LATER)


def a_correction(storage: Storage) -> None:
    drop(storage, "between.txt", report(WORDS + "后"))


def another_withdrawal(storage: Storage) -> None:
    withdrawal.withdraw(storage, REPORT, "another reason", LATER)


def a_sweep(storage: Storage) -> None:
    pending.sweep(storage, LATER + timedelta(hours=2))


@pytest.mark.repair
@pytest.mark.parametrize("between", [a_correction, another_withdrawal, a_sweep], ids=lambda each: each.__name__)
def test_others_before_any_write_leave_all_sound(
    tmp_path_factory: pytest.TempPathFactory, between: Callable[[Storage], None]
) -> None:
    from chalicelib.storage import local

    for at in range(20):
        storage = local.open_storage(tmp_path_factory.mktemp("data"))
        drop(storage, "a.txt", report())
        broken = Broken(storage, at, False, lambda storage=storage: between(storage))  # type: ignore[misc]
        withdrawal.withdraw(broken.storage, REPORT, None, LATER)
        assert_whole(storage, REPORT)
        assert pending.is_withdrawn(storage.index, REPORT) or between is a_correction
        assert_sound(storage, {"a.txt": report()}, [REPORT], LATER + timedelta(hours=3))
        if not broken.acted:
            break
    assert at > 5


# As HTTP shows it.


def test_delete_answers_with_the_tombstone_however_often(filled: Storage) -> None:
    first = call(filled, "DELETE", f"{ADDRESS}?reason=by%20mistake")
    check_shape(BY_NAME["withdraw_report"], first)
    assert (first.status, first.json["withdrawn"]["reason"]) == (200, "by mistake")
    again = call(filled, "DELETE", ADDRESS)
    assert (again.status, again.json) == (200, first.json)
    assert revisions(filled, REPORT) == [1, 2]


def test_a_change_is_never_told_as_one_that_the_caller_has_already(filled: Storage) -> None:
    assert call(filled, "DELETE", ADDRESS, if_none_match="*").status == 200
    assert call(filled, "DELETE", ADDRESS, if_none_match=get(filled, ADDRESS).headers.get("etag", "*")).status == 200


def test_if_match_names_the_record_that_may_go(filled: Storage) -> None:
    etag = get(filled, ADDRESS).headers["etag"]
    refused = call(filled, "DELETE", ADDRESS, if_match='"other"')
    assert (refused.status, refused.json["code"]) == (412, "precondition_failed")
    compressed = f'{etag[:-1]}-gzip"'  # as a client has it that takes gzip
    assert call(filled, "DELETE", ADDRESS, if_match=compressed).status == 200


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/reports/331022103-1999", 404), ("/v1/reports/x", 404), (f"{ADDRESS}?reasons=x", 400)]
)
def test_what_cannot_be_withdrawn_is_told(filled: Storage, path: str, status: int) -> None:
    assert call(filled, "DELETE", path).status == status
    assert revisions(filled, REPORT) == [1]


def test_failures_tell_what_they_are(filled: Storage) -> None:
    with pytest.raises(PreconditionFailed):
        withdrawal.withdraw(filled, REPORT, None, LATER, lambda _: False)
    assert exists(filled, layout.record_object(REPORT, 1))
    assert not exists(filled, layout.record_object(REPORT, 2))
    assert Gone.status == 410
