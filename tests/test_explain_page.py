"""The page of an explanation: whole, closed against what stands in a report, and true to the text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import records
from chalicelib.__main__ import main
from chalicelib.explain import explain_page
from chalicelib.explain.escape import show, show_plain
from chalicelib.explain.explain import explain
from chalicelib.explain.page import render_page
from tests.running_server import ROOT
from tests.test_explain import PAGES, explained
from tests.test_parse import HEAD, TINGPANG

SEED = ROOT / "seeds" / "亭旁镇-2022.txt"
MARKUP = (
    "html head meta title style body header h1 h2 h3 h4 h5 h6 dl div dt dd i span details summary ol ul li code q b fieldset legend label"
    " input nav a main article p aside section table thead tr th tbody td script"
)
GIVEN = (
    "lang charset http-equiv content name class type id checked href data-i aria-label aria-live aria-labelledby tabindex role"
    " scope open"
)
TAGS, ATTRIBUTES = set(MARKUP.split()), set(GIVEN.split())
CODE = re.compile(r"U\+([0-9A-F]{4,6})")


class Reader(HTMLParser):
    """What a browser makes of a page, as far as it is asked here."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.lines: list[str] = []
        self.inside = self.unseen = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags[tag] += 1
        self.attributes |= set(given)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if "href" in given else []
        self.inside = self.inside or given.get("id") == "text"
        self.unseen = given.get("class") == "u"
        if self.inside and tag in ("p", "h3", "h4", "h5", "h6"):
            self.lines.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "article"

    def handle_data(self, data: str) -> None:
        if self.inside and self.lines:
            code = CODE.fullmatch(data) if self.unseen else None
            self.lines[-1] += chr(int(code[1], 16)) if code else data
        self.unseen = False


def check_page(page: str, text: str) -> Reader:
    """A page that holds its own markup alone, whose links lead somewhere, and whose text is the report's."""
    read = Reader(page)
    assert set(read.tags) <= TAGS
    assert (read.tags["script"], read.tags["style"], read.tags["title"]) == (1, 1, 1)
    assert read.attributes <= ATTRIBUTES
    assert [name for name, times in Counter(read.ids).items() if times > 1] == []
    assert {link for link in read.links if link[:1] != "#" or link[1:] not in read.ids} == set()
    assert [line.rstrip("\n") for line in read.lines] == [line for line in text.split("\n") if line.strip()]
    return read


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_a_page_holds_the_whole_text_and_nothing_foreign(path: Path) -> None:
    found = explained(path)
    read = check_page(render_page(found), found.text)
    assert {f"i{n + 1}" for n in range(len(found.record["indicators"]))} <= set(read.ids)
    assert {f"n{n}" for n in range(len(found.marks))} <= set(read.ids)
    assert {s["id"] for s in found.record["sections"]} <= set(read.ids)


def test_a_page_loads_nothing() -> None:
    page = explain_page(SEED.read_bytes(), SEED.name)
    assert not re.search(r"https?:|url\(|@import|src=|<link|<img|<iframe", page)
    assert "default-src 'none'" in page


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</style><style>*{display:none}</style>",
    "</article></main><h1>假标题</h1>",
    "<!-- ",
    "]]>",
    "&lt;b&gt;&amp;#60;script&#62;",
    "\u202e倒写\u202c",
    "\u2066隔离",
    "\u200b\u200d\u2060",
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_a_report_says_stays_text(hostile: str) -> None:
    body = f"一、{hostile}工作回顾\n完成{hostile}税收860万元，同比增长6.8%{hostile}。\n二、{hostile}打算\n{hostile}企业12家“{hostile}3”。"
    data = f"{HEAD.replace('某镇', f'某镇{hostile}', 1)}\n{body}".encode()
    found = explain(data, f"{hostile}.txt", TINGPANG)
    check_page(render_page(found), found.text)


@pytest.mark.parametrize("hostile", [*HOSTILE, "\x00\x07\x1b[2J\ufeff"])
@pytest.mark.parametrize("field", ["title", "issuer", "index_number", "id"])
def test_what_a_record_says_stays_text(hostile: str, field: str) -> None:
    found = explained(SEED)
    evidence = {**found.record["township"], "evidence": [hostile, hostile]}
    check = {"rule": hostile, "indicator": None, "message": hostile}
    record = {**found.record, field: hostile, "candidates": [evidence], "checks": [check]}
    check_page(render_page(replace(found, record=record)), found.text)


@given(st.text(alphabet=st.characters(codec=None), max_size=60))
@settings(max_examples=300, deadline=None)
def test_shown_text_is_seen_and_closed(text: str) -> None:
    for shown in (show(text), show_plain(text)):
        bare = re.sub(r"</?span[^>]*>", "", shown)
        assert not set(bare) & set("<>\"'")
        bare.encode()  # no half of a character is left
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", bare)


def test_a_page_names_the_candidates_of_an_open_township() -> None:
    data = re.sub("索引号.*", "", SEED.read_text(encoding="utf-8").replace("亭旁", "太平")).encode()
    found = explain(data, "太平镇.txt")
    assert found.record["candidates"]
    page = render_page(found)
    assert all(c["code"] in page for c in found.record["candidates"])
    check_page(page, found.text)


def test_a_page_shows_the_fields_the_rules_and_the_remarks() -> None:
    data = f"{HEAD}\n完成参保率130%。力争完成税收860万元，同比增长6.8%。".encode()
    page = explain_page(data, "a.txt", TINGPANG)
    assert page.count('<a class="i c"') == 1  # the figure that a check remarks on
    for piece in (
        "share_over_100",
        "target_word",
        "name_before",
        "year_of_report",
        "growth_of_value",
        "8600000",
        "6.8",
    ):
        assert piece in page, piece


def test_a_long_report_takes_time_in_proportion() -> None:
    """Counted, not timed: the page of ten times the text is about ten times as long."""

    def size(times: int) -> int:
        lines = (
            f"完成税收{n}万元，同比增长6.8%。引进企业{n}家，2022年获评3A级景区。" for n in range(1000, 1000 + times)
        )
        return len(explain_page("\n".join([HEAD, *lines]).encode(), "a.txt", TINGPANG))

    assert 8 < (size(2000) - size(100)) / (size(300) - size(100)) < 11


# --- the command line


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chalicelib", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.mark.parametrize("arguments", [["parse", str(SEED), "--explain"], ["parse", "--explain", str(SEED)]])
def test_explain_prints_the_page_and_nothing_else(arguments: list[str]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == explain_page(SEED.read_bytes(), SEED.name)


def test_explain_writes_a_file_and_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "page.html"
    assert main(["parse", str(SEED), "--explain", "--output", str(out)]) == 0
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", f"Wrote {out}: {out.stat().st_size} bytes.\n")
    assert out.read_text(encoding="utf-8") == explain_page(SEED.read_bytes(), SEED.name)


def test_parse_writes_the_record_to_a_file(tmp_path: Path) -> None:
    out = tmp_path / "record.json"
    assert main(["parse", str(SEED), "-o", str(out)]) == 0
    records.validate(json.loads(out.read_bytes()))


def test_the_report_itself_is_never_overwritten(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(SEED.read_bytes())
    assert main(["parse", str(file), "--explain", "-o", str(tmp_path / "." / "a.txt")]) == 1
    assert "the report itself" in capfd.readouterr().err
    assert file.read_bytes() == SEED.read_bytes()


def test_what_is_no_report_is_refused_as_ever(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("今天天气很好。", encoding="utf-8")
    assert main(["parse", str(tmp_path / "a.txt"), "--explain", "-o", str(tmp_path / "a.html")]) == 1
    said = capfd.readouterr()
    assert (said.out, said.err.startswith("error: ")) == ("", True)
    assert not (tmp_path / "a.html").exists()
