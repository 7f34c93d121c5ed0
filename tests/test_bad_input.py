"""Bad input through the real server: a clear reason, the file kept in `raw/` and `rejected/`, the server still up."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from tests.running_server import PATIENCE, ROOT, Server, run_server

SEED = (ROOT / "seeds" / "亭旁镇-2022.txt").read_text("utf-8")
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
PAGE = "<html><head><title>{0}</title></head><body><div><h1>{0}</h1>{1}</div></body></html>"
NOTICE = PAGE.format("放假通知", "<p>全体职工明天放假一天,后天照常上班。</p>" * 40)
REPORT_PAGE = PAGE.format("亭旁镇2022年度工作总结", "".join(f"<p>{line}</p>" for line in SEED.splitlines()))
NOWHERE = "2022年工作总结\n\n" + SEED[SEED.index("2022年来") :]
for name in ("亭旁", "三门", "台州", "浙江"):
    NOWHERE = NOWHERE.replace(name, "")
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("bad") / "data") as running:
        yield running
        assert running.get("/v1/health").json()["status"] == "ok"


def refuse(server: Server, data: bytes, filename: str = "a.txt") -> dict[str, Any]:
    """Upload a file that is refused; the first reason, after a look at what is kept."""
    upload = server.ask_address(filename, len(data))
    assert server.put(upload, data).ok
    return kept_reason(server, server.outcome(upload), hashlib.sha256(data).hexdigest())


def kept_reason(server: Server, state: dict[str, Any], sha256: str) -> dict[str, Any]:
    assert (state["state"], state["report"], state["sha256"]) == ("rejected", None, sha256)
    note = orjson.loads((server.data / "rejected" / f"{state['id']}.json").read_bytes())
    assert (note["reasons"], note["sha256"]) == (state["reasons"], sha256)
    assert (server.data / "raw" / sha256).is_file()
    end = time.monotonic() + PATIENCE
    while (server.data / "incoming" / state["id"]).exists():  # it goes last, behind the final state
        assert time.monotonic() < end
        time.sleep(0.02)
    reason = dict(state["reasons"][0])
    assert reason["detail"]
    assert reason["way_out"]
    return reason


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(b"", "empty", id="an empty file"),
        pytest.param(b" \r\n\t\n", "empty", id="a blank file"),
        pytest.param(PICTURE, "not_text", id="a picture"),
        pytest.param(NOTICE.encode(), "not_a_report", id="a page that is no report"),
        pytest.param(bytes(range(128, 256)) * 40, "unknown_charset", id="text in no known charset"),
        pytest.param(NOWHERE.encode(), "no_township", id="a report with no township"),
        pytest.param(REPORT_PAGE.encode()[:200], "cut_off", id="HTML cut before its report"),
        pytest.param(
            REPORT_PAGE.encode()[: len(REPORT_PAGE.encode()) // 2],
            "cut_off",
            id="HTML cut in the middle",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(server: Server, data: bytes, code: str) -> None:
    assert refuse(server, data)["code"] == code


def test_a_file_of_100_megabytes_is_refused_with_both_sizes(server: Server) -> None:
    block, digest = b"x" * MEGABYTE, hashlib.sha256()
    for _ in range(100):
        digest.update(block)
    upload = server.ask_address("big.txt", 1)
    arriving = server.data / "incoming" / f".{upload['id']}"
    with arriving.open("wb") as file:
        file.writelines(block for _ in range(100))
    arriving.rename(server.data / "incoming" / upload["id"])  # dropped: no address takes as much
    reason = kept_reason(server, server.outcome(upload), digest.hexdigest())
    assert reason["code"] == "too_large"
    assert "100,000,000" in reason["detail"]
    assert "20,000,000" in reason["detail"]


def test_a_file_of_100_megabytes_gets_no_address(server: Server) -> None:
    before = sorted(server.data.rglob("*"))
    body: dict[str, Any] = {"filename": "big.txt", "bytes": 100 * MEGABYTE}
    answer = requests.post(f"{server.url}/v1/uploads", json=body, headers=server.key, timeout=PATIENCE)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (413, "upload_too_large")
    assert "100,000,000" in problem["detail"]
    assert "20,000,000" in problem["detail"]
    assert sorted(server.data.rglob("*")) == before


OTHERS: dict[str, tuple[Any, dict[str, str], int, str, str]] = {
    "a larger one": (b"x" * 11, {}, 413, "upload_too_large", "rejected"),
    "a larger one of unknown size": ((b"x" * 6 for _ in range(2)), {}, 413, "upload_too_large", "waiting"),
    "a smaller one": (b"x" * 9, {}, 400, "upload_cut", "waiting"),
    "a smaller one of unknown size": ((b"x" * 3 for _ in range(3)), {}, 400, "upload_cut", "waiting"),
    "nothing": (b"", {}, 400, "upload_cut", "waiting"),
    "one of another type": (b"x" * 10, {"Content-Type": "text/html"}, 415, "upload_type", "waiting"),
    "one of no type": (b"x" * 10, {"Content-Type": ""}, 415, "upload_type", "waiting"),
    "one of more than its type": (
        b"x" * 10,
        {"Content-Type": "text/plain; charset=utf-8"},
        415,
        "upload_type",
        "waiting",
    ),
}


@pytest.mark.parametrize(("data", "headers", "status", "code", "state"), OTHERS.values(), ids=OTHERS)
def test_another_file_than_was_announced_is_refused_and_the_right_one_taken(
    server: Server, data: Any, headers: dict[str, str], status: int, code: str, state: str
) -> None:
    upload = server.ask_address("a.txt", 10, media="text/plain")
    assert upload["put"]["headers"] == {"Content-Type": "text/plain"}
    sent = {**upload, "put": {**upload["put"], "headers": {**upload["put"]["headers"], **headers}}}
    answer = server.put(sent, data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert server.get(f"/v1/uploads/{upload['id']}").json()["state"] == state
    assert server.put(upload, b"x" * 10).ok
    digest = hashlib.sha256(b"x" * 10).hexdigest()
    server.until(f"/v1/uploads/{upload['id']}", lambda found: found["sha256"] == digest)


def test_a_file_beyond_what_an_address_takes_is_refused_at_the_door(server: Server) -> None:
    upload = server.ask_address("endless.txt", 20 * MEGABYTE)
    block = b"x" * MEGABYTE
    try:
        status = server.put(upload, (block for _ in range(201))).status_code
    except requests.ConnectionError:
        status = 413  # the server hung up before all was sent, as it may
    assert status == 413
    assert server.get(f"/v1/uploads/{upload['id']}").json()["state"] == "waiting"
    assert list((server.data / ".tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\报告.txt", "报告.txt"),
        ("亭旁镇 2022年 工作总结.txt", "亭旁镇 2022年 工作总结.txt"),
    ],
)
def test_a_file_name_never_leads_out_of_the_folder(server: Server, given: str, kept: str) -> None:
    before = {path.name for path in server.data.parent.iterdir()}
    upload = server.ask_address(given, 0)
    assert server.put(upload, b"").ok
    assert server.outcome(upload)["filename"] == kept
    assert {path.name for path in server.data.parent.iterdir()} == before


def test_a_used_upload_address_is_refused_and_the_outcome_stays(server: Server) -> None:
    upload = server.ask_address("a.txt", len(SEED.encode()))
    server.put(upload, SEED.encode())
    outcome = server.outcome(upload)
    answer = server.put(upload, NOTICE.encode())
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_address_used")
    assert server.outcome(upload) == outcome
    assert outcome["state"] == "published"


def stored_files(server: Server) -> list[Path]:
    return sorted(path for folder in ("raw", "incoming") for path in (server.data / folder).rglob("*"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("signature=", "signature=0", id="another signature"),
        pytest.param("bytes=", "bytes=9", id="another size"),
        pytest.param("type=", "type=text%2Fplain", id="another type"),
        pytest.param("expires=", "expires=9", id="another time"),
        pytest.param("/objects/incoming/", "/objects/incoming/../raw/", id="a path out of the folder"),
        pytest.param("/objects/incoming/", "/objects/raw/", id="another folder"),
        pytest.param("/objects/incoming/", "/objects/incoming/%2e%2e%2fraw%2f", id="an encoded path out of the folder"),
        pytest.param("?", "?unsigned=", id="no signature"),
    ],
)
def test_a_forged_upload_address_is_refused_and_nothing_is_kept(server: Server, old: str, new: str) -> None:
    upload = server.ask_address("a.txt", len(NOTICE.encode()))
    forged = upload["put"]["url"].replace(old, new, 1)
    assert forged != upload["put"]["url"]
    before = stored_files(server)
    request = requests.Request("PUT", "http://placeholder", data=NOTICE.encode()).prepare()
    request.url = forged  # as it is: a client library would tidy the dots away
    answer = requests.Session().send(request, timeout=PATIENCE)
    assert answer.status_code in (400, 403, 404)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert stored_files(server) == before
    assert server.get(f"/v1/uploads/{upload['id']}").json()["state"] == "waiting"
