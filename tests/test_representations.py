"""What of a record is sent: compressed or not, only what is new, each representation by its own ETag; the same whoever carries it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import app
from chalicelib.moments import iso_precise
from chalicelib.storage import Storage
from chalicelib.web import core, replies
from chalicelib.web.gateway import Gateway
from deploy.template import gateway_responses
from tests import wsgi
from tests.gateway import get
from tests.published import TINGPANG, indicator, publish, record

REPORT = f"/v1/reports/{TINGPANG}-2022"
EARLIER, LATER = "Mon, 02 Jan 2006 15:04:05 GMT", "Fri, 31 Dec 2100 00:00:00 GMT"

Send = Callable[..., Any]


@pytest.fixture(params=["function", "server"])
def send(request: pytest.FixtureRequest, local_storage: Storage) -> Send:
    """One request to the app as API Gateway carries it, or to the server of one machine."""
    publish(local_storage, record(indicators=[indicator(n) for n in range(1, 60)]))
    app.__dict__["storage"] = local_storage
    if request.param == "function":
        return lambda url, **headers: get(local_storage, url, **headers)
    gateway = Gateway(app)
    return lambda url, **headers: wsgi.ask(gateway, url, **headers)


@pytest.mark.parametrize(
    ("accept_encoding", "taken"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.2", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("deflate", False),
        ("x-gzipped", False),
    ],
)
def test_gzip_goes_to_those_alone_who_take_it(accept_encoding: str, taken: bool) -> None:
    assert core.takes_gzip(accept_encoding) is taken


def test_a_compressed_answer_is_the_same_and_has_its_own_etag(send: Send) -> None:
    plain, packed = send(REPORT), send(REPORT, accept_encoding="gzip")
    assert packed.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
    assert "Accept-Encoding" in plain.headers["vary"]
    assert plain.headers["vary"] == packed.headers["vary"]
    assert "content-encoding" not in plain.headers
    for answer, coding in ((plain, ""), (packed, "gzip")):
        again = send(REPORT, accept_encoding=coding, if_none_match=answer.headers["etag"])
        assert (again.status, len(again.body), again.headers["etag"]) == (304, 0, answer.headers["etag"])
        assert "content-encoding" not in again.headers
    assert send(REPORT, if_none_match=packed.headers["etag"]).status == 200


def test_the_server_compresses_and_says_so(local_storage: Storage) -> None:
    body = publish(local_storage, record(indicators=[indicator(n) for n in range(1, 60)]))
    app.__dict__["storage"] = local_storage
    gateway = Gateway(app)
    for _ in range(2):  # the second is given again
        for coding, expected in (("gzip", "gzip"), ("", None)):
            answer = wsgi.ask(gateway, REPORT, accept_encoding=coding)
            assert answer.headers.get("content-encoding") == expected
            assert (gzip.decompress(answer.body) if expected else answer.body) == body
            assert answer.headers["content-length"] == str(len(answer.body))
            head = wsgi.ask(gateway, REPORT, "HEAD", accept_encoding=coding)
            assert {**head.headers, "x-request-id": ""} == {**answer.headers, "x-request-id": ""}
            assert head.body == b""
    small = wsgi.ask(gateway, "/v1/health", accept_encoding="gzip")
    assert "content-encoding" not in small.headers
    assert not small.headers["etag"].endswith('-gzip"')


@pytest.mark.parametrize("url", [REPORT, f"{REPORT}?revision=1", f"{REPORT}/text"])
def test_what_was_not_modified_since_is_not_sent_again(send: Send, url: str) -> None:
    first = send(url)
    modified = first.headers["last-modified"]
    for since, status in ((modified, 304), (LATER, 304), (EARLIER, 200), ("nonsense", 200), ("", 200)):
        assert send(url, if_modified_since=since).status == status, since
    # If-None-Match is exacter, and counts alone.
    assert send(url, if_none_match='"x"', if_modified_since=LATER).status == 200
    assert send(url, if_none_match=first.headers["etag"], if_modified_since=EARLIER).status == 304


def test_a_list_has_no_last_modified(send: Send) -> None:
    answer = send("/v1/reports", if_modified_since=LATER)
    assert answer.status == 200
    assert "last-modified" not in answer.headers


@given(st.integers(0, 3000))
def test_two_revisions_within_a_second_are_never_taken_for_one(milliseconds: int) -> None:
    ingested = datetime(2024, 3, 1, 8, 30, 0, 125000, UTC)
    ask = replies.Ask(None, ingested + timedelta(milliseconds=milliseconds), "", "", {}, {}, {})  # type: ignore[arg-type]
    found = replies.modified(ask, {"ingested": iso_precise(ingested)})
    assert found == ({"Last-Modified": "Fri, 01 Mar 2024 08:30:00 GMT"} if milliseconds >= 1000 else {})


def test_each_answer_names_its_language(send: Send) -> None:
    for url, language in ((REPORT, "zh"), ("/v1/reports", "zh"), ("/v1/reports?a=1", "en"), ("/v1/openapi.json", "en")):
        assert send(url).headers["content-language"] == language


def test_errors_too_may_be_read_by_scripts_of_other_sites(send: Send) -> None:
    for url in ("/v1/reports?a=1", f"{REPORT}9", "/v1/townships/%FF"):
        answer = send(url)
        assert answer.status >= 400
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "Retry-After" in answer.headers["access-control-expose-headers"]
        assert answer.headers["x-request-id"]


def test_the_gateways_own_errors_may_be_read_by_scripts_of_other_sites() -> None:
    for name, response in gateway_responses().items():
        headers = response["ResponseParameters"]["Headers"]
        for header, value in core.CORS.items():
            assert headers[header] == f"'{value}'", name
        assert ("Retry-After" in headers) == (response["StatusCode"] == 429), name


def test_a_script_of_another_site_may_send_json_and_conditions(local_storage: Storage) -> None:
    app.__dict__["storage"] = local_storage
    answer = wsgi.ask(Gateway(app), "/v1/uploads", "OPTIONS")
    assert (answer.status, answer.headers["allow"]) == (204, "POST, OPTIONS")
    allowed = answer.headers["access-control-allow-headers"].split(",")
    assert {"Content-Type", "If-None-Match", "If-Modified-Since"} <= set(allowed)
