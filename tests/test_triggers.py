"""The ways in on one machine, all through the real server: an upload address, a dropped file, the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from tests.running_server import PATIENCE, ROOT, Server, run_server

SEEDS = ROOT / "seeds"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("triggers") / "data") as running:
        yield running


def test_a_file_put_at_its_address_is_published_and_reaches_the_bulk_files(server: Server) -> None:
    data = (SEEDS / "上盘镇-2023.txt").read_bytes()
    upload = server.ask_address("上盘镇.txt", len(data))
    assert upload["state"] == "waiting"
    assert server.put(upload, data).ok
    state = server.outcome(upload)
    assert (state["state"], state["report"]["id"]) == ("published", "331082113-2023")
    assert server.get("/v1/reports/331082113-2023").json()["title"] == "上盘镇2023年工作总结及2024年工作计划"
    manifest = server.until("/v1/bulk", lambda found: found["reports"] >= 1)
    assert requests.get(manifest["files"][0]["url"], timeout=PATIENCE).ok


def test_a_file_dropped_into_the_folder_is_published(server: Server) -> None:
    (server.data / "incoming" / "芦浦镇.txt").write_bytes((SEEDS / "芦浦镇-2020.txt").read_bytes())
    report = server.until("/v1/reports/331083106-2020", lambda _: True)
    assert report["source"]["filename"] == "芦浦镇.txt"
    assert list((server.data / "incoming").iterdir()) == []


def test_a_dry_run_is_checked_beside_last_years_report_and_not_published(server: Server) -> None:
    data = (SEEDS / "上盘镇-2023.txt").read_bytes()
    before = server.ask_address("上盘镇.txt", len(data))
    server.put(before, data)
    assert server.outcome(before)["state"] == "published"
    later = data.decode().replace("2024", "2025").replace("2023", "2024").encode()
    upload = server.announce("上盘镇.txt", len(later), "?dry_run=true").json()
    assert server.put(upload, later).ok
    state = server.outcome(upload)
    assert (state["state"], state["report"]) == ("checked", None)
    preview = state["preview"]
    assert preview["report"] == {"id": "331082113-2024", "revision": 1}
    assert preview["comparison"]["report"] == {"id": "331082113-2023", "revision": 1}
    ratios = {row["ratio"] for row in preview["comparison"]["concepts"]}
    assert 1.0 in ratios
    assert ratios <= {1.0, None}
    assert server.get("/v1/reports/331082113-2024").status_code == 404
    assert list((server.data / "incoming").iterdir()) == []


def test_the_command_line_publishes_beside_the_running_server(server: Server) -> None:
    command = [sys.executable, "-m", "chalicelib", "ingest", str(SEEDS / "下各镇-2023.txt")]
    environment = {**os.environ, "REPORTS_DATA": str(server.data)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "仙居县下各镇 2023" in done.stdout
    assert server.get("/v1/reports/331024106-2023").json()["revision"] == 1


def test_a_township_that_is_a_question_is_answered_by_a_request(server: Server) -> None:
    text = (SEEDS / "稽东镇-2023.txt").read_text("utf-8")
    for name in ("稽东", "002582550/2024-72380"):
        text = text.replace(name, "太平" if name == "稽东" else "")
    upload = server.ask_address("太平镇.txt", len(text.encode()))
    server.put(upload, text.encode())
    state = server.outcome(upload)
    assert state["state"] == "needs_township", state
    code = state["candidates"][0]["code"]
    answer = requests.post(
        f"{server.url}/v1/uploads/{upload['id']}/township",
        json={"township": code},
        headers=server.key,
        timeout=PATIENCE,
    )
    assert answer.ok, answer.text
    assert server.outcome(upload)["report"]["id"] == f"{code}-2023"
