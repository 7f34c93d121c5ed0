"""Debian's Chromium without a window, driven by playwright; where either is missing its tests are skipped, and told so."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SCREENSHOTS = Path(__file__).resolve().parent.parent / "build" / "screenshots"
PACKAGES = ("chromium", "fonts-wqy-zenhei")
PATIENCE = 10_000  # milliseconds until a test gives up


def missing() -> str:
    """What the tests in a browser need and this machine lacks."""
    return "" if shutil.which("chromium") else "chromium (apt-get install chromium fonts-wqy-zenhei)"


@dataclass
class Visit:
    """A page in a browser, what it complained about, and the hosts that it asked."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def watch(self) -> None:
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def shoot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")


@contextlib.contextmanager
def running() -> Iterator[Any]:
    """A browser, for all tests of this process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def visit(browser: Any, **options: Any) -> Iterator[Visit]:
    """A fresh page, in Chinese unless `locale` says otherwise; fails for an error in its console."""
    context = browser.new_context(**{"locale": "zh-CN", **options})
    context.set_default_timeout(PATIENCE)
    visiting = Visit(context.new_page())
    visiting.watch()
    try:
        yield visiting
        assert visiting.complaints == []
    finally:
        context.close()
