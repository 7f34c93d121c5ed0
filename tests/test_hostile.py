"""Bodies made to be slow or deep: each ends, with an outcome."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator

import pytest

from tests.test_parse import HEAD, parsed

LONG = 300_000
MOST = 50_000  # characters of each: enough for what is not proportional to run into the net
HOSTILE: dict[str, str] = {
    "digits": "1" * LONG,
    "digits with commas": "1," * (LONG // 2),
    "digits with blanks": "1 " * (LONG // 2),
    "decimals": "1." * (LONG // 2),
    "commas": "，" * LONG,
    "pauses": "、" * LONG,
    "opening quotes": "“" * LONG,
    "quotes in pairs": "“”" * (LONG // 2),
    "opening brackets": "（" * 10_000,
    "closing brackets": "）" * 10_000,
    "brackets in brackets": "（" * 10_000 + "）" * 10_000,
    "runs of 一是": "一是" * 10_000,
    "runs of 一、": "一、" * 10_000,
    "lines of 一、": "一、\n" * 10_000,
    "Chinese numerals": "十" * LONG,
    "growths": "同比增长" * 20_000,
    "growths of a figure": "同比增长1%" * 10_000,
    "values": "完成1元" * 20_000,
    "lists of values": "1元、" * 20_000,
    "分别": "分别" * 50_000,
    "from and to": "由1%到" * 20_000,
    "ratios": "1:" * 50_000,
    "bars": "|" * 100_000,
    "rows of bars": "1 | 2 | 3\n" * 10_000,
    "years": "2022年" * 20_000,
    "zeros": "零" * 50_000,
    "blanks": " " * LONG,
    "lines": "\n" * LONG,
    "full stops": "。" * LONG,
    "a noun phrase without end": "工业" * (LONG // 2),
    "villages": "村" * LONG,
    "verbs": "完成" * (LONG // 2),
    "以上": "5亿元以上" * 20_000,
    "百分之": "百分之" * 50_000,
    "clauses of one sentence": "完成1元，" * 20_000,
    "figures in brackets": "税收（1元）" * 20_000,
    "figures side by side": "1元2户3人" * 20_000,
    "shares of a whole": "其中税收1元，占1%，" * 10_000,
    "wholes that are parts": "税收收入5万元其中工业税收6万元、" * 20_000,
    "growths beside values of two years": "2021年税收收入5万元，2022年税收收入6万元，同比增长30%，" * 20_000,
    "parts without a whole": "占5%、" * 20_000 + "其中" * 20_000,
    "headings in two ranks": "一、甲乙丙丁。\n（一）戊己庚辛。\n" * 5_000,
    "sentences of 一是": "一是抓招商引资。引进项目12个，总投资8.6亿元。" * 5_000,
    "numbered lines": "1.甲乙丙丁。\n2.戊己庚辛。\n" * 5_000,
    "lines without a number": "经济建设稳中有进\n完成税收1元。\n" * 5_000,
    "a table without end": "指标 | 单位 | 完成数\n" + "税收 | 万元 | 1\n" * 10_000,
    "由 without 到": "由" * 100_000,
    "changes": "由1元增加到2元，" * 10_000,
    "members of a list": "、".join(["工业投资"] * 1_000) + "分别增长" + "、".join(["1%"] * 1_000),
    "periods": "1-9月完成税收1元，" * 10_000,
    "quotes with figures": "“1+1”" * 20_000,
    "每 and 第": "每第" * 50_000,
    "letters and digits": "a1-" * 50_000,
}


@pytest.fixture
def watched() -> Iterator[None]:
    """Ends a run that hangs, with the stack it hung in: a safety net, no measure."""
    faulthandler.dump_traceback_later(120, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("body", [body[:MOST] for body in HOSTILE.values()], ids=list(HOSTILE))
def test_a_hostile_body_ends_with_an_outcome(body: str) -> None:
    found = parsed((HEAD + body).encode(), "report.txt")
    if found:
        assert found.text.count("860万元") == 1


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("number", ["1" * 16, "9" * 400, "1" * 10_000, "1" * 30 + ".5", "3亿" * 2000])
def test_a_number_too_long_to_be_one_is_none(number: str) -> None:
    found = parsed(f"{HEAD}联系{number}元。".encode(), "report.txt")
    assert found
    assert all(i["value"] is None or i["value"] < 10**20 for i in found.record["indicators"])
