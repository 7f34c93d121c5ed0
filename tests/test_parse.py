"""From any bytes to a record or a reason: what holds of every upload, mended or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib import records
from chalicelib.errors import ReportError
from chalicelib.reading.parse import parse

DOCS = Path(__file__).parent / "quality" / "docs"
PAGES = [(path.name, path.read_bytes()) for path in sorted(DOCS.iterdir())]
TINGPANG = "331022103"
# What a page must hold beside its figures to be taken for a report.
PROSE = (
    "一年来，我镇在上级党委、政府的坚强领导下，坚持稳中求进工作总基调，团结带领广大干部群众，攻坚克难，真抓实干，经济社会保持平稳健康发展。"
    "我们坚持把发展作为硬道理，持续优化营商环境，不断夯实产业基础；坚持以人民为中心，着力办好民生实事，群众的获得感和幸福感明显增强。"
)
HEAD = f"某镇2022年工作总结\n\n{PROSE}\n2022年，我镇完成税收860万元。"


def parsed(data: bytes, filename: str) -> records.Parsed | None:
    """The record of an upload with all that must hold of it; None where it is refused with a reason."""
    try:
        found = parse(data, filename, TINGPANG)
    except ReportError as error:
        refused = error
    else:
        check_record(found)
        return found
    assert refused.code
    assert refused.detail
    return None


def check_record(found: records.Parsed) -> None:
    check_evidence(found.record, found.text)
    check_nesting(found.record["sections"], found.text)
    records.validate(json.loads(records.dump(found.record)))


def check_evidence(record: dict[str, Any], text: str) -> None:
    for indicator in record["indicators"]:
        evidence = indicator["evidence"]
        assert text[evidence["start"] : evidence["end"]] == evidence["quote"]
        number_end = evidence["number_start"] + len(evidence["number"])
        assert text[evidence["number_start"] : number_end] == evidence["number"]
        assert evidence["start"] <= evidence["number_start"] < number_end <= evidence["end"]
        assert indicator["name"].strip()
        assert "\n" not in evidence["quote"]
    ids = [i["id"] for i in record["indicators"]] + [s["id"] for s in record["sections"]]
    assert len(ids) == len(set(ids))
    assert {i["section"] for i in record["indicators"]} <= {s["id"] for s in record["sections"]} | {None}
    assert {c["indicator"] for c in record["checks"]} <= {*ids, None}


def check_nesting(sections: list[dict[str, Any]], text: str) -> None:
    known = {s["id"]: s for s in sections}
    for section in sections:
        assert text[section["title_start"] : section["title_end"]] == section["title"]
        assert section["start"] <= section["title_start"] < section["title_end"] <= section["end"] <= len(text)
        if section["parent"] is None:
            assert section["level"] == 1
        else:
            parent = known[section["parent"]]
            assert section["level"] == parent["level"] + 1
            assert parent["start"] < section["start"] < section["end"] <= parent["end"]
    starts = [s["start"] for s in sections]
    assert starts == sorted(set(starts))


# --- whole reports


@pytest.mark.parametrize(("filename", "data"), PAGES, ids=[name for name, _ in PAGES])
def test_a_report_is_read(filename: str, data: bytes) -> None:
    found = parsed(data, filename)
    assert found
    assert len(found.record["indicators"]) > 20


def test_parsing_is_deterministic() -> None:
    for filename, data in PAGES[:4]:
        assert records.dump(parse(data, filename).record) == records.dump(parse(data, filename).record)


def test_indicators_lie_in_the_section_that_they_name() -> None:
    for filename, data in PAGES:
        record = parse(data, filename).record
        known = {s["id"]: s for s in record["sections"]}
        for indicator in record["indicators"]:
            if indicator["section"] is not None:
                section = known[indicator["section"]]
                assert section["start"] <= indicator["evidence"]["number_start"] < section["end"]


def test_values_are_exact_decimals() -> None:
    page = f"某镇2022年工作总结\n\n{PROSE}\n全年完成税收1.71亿元，完成投资0.1亿元，新建公路0.3公里，参保率98.60%。".encode()
    values = [i["value"] for i in parse(page, "report.txt").record["indicators"]]
    assert values == [Decimal("171000000"), Decimal("10000000"), Decimal("0.3"), Decimal("98.6")]


# --- mended, cut and made-up uploads

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PIECES = [
    "一、", "（一）", "1.", "①", "一是", "第一，", "。", "，", "；", "：", "、", "“", "”", "（", "）", "\n", "\u3000", " ",
    "同比增长", "下降", "分别", "其中", "完成", "12.5%", "3,200万元", "１２．５％", "三千二百余户", "1-9月", "2022年", "由", "到",
    "翻一番", "增长3倍", "持平", "12:45:43", "零发生", "亿元以上", "指标 | 单位 | 完成数\n税收 | 万元 | 860\n", "第十四个", "%", "万",
    "占", "年度目标的", "-", "12345热线", "“1+3+N”", "5", "十", "百分之", "元/平方米", "头（只）", "…", "\u200b", "㎡", "𠮷",
]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """A real-looking page with bytes cut, swapped, doubled or written over."""
    filename, data = draw(st.sampled_from(PAGES))
    low = draw(st.integers(0, len(data) - 1))
    high = min(len(data), low + draw(st.integers(1, 4000)))
    how = draw(st.sampled_from(["cut", "keep", "double", "write", "end"]))
    if how == "cut":
        return filename, data[:low] + data[high:]
    if how == "keep":
        return filename, data[low:high]
    if how == "double":
        return filename, data[:high] + data[low:]
    if how == "end":
        return filename, data[:low]
    return filename, data[:low] + draw(st.binary(max_size=40)) + data[high:]


@QUICK
@given(damaged())
def test_a_damaged_page_is_read_or_refused(upload: tuple[str, bytes]) -> None:
    parsed(upload[1], upload[0])


@QUICK
@given(st.integers(0, len(PAGES) - 1), st.lists(st.tuples(st.floats(0, 1), st.sampled_from(PIECES)), max_size=12))
def test_a_page_with_words_thrown_in_is_read(page: int, thrown: list[tuple[float, str]]) -> None:
    filename, data = PAGES[page]
    text = data.decode("gb18030" if "gb18030" in filename else "utf-8")
    for where, piece in sorted(thrown, reverse=True):
        place = int(where * len(text))
        text = text[:place] + piece + text[place:]
    parsed(text.encode(), filename)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_words_of_the_genre_are_read(pieces: list[str]) -> None:
    parsed((HEAD + "".join(pieces)).encode(), "report.txt")


@QUICK
@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    parsed(f"{HEAD}\n{text}".encode("utf-8", "surrogatepass"), "report.txt")


@QUICK
@given(st.binary(max_size=400), st.sampled_from(["report.txt", "report.html", "", "a.pdf"]))
def test_any_bytes_are_read_or_refused(data: bytes, filename: str) -> None:
    parsed(data, filename)


MARKUP = ["<p>", "</p>", "<table>", "<tr><td>", "</td>", "<!--", "-->", "<script>", "&nbsp;", "&#x4e00;", "<div ", '"']


@QUICK
@given(st.lists(st.sampled_from([*MARKUP, *PIECES]), max_size=60))
def test_any_markup_is_read_or_refused(pieces: list[str]) -> None:
    page = f"<html><head><title>某镇2022年工作总结</title></head><body><p>{PROSE}{''.join(pieces)}"
    parsed(page.encode(), "report.html")


Mend = Callable[[str], str]
SPELLINGS: dict[str, Mend] = {
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "old line ends": lambda text: text.replace("\n", "\r"),
    "blanks at line ends": lambda text: text.replace("\n", "\u3000\n"),
    "empty lines": lambda text: text.replace("\n", "\n\n"),
    "indented paragraphs": lambda text: text.replace("\n", "\n\u3000\u3000"),
}


@pytest.mark.parametrize("mend", SPELLINGS.values(), ids=list(SPELLINGS))
def test_layout_changes_nothing_of_what_is_read(mend: Mend) -> None:
    text = (
        f"某镇2022年工作总结\n\n{PROSE}\n一、经济发展\n全年完成税收860万元，同比增长8%。\n二、社会事业\n新建公厕6座。\n"
    )
    plain = parsed(text.encode(), "report.txt")
    other = parsed(mend(text).encode(), "report.txt")
    assert plain
    assert other
    for key in ("name", "value", "unit", "yoy"):
        assert [i[key] for i in plain.record["indicators"]] == [i[key] for i in other.record["indicators"]]
    assert [s["title"] for s in plain.record["sections"]] == [s["title"] for s in other.record["sections"]]
