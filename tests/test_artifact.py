"""The zip of the functions at work as on AWS: out of an empty folder, with Lambda's environment, over real engines.

`tests.stories` has happened to it; here is what came of that, and what every route answers afterwards.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import pytest
import requests
from jsonschema import Draft202012Validator

from chalicelib.catalog import layout
from chalicelib.records import SCHEMAS
from chalicelib.web import pages
from chalicelib.web.routes import BY_NAME, ROUTES
from tests import stories
from tests.contract import check_problem, check_shape
from tests.deployment import API, BASE, EXPORT, FUNCTIONS, INGEST, Deployment, Sent
from tests.gateway import Answer
from tests.lambda_function import Function
from tests.stories import OTHER_REPORT, REPORT, SEED, TAIPING, Dropped, Settled

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the zip holds modules for Linux on x86_64"
    ),
]

Told = dict[str, Any]
TOWNSHIP = REPORT.partition("-")[0]


# What came of the stories.


def test_a_file_sent_to_its_address_is_published(told: Told, deployment: Deployment) -> None:
    sent: Sent = told["send_a_report"]
    assert (sent.created.status, sent.put.status_code, sent.failed) == (201, 200, [])
    assert sent.created.json["url"].startswith(f"{BASE}/v1/uploads/")
    assert (sent.state["state"], sent.state["report"]["id"], sent.state["report"]["revision"]) == (
        "published",
        REPORT,
        1,
    )
    record, text = (deployment.get(f"/v1/reports/{REPORT}{part}?revision=1") for part in ("", "/text"))
    assert deployment.get(sent.state["report"]["url"]).json["id"] == record.json["id"]
    assert len(record.json["indicators"]) > 30
    for indicator in record.json["indicators"]:
        evidence = indicator["evidence"]
        assert text.body[evidence["start"] : evidence["end"]] == evidence["quote"]
    assert list(deployment.storage.objects.keys("incoming/")) == []


def test_a_notice_that_comes_twice_changes_nothing(told: Told) -> None:
    failed, state = told["deliver_the_notice_again"]
    assert (failed, state["state"], state["unchanged"]) == ([], "published", True)


def test_an_address_takes_one_file(told: Told) -> None:
    assert told["send_a_second_file_to_the_same_address"] == (200, 412)


def test_a_dry_run_tells_what_would_be_published_and_publishes_nothing(told: Told) -> None:
    failed, state, report = told["check_a_report_and_publish_nothing"]
    assert (failed, state["state"], state["report"], report.status) == ([], "checked", None, 404)
    assert state["preview"]["report"] == {"id": "331022103-2023", "revision": 1}
    assert state["preview"]["comparison"]["report"] == {"id": REPORT, "revision": 1}


def test_an_address_is_for_the_file_that_was_announced(told: Told) -> None:
    refused = told["announce_too_large_a_file"]
    assert (refused.status, refused.json["code"]) == (413, "upload_too_large")
    assert told["send_another_file_than_announced"] == (403, 403, 200)


def test_a_corrected_file_is_the_next_revision_and_the_first_stays(told: Told, deployment: Deployment) -> None:
    assert told["send_a_corrected_report"].state["report"]["revision"] == 2
    lines = deployment.get(f"/v1/reports/{REPORT}/revisions").json["data"]
    assert [line["revision"] for line in lines] == [1, 2]
    for line in lines:
        source = follow(deployment.get(f"/v1/reports/{REPORT}/source?revision={line['revision']}"))
        assert hashlib.sha256(source.content).hexdigest() == line["source_sha256"]


@pytest.mark.parametrize(
    ("story", "revision"),
    [
        ("send_a_report_that_has_to_be_asked_about", 1),
        ("correct_a_report_that_has_to_be_asked_about", 2),
    ],
)
def test_an_ambiguous_report_is_published_once_its_township_is_named(told: Told, story: str, revision: int) -> None:
    settled: Settled = told[story]
    assert (settled.sent.state["state"], settled.sent.failed) == ("needs_township", [])
    assert TAIPING in [candidate["code"] for candidate in settled.sent.state["candidates"]]
    check_shape(BY_NAME["name_township"], settled.named)
    report = settled.named.json["report"]
    assert (report["id"].partition("-")[0], report["revision"]) == (TAIPING, revision)


REFUSED = {
    "what is no text": ("send_a_picture", "not_text"),
    "what is too large": ("drop_too_large_a_file", "too_large"),
}


@pytest.mark.parametrize(("story", "code"), REFUSED.values(), ids=REFUSED)
def test_a_refused_file_is_told_and_kept_and_its_message_done(
    told: Told, deployment: Deployment, story: str, code: str
) -> None:
    sent: Sent | Dropped = told[story]
    assert (sent.failed, sent.state["state"]) == ([], "rejected")
    assert [reason["code"] for reason in sent.state["reasons"]] == [code]
    data = {"send_a_picture": stories.PICTURE, "drop_too_large_a_file": stories.TOO_LARGE}[story]
    assert deployment.storage.objects.get(layout.raw_object(sent.state["sha256"])) == data


def test_what_is_refused_once_its_township_is_named_says_why(told: Told) -> None:
    settled: Settled = told["name_the_township_of_what_is_refused_then"]
    assert settled.sent.state["state"] == "needs_township"
    check_shape(BY_NAME["name_township"], settled.named)
    assert [reason["code"] for reason in settled.named.json["reasons"]] == ["no_year"]


def test_of_a_batch_only_the_poison_message_comes_again(told: Told, deployment: Deployment) -> None:
    assert told["deliver_a_poison_message_beside_a_good_one"] == [0]
    record = deployment.get(f"/v1/reports/{OTHER_REPORT}").json
    assert record["source"]["filename"] == stories.DROPPED.removeprefix("incoming/")


def test_exports_hold_what_is_published_then_and_old_files_go(told: Told, deployment: Deployment) -> None:
    first, second = told["export_for_the_first_time"], told["export_what_has_changed"]
    assert (first["reports"], second["reports"]) == (1, 3)
    before, after = told["export_when_the_files_before_have_been_out_of_use_for_long"]
    names = [{f"bulk/{file['url'].rpartition('/')[2]}" for file in each["files"]} for each in (first, second)]
    assert before >= names[0] | names[1]
    assert (names[0] & after, names[1] & after) == (set(), names[1])


def test_what_a_broken_off_writing_left_goes_with_later_deliveries(told: Told) -> None:
    rows, *later = told["deliver_long_after_a_writing_broke_off"]
    assert (rows > 10, later) == (True, [0, 0, 0])


# What every route answers, in one process that has answered nothing but GET and HEAD.


@dataclass(frozen=True)
class Answers:
    plain: Answer
    head: Answer
    again: Answer  # with If-None-Match


def addresses(told: Told) -> dict[str, str]:
    """Of each route that is read, an address that has something."""
    report, township = f"/v1/reports/{REPORT}", f"/v1/townships/{TOWNSHIP}"
    return {
        "show_front_page": "/",
        "show_developer_page": "/developers",
        "show_documentation": "/docs",
        "read_documentation_part": f"/docs/{pages.documentation_version()}/swagger-ui-bundle.js",
        "read_asset": "/assets/latest/front.js",
        "show_problem": "/problems/bad-cursor",
        "check_health": "/v1/health",
        "read_openapi": "/v1/openapi.json",
        "list_townships": f"/v1/townships?q={quote('亭旁')}&province={quote('浙江省')}",
        "read_township": f"/v1/townships/{quote('亭旁镇')}",
        "list_township_reports": f"{township}/reports",
        "list_township_year": f"{township}/reports/2022",
        "list_township_targets": "/v1/townships/331024106/targets?met=null",
        "list_township_indicators": f"{township}/indicators?year=2022&status=actual",
        "list_reports": f"/v1/reports?province={quote('浙江省')}&limit=1",
        "search_reports": f"/v1/search?q={quote('亭旁镇')}",
        "read_report": report,
        "list_sections": f"{report}/sections",
        "read_section": f"{report}/sections/s2",
        "list_report_indicators": f"{report}/indicators?concept=fixed_asset_investment",
        "list_changes": "/v1/changes?since=2024-01-01",
        "read_changes_feed": "/v1/changes.atom",
        "read_text": f"{report}/text?revision=1",
        "read_source": f"{report}/source?revision=1",
        "list_revisions": f"{report}/revisions",
        "list_indicators": f"/v1/indicators?concept=fixed_asset_investment&province={quote('浙江省')}",
        "list_concepts": "/v1/concepts?limit=1000",
        "read_concept": "/v1/concepts/fixed_asset_investment",
        "read_manifest": "/v1/bulk",
        "list_coverage": "/v1/coverage?province=33",
        "read_bulk_file": "/v1/bulk/indicators.ndjson.gz",
        "read_upload": f"/v1/uploads/{told['send_a_report'].state['id']}",
    }


@pytest.fixture(scope="module")
def reader(told: Told, deployment: Deployment) -> Iterator[Function]:
    with deployment.cold(API) as function:
        yield function


@pytest.fixture(scope="module")
def answers(told: Told, deployment: Deployment, reader: Function) -> dict[str, Answers]:
    found = {}
    end = time.monotonic() + 30
    while not deployment.get("/v1/changes").json["data"]:  # told some seconds after they are made
        assert time.monotonic() < end
        time.sleep(0.2)
    for name, url in addresses(told).items():
        plain, head = (deployment.request(method, url, function=reader) for method in ("GET", "HEAD"))
        tag = plain.headers.get("etag", '"none"')
        found[name] = Answers(plain, head, deployment.request("GET", url, function=reader, if_none_match=tag))
    return found


@pytest.mark.parametrize("name", [route.name for route in ROUTES if route.method == "GET"])
def test_a_route_answers_as_the_contract_says(answers: dict[str, Answers], name: str) -> None:
    route, found = BY_NAME[name], answers[name]
    assert (found.plain.status, found.head.status) == (route.status, route.status)
    assert found.head.headers.keys() == found.plain.headers.keys()
    if route.status == 307:
        return
    check_shape(route, found.plain)
    if route.listed:
        assert found.plain.json["data"]
    assert (found.again.status, found.again.body) == (304, "")
    assert found.plain.headers["etag"] == found.head.headers["etag"] == found.again.headers["etag"]


@pytest.mark.parametrize("story", ["create_upload", "name_township"])
def test_a_route_that_writes_answers_as_the_contract_says(told: Told, story: str) -> None:
    sent: Sent = told["send_a_report"]
    named: Settled = told["send_a_report_that_has_to_be_asked_about"]
    answer = {"create_upload": sent.created, "name_township": named.named}[story]
    assert answer.status == BY_NAME[story].status
    check_shape(BY_NAME[story], answer)


def test_every_route_of_the_contract_has_been_called(answers: dict[str, Answers], deployment: Deployment) -> None:
    assert {(route.method, route.path) for route in ROUTES} <= deployment.answered
    assert {("HEAD", route.path) for route in ROUTES if route.method == "GET"} <= deployment.answered


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_the_gateway_answers_a_preflight_for_every_route(deployment: Deployment, route: Any) -> None:
    path = route.path.replace("{", "").replace("}", "")
    answer = deployment.request("OPTIONS", path)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = set(answer.headers["access-control-allow-methods"].split(","))
    assert allowed == {method for each in ROUTES if each.path == route.path for method in each.methods} | {"OPTIONS"}


def test_reading_imports_no_parser_and_no_validator(answers: dict[str, Answers], reader: Function) -> None:
    imported = reader.modules()
    assert "chalicelib.catalog.lists" in imported
    unwanted = ("chalicelib.decode", "chalicelib.reading", "jsonschema", "referencing", "rpds", "selectolax")
    assert {name for name in imported if name.startswith(unwanted)} == set()


def test_a_page_of_a_list_leads_to_the_next_one(answers: dict[str, Answers], deployment: Deployment) -> None:
    first = answers["list_reports"].plain.json
    second = deployment.get(first["next"]).json
    assert [row["id"] for row in first["data"]] != [row["id"] for row in second["data"]]


def follow(redirect: Answer, **headers: str) -> requests.Response:
    assert redirect.status == 307
    return requests.get(redirect.headers["location"], headers=headers, timeout=30)


def test_the_source_can_be_had_whole_and_in_parts(answers: dict[str, Answers]) -> None:
    redirect = answers["read_source"].plain
    whole, part = follow(redirect), follow(redirect, Range="bytes=10-29")
    assert (whole.status_code, whole.content) == (200, SEED)
    assert (part.status_code, part.content) == (206, SEED[10:30])
    assert part.headers["Content-Range"] == f"bytes 10-29/{len(SEED)}"
    assert whole.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert quote("亭旁镇-2022.txt") in whole.headers["Content-Disposition"]


def test_bulk_files_are_those_of_the_manifest_and_fit_their_schemas(
    answers: dict[str, Answers], deployment: Deployment
) -> None:
    for file in answers["read_manifest"].plain.json["files"]:
        got = follow(deployment.get(file["url"]))
        assert (len(got.content), hashlib.sha256(got.content).hexdigest()) == (file["bytes"], file["sha256"])
        if file["format"] == "csv":
            continue
        rows = gzip.decompress(got.content).splitlines()
        assert len(rows) == file["rows"]
        kind = file["kind"].removesuffix("s")
        schema = Draft202012Validator(orjson.loads((SCHEMAS / f"bulk-{kind}.schema.json").read_bytes()))
        assert [error.message for row in rows for error in schema.iter_errors(orjson.loads(row))] == []


def test_a_bulk_file_can_be_had_in_parts_and_its_head_alone(
    answers: dict[str, Answers], deployment: Deployment
) -> None:
    file = answers["read_manifest"].plain.json["files"][0]
    whole = follow(deployment.get(file["url"]))
    rest = follow(deployment.get(file["url"]), **{"Range": "bytes=20-", "If-Range": whole.headers["ETag"]})
    assert (rest.status_code, whole.content[:20] + rest.content) == (206, whole.content)
    assert follow(deployment.get(file["url"]), Range="bytes=99999999-").status_code == 416
    redirect = deployment.request("HEAD", file["url"])
    head = requests.head(redirect.headers["location"], timeout=30)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(file["bytes"]))


ERRORS = {
    "an unknown report": ("/v1/reports/331022103-1999", 404, "unknown_report"),
    "an unknown upload": (f"/v1/uploads/{'0' * 32}", 404, "unknown_upload"),
    "an unknown file": ("/v1/bulk/nothing.gz", 404, "unknown_file"),
    "a township that several are": (f"/v1/townships/{quote('太平镇')}", 300, "ambiguous_township"),
    "an unknown parameter": ("/v1/reports?yaer=2022", 400, "unknown_parameter"),
}


@pytest.mark.parametrize(("url", "status", "code"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_a_problem_document(deployment: Deployment, url: str, status: int, code: str) -> None:
    answer = deployment.get(url)
    assert (answer.status, answer.json["code"]) == (status, code)
    check_problem(answer)


def test_before_the_first_export_there_are_no_bulk_files(told: Told) -> None:
    answer: Answer = told["ask_for_bulk_files_too_early"]
    assert (answer.status, answer.json["code"]) == (404, "no_export")
    check_problem(answer)


def test_a_report_is_withdrawn_for_who_has_a_key(told: Told, deployment: Deployment) -> None:
    without, withdrawn = told["withdraw_a_report"]
    assert (without.status, without.json["code"]) == (401, "invalid_api_key")
    assert withdrawn.status == 200
    check_shape(BY_NAME["withdraw_report"], withdrawn)
    assert deployment.get(f"/v1/reports/{TAIPING}-2022").status == 410


def test_everything_is_read_again_once_however_often_it_is_asked_for(told: Told) -> None:
    outcomes = {each["id"]: (each["status"], each["revision"]) for each in told["read_everything_again"]}
    assert outcomes[OTHER_REPORT] == ("revised", 2)
    assert outcomes[REPORT][0] == "unchanged"
    assert sorted(status for status, _ in outcomes.values()) == ["rejected", "revised", "unchanged"]


# The functions as processes.


def test_a_cold_function_handles_its_first_event(told: Told, deployment: Deployment) -> None:
    with deployment.cold(API) as api, deployment.cold(INGEST) as ingest, deployment.cold(EXPORT) as export:
        assert deployment.request("GET", f"/v1/reports/{REPORT}", function=api).json["revision"] == 2
        deployment.storage.objects.put("incoming/cold.txt", SEED)
        assert deployment.deliver([deployment.notice("incoming/cold.txt")], ingest) == []
        assert deployment.export(export)["reports"] == deployment.get("/v1/bulk").json["reports"]


def test_every_line_logged_is_json_and_only_the_poison_is_a_failure(told: Told, deployment: Deployment) -> None:
    for name in FUNCTIONS:
        lines = [json.loads(line) for line in deployment.function(name).log.read_text().splitlines()]
        failures = [line["error_code"] for line in lines if line["level"] not in ("INFO", "WARNING")]
        assert failures == (["bad_event"] if name == INGEST else [])
        assert lines or name == EXPORT
