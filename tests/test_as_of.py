"""A report as it stood at a date or time: the revision that was current then, of the record and of all parts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.catalog import lists, standing
from chalicelib.ingestion import ingest, withdrawal
from chalicelib.storage import Index, Storage
from chalicelib.web.routes import ROUTES
from tests.gateway import get
from tests.made_reports import OTHER_WORDS, REPORT, TOWN, WORDS, report

pytestmark = pytest.mark.usefixtures("made_up_reports")
ADDRESS = f"/v1/reports/{REPORT}"


@pytest.fixture
def filled(storage: Storage) -> Storage:
    """Published on 1 March at 08:30, corrected on 3 March at noon."""
    receive(storage, "a", report(WORDS), "2024-03-01T08:30")
    receive(storage, "b", report(WORDS + "后"), "2024-03-03T12:00")
    return storage


def receive(storage: Storage, name: str, data: bytes, moment: str) -> None:
    storage.objects.put(f"incoming/{name}", data)
    ingest.receive(storage, f"incoming/{name}", datetime.fromisoformat(moment).replace(tzinfo=UTC))


CASES = {
    "the day before": ("2024-02-29", None),
    "the day itself begins at midnight": ("2024-03-01", None),
    "the second itself": ("2024-03-01T08:30:00Z", 1),
    "the day after": ("2024-03-02", 1),
    "another zone": ("2024-03-03T20:00:00%2B08:00", 2),
    "just before, in another zone": ("2024-03-03T19:59:59%2B08:00", 1),
    "later": ("2030-01-01", 2),
}


@pytest.mark.parametrize(("as_of", "revision"), CASES.values(), ids=CASES)
def test_the_revision_that_was_current_then_answers(filled: Storage, as_of: str, revision: int | None) -> None:
    answer = get(filled, f"{ADDRESS}?as_of={as_of}")
    if revision is None:
        assert (answer.status, answer.json["code"]) == (404, "unknown_revision")
    else:
        assert answer.json == get(filled, f"{ADDRESS}?revision={revision}").json
        assert "immutable" not in answer.headers["cache-control"]


def test_every_part_takes_it(filled: Storage) -> None:
    paths = [route.path for route in ROUTES if route.dated]
    assert len(paths) == 6
    for path in paths:
        own = path.replace("{report}", REPORT).replace("{section}", "s1")
        then, first = (get(filled, f"{own}?{asked}") for asked in ("as_of=2024-03-02", "revision=1"))
        assert (then.status, then.body) == (first.status, first.body)
        assert get(filled, f"{own}?as_of=2024-01-01").status == 404


def test_pages_stay_with_it(filled: Storage) -> None:
    first = get(filled, f"{ADDRESS}/indicators?as_of=2024-03-02&limit=1").json
    rest = get(filled, first["next"].removeprefix("https://reports.example/api")).json
    assert [row["revision"] for row in first["data"] + rest["data"]] == [1, 1]


def ids(storage: Storage, url: str) -> list[tuple[str, int]]:
    """Report and revision of each row, over all pages."""
    found, following = list[tuple[str, int]](), url
    while following:
        answer = get(storage, following)
        assert answer.status == 200, answer.body
        found += [(row.get("report", row["id"]), row["revision"]) for row in answer.json["data"]]
        following = (answer.json["next"] or "").removeprefix("https://reports.example/api")
    return found


LISTED = {
    "before the first": ("2024-02-29", []),
    "after the first": ("2024-03-02", [(REPORT, 1)]),
    "after the correction": ("2024-03-04", [(REPORT, 2)]),
    "after the year before came": ("2024-03-06", [(f"{TOWN}-2021", 1), (REPORT, 2)]),
}


@pytest.mark.parametrize(("as_of", "rows"), LISTED.values(), ids=LISTED)
def test_lists_have_the_reports_that_were_there_then(filled: Storage, as_of: str, rows: list[tuple[str, int]]) -> None:
    receive(filled, "c", report(year=2021), "2024-03-05")
    assert ids(filled, f"/v1/townships/{TOWN}/reports?as_of={as_of}&limit=1") == rows
    assert ids(filled, f"/v1/reports?township={TOWN}&as_of={as_of}") == rows
    assert ids(filled, f"/v1/reports?province=33&as_of={as_of}&limit=1") == rows[::-1]
    assert ids(filled, f"/v1/reports?sort=year&kind=annual&as_of={as_of}") == rows
    figures = [row for row in rows for _ in range(2)]
    assert ids(filled, f"/v1/townships/{TOWN}/indicators?as_of={as_of}&limit=3") == figures
    concept = f"/v1/townships/{TOWN}/indicators?concept=fiscal_revenue&as_of={as_of}"
    assert ids(filled, concept) == rows
    of_year = get(filled, f"/v1/townships/{TOWN}/reports/2022?as_of={as_of}")
    expected = [row for row in rows if row[0] == REPORT]
    assert of_year.status == (200 if expected else 404)
    assert [(row["id"], row["revision"]) for row in of_year.json.get("data", [])] == expected


def test_whole_records_of_then_come_in_pages(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    receive(filled, "c", report(OTHER_WORDS), "2024-03-02")
    monkeypatch.setattr(lists, "ANSWER_BYTES", 10)
    assert ids(filled, f"/v1/townships/{TOWN}/reports/2022?as_of=2024-03-02T12:00") == [(REPORT, 1), (f"{REPORT}-2", 1)]


def test_a_list_shows_the_withdrawal_at_all_times_and_the_restored_report_as_it_was(filled: Storage) -> None:
    withdrawal.withdraw(filled, REPORT, None, datetime(2024, 4, 1, tzinfo=UTC))
    for day, there in (("2024-02-29", []), ("2024-03-02", [True]), ("2024-05-01", [True])):
        rows = get(filled, f"/v1/reports?as_of={day}").json["data"]
        assert ["withdrawn" in row for row in rows] == there
        assert ids(filled, f"/v1/townships/{TOWN}/indicators?as_of={day}") == []
    receive(filled, "again", report(WORDS + "后"), "2024-05-01")
    for day, revision, gone in (("2024-03-02", 1, False), ("2024-04-02", 3, True), ("2024-05-02", 4, False)):
        (row,) = get(filled, f"/v1/reports?as_of={day}").json["data"]
        assert (row["revision"], "withdrawn" in row) == (revision, gone)


def test_a_revision_that_comes_between_does_not_mix_into_the_figures_of_before(
    filled: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = standing.current_rows

    def late(index: Index, code: str) -> Any:
        receive(filled, "d", report(WORDS + "又"), "2024-03-09")
        return real(index, code)

    monkeypatch.setattr(standing, "current_rows", late)
    assert ids(filled, f"/v1/townships/{TOWN}/indicators?as_of=2024-03-04") == [(REPORT, 2), (REPORT, 2)]


def test_a_withdrawn_report_is_gone_at_all_times(filled: Storage) -> None:
    withdrawal.withdraw(filled, REPORT, None, datetime(2024, 4, 1, tzinfo=UTC))
    assert [get(filled, f"{ADDRESS}?as_of={day}").status for day in ("2024-03-02", "2024-05-01")] == [410, 410]


@pytest.mark.parametrize(
    ("asked", "status", "parameter"),
    [
        (f"{ADDRESS}?as_of=yesterday", 400, "as_of"),
        (f"{ADDRESS}?as_of=2024-03-02&revision=1", 400, "as_of"),
        ("/v1/reports/331022103-1999?as_of=2024-03-02", 404, None),
        ("/v1/indicators?concept=gdp&as_of=2024-03-02", 400, "as_of"),
    ],
)
def test_what_it_cannot_be_is_told(filled: Storage, asked: str, status: int, parameter: str | None) -> None:
    answer = get(filled, asked)
    assert (answer.status, answer.json.get("parameter")) == (status, parameter)
