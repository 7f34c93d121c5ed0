"""The upload form of the developers' page in a browser, against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import browser
from tests.browser import Visit
from tests.running_server import ROOT, Server, run_server

pytestmark = pytest.mark.browser

SEED = ROOT / "seeds" / "亭旁镇-2022.txt"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("page") / "data") as started:
        yield started


@pytest.fixture
def visit() -> Iterator[Visit]:
    with browser.running() as chromium, browser.visit(chromium) as visiting:
        yield visiting


def send(page: Any, server: Server, file: Path, key: str, dry_run: bool = False) -> None:
    page.goto(f"{server.url}/developers")
    page.set_input_files("#file", str(file))
    page.fill("#key", key)
    page.set_checked("#dry", dry_run)
    page.click("#upload button")


def test_a_report_is_refused_without_the_key_published_with_it_and_the_next_one_checked(
    server: Server, visit: Visit, tmp_path: Path
) -> None:
    key, page = server.key["X-API-Key"], visit.page
    send(page, server, SEED, "wrong")
    page.wait_for_selector("#state .failed")
    assert "needs a key" in page.inner_text("#state")
    assert len(visit.complaints) == 1, "of the 401 alone"
    visit.complaints.clear()
    send(page, server, SEED, key)
    page.wait_for_selector("#state .published")
    assert "331022103-2022" in page.inner_text("#state")
    later = tmp_path / "亭旁镇-2023.txt"
    later.write_text(SEED.read_text("utf-8").replace("2022", "2023"), "utf-8")
    send(page, server, later, key, dry_run=True)
    page.wait_for_selector("#state .checked")
    told = page.inner_text("#state")
    assert "331022103-2023" in told
    assert "industrial_output_above_scale\t454780000 CNY\t454780000 CNY\t× 1" in told
    assert server.get("/v1/reports/331022103-2023").status_code == 404
