"""A dry run: the file is read and checked, its upload tells what it would become, and nothing else tells of it."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
import pytest

from chalicelib.catalog import changes, layout, lists
from chalicelib.ingestion import ingest, preview, upload_state, uploads, withdrawal
from chalicelib.ingestion.uploads import Announced
from chalicelib.maintenance.choice import read_choice
from chalicelib.maintenance.reindex import reindex
from chalicelib.maintenance.verify import verify
from chalicelib.records import Parsed
from chalicelib.storage import Delete, Storage
from tests.gateway import get, post
from tests.made_reports import NOW, OTHER_WORDS, REPORT, TOWN, WORDS, drop, read_report, report, revisions, write_report

pytestmark = pytest.mark.usefixtures("made_up_reports")

OTHER_TOWN = "331083106"
LAST_YEAR = f"{TOWN}-2021"


def send(storage: Storage, data: bytes, dry_run: bool = True, township: str | None = None) -> dict[str, Any]:
    """The way of an upload from its announcement on; its state."""
    state, _ = uploads.create(storage, Announced("a.txt", len(data), None, township), NOW, dry_run)
    return put(storage, state, data)


def put(storage: Storage, state: dict[str, Any], data: bytes) -> dict[str, Any]:
    key = upload_state.object_key(state["id"], upload_state.is_dry_run(state))
    storage.objects.put(key, data)
    found = ingest.receive(storage, key, NOW)
    assert found is not None
    assert uploads.read(storage, state["id"]) == found
    return found


def published(storage: Storage) -> set[str]:
    """The objects that are kept of reports and uploads, without those of the uploads' outcomes."""
    return {key for key in storage.objects.keys("") if not key.startswith(("uploads/", "raw/", "rejected/"))}


def test_a_report_is_checked_and_nothing_of_it_is_published(storage: Storage) -> None:
    state = send(storage, report())
    assert (state["state"], state["report"], state["unchanged"], state["reasons"]) == ("checked", None, False, [])
    assert state["preview"] == {
        "report": {"id": REPORT, "revision": 1},
        "unchanged": False,
        "kind": "annual",
        "title": "2022年工作总结",
        "township": state["preview"]["township"],
        "year": 2022,
        "sections": 1,
        "indicators": 2,
        "remarks": 0,
        "checks": [],
        "comparison": None,
    }
    assert state["preview"]["township"]["code"] == TOWN
    assert published(storage) == set()
    assert storage.objects.get(layout.raw_object(hashlib.sha256(report()).hexdigest())) == report()
    assert lists.reports(storage, cursor=None, limit=9).data == []
    assert changes.changes(storage, since=None, cursor=None, limit=9, now=NOW).data == []
    assert storage.index.query(layout.known_sources(state["sha256"]).pk) == []


def test_what_is_published_afterwards_is_what_was_told(storage: Storage) -> None:
    told = send(storage, report())["preview"]["report"]
    assert send(storage, report(), dry_run=False)["report"] == told
    again = send(storage, report())["preview"]
    assert (again["report"], again["unchanged"]) == (told, True)
    same = send(
        storage,
        b"\n".join([*report().split(b"\n\n", 1)[0].split(b"\n"), b"other: x"]) + report()[report().index(b"\n\n") :],
    )
    assert (same["preview"]["report"], same["preview"]["unchanged"]) == (told, True)
    corrected = send(storage, report(WORDS + "后"))["preview"]
    assert (corrected["report"], corrected["unchanged"]) == ({"id": REPORT, "revision": 2}, False)
    other = send(storage, report(OTHER_WORDS))["preview"]
    assert other["report"] == {"id": f"{REPORT}-2", "revision": 1}
    assert revisions(storage, REPORT) == [1]


def test_the_figures_of_last_year_stand_beside(storage: Storage) -> None:
    before = "工业产值 industrial_output 10 元\n外贸 exports 5 元\n零 gdp 0 元\n"
    now = "工业产值 industrial_output 12 元\n财政收入 fiscal_revenue 34 元\n零 gdp 3 元\n"
    drop(storage, "before.txt", write_report(f"工作总结\n{before}{WORDS}", township=TOWN, year=2021))
    told = send(storage, write_report(f"工作总结\n{now}{WORDS}", township=TOWN, year=2022))["preview"]["comparison"]
    rows = [tuple(row.values()) for row in told["concepts"]]
    assert told["report"] == {"id": LAST_YEAR, "revision": 1}
    assert rows == [
        ("industrial_output", 12, "CNY", 10, "CNY", 1.2),
        ("fiscal_revenue", 34, "CNY", None, None, None),
        ("gdp", 3, "CNY", 0, "CNY", None),
        ("exports", None, None, 5, "CNY", None),
    ]
    assert (told["new"], told["gone"]) == (["fiscal_revenue"], ["exports"])


@pytest.mark.parametrize("other", [(OTHER_TOWN, 2021), (TOWN, 2020), (TOWN, 2023)])
def test_reports_of_other_places_and_years_are_not_last_years(storage: Storage, other: tuple[str, int]) -> None:
    drop(storage, "other.txt", report(town=other[0], year=other[1]))
    assert send(storage, report())["preview"]["comparison"] is None


def test_a_report_that_was_withdrawn_is_not_compared_with(storage: Storage) -> None:
    drop(storage, "before.txt", report(year=2021))
    withdrawal.withdraw(storage, LAST_YEAR, "wrong", NOW, lambda _: True)
    assert send(storage, report())["preview"]["comparison"] is None


def figure(**changed: Any) -> dict[str, Any]:
    usual = {
        "concept": "gdp",
        "status": "actual",
        "year": 2022,
        "months": None,
        "place": None,
        "value": 7,
        "unit": "元",
    }
    return {**usual, "standard": None, **changed}


FIGURES: dict[str, tuple[str, list[dict[str, Any]], list[int | None]]] = {
    "the first of two": ("annual", [figure(), figure(value=8)], [7]),
    "the one with a value": ("annual", [figure(value=None), figure(value=8)], [8]),
    "a growth alone": ("annual", [figure(value=None)], [None]),
    "a target": ("annual", [figure(status="target")], []),
    "another year's": ("annual", [figure(year=2021)], []),
    "a village's": ("annual", [figure(place="某村")], []),
    "half a year's": ("annual", [figure(months=[1, 6])], []),
    "half a year's of its report": ("half-year", [figure(), figure(months=[1, 6], value=8)], [8]),
    "a target of a plan": ("plan", [figure(), figure(status="target", year=2023, value=8)], [8]),
    "one of no concept": ("annual", [figure(concept=None)], []),
}


@pytest.mark.parametrize(("kind", "indicators", "values"), FIGURES.values(), ids=FIGURES)
def test_a_reports_own_figure_of_a_concept(
    kind: str, indicators: list[dict[str, Any]], values: list[int | None]
) -> None:
    record = {"kind": kind, "review_year": 2022, "plan_year": 2023, "indicators": indicators}
    assert [each["value"] for each in preview.read_figures(record).values()] == values


def test_figures_of_other_units_do_not_compare() -> None:
    records = [
        {"id": "x", "revision": 1, "kind": "annual", "review_year": year, "indicators": [figure(year=year, unit=unit)]}
        for year, unit in ((2022, "元"), (2021, "美元"))
    ]
    (row,) = preview.compare(*records)["concepts"]
    assert (row["value"], row["unit"], row["last_value"], row["last_unit"], row["ratio"]) == (7, "元", 7, "美元", None)


def test_an_ambiguous_report_is_asked_about_and_then_checked(storage: Storage) -> None:
    data = write_report(WORDS, candidates=f"{TOWN} {OTHER_TOWN}", year=2022)
    asked = send(storage, data)
    assert asked["state"] == "needs_township"
    state = uploads.name_township(storage, asked["id"], OTHER_TOWN, NOW)
    assert (state["state"], state["preview"]["report"]["id"]) == ("checked", f"{OTHER_TOWN}-2022")
    assert uploads.name_township(storage, asked["id"], OTHER_TOWN, NOW) == state
    assert published(storage) == set()
    assert send(storage, data)["state"] == "needs_township"
    settled = send(storage, data, dry_run=False)
    uploads.name_township(storage, settled["id"], TOWN, NOW)
    known = send(storage, data)["preview"]
    assert (known["report"]["id"], known["unchanged"]) == (REPORT, True)
    assert known["township"]["code"] == TOWN


def test_a_township_may_be_named_with_it(storage: Storage) -> None:
    data = write_report(WORDS, candidates=f"{TOWN} {OTHER_TOWN}", year=2022)
    assert send(storage, data, township=OTHER_TOWN)["preview"]["report"]["id"] == f"{OTHER_TOWN}-2022"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no report", "no_report"),
        (write_report(WORDS, township=TOWN), "no_year"),
        (write_report(WORDS, year=2022), "no_township"),
    ],
)
def test_what_cannot_be_published_is_rejected_alike(storage: Storage, data: bytes, code: str) -> None:
    state = send(storage, data)
    assert (state["state"], [reason["code"] for reason in state["reasons"]]) == ("rejected", [code])
    assert "preview" not in state


def test_its_record_is_held_to_the_schema(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*given: Any) -> Parsed:
        parsed = read_report(*given)
        return Parsed({**parsed.record, "kind": "nonsense"}, parsed.text)

    monkeypatch.setattr("chalicelib.reading.parse.parse", read)
    state = send(storage, report())
    assert [reason["code"] for reason in state["reasons"]] == ["schema"]


def test_a_file_that_comes_twice_changes_nothing_and_another_one_is_noted(storage: Storage) -> None:
    state = send(storage, report())
    assert put(storage, state, report()) == state
    assert put(storage, state, report(OTHER_WORDS)) == state
    assert published(storage) == set()


def test_a_delivery_that_broke_off_is_gone_on_with(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    state, _ = uploads.create(storage, Announced("a.txt", 9), NOW, dry_run=True)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ingest, "make_preview", die)
        with pytest.raises(KeyboardInterrupt):
            put(storage, state, report())
    assert uploads.read(storage, state["id"])["state"] == "reading"
    assert put(storage, state, report())["state"] == "checked"


@pytest.mark.repair
def test_it_comes_back_when_the_index_is_lost_and_none_that_waited_is_published(storage: Storage) -> None:
    state = send(storage, report())
    waits, _ = uploads.create(storage, Announced("b.txt", 9), NOW, dry_run=True)
    assert verify(storage).differences == []
    storage.index.write([Delete(entry.pk, entry.sk) for entry in storage.index.entries()])
    assert [each.kind for each in verify(storage).differences] == ["missing entry"]
    _, after = reindex(storage, NOW)
    assert after.differences == []
    assert uploads.read(storage, state["id"]) == state
    key = upload_state.object_key(waits["id"], dry_run=True)
    storage.objects.put(key, report(OTHER_WORDS))
    found = ingest.receive(storage, key, NOW)
    assert found is not None
    assert found["state"] == "checked"
    assert published(storage) == set()


def test_reading_everything_again_leaves_it_alone(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    state = send(storage, b"no report")
    assert not read_choice([]).takes_upload(state)
    assert read_choice([]).takes_upload(send(storage, b"no report", dry_run=False))
    monkeypatch.setattr("chalicelib.reading.parse.parse", lambda *_: read_report(report()))
    assert ingest.retry(storage, state["id"], NOW) == state


def test_a_preview_is_bounded_whatever_the_report_says(storage: Storage) -> None:
    parsed = read_report(report())
    checks = [{"rule": "two_values", "indicator": "i1", "message": "数" * 1000}] * 1000
    found = preview.make_preview(
        storage, Parsed({**parsed.record, "title": "题" * 10_000, "checks": checks}, parsed.text), None
    )
    assert found["remarks"] == 1000
    assert len(orjson.dumps(found)) < 100_000


def test_it_is_asked_for_in_the_address(storage: Storage) -> None:
    made = post(storage, "/v1/uploads?dry_run=true", {"filename": "a.txt", "bytes": len(report())})
    assert (made.status, made.json["dry_run"]) == (201, True)
    assert "/incoming/dry-run-" in made.json["put"]["url"]
    drop(storage, "before.txt", report(year=2021))
    put(storage, {"id": made.json["id"], "dry_run": True}, report())
    told = get(storage, f"/v1/uploads/{made.json['id']}").json
    assert (told["state"], told["preview"]["comparison"]["report"]["id"]) == ("checked", LAST_YEAR)
    assert "dry_run" not in post(storage, "/v1/uploads?dry_run=false", {"filename": "a.txt", "bytes": 1}).json
    wrong = post(storage, "/v1/uploads?dry_run=yes", {"filename": "a.txt", "bytes": 1})
    assert (wrong.status, wrong.json["code"], wrong.json["parameter"]) == (400, "bad_parameter", "dry_run")
