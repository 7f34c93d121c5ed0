"""HTTP over the catalog, by the events that API Gateway sends: caching, links, refusals, and what every answer has."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import pytest

from app import app
from chalicelib import township_search
from chalicelib.storage import Storage
from chalicelib.web import api, problems, replies
from chalicelib.web.routes import ROUTES
from tests.contract import check_problem
from tests.gateway import Answer, call, event, get, post
from tests.published import TINGPANG, indicator, publish, record

ROOT = Path(__file__).resolve().parent.parent
REPORT = f"/v1/reports/{TINGPANG}-2022"


@pytest.fixture(params=["local", "aws"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """Not the engines: HTTP is what is tested here, and what the answers are made of is tested on them elsewhere."""
    found: Storage = request.getfixturevalue(f"{request.param}_storage")
    return found


@pytest.fixture
def filled(storage: Storage) -> Storage:
    for year in (2020, 2021, 2022):
        publish(storage, record(year=year, indicators=[indicator(n, year=year) for n in (1, 2)]))
    return storage


def problem(answer: Answer) -> dict[str, Any]:
    check_problem(answer)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = answer.json
    assert found["type"].removeprefix(problems.PREFIX) in problems.load_kinds()
    assert found["detail"]
    return found


REFUSALS = {
    "an unknown parameter": ("/v1/reports?yaer=2022", 400, "unknown_parameter", "yaer", "Did you mean year?"),
    "a parameter where none is taken": ("/v1/health?a=1", 400, "unknown_parameter", "a", "takes no parameters"),
    "a parameter twice": ("/v1/reports?year=2021&year=2022", 400, "repeated_parameter", "year", "once"),
    "a year that is none": ("/v1/reports?year=abc", 400, "bad_parameter", "year", "1978 to 2100"),
    "a year out of range": ("/v1/reports?year=1", 400, "bad_parameter", "year", "1978 to 2100"),
    "digits of another script": (f"/v1/reports?year={quote('２０２２')}", 400, "bad_parameter", "year", "1978 to 2100"),
    "an empty value": ("/v1/townships?q=", 400, "bad_parameter", "q", "1 to 50 characters"),
    "a limit of none": ("/v1/reports?limit=0", 400, "bad_parameter", "limit", "1 to 1000"),
    "a limit beyond the most": ("/v1/reports?limit=1001", 400, "bad_parameter", "limit", "1 to 1000"),
    "a status that is none": ("/v1/indicators?concept=gdp&status=actuall", 400, "bad_parameter", "status", "actual, "),
    "a concept missing": ("/v1/indicators", 400, "missing_parameter", "concept", "Add concept="),
    "a concept that is none": ("/v1/indicators?concept=export", 400, "bad_parameter", "concept", "exports"),
    "a concept in no form": ("/v1/indicators?concept=GDP", 400, "bad_parameter", "concept", "matches"),
    "a province that is none": (f"/v1/reports?province={quote('浙江')}", 400, "unknown_division", "province", "浙江省"),
    "a forged cursor": ("/v1/reports?cursor=abc", 400, "bad_cursor", "cursor", "next"),
    "a cursor that is no text": (f"/v1/reports?cursor={quote('游标')}", 400, "bad_cursor", "cursor", "next"),
    "a path year that is none": (f"/v1/townships/{TINGPANG}/reports/latest", 400, "bad_parameter", "year", "1978"),
    "a path that is no UTF-8": ("/v1/townships/%FF%FE", 400, "bad_parameter", "township", "UTF-8"),
    "an unknown township": (f"/v1/townships/{quote('亭旁乡')}", 404, "unknown_township", None, "亭旁镇"),
    "an unknown code": ("/v1/townships/999999999", 404, "unknown_township", None, "?q="),
    "a county without reports": ("/v1/townships/331022/reports", 404, "unknown_township", None, "?q=331022"),
    "a province's figures": ("/v1/townships/33/indicators", 404, "unknown_township", None, "?q=33"),
    "a year without report": (f"/v1/townships/{TINGPANG}/reports/2019", 404, "no_report", None, "2020, 2021, 2022"),
    "an unknown report": ("/v1/reports/331022103-1999", 404, "unknown_report", None, "/v1/"),
    "a report of another path": ("/v1/reports/..%2F..%2Fsecret", 404, "unknown_report", None, "/v1/"),
    "an unknown revision": (f"{REPORT}?revision=7", 404, "unknown_revision", None, "/revisions"),
    "an unknown section": (f"{REPORT}/sections/s9", 404, "unknown_section", None, "/sections"),
    "an unknown concept": ("/v1/concepts/nothing", 404, "unknown_concept", None, "/v1/concepts"),
    "an unknown upload": ("/v1/uploads/nothing", 404, "unknown_upload", None, "POST"),
    "an unknown problem type": ("/problems/nothing", 404, "unknown_problem", None, "bad-cursor"),
    "no export yet": ("/v1/bulk", 404, "no_export", None, "again"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_names_what_is_wrong_and_the_way_out(filled: Storage, name: str) -> None:
    url, status, code, parameter, hint = REFUSALS[name]
    answer = get(filled, url)
    found = problem(answer)
    assert (answer.status, found["code"], found.get("parameter")) == (status, code, parameter)
    assert hint in found["way_out"]
    assert found["instance"] == urlsplit(url).path


def test_every_get_names_the_parameters_that_it_takes(filled: Storage) -> None:
    for route in ROUTES:
        if route.method == "GET":
            found = problem(get(filled, f"{_filled(route.path)}?nonsense=1"))
            assert found["allowed"] == [parameter.name for parameter in route.parameters]


def _filled(path: str) -> str:
    return path.replace("{township}", TINGPANG).replace("{report}", f"{TINGPANG}-2022").replace("{year}", "2022")


def test_an_ambiguous_name_answers_with_candidates_and_their_addresses(local_storage: Storage) -> None:
    answer = get(local_storage, f"/v1/townships/{quote('太平镇')}/reports")
    found = problem(answer)
    assert (answer.status, found["code"], len(found["candidates"])) == (300, "ambiguous_township", 50)
    for candidate in found["candidates"]:
        path = candidate["url"].removeprefix("https://reports.example/api")
        assert get(local_storage, path).json["code"] == candidate["code"]


def test_a_countys_own_reports_are_listed_by_its_code(local_storage: Storage) -> None:
    publish(local_storage, record("331022"))
    for what in ("reports", "indicators"):
        rows = get(local_storage, f"/v1/townships/331022/{what}").json["data"]
        assert [row["township"]["code"] for row in rows] == ["331022"]
    assert get(local_storage, f"/v1/townships/{TINGPANG}/reports").json["data"] == []


@pytest.mark.parametrize("raw", ["亭旁镇", TINGPANG])
def test_a_township_goes_by_code_or_name_in_path_and_query(filled: Storage, raw: str) -> None:
    name = quote(raw)
    assert get(filled, f"/v1/townships/{name}").json["code"] == TINGPANG
    assert len(get(filled, f"/v1/reports?township={name}").json["data"]) == 3


def test_a_path_is_decoded_exactly_once(filled: Storage) -> None:
    found = problem(get(filled, "/v1/reports/100%2525"))
    assert "'100%25'" in found["detail"]


CACHED = ["/v1/reports", REPORT, f"{REPORT}/text", f"/v1/townships/{TINGPANG}", "/v1/concepts", "/v1/openapi.json", "/"]


@pytest.mark.parametrize("url", CACHED)
def test_what_has_not_changed_is_not_sent_again(filled: Storage, url: str) -> None:
    first = get(filled, url)
    etag = first.headers["etag"]
    assert etag.startswith('"')
    for tag in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        again = get(filled, url, if_none_match=tag)
        assert (again.status, again.body, again.headers["etag"]) == (304, "", etag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
        assert again.headers["access-control-allow-origin"] == "*"
    assert get(filled, url, if_none_match='"x"').body == first.body


def test_a_new_revision_changes_the_etag(storage: Storage) -> None:
    old = record()
    publish(storage, old)
    before = [get(storage, url).headers["etag"] for url in ("/v1/reports", REPORT)]
    publish(storage, record(revision=2), previous=old)
    for url, etag in zip(("/v1/reports", REPORT), before, strict=True):
        assert get(storage, url, if_none_match=etag).status == 200


@pytest.mark.parametrize(
    ("url", "cache"),
    [
        ("/v1/reports", replies.FRESH),
        (REPORT, replies.FRESH),
        (f"{REPORT}?revision=1", replies.FOR_EVER),
        (f"{REPORT}/text?revision=1", replies.FOR_EVER),
        (f"{REPORT}/source", replies.NEVER),
        ("/v1/concepts", replies.HOURLY),
        ("/v1/health", replies.NEVER),
    ],
)
def test_each_answer_says_how_long_it_holds(filled: Storage, url: str, cache: str) -> None:
    assert get(filled, url).headers["cache-control"] == cache


def test_a_record_is_served_as_it_was_stored(storage: Storage) -> None:
    body = publish(storage, record(title="亭旁镇 “2022”"))
    answer = get(storage, REPORT)
    assert answer.body.encode() == body
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "url", ["/v1/reports?limit=1", f"/v1/indicators?concept=fixed_asset_investment&province={quote('浙江省')}&limit=1"]
)
def test_next_leads_through_the_whole_list(filled: Storage, url: str) -> None:
    rows = list(_followed(filled, url))
    whole = get(filled, url.replace("limit=1", "limit=1000"))
    assert rows == whole.json["data"]
    assert whole.json["next"] is None
    assert "link" not in whole.headers


def _followed(storage: Storage, url: str) -> Iterator[Any]:
    following: str | None = f"https://reports.example/api{url}"
    while following:
        answer = get(storage, following.removeprefix("https://reports.example/api"))
        assert answer.status == 200
        yield from answer.json["data"]
        following = answer.json["next"]
        assert re.findall(r'<([^>]+)>; rel="next"', answer.headers.get("link", "")) == [following] * bool(following)


def test_addresses_begin_where_the_operators_say(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTS_URL", "https://data.example/")
    assert get(filled, "/v1/reports?limit=1").json["next"].startswith("https://data.example/v1/reports?")


def test_head_is_answered_wherever_get_is(filled: Storage) -> None:
    for url in CACHED:
        assert call(filled, "HEAD", url).headers["etag"] == get(filled, url).headers["etag"]


def test_every_answer_has_a_request_id_and_cors(filled: Storage) -> None:
    for url in (*CACHED, f"{REPORT}/source", "/v1/reports?a=1"):
        headers = get(filled, url).headers
        assert headers["x-request-id"] == "request-1"
        assert headers["access-control-allow-origin"] == "*"
        assert "ETag" in headers["access-control-expose-headers"]
        assert headers["x-content-type-options"] == "nosniff"


def test_chinese_is_not_escaped(filled: Storage) -> None:
    assert "亭旁镇" in get(filled, "/v1/reports").body


def test_the_source_is_a_short_lived_address(filled: Storage) -> None:
    answer = get(filled, f"{REPORT}/source")
    assert (answer.status, answer.body) == (307, "")
    assert re.match(r"https?://[^/]", answer.headers["location"])
    assert record()["source"]["sha256"] in answer.headers["location"]


@pytest.mark.parametrize(
    ("source", "media"),
    [
        ({"format": "text", "encoding": "gb18030", "filename": "a.html"}, "text/plain; charset=gb18030"),
        ({"format": "html", "encoding": "utf-8", "filename": "a"}, "text/html; charset=utf-8"),
    ],
)
def test_the_source_is_sent_as_what_it_was_found_to_be(storage: Storage, source: dict[str, str], media: str) -> None:
    found = record()
    publish(storage, {**found, "source": {**found["source"], **source}})
    assert quote(media, safe="") in get(storage, f"{REPORT}/source").headers["location"].replace("+", "%20")


def test_a_method_that_is_not_taken_is_a_problem(filled: Storage) -> None:
    answer = call(filled, "PUT", REPORT)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "DELETE"}
    assert problem(answer)["code"] == "method_not_allowed"


def test_a_body_that_is_no_json_is_a_problem(local_storage: Storage) -> None:
    answer = post(local_storage, "/v1/uploads", {"filename": "a.txt"}, content_type="text/plain")
    assert (answer.status, problem(answer)["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "code", "parameter"),
    [
        ("", "missing_parameter", "filename"),
        ("{", "bad_json", None),
        ("[]", "bad_json", None),
        ('{"filename": 3}', "bad_parameter", "filename"),
        ('{"filename": ""}', "missing_parameter", "filename"),
        ('{"filename": null}', "bad_parameter", "filename"),
        ('{"filename": "a"}', "missing_parameter", "bytes"),
        ('{"filename": "a", "bytes": null}', "bad_parameter", "bytes"),
        ('{"filename": "a", "bytes": "9"}', "bad_parameter", "bytes"),
        ('{"filename": "a", "bytes": true}', "bad_parameter", "bytes"),
        ('{"filename": "a", "bytes": 9.5}', "bad_parameter", "bytes"),
        ('{"filename": "a", "bytes": -1}', "bad_parameter", "bytes"),
        ('{"filename": "a", "bytes": 9, "media": 3}', "bad_parameter", "media"),
        ('{"filename": "a", "bytes": 9, "media": ""}', "bad_parameter", "media"),
        ('{"filename": "a", "bytes": 9, "media": "text"}', "bad_parameter", "media"),
        ('{"filename": "a", "bytes": 9, "media": "text/plain\\n"}', "bad_parameter", "media"),
        ('{"filename": "a", "bytes": 9, "media": "text/plain; charset=utf-8"}', "bad_parameter", "media"),
        ('{"filename": "a", "bytes": 9, "townschip": "1"}', "unknown_parameter", "townschip"),
        ('{"filename": "a", "bytes": 9, "township": "亭旁乡"}', "unknown_township", "township"),
        ('{"filename": "a", "bytes": 9, "township": "城关镇"}', "ambiguous_township", "township"),
        ('{"filename": "a", "bytes": 9, "township": "1101"}', "unknown_township", "township"),
    ],
)
def test_a_request_for_an_upload_is_checked(storage: Storage, body: str, code: str, parameter: str | None) -> None:
    answer = call(storage, "POST", "/v1/uploads", body, content_type="application/json")
    found = problem(answer)
    assert (answer.status, found["code"], found.get("parameter")) == (400, code, parameter)


def test_what_is_larger_than_the_service_reads_gets_no_upload(local_storage: Storage) -> None:
    answer = post(local_storage, "/v1/uploads", {"filename": "a", "bytes": 20_000_001})
    assert (answer.status, problem(answer)["code"]) == (413, "upload_too_large")
    assert [entry.pk for entry in local_storage.index.entries() if not entry.pk.startswith("rate#")] == []
    for size in (20_000_000, 9.0):
        assert post(local_storage, "/v1/uploads", {"filename": "a", "bytes": size}).status == 201


def test_an_unexpected_failure_is_a_problem_without_its_secrets(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(api, "_own_path", lambda request: "/v1/reports")
    monkeypatch.setattr("chalicelib.catalog.lists.reports", lambda *_, **__: 1 / 0)
    answer = get(local_storage, "/v1/reports")
    assert (answer.status, problem(answer)["request"]) == (500, "request-1")
    assert "division" not in answer.body
    assert "division by zero" in caplog.text


def test_a_failing_storage_says_when_to_come_again(local_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.errors import StorageError

    def fail(*_: Any, **__: Any) -> None:
        raise StorageError("storage_busy", "The storage takes no more requests.", "Try again.")

    monkeypatch.setattr("chalicelib.catalog.lists.reports", fail)
    answer = get(local_storage, "/v1/reports")
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert problem(answer)["code"] == "storage_busy"


def test_each_thread_has_its_own_request() -> None:
    seen: dict[str, str] = {}

    def remember(name: str) -> None:
        app.current_request = name
        barrier.wait()
        seen[name] = app.current_request

    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=remember, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {"a": "a", "b": "b"}


def test_an_event_of_no_route_is_not_answered_as_one() -> None:
    with pytest.raises(ValueError, match="No matching route"):
        event("GET", "/nothing")


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"Host": "data.example:81"}, "https://data.example:81"),
        ({"Host": "[::1]:8000"}, "https://[::1]:8000"),
        ({"X-Forwarded-Proto": "http"}, "http://reports.example"),
        ({"X-Forwarded-Proto": "javascript"}, "http://reports.example"),
        ({"X-Forwarded-Proto": "https>; rel=x"}, "http://reports.example"),
        ({"Host": 'a.example/"><script>'}, "https://api.example"),
        ({"Host": 'a.example>; rel="x", <b.example'}, "https://api.example"),
        ({"Host": "user@a.example"}, "https://api.example"),
        ({"Host": ""}, "https://api.example"),
    ],
)
def test_addresses_begin_at_the_host_that_was_asked_if_it_is_one(
    filled: Storage, headers: dict[str, str], base: str
) -> None:
    app.__dict__["storage"] = filled
    for url, begins in (("/", f'<base href="{base}/api/">'), ("/v1/reports?limit=1", f'"next":"{base}/api/v1/')):
        asked = event("GET", url, headers=headers)
        asked["requestContext"]["domainName"] = "api.example"
        answer = app(asked, None)
        assert begins in answer["body"]
        assert answer["headers"]["Vary"].endswith("Accept-Encoding, Host, X-Forwarded-Proto")
        assert base in answer["headers"].get("Link", base)


def test_the_developers_page_takes_any_code_for_a_township_that_stays_open(local_storage: Storage) -> None:
    page = get(local_storage, "/developers").body
    choice = page[page.index('show("needs_township"') : page.index("async function guard")]
    assert "${upload.candidates.length} 个可能的地方" in choice
    assert "other.onsubmit = event => { event.preventDefault(); name(code.value.trim()); };" in choice


def test_the_same_names_are_looked_for_once(local_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    search = township_search.search_codes

    def counted(q: str) -> list[str]:
        asked.append(q)
        return search(q)

    monkeypatch.setattr(township_search, "search_codes", counted)
    url = f"/v1/townships?q={quote('头坝')}&limit=1"
    for _ in range(3):
        assert get(local_storage, url).status == 200
    assert asked == ["头坝"]


def test_the_developers_page_links_to_what_there_is(filled: Storage) -> None:
    page = get(filled, "/developers")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert '<base href="https://reports.example/api/">' in page.body
    links = re.findall(r'href="((?:v1|problems)/[^"]*)"', page.body)
    for link in links:
        answer = get(filled, "/" + quote(link, safe="/?=&%"))
        assert answer.status in (200, 307) or link.startswith(("v1/bulk", "v1/coverage", "v1/search")), link
    shown = {orjson.dumps(event("GET", "/" + quote(link, safe="/?=&"))["resource"]) for link in links}
    assert shown == {
        orjson.dumps(r.path)
        for r in ROUTES
        if r.method == "GET" and r.path.startswith(("/v1/", "/problems/")) and "upload" not in r.path
    }
    assert re.findall(r"<(?:script|img|link|iframe)[^>]*>", page.body) == [
        '<link rel="icon" href="data:,">',
        "<script>",
    ]
