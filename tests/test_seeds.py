"""The seeds: the documents as they came, and what a first run makes of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest

from chalicelib import records
from chalicelib.catalog import layout
from chalicelib.storage import Storage
from tests.made_reports import drop

SEEDS = Path(__file__).resolve().parent.parent / "seeds"

# name, SHA-256 of the document as it came, title, township, county, review year, plan year
SEED_ROWS = [
    (
        "亭旁镇-2022.txt",
        "a0bcffc7439add4ca1a28d2408985f2c0c024771aa64f3be1b9110041c5ab765",
        "亭旁镇2022年度工作总结",
        "331022103",
        "三门县",
        2022,
        None,
    ),
    (
        "下各镇-2023.txt",
        "74b6c62981c49c93ee58dcb06d25a8b6e868f6096be46432b12a52a091a00e13",
        "下各镇2023年工作总结和2024 工作思路",
        "331024106",
        "仙居县",
        2023,
        2024,
    ),
    (
        "上盘镇-2023.txt",
        "e0c5373ebf2719cb1086744e6024f7cd4d5aa6f289b9113c71a8f4728c0abeb3",
        "上盘镇2023年工作总结及2024年工作计划",
        "331082113",
        "临海市",
        2023,
        2024,
    ),
    (
        "稽东镇-2023.txt",
        "b798d65bd1824ece53349b36beaca5ec24f24506d81581ffb2e9856a6a2e56d3",
        "稽东镇2023年度总结",
        "330603109",
        "柯桥区",
        2023,
        None,
    ),
    (
        "芦浦镇-2020.txt",
        "a92a30a3a8e2c00702c0de647355fb1d222521245e27828ca4849cc611af54c6",
        "(玉环市)芦浦镇2020年工作总结和2021年工作思路汇报",
        "331083106",
        "玉环市",
        2020,
        2021,
    ),
]


def test_the_folder_holds_these_documents_byte_for_byte() -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in SEEDS.glob("*.txt")}
    assert found == {row[0]: row[1] for row in SEED_ROWS}


@pytest.mark.parametrize("row", SEED_ROWS, ids=[row[0] for row in SEED_ROWS])
def test_a_seed_is_published_as_the_report_that_it_is(local_storage: Storage, row: tuple[Any, ...]) -> None:
    name, sha256, title, code, county, review_year, plan_year = row
    state = drop(local_storage, name, (SEEDS / name).read_bytes())
    assert state["report"] == {"id": f"{code}-{review_year}", "revision": 1}
    record = orjson.loads(local_storage.objects.get(layout.record_object(state["report"]["id"], 1)))
    records.validate(record)
    assert (record["title"], record["review_year"], record["plan_year"]) == (title, review_year, plan_year)
    assert (record["township"]["code"], record["township"]["county"]) == (code, county)
    assert record["source"]["sha256"] == sha256
    text = local_storage.objects.get(layout.text_object(state["report"]["id"], 1)).decode()
    spans = [(s["title_start"], s["title_end"], s["title"]) for s in record["sections"]]
    spans += [(i["evidence"]["start"], i["evidence"]["end"], i["evidence"]["quote"]) for i in record["indicators"]]
    assert len(spans) > 20
    assert all(text[start:end] == quote for start, end, quote in spans)


def test_the_readme_tells_of_every_seed() -> None:
    told = (SEEDS / "README.md").read_text("utf-8")
    for name, _, title, code, county, *_ in SEED_ROWS:
        assert all(word in told for word in (f"`{name}`", title, code, county))
