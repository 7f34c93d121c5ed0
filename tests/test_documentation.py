"""The page that shows the contract: whole without a network, by itself and in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from chalicelib.storage import Storage
from chalicelib.web import pages, replies
from chalicelib.web.pages import CONTRACT
from tests import browser
from tests.gateway import get
from tests.running_server import Server, run_server

BASE = "https://reports.example/api"
# What browsers load by themselves: by tags, style sheets, modules, workers and requests of scripts.
LOADS = re.compile(
    r"""(?:\b(?:src|href)\s*=\s*|\burl\(\s*|@import\s+|\bimport\s*\(\s*|\bfetch\(\s*|\bimportScripts\(\s*|\bnew\s+(?:Worker|EventSource|WebSocket)\(\s*)"""
    r"""["'`]?(?:https?:)?//[^"'`)\s]+"""
)


def parts(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(docs/[^"]+)"', page)


def test_every_part_that_the_page_asks_for_is_served_and_kept_for_ever(local_storage: Storage) -> None:
    page = get(local_storage, "/docs")
    asked = parts(page.body)
    assert [part.rpartition("/")[2] for part in asked] == [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "documentation.js",
    ]
    for part in asked:
        answer = get(local_storage, f"/{part}")
        assert (answer.status, answer.headers["cache-control"]) == (200, replies.FOR_EVER)
        media = "text/css" if part.endswith("css") else "text/javascript"
        assert answer.headers["content-type"] == f"{media}; charset=utf-8"


def test_nothing_is_loaded_from_another_host(local_storage: Storage) -> None:
    page = get(local_storage, "/docs").body
    assert LOADS.findall(page.replace(f'<base href="{BASE}/">', "")) == []
    for part in parts(page):
        assert LOADS.findall(get(local_storage, f"/{part}").body) == [], part


@pytest.mark.parametrize(
    "load", ['<script src="//cdn.example/x.js">', "url(https://x.example/f.woff)", 'fetch("http://x.example/")']
)
def test_a_load_from_another_host_is_seen(load: str) -> None:
    assert LOADS.search(load)


@pytest.mark.parametrize("name", ["swagger-ui.js", "..%2Ffront.html", "index.html"])
def test_other_parts_are_none(local_storage: Storage, name: str) -> None:
    assert get(local_storage, f"/docs/{pages.documentation_version()}/{name}").status == 404


def test_parts_of_another_version_are_none(local_storage: Storage) -> None:
    assert get(local_storage, "/docs/older/swagger-ui.css").status == 404


def test_nothing_of_the_page_is_inline(local_storage: Storage) -> None:
    answer = get(local_storage, "/docs")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'")
    assert "unsafe" not in policy
    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", answer.body) == []


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with run_server(tmp_path / "data") as started:
        yield started


@pytest.mark.browser
def test_a_browser_shows_every_operation_and_tries_one_without_a_network(server: Server) -> None:
    document = orjson.loads(CONTRACT.read_bytes())
    with browser.running() as started, browser.visit(started, locale="en") as visit:
        page = visit.page
        page.goto(f"{server.url}/docs")
        page.wait_for_selector(".opblock")
        shown = {
            tuple(block.inner_text().replace("\u200b", "").split()[:2])
            for block in page.query_selector_all(".opblock-summary-control")
        }
        assert shown == {
            (method.upper(), path)
            for path, operations in document["paths"].items()
            for method in operations
            if method != "head"
        }
        visit.shoot("documentation")
        page.click("#operations-service-check_health .opblock-summary-control")
        page.click("#operations-service-check_health .try-out__btn")
        page.click("#operations-service-check_health .execute")
        page.wait_for_selector("#operations-service-check_health .live-responses-table")
        assert '"storage"' in page.inner_text("#operations-service-check_health .live-responses-table")
        visit.shoot("documentation-tried")
        assert visit.hosts == {server.url.removeprefix("http://")}
