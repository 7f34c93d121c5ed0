"""The township of a report: over the whole table, with evidence for and against; open rather than wrong."""

from __future__ import annotations

import pytest

from chalicelib import divisions
from chalicelib.reading import gazetteer
from chalicelib.reading.model import Page
from chalicelib.reading.townships import resolve_township

EVERY = 89  # a prime step through the table's 41,352 townships
SAMPLE = [code for code in divisions.table().codes if len(code) == 9][::EVERY]


def _page(title: str, body: str = "全年扎实工作。", index: str | None = None, **places: str) -> Page:
    return Page(f"{title}\n\n{body}", title, len(title) + 2, index_number=index, places=tuple(places.items()))


def _code(page: Page) -> str | None:
    return resolve_township(page)[0].code


def test_county_and_name_in_the_title_give_the_township_or_leave_it_open() -> None:
    codes = {code: _code(_page(f"{_county(code)}{divisions.place(code)['name']}2020年工作总结")) for code in SAMPLE}
    assert {code: found for code, found in codes.items() if found not in (code, None)} == {}
    assert list(codes.values()).count(None) <= len(SAMPLE) // 100


def _county(code: str) -> str:
    place = divisions.place(code)
    return place["county"] or place["prefecture"] or ""


def test_a_name_alone_gives_the_township_where_it_is_the_only_one() -> None:
    for code in SAMPLE:
        name = divisions.place(code)["name"] or ""
        township, candidates = resolve_township(_page(f"{name}2020年工作总结"))
        namesakes = {d.code for d in divisions.named(name)}
        if township.code is None:
            assert {c.township.code for c in candidates} <= namesakes
        else:
            assert namesakes == {code} == {township.code}


@pytest.mark.parametrize("code", SAMPLE[::4])
def test_the_county_code_in_the_index_number_settles_a_name(code: str) -> None:
    name = divisions.place(code)["name"] or ""
    found = _code(_page(f"{name}2020年工作总结", index=f"11{code[:6]}002688123X/2021-1"))
    assert found in (code, None)


@pytest.mark.parametrize(
    ("page", "code"),
    [
        pytest.param(_page("城关镇2020年工作总结", index="LH420325-080/2024-131280"), "420325100", id="six digits"),
        pytest.param(_page("城关镇2020年工作总结", index="420325002/2024"), None, id="nine digits are no county"),
        pytest.param(_page("城关镇2020年工作总结", site="房县人民政府"), "420325100", id="the site"),
        pytest.param(_page("城关镇2020年工作总结", source="十堰市房县"), "420325100", id="the source"),
        pytest.param(_page("城关镇2020年工作总结", site="十堰市人民政府"), None, id="five in the prefecture"),
        pytest.param(_page("稽东镇2020年工作总结", issuer="仙居县人民政府"), None, id="another county's publisher"),
        pytest.param(_page("稽东镇2020年工作总结", site="仙居县人民政府"), "330603109", id="another county's site"),
        pytest.param(_page("仙居县稽东镇2020年工作总结"), None, id="another county in the title"),
        pytest.param(_page("工作总结", issuer="稽东镇人民政府"), "330603109", id="the publisher names it"),
        pytest.param(_page("工作总结", breadcrumb="首页>平水镇>稽东镇"), "330603109", id="the breadcrumb's last"),
        pytest.param(_page("工作总结", "一年来扎实工作。\n稽东镇人民政府"), "330603109", id="the signature"),
        pytest.param(_page("工作总结", "——在稽东镇人民代表大会上\n一年来。"), "330603109", id="the subtitle"),
        pytest.param(_page("工作总结", "稽东镇党委统筹。稽东镇推进。"), "330603109", id="the body, twice"),
        pytest.param(_page("工作总结", "与稽东镇联合执法。"), None, id="the body, in passing"),
        pytest.param(_page("工作总结", "稽东镇做。稽东镇干。平水镇做。平水镇干。"), None, id="the body, two names"),
        pytest.param(_page("西乡杨河镇2020年工作总结"), "610724101", id="short county that ends in 乡"),
        pytest.param(_page("西乡县杨河镇2020年工作总结"), "610724101", id="county that holds a rank"),
        pytest.param(_page("乐山市市中区白马镇2020年工作总结"), "511102103", id="county with an everyday name"),
        pytest.param(_page("中共稽东镇委员会2020年工作总结"), "330603109", id="the party's committee"),
        pytest.param(_page("关于报送稽东镇2020年工作总结的报告"), "330603109", id="a letter's words before it"),
        pytest.param(_page("恩施州恩施市白果乡2020年工作总结"), "422801206", id="short form of a prefecture"),
        pytest.param(_page("余杭市径山镇2000年工作总结"), "330110109", id="county that became a district"),
        pytest.param(_page("亭旁镇、横渡镇2020年工作总结"), None, id="two townships in the title"),
        pytest.param(_page("台州市2020年政府工作报告"), "3310", id="a prefecture's report"),
        pytest.param(_page("浙江省2020年政府工作报告"), "33", id="a province's report"),
    ],
)
def test_evidence_for_and_against(page: Page, code: str | None) -> None:
    assert _code(page) == code


def test_candidates_come_best_first_with_the_words_for_them() -> None:
    page = _page("城关镇2020年工作总结", "学习外地经验,赴房县考察。")
    township, candidates = resolve_township(page)
    assert (township.code, township.name, township.county) == (None, "城关镇", None)
    assert len(candidates) == 20
    assert candidates[0].township.county == "房县"
    assert candidates[0].evidence == ("title: 城关镇", "body: 房县 ×1")


@pytest.mark.parametrize("people", sorted(gazetteer.words("peoples")))
def test_a_people_is_no_part_of_a_short_name(people: str) -> None:
    assert gazetteer.stem(f"景宁{people}自治县") == "景宁"


@pytest.mark.parametrize("word", sorted(gazetteer.words("generic")))
def test_an_everyday_word_names_no_place(word: str) -> None:
    page = _page("工作总结", f"我们建设{word}，改造{word}。{word}建设提速，{word}扩容。")
    assert resolve_township(page)[0].name is None
    assert resolve_township(page)[0].county is None


@pytest.mark.parametrize("word", sorted(gazetteer.words("before")))
def test_a_name_begins_behind_a_common_word(word: str) -> None:
    assert [m.name for m in gazetteer.find_townships(f"某某{word}稽东镇某某")] == ["稽东镇"]
    assert [m.name for m in gazetteer.find_townships("新稽东镇")] == ["新稽东镇"]
