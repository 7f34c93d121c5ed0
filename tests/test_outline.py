"""The section tree: which lines and sentences are headings, at which level, and what stands under them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.reading.model import Section
from chalicelib.reading.outline import outline
from tests.reading_cases import Case, load, make_identity, make_page


def read(case: Case) -> tuple[Section, ...]:
    return outline(make_page(case["text"].strip("\n")), make_identity(case))


@pytest.mark.parametrize("case", load("outline"))
def test_headings(case: Case) -> None:
    wanted = [line.split(" ", 2) for line in case["expect"]]
    found = read(case)
    shown = [f"{s.level} {s.label or '-'} {s.title}" for s in found]
    assert len(shown) == len(wanted), shown
    for line, (level, label, titles) in zip(shown, wanted, strict=True):
        assert line in [f"{level} {label} {title}" for title in titles.split("|")]


PARTS = """一、2022年工作总结
（一）工业经济稳中有进
全年完成规上产值5亿元。
（二）农业生产稳定发展
粮食总产量1.2万吨。
二、2023年工作计划
（一）抓招商
引进项目3个。"""


def test_a_section_reaches_to_the_next_of_its_rank() -> None:
    text = make_page(PARTS).text
    found = {s.title: text[s.start : s.end] for s in read({"text": PARTS})}
    assert found["2022年工作总结"].startswith("一、")
    assert found["2022年工作总结"].endswith("粮食总产量1.2万吨。\n")
    assert found["工业经济稳中有进"] == "（一）工业经济稳中有进\n全年完成规上产值5亿元。\n"
    assert found["2023年工作计划"].endswith("引进项目3个。")


def test_what_stands_under_a_plan_is_planned() -> None:
    found = {s.title: s.plan for s in read({"text": PARTS, "plan": 2023})}
    assert [title for title, plan in found.items() if plan] == ["2023年工作计划", "抓招商"]


@pytest.mark.parametrize("title", ["下一步工作打算", "2023年重点工作安排", "明年工作思路", "今后工作的主要任务"])
def test_a_plan_is_known_by_its_title(title: str) -> None:
    text = f"一、工作总结\n新建公厕3座。\n二、{title}\n新建公厕6座。"
    assert [s.plan for s in read({"text": text, "plan": 2023})] == [False, True]


@pytest.mark.parametrize("title", ["2022年工作完成情况", "一年来的主要成效", "存在的问题和不足"])
def test_a_review_is_known_by_its_title(title: str) -> None:
    text = f"一、{title}\n新建公厕3座。\n二、下步打算\n新建公厕6座。"
    assert [s.plan for s in read({"text": text, "plan": 2023})] == [False, True]


def test_a_plan_alone_is_planned_but_for_its_review() -> None:
    text = "一、2024年工作回顾\n新建公厕3座。\n二、重点工作\n新建公厕6座。"
    assert [s.plan for s in read({"text": text, "plan": 2025, "kind": "plan"})] == [False, True]


def test_offsets_count_in_the_text_as_printed() -> None:
    page = make_page("（一）ＧＤＰ　稳步增长\n完成产值5亿元。\n（二）社会事业\n新建学校1所。")
    for section in outline(page, make_identity({})):
        assert page.text[section.title_start : section.title_end] == section.title
        assert section.start <= section.title_start < section.title_end <= section.end


def test_text_without_headings_has_no_sections() -> None:
    assert read({"text": "2022年，我镇完成产值5亿元，同比增长8%。"}) == ()


def test_a_body_begins_behind_the_title() -> None:
    page = make_page("一、经济发展\n完成产值5亿元。\n二、社会事业\n新建学校1所。", title="一、某镇工作总结")
    starts = [s.start for s in outline(page, make_identity({}))]
    assert min(starts) >= page.body_start
    assert [s.start for s in outline(replace(page, body_start=starts[1]), make_identity({}))] != starts
