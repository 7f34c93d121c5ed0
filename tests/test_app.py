"""The app as a whole: every route answers as the contract says, reading stays light, the queue's handler is fair."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

import app as application
from app import app, ingest_upload
from chalicelib.bulk import export
from chalicelib.catalog import layout
from chalicelib.errors import StorageError
from chalicelib.ingestion import ingest
from chalicelib.search import build
from chalicelib.storage import Storage
from chalicelib.web import pages
from chalicelib.web.route import Route
from chalicelib.web.routes import ROUTES
from tests.contract import check_shape
from tests.gateway import call, get, post
from tests.published import TINGPANG, indicator, publish, record

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def filled(storage: Storage) -> Storage:
    """A report in two revisions, another year, a half-year, and bulk files and the search of all of them."""
    old = record()
    publish(storage, old)
    publish(storage, record(revision=2, indicators=[indicator(1), indicator(2, "gdp", None)]), previous=old)
    publish(storage, record(year=2021))
    publish(storage, record(suffix="-h1", kind="half-year", issued="2022-07-01", published="2022-07-01T09:00"))
    export.publish_files(storage)
    build.refresh(storage)
    return storage


ADDRESSES = {
    "show_front_page": ["/", "/?lang=en"],
    "show_developer_page": ["/developers"],
    "show_documentation": ["/docs"],
    "read_documentation_part": [
        f"/docs/{pages.documentation_version()}/{part}" for part in ("swagger-ui.css", "documentation.js")
    ],
    "read_asset": ["/assets/latest/front.css"],
    "show_problem": ["/problems/bad-cursor"],
    "check_health": ["/v1/health"],
    "read_openapi": ["/v1/openapi.json"],
    "list_townships": ["/v1/townships?q=%E4%BA%AD%E6%97%81", "/v1/townships?limit=2", "/v1/townships?county=331022"],
    "read_township": [f"/v1/townships/{TINGPANG}", "/v1/townships/331022", "/v1/townships/11"],
    "list_township_reports": [f"/v1/townships/{TINGPANG}/reports"],
    "list_township_year": [f"/v1/townships/{TINGPANG}/reports/2022"],
    "list_township_indicators": [f"/v1/townships/{TINGPANG}/indicators?year=2022&status=actual"],
    "list_township_targets": [f"/v1/townships/{TINGPANG}/targets?year=2022"],
    "list_reports": ["/v1/reports", "/v1/reports?limit=1", "/v1/reports?year=1999", "/v1/reports?group_by=year"],
    "list_coverage": ["/v1/coverage", "/v1/coverage?year=2021&province=33"],
    "search_reports": [
        "/v1/search?q=%E6%96%B0%E5%A2%9E%E4%BC%81%E4%B8%9A&limit=1",
        "/v1/search?q=Tingpang",
        "/v1/search?q=%E6%97%A0%E6%9C%89",
    ],
    "read_report": [f"/v1/reports/{TINGPANG}-2022", f"/v1/reports/{TINGPANG}-2022?revision=1"],
    "list_sections": [f"/v1/reports/{TINGPANG}-2022/sections"],
    "read_section": [f"/v1/reports/{TINGPANG}-2022/sections/s2"],
    "list_report_indicators": [f"/v1/reports/{TINGPANG}-2022/indicators?concept=gdp"],
    "read_text": [f"/v1/reports/{TINGPANG}-2022/text"],
    "list_revisions": [f"/v1/reports/{TINGPANG}-2022/revisions"],
    "list_indicators": [
        "/v1/indicators?concept=gdp",
        "/v1/indicators?concept=fixed_asset_investment&province=33",
        "/v1/indicators?group_by=concept",
    ],
    "list_concepts": ["/v1/concepts?limit=1000", "/v1/concepts?q=GDP"],
    "read_concept": ["/v1/concepts/gdp", "/v1/concepts/fixed_asset_investment"],
    "list_changes": ["/v1/changes", "/v1/changes?since=2024-01-01&limit=1"],
    "read_changes_feed": ["/v1/changes.atom", "/v1/changes.atom?since=2024-01-01"],
    "read_manifest": ["/v1/bulk"],
}
ELSEWHERE = {"read_source", "read_bulk_file", "create_upload", "read_upload", "name_township", "withdraw_report"}


@pytest.mark.parametrize("route", [r for r in ROUTES if r.name not in ELSEWHERE], ids=lambda r: r.name)
def test_every_answer_has_the_shape_that_the_contract_says(filled: Storage, route: Route) -> None:
    for url in ADDRESSES[route.name]:
        answer = get(filled, url)
        assert answer.status == 200
        check_shape(route, answer)


def test_every_route_is_tried_here() -> None:
    assert set(ADDRESSES) | ELSEWHERE == {route.name for route in ROUTES}


def test_lists_hold_what_was_published(filled: Storage) -> None:
    assert [r["id"] for r in get(filled, "/v1/reports").json["data"]] == [
        f"{TINGPANG}-2022",
        f"{TINGPANG}-2022-h1",
        f"{TINGPANG}-2021",
    ]
    assert [r["id"] for r in get(filled, f"/v1/townships/{TINGPANG}/reports/2022").json["data"]] == [
        f"{TINGPANG}-2022",
        f"{TINGPANG}-2022-h1",
    ]
    assert get(filled, "/v1/concepts/gdp").json["years"] == [None]
    assert [r["revision"] for r in get(filled, f"/v1/reports/{TINGPANG}-2022/revisions").json["data"]] == [1, 2]


def test_bulk_files_go_by_their_names_and_by_the_manifests_addresses(filled: Storage) -> None:
    for file in get(filled, "/v1/bulk").json["files"]:
        path = file["url"].removeprefix("https://reports.example/api")
        answers = [get(filled, url) for url in (path, f"/v1/bulk/{file['name']}")]
        assert [answer.status for answer in answers] == [307, 307]
        assert file["url"].rpartition("/")[2] in answers[0].headers["location"]
    missing = get(filled, "/v1/bulk/nothing.gz")
    assert (missing.status, missing.json["code"]) == (404, "unknown_file")


ROUTE = {route.name: route for route in ROUTES}


def test_an_upload_goes_from_its_address_to_its_state(storage: Storage) -> None:
    made = post(storage, "/v1/uploads", {"filename": "../亭旁镇2022.txt", "bytes": 9, "township": TINGPANG})
    assert made.status == 201
    check_shape(ROUTE["create_upload"], made)
    assert re.match(r"https?://[^/]", made.json["put"]["url"])
    assert made.json["filename"] == "亭旁镇2022.txt"
    assert made.headers["location"] == made.json["url"]
    state = get(storage, made.json["url"].removeprefix("https://reports.example/api"))
    check_shape(ROUTE["read_upload"], state)
    assert (state.json["state"], state.headers["cache-control"]) == ("waiting", "no-store")
    named = post(storage, f"/v1/uploads/{made.json['id']}/township", {"township": TINGPANG})
    assert (named.status, named.json["code"]) == (409, "township_not_asked")


@pytest.mark.parametrize(
    "state",
    [
        {"state": "published", "report": {"id": f"{TINGPANG}-2022", "revision": 1}, "sha256": "0" * 64},
        {
            "state": "needs_township",
            "candidates": [{"code": TINGPANG, "name": "亭旁镇", "county": "三门县", "prefecture": "台州市"}
                           | {"province": "浙江省", "evidence": ["亭旁镇"]}],
        },
        {
            "state": "checked",
            "dry_run": True,
            "preview": {
                **{"report": {"id": f"{TINGPANG}-2022", "revision": 1}, "unchanged": False, "kind": "annual"},
                **{"title": "工作总结", "township": record()["township"], "year": 2022, "sections": 1, "indicators": 1},
                **{"remarks": 1, "checks": [{"rule": "two_values", "indicator": None, "message": "Two values."}]},
                "comparison": {
                    "report": {"id": f"{TINGPANG}-2021", "revision": 1},
                    "concepts": [
                        {"concept": "gdp", "value": 1.5, "unit": "CNY", "last_value": None}
                        | {"last_unit": None, "ratio": None},
                    ],
                    **{"new": ["gdp"], "gone": []},
                },
            },
        },
        {
            "state": "rejected",
            "reasons": [{"code": "not_text", "detail": "The file is not text.", "way_out": "", "place": "byte 0"}],
        },
    ],
    ids=lambda state: str(state["state"]),
)  # fmt: skip
def test_every_state_of_an_upload_has_the_shape_that_the_contract_says(storage: Storage, state: dict[str, Any]) -> None:
    from chalicelib.ingestion import upload_state
    from chalicelib.storage import Put

    held = upload_state.new("a" * 32, "x.txt", None, app.clock())
    storage.index.commit([Put(*layout.upload("a" * 32), orjson.dumps({**held.state, **state}))])
    answer = get(storage, f"/v1/uploads/{'a' * 32}")
    assert (answer.status, answer.json["state"]) == (200, state["state"])
    check_shape(ROUTE["read_upload"], answer)
    if state["state"] == "published":
        assert answer.json["report"]["url"].endswith(f"/v1/reports/{TINGPANG}-2022")


def test_reading_imports_no_parser_and_no_validator(tmp_path: Path) -> None:
    script = """
import os, sys
from tests.gateway import get
from tests.published import publish, record
from chalicelib.storage import open_storage
storage = open_storage(os.environ)
publish(storage, record())
before = set(sys.modules)
for url in sys.argv[1:]:
    print(get(storage, url).status, url)
heavy = ("jsonschema", "chalicelib.reading.parse", "chalicelib.decode", "chalicelib.ingestion.ingest", "selectolax", "boto3")
print([name for name in sys.modules if name.startswith(heavy)])
"""
    urls = [url for name, each in ADDRESSES.items() if name != "read_manifest" for url in each]
    ran = subprocess.run(
        [sys.executable, "-c", script, *urls, f"/v1/reports/{TINGPANG}-2022/source", "/v1/uploads/x"],
        cwd=ROOT,
        env={"REPORTS_DATA": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = ran.stdout.splitlines()
    assert len(lines) == len(urls) + 3
    assert lines[-1] == "[]"


def test_importing_the_app_opens_no_storage(tmp_path: Path) -> None:
    script = "import app, os; print(os.listdir())"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[]\n"


# The queue's handler.


def message(number: int, *keys: str) -> dict[str, Any]:
    notices = [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key}}} for key in keys]
    return {"messageId": f"m{number}", "body": orjson.dumps({"Records": notices}).decode()}


@pytest.fixture
def received(local_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys handed to ingestion, where `incoming/bad…` fails."""
    app.__dict__["storage"] = local_storage
    keys: list[str] = []

    def receive(storage: Storage, key: str, now: object) -> None:
        keys.append(key)
        if key.startswith("incoming/bad"):
            raise StorageError("storage_failed", "The storage failed.")

    monkeypatch.setattr(ingest, "receive", receive)
    return keys


def test_of_a_batch_only_what_failed_comes_again(received: list[str]) -> None:
    event = {"Records": [message(1, "incoming/a"), message(2, "incoming/bad"), message(3, "incoming/b%2Bc+d")]}
    assert ingest_upload(event, None) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert received == ["incoming/a", "incoming/bad", "incoming/b+c d"]


def test_a_message_that_fails_at_one_of_its_keys_comes_again_whole(received: list[str]) -> None:
    event = {"Records": [message(1, "incoming/a", "incoming/bad"), message(2, "incoming/b")]}
    assert ingest_upload(event, None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_messages_that_are_no_notification_do_not_hold_up_the_others(received: list[str]) -> None:
    event = {"Records": [{"messageId": "m1", "body": "nonsense"}, message(2, "incoming/a")]}
    assert ingest_upload(event, None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert received == ["incoming/a"]


def test_the_test_event_of_s3_is_taken_and_ignored(received: list[str]) -> None:
    body = orjson.dumps({"Event": "s3:TestEvent", "Bucket": "b"}).decode()
    assert ingest_upload({"Records": [{"messageId": "m1", "body": body}]}, None) == {"batchItemFailures": []}
    assert received == []


def test_handlers_are_thin() -> None:
    for line in Path(application.__file__).read_text(encoding="utf-8").split("\n\n\n"):
        if line.startswith("@app.serves"):
            assert len(line.splitlines()) <= 8


def test_head_carries_the_headers_of_get(filled: Storage) -> None:
    for name, urls in ADDRESSES.items():
        answers = [call(filled, method, urls[0]) for method in ("GET", "HEAD")]
        assert answers[0].headers == answers[1].headers, name
