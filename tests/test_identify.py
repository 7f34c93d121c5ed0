"""Which report a page is: kind, years and township, on pages of many layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.decode import decode
from chalicelib.errors import ReportError
from chalicelib.reading.identify import identify
from chalicelib.reading.model import Identity
from chalicelib.reading.page import clean_page
from chalicelib.reading.parse import parse
from chalicelib.records import validate
from tests.pages import PROSE, Case, cases

# What pages are made of, in any order.
PIECES = (
    "稽东镇2020年工作总结",
    "和",
    "2021年工作计划",
    "\n",
    "\n\n",
    "　　",
    "索引号",
    "：",
    " | ",
    "一、",
    "来源:稽东镇",
    "二〇二〇年",
    "99年",
    "13月",
    "首页 > 政务公开",
    "各位代表：",
    "城关镇",
    "街道",
    "三门县",
    "2023-02-31",
    "发布日期：",
    "（",
    "）",
    "上一篇：",
    "——",
    "A",
    "明年",
    "上半年",
    PROSE,
)

READ = [case for case in cases() if not case.refused]


def _stated(identity: Identity) -> dict[str, Any]:
    township = identity.township
    places = {key: getattr(township, key) or "" for key in ("code", "name", "county", "prefecture", "province")}
    years = {"review_year": identity.review_year or 0, "plan_year": identity.plan_year or 0}
    return {**places, **years, "kind": identity.kind, "title": identity.title, "candidates": len(identity.candidates)}


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_report_is_identified(case: Case) -> None:
    stated = _stated(identify(case.page()))
    expected = {key: value for key, value in case.expect.items() if key in stated}
    assert {key: stated[key] for key in expected} == expected


def test_a_named_code_settles_the_township() -> None:
    case = next(case for case in READ if case.name.startswith("many same names"))
    identity = identify(case.page(), township="420325100")
    assert (identity.township.name, identity.township.county, identity.candidates) == ("城关镇", "房县", ())


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("331022103", ("亭旁镇", "三门县", "台州市", "浙江省")),
        ("331022", (None, "三门县", "台州市", "浙江省")),
        ("441900", (None, None, "东莞市", "广东省")),
        ("3310", (None, None, "台州市", "浙江省")),
        ("33", (None, None, None, "浙江省")),
    ],
)
def test_a_named_code_of_any_level_settles_the_place(code: str, names: tuple[str | None, ...]) -> None:
    identity = identify(READ[0].page(), township=code)
    place = identity.township
    assert (place.code, identity.candidates) == (code, ())
    assert (place.name, place.county, place.prefecture, place.province) == names


def test_a_county_has_a_record_as_a_township_has() -> None:
    seed = min((Path(__file__).parent.parent / "seeds").glob("*.txt"))
    record = parse(seed.read_bytes(), seed.name, "331022").record
    validate(record)
    assert record["id"].startswith("331022-")
    assert record["township"]["name"] is None


@pytest.mark.parametrize(
    ("named", "refusal"),
    [
        ("999999999", "unknown_township"),
        ("1101", "unknown_township"),
        ("", "unknown_township"),
        ("33102210", "unknown_township"),
        ("亭旁乡", "unknown_township"),
        ("城关镇", "ambiguous_township"),
    ],
)
def test_what_is_no_township_or_several_is_refused(named: str, refusal: str) -> None:
    with pytest.raises(ReportError) as caught:
        identify(READ[0].page(), township=named)
    assert caught.value.code == refusal


@pytest.mark.parametrize("named", ["331022103", "三门县亭旁镇", "Tingpang, Sanmen"])
def test_a_township_given_by_its_name_is_that_of_the_record(named: str) -> None:
    seed = min((Path(__file__).parent.parent / "seeds").glob("*.txt"))
    record = parse(seed.read_bytes(), seed.name, named).record
    assert (record["township"]["code"], record["id"][:10]) == ("331022103", "331022103-")
    told = [check["message"] for check in record["checks"] if check["rule"] == "township_named_otherwise"]
    assert all(message.startswith("The publisher named 331022103,") for message in told)


@pytest.mark.parametrize(
    ("title", "kind", "review", "plan"),
    [
        ("2023年工作总结", "annual", 2023, None),
        ("2023年度总结", "annual", 2023, None),
        ("2023年工作总结及2024年工作计划", "annual", 2023, 2024),
        ("2023年工作总结和2024 工作思路", "annual", 2023, 2024),
        ("2023年总结2024年计划", "annual", 2023, 2024),
        ("2023年工作总结暨下一年工作打算", "annual", 2023, 2024),
        ("2023年工作总结和工作计划", "annual", 2023, 2024),
        ("关于2023年工作情况和2024年工作安排的报告", "annual", 2023, 2024),
        ("关于2018年工作完成情况及2019年工作谋划情况的汇报", "annual", 2018, 2019),
        ("2015年度工作总结（二〇一五年十二月）", "annual", 2015, None),
        ("二〇一五年工作总结和二〇一六年工作要点", "annual", 2015, 2016),
        ("二O一一年工作总结", "annual", 2011, None),
        ("２０１８年度工作总结", "annual", 2018, None),
        ("09年工作总结和10年工作计划", "annual", 2009, 2010),
        ("2016-2020年工作总结", "annual", 2020, None),
        ("2022—23年度工作总结", "annual", 2023, None),
        ("工作总结（2023年）", "annual", 2023, None),
        ("2023年上半年工作总结", "half-year", 2023, None),
        ("2023年上半年工作总结及下半年工作计划", "half-year", 2023, 2023),
        ("2023年1—6月工作总结", "half-year", 2023, None),
        ("2023年半年工作总结暨下步打算", "half-year", 2023, 2023),
        ("2023年一季度工作总结及二季度工作安排", "quarter", 2023, 2023),
        ("2023年前三季度工作总结", "quarter", 2023, None),
        ("2024年工作计划", "plan", None, 2024),
        ("2024年工作要点", "plan", None, 2024),
        ("2024年重点工作安排", "plan", None, 2024),
    ],
)
def test_title_tells_kind_and_years(title: str, kind: str, review: int | None, plan: int | None) -> None:
    identity = identify(Case("", f"稽东镇{title}\n{{prose}}").page())
    assert (identity.kind, identity.review_year, identity.plan_year) == (kind, review, plan)


@pytest.mark.parametrize(
    ("body", "review", "plan"),
    [
        ("一、2023年工作总结\n{prose}", 2023, None),
        ("一、2023年工作总结\n{prose}\n二、2024年工作计划\n{prose}", 2023, 2024),
        ("一、2023年工作总结\n{prose}\n二、明年工作计划\n{prose}", 2023, 2024),
        ("一、2023年工作总结\n{prose}\n二、下一步工作打算\n{prose}", 2023, 2024),
        ("一、2023年工作总结\n{prose}\n第二部分 今后工作思路\n{prose}", 2023, 2024),
        ("2023年，稽东镇扎实工作。{prose} 二、2024年工作计划 {prose}", 2023, 2024),
        ("2023年来，稽东镇扎实工作。{prose}\n2024年，我们将力争财政收入增长8%以上。", 2023, 2024),
        ("2023年来，稽东镇扎实工作。{prose}\n2024年，我们将再接再厉。", 2023, None),
        ("2023年来，稽东镇扎实工作。{prose}圆满完成年初计划。", 2023, None),
        ("各位代表：\n回顾2023年，成绩来之不易。{prose}", 2023, None),
        ("——2024年1月5日在稽东镇第三次会议上\n各位代表：\n{prose}", 2023, None),
        ("——2023年12月28日在稽东镇第三次会议上\n各位代表：\n{prose}", 2023, None),
        ("{prose}\n稽东镇人民政府\n2024年1月9日", 2023, None),
        ("——2022年1月10日在第一次会议上\n{prose}\n二、今后五年工作目标和2022年工作任务\n{prose}", 2021, 2022),
        ("{prose}", None, None),
    ],
)
def test_body_tells_the_years_that_the_title_lacks(body: str, review: int | None, plan: int | None) -> None:
    identity = identify(Case("", f"稽东镇工作总结\n{body}").page())
    assert (identity.kind, identity.review_year, identity.plan_year) == ("annual", review, plan)


@pytest.mark.parametrize(
    ("body", "review", "plan"),
    [
        ("——2021年2月25日在三门县第十六届人民代表大会第五次会议上\n{prose}", 2020, None),
        (
            "——2021年2月25日在三门县人民代表大会会议上\n一、“十三五”及2020年工作回顾\n{prose}\n三、2021年重点工作\n{prose}",
            2020,
            2021,
        ),
        ("——2021年12月28日在三门县第十六届人民代表大会第六次会议上\n{prose}", 2021, None),
        ("一、2021年工作回顾\n{prose}\n二、2022年工作安排\n{prose}", 2021, 2022),
    ],
)
def test_a_government_report_reviews_the_year_before_its_congress(
    body: str, review: int | None, plan: int | None
) -> None:
    identity = identify(Case("", f"2021年三门县政府工作报告\n{body}").page())
    assert (identity.kind, identity.review_year, identity.plan_year) == ("annual", review, plan)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_text_is_identified_or_refused(text: str) -> None:
    """The clean text begins with its title, holds no line of blanks, and the years are plausible."""
    try:
        page = clean_page(decode(f"{text}\n{PROSE}".encode(), ""))
    except ReportError:
        return
    identity = identify(page)
    assert page.text[: page.body_start].strip("\n") == page.title
    assert all(line == line.strip() for line in page.text.split("\n"))
    assert {type(identity.review_year), type(identity.plan_year)} <= {int, type(None)}
