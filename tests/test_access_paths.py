"""The table of access paths in the docs, compared with what each question really asks the index: keys alone, never a scan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from chalicelib.bulk import export
from chalicelib.catalog import paging
from chalicelib.storage import Entry, Index, Storage
from chalicelib.web.routes import ROUTES
from tests.gateway import get
from tests.published import FANGCHENG, TINGPANG, indicator, publish, record

TABLE = Path(__file__).resolve().parent.parent / "docs" / "access-paths.md"


@dataclass
class Recording:
    """An index that keeps the keys that it is asked for, and has no way to go through everything."""

    index: Index
    asked: list[str] = field(default_factory=list)

    def get(self, pk: str, sk: str) -> Entry | None:
        self.asked.append(f"get {pk} {sk}".strip())
        return self.index.get(pk, sk)

    def query(self, pk: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[Entry]:
        self.asked.append(f"query {pk} {prefix}".strip())
        return self.index.query(pk, prefix=prefix, after=after, limit=limit)

    def __getattr__(self, name: str) -> Any:
        if name == "entries":
            raise AssertionError("a question went through the whole index")
        return getattr(self.index, name)


def rows_of_table() -> dict[str, list[str]]:
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| `/")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {url.strip("`"): [each.strip("`") for each in asked.split("<br>") if each != "none"] for url, asked in cells}


@pytest.fixture(params=["local", "aws"])
def filled(request: pytest.FixtureRequest) -> Storage:
    storage: Storage = request.getfixturevalue(f"{request.param}_storage")
    for code in (TINGPANG, FANGCHENG):
        for year in (2021, 2022):
            publish(storage, record(code, year, indicators=[indicator(1, "gdp", year), indicator(2, "exports", year)]))
    export.publish_files(storage)
    return storage


@pytest.mark.parametrize("url", rows_of_table())
def test_a_question_asks_for_the_keys_that_the_table_names(filled: Storage, url: str) -> None:
    index = Recording(filled.index)
    answer = get(replace(filled, index=index), url)
    assert answer.status == 200, answer.body
    assert index.asked == rows_of_table()[url]
    assert len(index.asked) <= paging.QUERIES


def test_the_table_has_every_filter_of_the_lists_of_reports_and_figures() -> None:
    shared = {"cursor", "limit", "format", "lang", "fields"}
    for route in ROUTES:
        if route.name in ("list_reports", "list_indicators", "list_township_indicators", "list_township_targets"):
            path = route.path.replace("{township}", TINGPANG)
            asked = [urlsplit(url) for url in rows_of_table()]
            named = {name for each in asked if each.path == path for name, _ in parse_qsl(each.query)}
            assert {parameter.name for parameter in route.parameters} - shared <= named, route.path
