"""The township of a report: over the whole table, with evidence for and against; open rather than wrong."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import pytest

from bench import name_townships
from chalicelib import divisions
from chalicelib.divisions import Division
from chalicelib.reading import former_divisions, gazetteer, township_names
from chalicelib.reading.model import Page
from chalicelib.reading.townships import resolve_township

EVERY = 89  # a prime step through the table's 41,352 townships
SAMPLE = [code for code in divisions.table().codes if len(code) == 9][::EVERY]


def _page(title: str, body: str = "全年扎实工作。", index: str | None = None, **places: str) -> Page:
    return Page(f"{title}\n\n{body}", title, len(title) + 2, index_number=index, places=tuple(places.items()))


def _code(page: Page) -> str | None:
    return resolve_township(page)[0].code


@pytest.mark.parametrize("form", ["county and name", "short county, name", "prefecture and name"])
def test_a_title_gives_the_township_or_leaves_it_open(form: str) -> None:
    named = {code: title for code in SAMPLE for each, title in name_townships.titles(code) if each == form}
    found = {code: name_townships.resolve(title) for code, title in named.items()}
    assert {code: each for code, each in found.items() if each not in (code, None)} == {}
    assert list(found.values()).count(None) <= len(found) // (50 if form == "prefecture and name" else 200)


FORMER = list(csv.DictReader(former_divisions.RULES.read_text("utf-8").splitlines()))


def _present(name: str) -> list[str]:
    """The codes of the counties that are called so today."""
    table = divisions.table()
    return [table.codes[row] for row in table.rows.get(name, ()) if len(table.codes[row]) == 6]


def _common(codes: Sequence[str]) -> list[Division]:
    """Three townships in the divisions whose names other townships have too."""
    inside = (d for code in codes for d in divisions.townships_in(code))
    return [d for d in inside if d.name[-1] in "镇乡道" and len(divisions.named(d.name)) > 1][:3]


@pytest.mark.parametrize("row", FORMER, ids=lambda row: f"{row['former']} {row['code']}")
def test_a_former_county_is_read_as_what_took_its_place(row: dict[str, str]) -> None:
    codes = tuple(row["code"].split())
    prefecture = divisions.place(codes[0])["prefecture"] or ""
    assert (_code(_page(f"{prefecture}{row['example']}2010年工作总结")) or "").startswith(codes)
    alone = _code(_page(f"{row['example']}2010年工作总结"))
    assert (alone or "").startswith(codes) or (alone is None and set(_present(row["former"])) - set(codes))


@pytest.mark.parametrize("row", FORMER, ids=lambda row: f"{row['former']} {row['code']}")
def test_a_former_county_settles_a_common_name(row: dict[str, str]) -> None:
    """Wherever a name stands for several townships, the former county tells which, as the present one does."""
    codes = row["code"].split()
    if len(codes) > 1 or row["former"] in divisions.PLACEHOLDERS or _present(row["former"]):
        return
    for division in _common(codes):
        page = _page(f"{division.name}2010年工作总结", issuer=f"{row['former']}人民政府")
        inside = [d for d in divisions.named(division.name) if d.code.startswith(tuple(codes))]
        assert _code(page) == (division.code if len(inside) == 1 else None)


@pytest.mark.parametrize("row", [row for row in FORMER if row["former_code"]], ids=lambda row: row["former_code"])
def test_a_former_code_in_the_index_number_settles_a_common_name(row: dict[str, str]) -> None:
    codes = tuple(row["code"].split())
    for division in _common(codes):
        inside = [d for d in divisions.named(division.name) if d.code.startswith(codes)]
        for former in row["former_code"].split():
            found = _code(_page(f"{division.name}2010年工作总结", index=f"11{former:0<6}002688123X/2011-1"))
            assert found == (division.code if len(inside) == 1 else None)


def test_former_divisions_are_many_and_each_stands_once() -> None:
    assert len({(row["former"], row["former_code"], row["code"]) for row in FORMER}) == len(FORMER) >= 400
    for row in FORMER:
        assert row["example"].startswith(row["former"])
        assert 2000 <= int(row["year"]) <= 2023
        assert all(divisions.is_place(code) for code in row["code"].split())
        # A code that stands in the table still is that of the part which lives on.
        assert all(not divisions.get(code) or code in row["code"].split() for code in row["former_code"].split())


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
        pytest.param(_page("城关镇2020年工作总结", index="420325004/2024"), None, id="an organisation's nine digits"),
        pytest.param(
            _page("城关镇2020年工作总结", index="420325002/2024"), "420325100", id="nine digits that are none"
        ),
        pytest.param(_page("城关镇2020年工作总结", site="房县人民政府"), "420325100", id="the site"),
        pytest.param(_page("城关镇2020年工作总结", source="十堰市房县"), "420325100", id="the source"),
        pytest.param(_page("城关镇2020年工作总结", site="十堰市人民政府"), None, id="five in the prefecture"),
        pytest.param(_page("稽东镇2020年工作总结", issuer="仙居县人民政府"), None, id="another county's publisher"),
        pytest.param(_page("稽东镇2020年工作总结", site="仙居县人民政府"), None, id="another county's site"),
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
        pytest.param(_page("三门亭旁镇2020年工作总结"), "331022103", id="a short county"),
        pytest.param(_page("关于三门亭旁镇2020年工作总结"), "331022103", id="a short county behind a word"),
        pytest.param(_page("温岭太平街道2020年工作总结"), "331081001", id="a short county and a common name"),
        pytest.param(_page("乳山城区街道2020年工作总结"), "371083001", id="a short county that makes up another"),
        pytest.param(_page("永丰古县镇2020年工作总结"), "360825103", id="a name that makes up a county"),
        pytest.param(_page("工作总结", source="三门亭旁镇"), "331022103", id="a short county in the source"),
        pytest.param(_page("兴化市开发区2020年工作总结"), "321281400", id="a county and an everyday name"),
        pytest.param(_page("射阳盐场2020年工作总结"), "320924404", id="a short county and an everyday name"),
        pytest.param(_page("推进兴化开发区2020年工作总结"), None, id="an everyday name amid others"),
        pytest.param(_page("沙县区青山纸业工业区2020年工作总结"), "350405402", id="a county's old name in its new one"),
        pytest.param(
            _page("张家口市塞北管理区沙梁子管理处2020年工作总结"), "130773502", id="a county that holds its city"
        ),
        pytest.param(_page("五原县隆兴昌镇荣丰办事处2020年工作总结"), "150821402", id="a name that holds its county's"),
        pytest.param(_page("西安先锋街道2020年工作总结"), None, id="a short city is no county"),
        pytest.param(_page("三都街道办事处2020年工作总结", site="象州县"), None, id="an office of a 街道 elsewhere"),
        pytest.param(_page("景宁县大漈乡2020年工作总结"), "331127208", id="an autonomous county's customary name"),
        pytest.param(_page("景宁县大漈畲族乡2020年工作总结"), "331127208", id="a people that the table leaves out"),
        pytest.param(_page("桐庐县莪山乡2020年工作总结"), "330122201", id="a people that the title leaves out"),
        pytest.param(_page("库伦旗茫汗苏木2020年工作总结"), "150524200", id="a 苏木"),
        pytest.param(_page("宜兴市湖㳇镇2020年工作总结"), "320282113", id="a rare character"),
        pytest.param(_page("苏州市浒墅关经开区（镇）2020年工作总结"), "320505400", id="full-width brackets"),
        pytest.param(_page("苏州市浒墅关经开区(镇)2020年工作总结"), "320505400", id="narrow brackets"),
        pytest.param(_page("城关镇2020年工作总结", "房县城关镇。房县县城。在房县。"), "420325100", id="the body alone"),
        pytest.param(_page("城关镇2020年工作总结", index="11420325011137012X/2021-1"), "420325100", id="credit code"),
        pytest.param(
            _page("城关镇2020年工作总结", index="11420325011137012X202100012"), "420325100", id="credit code and more"
        ),
        pytest.param(_page("城关镇2020年工作总结", index="4203250301/2023"), "420325100", id="a code and a number"),
        pytest.param(_page("城关镇2020年工作总结", index="A-420325-2023"), "420325100", id="a code amid hyphens"),
        pytest.param(_page("城关镇2020年工作总结", index="202103-000012"), None, id="six digits of a month"),
        pytest.param(
            _page("城关镇2020年工作总结", "全年。\n相关链接：城关镇、平水镇、稽东镇工作总结", site="房县"),
            "420325100",
            id="links that name others",
        ),
        pytest.param(_page("亭旁镇、横渡镇2020年工作总结"), None, id="two townships in the title"),
        pytest.param(_page("台州市2020年政府工作报告"), "3310", id="a prefecture's report"),
        pytest.param(_page("浙江省2020年政府工作报告"), "33", id="a province's report"),
    ],
)
def test_evidence_for_and_against(page: Page, code: str | None) -> None:
    assert _code(page) == code


def test_candidates_come_best_first_with_the_words_for_them() -> None:
    page = _page("城关镇2020年工作总结", "通往房县的公路完工。")
    township, candidates = resolve_township(page)
    assert (township.code, township.name, township.county) == (None, "城关镇", None)
    assert len(candidates) == 20
    assert candidates[0].township.county == "房县"
    assert candidates[0].evidence == ("title: 城关镇", "body: 房县 ×1")


@pytest.mark.parametrize(
    ("title", "county", "names"),
    [
        pytest.param("三门县亭旁乡", "三门县", ["亭旁镇"], id="乡 to 镇"),
        pytest.param("余杭区余杭镇", "余杭区", ["余杭街道"], id="镇 to 街道"),
        pytest.param("户县草堂镇", "鄠邑区", ["草堂街道"], id="镇 to 街道 in a county that became a district"),
        pytest.param("仙居县下各街道", "仙居县", ["下各镇"], id="街道 where the table has a 镇"),
        pytest.param("房县城关街道", "房县", ["城关镇"], id="a common name"),
        pytest.param("建德市三都街道办事处", "建德市", ["三都镇"], id="the office of a 街道"),
        pytest.param("莱芜市莱城区口镇", "莱芜区", ["口镇街道"], id="a 街道 named with the old rank"),
        pytest.param("北京市朝阳区南磨房乡", "朝阳区", ["南磨房地区"], id="地区 of Beijing"),
        pytest.param("朝阳区南磨房乡", None, ["南磨房地区"], id="one of two counties of that name"),
        pytest.param("景宁县东坑乡", "景宁畲族自治县", ["东坑镇"], id="an autonomous county's customary name"),
        pytest.param("宜兴市湖父镇", "宜兴市", ["湖㳇镇"], id="another character for a rare one"),
        pytest.param("宜兴市湖镇", "宜兴市", ["湖㳇镇"], id="a rare character left out"),
        pytest.param("三门县没有镇", "三门县", [], id="nothing alike"),
    ],
)
def test_a_name_of_another_rank_gives_candidates_of_its_county(
    title: str, county: str | None, names: list[str]
) -> None:
    township, candidates = resolve_township(_page(f"{title}2010年工作总结"))
    assert (township.code, township.county) == (None, county)
    assert [c.township.name for c in candidates] == names
    for candidate in candidates:
        assert candidate.evidence[0].startswith("title: ")
        assert candidate.evidence[1].endswith(f": {candidate.township.name}")


@pytest.mark.parametrize("people", sorted(township_names.words("peoples")))
def test_a_people_is_no_part_of_a_short_name(people: str) -> None:
    assert gazetteer.stem(f"景宁{people}自治县") == "景宁"


@pytest.mark.parametrize("word", sorted(township_names.words("generic")))
def test_an_everyday_word_names_no_place(word: str) -> None:
    page = _page("工作总结", f"我们建设{word}，改造{word}。{word}建设提速，{word}扩容。")
    assert resolve_township(page)[0].name is None
    assert resolve_township(page)[0].county is None


@pytest.mark.parametrize("word", sorted(township_names.words("before")))
def test_a_name_begins_behind_a_common_word(word: str) -> None:
    assert [m.name for m in gazetteer.find_townships(f"某某{word}稽东镇某某")] == ["稽东镇"]
    assert [m.name for m in gazetteer.find_townships("新稽东镇")] == ["新稽东镇"]


@pytest.mark.parametrize("word", sorted(township_names.words("outward")))
def test_a_clause_of_other_places_tells_nothing_of_its_own(word: str) -> None:
    clause = f"今年{word}诏安县、诏安县的工作"
    assert _code(_page("太平镇2020年工作总结", f"全年扎实工作，{clause}，成效明显。")) is None
    own = "太平镇在诏安县委、诏安县政府领导下"
    assert _code(_page("太平镇2020年工作总结", f"{own}扎实工作，{clause}，成效明显。")) == "350624105"
