"""Files at short-lived addresses, from the real server: ranges, resumption, and what a HEAD and a cache are told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.running_server import PATIENCE, ROOT, Server, run_server

SEED = ROOT / "seeds" / "亭旁镇-2022.txt"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("downloads") / "data") as started:
        upload = started.ask_address(SEED.name, SEED.stat().st_size)
        assert started.put(upload, SEED.read_bytes()).ok
        assert started.outcome(upload)["state"] == "published"
        yield started


@pytest.fixture(scope="module")
def manifest(server: Server) -> dict[str, Any]:
    return server.until("/v1/bulk", lambda found: found["reports"] >= 1)


def fetch(url: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, url, headers={"Accept-Encoding": "identity", **headers}, timeout=PATIENCE)


@pytest.fixture(scope="module")
def address(manifest: dict[str, Any]) -> str:
    """Where the first file is redirected to."""
    return fetch(manifest["files"][0]["url"]).url


@pytest.fixture(scope="module")
def whole(address: str) -> requests.Response:
    return fetch(address)


RANGES = {
    "from a place to a place": ("bytes=10-29", slice(10, 30)),
    "one byte": ("bytes=0-0", slice(0, 1)),
    "to the end": ("bytes=100-", slice(100, None)),
    "the last bytes": ("bytes=-7", slice(-7, None)),
    "more last bytes than there are": ("bytes=-999999", slice(0, None)),
    "beyond the end": ("bytes=10-999999999", slice(10, None)),
    "in capitals": ("Bytes=1-2", slice(1, 3)),
}


@pytest.mark.parametrize(("asked", "part"), RANGES.values(), ids=RANGES)
def test_a_range_is_that_part_of_the_file(address: str, whole: requests.Response, asked: str, part: slice) -> None:
    answer = fetch(address, Range=asked)
    assert (answer.status_code, answer.content) == (206, whole.content[part])
    start = part.indices(len(whole.content))[0]
    expected = f"bytes {start}-{start + len(answer.content) - 1}/{len(whole.content)}"
    assert answer.headers["Content-Range"] == expected
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["ETag"] == whole.headers["ETag"]


NONE = {
    "several at once": "bytes=0-1,4-5",
    "an end before its start": "bytes=9-3",
    "another unit": "lines=0-1",
    "no numbers": "bytes=a-b",
    "nothing": "bytes=-",
}


@pytest.mark.parametrize("asked", NONE.values(), ids=NONE)
def test_what_is_no_single_range_gets_the_whole_file(address: str, whole: requests.Response, asked: str) -> None:
    answer = fetch(address, Range=asked)
    assert (answer.status_code, answer.content) == (200, whole.content)
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_refused_with_the_size(address: str, whole: requests.Response, asked: str) -> None:
    answer = fetch(address, Range=asked)
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{len(whole.content)}"
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_a_download_that_broke_off_goes_on_only_with_the_same_file(address: str, whole: requests.Response) -> None:
    same = fetch(address, **{"Range": "bytes=50-", "If-Range": whole.headers["ETag"]})
    assert (same.status_code, whole.content[:50] + same.content) == (206, whole.content)
    for other in ('"another"', f"W/{whole.headers['ETag']}", whole.headers["Last-Modified"]):
        answer = fetch(address, **{"Range": "bytes=50-", "If-Range": other})
        assert (answer.status_code, answer.content) == (200, whole.content)


def test_a_head_tells_the_size_and_sends_nothing(manifest: dict[str, Any], whole: requests.Response) -> None:
    for headers in ({}, {"Range": "bytes=0-1"}):
        answer = requests.head(
            manifest["files"][0]["url"],
            headers={"Accept-Encoding": "identity", **headers},
            allow_redirects=True,
            timeout=PATIENCE,
        )
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Length"] == str(len(whole.content))
        assert answer.headers["ETag"] == whole.headers["ETag"]


def test_who_has_the_file_is_told_so(address: str, whole: requests.Response) -> None:
    for has in (whole.headers["ETag"], f"W/{whole.headers['ETag']}", f'"x", {whole.headers["ETag"]}', "*"):
        answer = fetch(address, **{"If-None-Match": has, "Range": "bytes=0-1"})
        assert (answer.status_code, answer.content) == (304, b"")
    assert fetch(address, **{"If-None-Match": '"x"'}).status_code == 200


def test_every_file_of_the_manifest_is_what_it_says(manifest: dict[str, Any]) -> None:
    for file in manifest["files"]:
        content = fetch(file["url"]).content
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])


def test_a_file_has_its_name_and_type(manifest: dict[str, Any], whole: requests.Response) -> None:
    assert whole.headers["Content-Type"] == "application/gzip"
    assert f'filename="{manifest["files"][0]["name"]}"' in whole.headers["Content-Disposition"]
    assert "Content-Encoding" not in whole.headers
    assert urlsplit(manifest["files"][0]["url"]).path.endswith(manifest["files"][0]["name"])


def test_every_answer_names_its_request(server: Server, address: str) -> None:
    answers = [fetch(address), fetch(address, "OPTIONS"), fetch(f"{server.url}/v1/reports", "OPTIONS")]
    answers += [
        fetch(address, Range="bytes=999999999-"),
        fetch(f"{server.url}/nothing"),
        fetch(f"{server.url}/v1/bulk"),
    ]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == len(answers)
