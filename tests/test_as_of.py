"""A report as it stood at a date or time: the revision that was current then, of the record and of all parts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.ingestion import ingest, withdrawal
from chalicelib.storage import Storage
from chalicelib.web.routes import ROUTES
from tests.gateway import get
from tests.made_reports import REPORT, WORDS, report

pytestmark = pytest.mark.usefixtures("made_up_reports")
ADDRESS = f"/v1/reports/{REPORT}"


@pytest.fixture
def filled(storage: Storage) -> Storage:
    """Published on 1 March at 08:30, corrected on 3 March at noon."""
    for name, words, moment in (("a", WORDS, "2024-03-01T08:30"), ("b", WORDS + "后", "2024-03-03T12:00")):
        storage.objects.put(f"incoming/{name}", report(words))
        ingest.receive(storage, f"incoming/{name}", datetime.fromisoformat(moment).replace(tzinfo=UTC))
    return storage


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
