"""Lists of a township's reports and figures as they stood: over both storages, page by page."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from chalicelib.catalog import layout
from chalicelib.storage import Put, Storage
from tests.gateway import get
from tests.published import FANGCHENG, TINGPANG, Record, indicator, publish, record

TOWN = f"/v1/townships/{TINGPANG}"


@pytest.fixture
def filled(storage: Storage) -> Storage:
    """A report of 2021 from January on; of 2022 from February on, revised in March and withdrawn from April to May; 2023 from June on."""
    tell(storage, record(year=2021, indicators=[indicator(1, "gdp", 2021)]), "2024-01-01T00:00:00Z")
    states: list[tuple[str, dict[str, Any]]] = [
        ("2024-02-01T00:00:00Z", {"title": "第一版", "indicators": [indicator(1, "gdp"), indicator(2)]}),
        ("2024-03-01T00:00:00Z", {"title": "第二版", "indicators": [indicator(1, "exports")]}),
        (
            "2024-04-01T00:00:00Z",
            {"title": "第二版", "indicators": [], "withdrawn": {"time": "2024-04-01T00:00:00Z", "reason": "x"}},
        ),
        ("2024-05-01T00:00:00Z", {"title": "第二版", "indicators": [indicator(1, "exports")]}),
    ]
    before = None
    for number, (ingested, more) in enumerate(states, 1):
        new = record(revision=number, **more)
        tell(storage, new, ingested, before)
        before = new
    tell(storage, record(year=2023, kind="plan", plan_year=2023, review_year=None), "2024-06-01T00:00:00Z")
    return storage


def tell(storage: Storage, new: Record, ingested: str, before: Record | None = None) -> None:
    """Publish with a time of its own."""
    publish(storage, new, before)
    token = f"{new['revision']:08x}"
    body = storage.objects.get(layout.record_object(new["id"], new["revision"]))
    summary = layout.summarise(new, ingested, layout.digest(body))
    storage.index.commit([Put(put.pk, put.sk, put.body) for put in layout.shown_writes(summary, token)])


def pages(storage: Storage, url: str) -> list[Any]:
    found = []
    while url:
        answer = get(storage, url)
        assert answer.status == 200, answer.body
        found += answer.json["data"]
        url = (answer.json["next"] or "").removeprefix("https://reports.example/api")
    return found


STOOD = {
    "2023-12-31": [],
    "2024-01-15": [("2021", 1)],
    "2024-02-01T00:00:00Z": [("2021", 1), ("2022", 1)],
    "2024-02-01T08:00:00%2B08:00": [("2021", 1), ("2022", 1)],
    "2024-03-15": [("2021", 1), ("2022", 2)],
    "2024-04-15": [("2021", 1), ("2022", 3)],
    "2024-05-15": [("2021", 1), ("2022", 4)],
    "2024-07-01": [("2021", 1), ("2022", 4), ("2023", 1)],
}


@pytest.mark.parametrize("as_of", STOOD)
@pytest.mark.parametrize("limit", [1, 100])
def test_a_townships_reports_are_those_of_then(filled: Storage, as_of: str, limit: int) -> None:
    for url in (f"{TOWN}/reports?as_of={as_of}", f"/v1/reports?township={TINGPANG},{FANGCHENG}&as_of={as_of}"):
        rows = pages(filled, f"{url}&limit={limit}")
        assert [(row["id"][-4:], row["revision"]) for row in rows] == STOOD[as_of]
        for row in rows:
            assert ("withdrawn" in row) == (row["revision"] == 3)
            if "withdrawn" not in row:
                whole = get(filled, f"/v1/reports/{row['id']}?as_of={as_of}").json
                assert (whole["title"], len(whole["indicators"])) == (row["title"], row["indicators"])


@pytest.mark.parametrize("as_of", STOOD)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_townships_figures_are_those_of_the_reports_of_then(filled: Storage, as_of: str, limit: int) -> None:
    rows = pages(filled, f"{TOWN}/indicators?as_of={as_of}&limit={limit}")
    reports = [row for row in pages(filled, f"{TOWN}/reports?as_of={as_of}") if "withdrawn" not in row]
    expected = [
        row
        for each in reports
        for row in pages(filled, f"/v1/reports/{each['id']}/indicators?revision={each['revision']}")
    ]
    assert rows == expected
    assert pages(filled, f"{TOWN}/indicators?as_of={as_of}&limit={limit}&concept=gdp&year=2022") == [
        row for row in expected if (row["concept"], row["year"]) == ("gdp", 2022)
    ]


def test_what_stands_now_is_the_list_of_now(filled: Storage) -> None:
    for url in (f"{TOWN}/reports", f"{TOWN}/indicators", f"{TOWN}/reports/2022", f"/v1/reports?township={TINGPANG}"):
        sign = "&" if "?" in url else "?"
        assert pages(filled, f"{url}{sign}as_of=2100-01-01") == pages(filled, url)


def test_filters_look_at_what_stood(filled: Storage) -> None:
    url = f"/v1/reports?township={TINGPANG}&as_of=2024-07-01"
    assert [row["id"][-4:] for row in pages(filled, f"{url}&kind=plan")] == ["2023"]
    assert [row["id"][-4:] for row in pages(filled, f"{url}&year=..2021&limit=1")] == ["2021"]
    assert pages(filled, f"{url}&issuer=x") == []


def test_the_records_of_a_year_are_those_of_then(filled: Storage) -> None:
    url = f"{TOWN}/reports/2022?as_of="
    assert [row["title"] for row in pages(filled, f"{url}2024-02-15")] == ["第一版"]
    assert [row["title"] for row in pages(filled, f"{url}2024-03-15")] == ["第二版"]
    for as_of, status, code in (("2024-01-15", 404, "no_report"), ("2024-04-15", 410, "withdrawn")):
        answer = get(filled, url + as_of)
        assert (answer.status, answer.json["code"]) == (status, code)


def test_what_is_withdrawn_now_stays_withdrawn(filled: Storage) -> None:
    gone = {"time": "2024-08-01T00:00:00Z", "reason": None}
    last = orjson.loads(filled.objects.get(layout.record_object(f"{TINGPANG}-2022", 4)))
    tell(filled, record(revision=5, indicators=[], withdrawn=gone), "2024-08-01T00:00:00Z", last)
    rows = pages(filled, f"{TOWN}/reports?as_of=2024-02-15")
    assert [row.get("withdrawn") for row in rows] == [None, gone]
    assert [row["report"] for row in pages(filled, f"{TOWN}/indicators?as_of=2024-02-15")] == [f"{TINGPANG}-2021"]
    assert len(pages(filled, f"{TOWN}/reports?as_of=2024-01-15")) == 1


@pytest.mark.parametrize(
    ("url", "code", "parameter"),
    [
        (f"{TOWN}/reports?as_of=yesterday", "bad_parameter", "as_of"),
        (f"{TOWN}/indicators?as_of=", "bad_parameter", "as_of"),
        (f"/v1/reports?township={TINGPANG}&as_of=2024-13-01", "bad_parameter", "as_of"),
        ("/v1/reports?group_by=year&as_of=2024-01-01", "bad_parameter", "as_of"),
    ],
)
def test_what_is_wrong_or_missing_is_named(filled: Storage, url: str, code: str, parameter: str) -> None:
    from chalicelib.bulk import export

    export.publish_files(filled)
    answer = get(filled, url)
    assert (answer.status, answer.json["code"], answer.json["parameter"]) == (400, code, parameter), answer.body


def test_a_cursor_is_of_its_time(filled: Storage) -> None:
    for url in (f"{TOWN}/reports?limit=1", f"{TOWN}/indicators?limit=1", f"/v1/reports?township={TINGPANG}&limit=1"):
        then = get(filled, f"{url}&as_of=2024-07-01").json["next"].partition("cursor=")[2].partition("&")[0]
        now = get(filled, url).json["next"].partition("cursor=")[2].partition("&")[0]
        for asked in (
            f"{url}&cursor={then}",
            f"{url}&as_of=2024-06-01&cursor={then}",
            f"{url}&as_of=2024-07-01&cursor={now}",
        ):
            assert get(filled, asked).json["code"] == "bad_cursor", asked
