"""The gold agrees with its documents and with itself."""

import html
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from tests.quality.tally import document

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GOLD = sorted((HERE / "gold").glob("*.json"))
REPORT = {
    "title",
    "township",
    "county",
    "prefecture",
    "province",
    "index_number",
    "issuer",
    "issued",
    "review_year",
    "plan_year",
}
INDICATOR = {"quote", "number", "names", "value", "unit", "bound", "yoy", "year", "months", "status", "concept"}


def visible(path: Path) -> str:
    """The document's text without tags and white space."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("gb18030")
    if path.suffix == ".html":
        text = re.sub(r"<!--.*?-->|<(script|style|head)\b.*?</\1>", "", text, flags=re.S | re.I)
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
    return squeeze(text)


def squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def load(path: Path) -> dict[str, Any]:
    gold = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(gold, dict)
    return gold


def digits_of(number: str) -> float | None:
    """What a number in Arabic digits says, 万 and 亿 multiplied out; None for any other."""
    plain = unicodedata.normalize("NFKC", squeeze(number)).replace(",", "")
    found = re.match(r"(\d+(?:\.\d+)?)(?:[-~—至]\d+(?:\.\d+)?)?[余多]?([亿万]|[千百](?![米瓦克卡]))?", plain)
    if not found:
        return None
    return float(found[1]) * {"亿": 1e8, "万": 1e4, "千": 1e3, "百": 1e2}.get(found[2] or "", 1)


def test_every_document_has_gold() -> None:
    docs = {path.name for path in (HERE / "docs").iterdir()} | {f"seeds/{p.name}" for p in ROOT.glob("seeds/*.txt")}
    assert docs == {load(path)["doc"] for path in GOLD}
    assert {Path(doc).stem for doc in docs} == {path.stem for path in GOLD}


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem)
def test_report_and_sections(path: Path) -> None:
    gold = load(path)
    text = visible(document(gold["doc"]))
    assert set(gold["report"]) == REPORT
    assert squeeze(gold["report"]["title"]) in text
    issued = gold["report"]["issued"]
    assert issued is None or re.fullmatch(r"\d{4}-\d\d-\d\d", issued)
    place, depth = 0, 0
    for section in gold["sections"]:
        assert set(section) - {"alt_titles"} == {"level", "label", "title"}
        assert 1 <= section["level"] <= depth + 1, f"{section['title']} skips a level"
        depth = section["level"]
        place = text.find(squeeze(section["title"]), place)
        assert place >= 0, f"{section['title']} is missing or out of order"


@pytest.mark.parametrize("path", GOLD, ids=lambda path: path.stem)
def test_indicators(path: Path) -> None:
    gold = load(path)
    text = visible(document(gold["doc"]))
    seen: set[tuple[Any, ...]] = set()
    place = 0
    assert len(gold["indicators"]) >= 20
    for item in gold["indicators"]:
        where = f"{item['names'][0]}: {item['quote']}"
        assert set(item) - {"optional"} == INDICATOR, where
        quote, number = squeeze(item["quote"]), squeeze(item["number"])
        assert text.count(quote) == 1, f"{where} stands {text.count(quote)} times"
        assert number in quote, where
        start = text.find(quote) + quote.find(number)
        assert start >= place, f"{where} is out of order"
        place = start
        assert 1 <= len(item["names"]) == len(set(item["names"])), where
        assert item["bound"] in {"=", ">=", "<=", "~"}, where
        assert item["status"] in {"actual", "target", "estimate"}, where
        assert (item["value"] is None) <= (item["yoy"] is not None and item["unit"] is None), where
        assert item["months"] is None or 1 <= item["months"][0] <= item["months"][1] <= 12, where
        assert 2000 <= item["year"] <= 2035, where
        assert item.get("optional", True) is True, where
        said = digits_of(item["number"])
        if said is not None and item["unit"] == "%" and item["number"].endswith("倍"):
            said *= 100  # 增长1.1倍
        if said is not None and item["unit"] == "%" and "成" in item["number"]:
            said *= 10  # 9成左右楼宇
        stated = item["value"] if item["value"] is not None else item["yoy"]
        bare = re.fullmatch(r"[\d.,]+", item["number"])  # a table's cell, its unit stands elsewhere
        if said is not None and not bare:
            assert abs(stated) == pytest.approx(said), where
        if re.search("[余多]", item["number"]):
            assert item["bound"] == ">=", where
        key = (item["quote"], item["number"], item["names"][0], item["year"])
        assert key not in seen, where
        seen.add(key)
