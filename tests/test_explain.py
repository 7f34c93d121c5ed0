"""Every number of a report is in exactly one class, with the rule that made or refused it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.explain.explain import explain
from chalicelib.explain.headings import heading_rules
from chalicelib.explain.marks import mark_numbers
from chalicelib.explain.model import Explanation, Mark
from chalicelib.explain.reasons import reasons
from chalicelib.explain.refused import RUN, refuse_number
from chalicelib.explain.watch import Watch
from chalicelib.reading.fold import fold
from chalicelib.reading.headings import find_numbered
from chalicelib.reading.indicators import read_indicators
from chalicelib.reading.model import Identity, Section
from chalicelib.reading.outline import outline
from chalicelib.reading.parse import parse
from chalicelib.reading.quantities import find_quantities
from chalicelib.reading.refusals import find_refusals
from tests.reading_cases import Case, make_identity, make_page
from tests.running_server import ROOT
from tests.test_hostile import HOSTILE
from tests.test_parse import HEAD

PAGES = [*sorted((ROOT / "seeds").glob("*.txt")), *sorted((ROOT / "tests" / "quality" / "docs").iterdir())]
with (ROOT / "chalicelib" / "rules" / "reasons.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))


# The reports that an example is of, where it is no annual one of 2022.
UNLIKE: dict[str, Case] = {"plan_report": {"kind": "plan"}, "year_unknown": {"review": None}}


@cache
def explained(path: Path) -> Explanation:
    return explain(path.read_bytes(), path.name)


def watched(text: str, case: Case | None = None) -> tuple[Watch, list[Mark], str]:
    """The reader of a body and the marks of its page."""
    page, identity = make_page(text), make_identity(case or {})
    sections = outline(page, identity)
    watches: list[Watch] = []

    def watch(folded: str, identity: Identity, sections: Sequence[Section]) -> Watch:
        watches.append(Watch(folded, identity, sections))
        return watches[-1]

    read_indicators(page, identity, sections, watch)
    rules = heading_rules(fold(page.text), sections, find_numbered(fold(page.text), page.body_start))
    return watches[0], mark_numbers(watches[0], page, sections, rules), page.text


# --- the rules


@pytest.mark.parametrize("row", [r for r in ROWS if r["number"]], ids=lambda r: r["rule"])
def test_a_rule_explains_its_example(row: dict[str, str]) -> None:
    watch, marks, text = watched(row["example"], UNLIKE.get(row["rule"]))
    found = [mark for mark in marks if text[mark.start : mark.end] == row["number"]]
    if row["about"] in ("refused", "date", "word", "heading", "growth"):
        assert [m.rule for m in found] == [row["rule"]], [(text[m.start : m.end], m.rule) for m in marks]
    else:
        causes = [watch.traces[n].causes()[row["about"]].rule for mark in found for n in mark.indicators]
        assert {m.rule for m in found} == {row["rule"]} if row["about"] == "name" else set(causes) == {row["rule"]}, (
            causes
        )


# No number of an example: the title is no body, “100%” is refused as quoted, a heading may have none.
WITHOUT_EXAMPLE = {
    "title",
    "percent_code",
    "heading_line",
    "heading_lead_in",
}


def test_every_rule_has_an_example() -> None:
    assert {row["rule"] for row in ROWS if not row["number"]} == WITHOUT_EXAMPLE
    assert all(row["zh"] and row["en"] for row in ROWS)
    assert len(reasons()) == len(ROWS)


def test_every_excluding_rule_is_explained() -> None:
    with (ROOT / "chalicelib" / "rules" / "excluded.csv").open(encoding="utf-8", newline="") as file:
        excluded = {row["rule"] for row in csv.DictReader(file)}
    assert excluded <= {row["rule"] for row in ROWS if row["about"] in ("refused", "date")}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("全年完成税收860万元。\n序号 | 村名 | 日期\n7 | 东村 | 1.25", "table_cell"),
        ("完成改造50-40个。", "falling_range"),
        ("是上年的1.4倍。", "no_measure"),
        ("（一期）竣工。", "phase"),
        ("推行“1+3+N”网格。", "quoted"),
    ],
)
def test_a_number_without_an_indicator_is_refused_by_rule(text: str, rule: str) -> None:
    _, marks, _ = watched(text)
    assert rule in {mark.rule for mark in marks if mark.kind == "refused"}


def test_the_title_is_told_from_the_body() -> None:
    marks = [m for m in explain(f"某镇工作总结12\n\n{HEAD[11:]}".encode(), "a.txt", "331022103").marks if m.start < 10]
    assert [(m.kind, m.rule) for m in marks] == [("refused", "title")]


def test_a_value_that_completes_a_growth_bears_both() -> None:
    watch, marks, text = watched("税收同比增长6.8%，达到860万元。")
    assert [(text[m.start : m.end], m.kind, m.rule) for m in marks[1:]] == [
        ("6.8%", "growth", "growth_of_value"),
        ("860万元", "indicator", "completes_growth"),
    ]
    assert [(m.indicators, len(watch.made)) for m in marks[1:]] == [((0,), 1), ((0,), 1)]


def test_one_number_may_be_of_several_indicators() -> None:
    _, marks, text = watched("建成文化广场、农家书屋各12个。")
    assert [(text[m.start : m.end], m.indicators) for m in marks if m.kind == "indicator"] == [("12个", (0, 1))]


def test_a_growth_tells_its_phrase() -> None:
    watch, _, text = watched("完成税收860万元，比上年增长6.8%。")
    growth = watch.traces[0].growth
    assert growth
    assert growth.at
    assert text[slice(*growth.at)] == "比上年增长6.8%"


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("经济发展稳中有进\n完成税收860万元。\n社会事业全面进步\n新建道路3公里，惠及群众。", ["heading_line"] * 2),
        (
            "产业发展稳中有进。完成税收860万元，引进企业。\n城乡面貌焕然一新。新建道路3公里，整治河道。\n"
            "民生福祉持续改善。新建学校2所，惠及群众百人。",
            ["heading_lead_in"] * 3,
        ),
    ],
)
def test_a_heading_without_a_number_tells_how_it_stands(text: str, rules: list[str]) -> None:
    page, identity = make_page(text), make_identity({})
    sections = outline(page, identity)
    assert heading_rules(fold(page.text), sections, find_numbered(fold(page.text), page.body_start)) == rules


# --- what holds of every text


def check_marks(marks: Sequence[Mark], text: str, indicators: int) -> None:
    """Each number in exactly one mark, each mark with a rule that is explained, each indicator with its number."""
    ends = [0, *(m.end for m in marks)]
    assert all(end <= m.start < m.end for end, m in zip(ends, marks, strict=False))
    covered = bytearray(len(text))
    for mark in marks:
        covered[mark.start : mark.end] = b"\x01" * (mark.end - mark.start)
    runs = list(RUN.finditer(fold(text)))
    assert [run[0] for run in runs if not all(covered[run.start() : run.end()])] == []
    assert {m.rule for m in marks} <= set(reasons())
    assert all(bool(m.indicators) == (m.kind in ("indicator", "growth")) for m in marks)
    assert {n for m in marks if m.kind == "indicator" for n in m.indicators} == set(range(indicators))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_every_number_of_a_report_is_in_one_class(path: Path) -> None:
    found = explained(path)
    check_marks(found.marks, found.text, len(found.record["indicators"]))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_the_explained_record_is_the_record(path: Path) -> None:
    assert explained(path).record == parse(path.read_bytes(), path.name).record


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.name)
def test_a_number_is_refused_just_where_the_reader_takes_none(path: Path) -> None:
    """What the explanation says of a number and what the reader did with it never part."""
    found = explained(path)
    folded = fold(found.text)
    taken = {q.start: q.end for q in find_quantities(folded, found.text)}
    excluded = bytearray(len(folded))
    for refusal in find_refusals(folded):
        excluded[refusal.start : refusal.end] = b"\x01" * (refusal.end - refusal.start)
    done = 0
    for run in RUN.finditer(folded):
        start = run.start()
        if start in taken and folded.startswith("百分之", start):
            done = taken[start]  # found by its words, with or without digits
        if start < done or excluded[start]:
            continue
        why = refuse_number(folded, found.text, start)
        assert (why is None) == (start in taken), found.text[start - 9 : start + 9]
        done = taken[start] if why is None else why.end


@pytest.mark.parametrize("body", [body[:8000] for body in HOSTILE.values()], ids=list(HOSTILE))
def test_a_hostile_body_is_explained(body: str) -> None:
    watch, marks, text = watched(HEAD[12:] + body)
    check_marks(marks, text, len(watch.made))


WORDS = (
    "一 二 三 十 百 千万 亿 零 两 12 860万元 6.8% ５家 1,234 ， 、 。 ； ： 同比增长 下降 达到 由 到 分别 各 其中 完成 税收 企业 个 家 元"
    " 亩 以上 余 约 2022年 1-9月 第 每 （ ） “ ” | 指标 单位 比去年减少 成 百分之 目标 力争 预计 10:20:70 村 率 的 占"
)
PIECES = st.sampled_from([*WORDS.split(), " ", "\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_every_number_of_any_text_is_in_one_class(pieces: list[str]) -> None:
    watch, marks, text = watched("".join(pieces) + "。")
    check_marks(marks, text, len(watch.made))
