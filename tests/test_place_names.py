"""The place that a publisher names: by code, in Chinese, in Latin letters; one, several or none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib import divisions
from chalicelib.errors import BadRequest, ReportError
from chalicelib.place_names import find_places, read_place
from tests.test_townships import SAMPLE


@pytest.mark.parametrize(
    ("named", "codes"),
    [
        ("331022103", ["331022103"]),
        ("331022", ["331022"]),
        ("33", ["33"]),
        ("亭旁镇", ["331022103"]),
        ("三门县亭旁镇", ["331022103"]),
        ("三门亭旁镇", ["331022103"]),
        ("浙江省台州市三门县亭旁镇", ["331022103"]),
        ("浙江 台州 三门 亭旁镇", ["331022103"]),
        ("浙江省/三门县/亭旁镇", ["331022103"]),
        ("房县城关镇", ["420325100"]),
        ("十堰市房县城关镇", ["420325100"]),
        ("桐庐县莪山乡", ["330122201"]),
        ("宜兴市湖㳇镇", ["320282113"]),
        ("三门县", ["331022"]),
        ("朝阳区", ["110105", "220104"]),
        ("北京市朝阳区", ["110105"]),
        ("东莞市", ["4419"]),
        ("嘉峪关市", ["6202"]),
        ("仙桃市", ["429004"]),
        ("海南省", ["46"]),
        ("奉化市溪口镇", ["330213100"]),
        ("宁波奉化市溪口镇", ["330213100"]),
        ("密云县", ["110118"]),
        ("襄樊市南漳县巡检镇", ["420624107"]),
        ("Tingpang", ["331022103"]),
        ("tingpang zhen", ["331022103"]),
        ("Tíngpáng Zhèn", ["331022103"]),
        ("Tingpang Town", ["331022103"]),
        ("Tingpang, Sanmen", ["331022103"]),
        ("Tingpang Town, Sanmen County, Taizhou City, Zhejiang Province", ["331022103"]),
        ("Chengguan, Fangxian", ["420325100"]),
        ("Chengguan Town, Fang County, Hubei", ["420325100"]),
        ("Sanmen County", ["331022"]),
        ("Tongzhou District, Beijing", ["110112"]),
        ("Lhasa", ["5401"]),
        ("Jiayuguan City", ["6202"]),
        ("Dong'e County", ["371524"]),
        ("Lüchun", ["532531"]),
        ("lvchun county", ["532531"]),
        # None: rows that stand for a missing level, other places, parts and mixtures of names.
        ("1101", []),
        ("市辖区", []),
        ("331022999", []),
        ("331022103 ", []),
        ("33102210３", []),
        ("仙居县亭旁镇", []),
        ("亭旁镇三门县", []),
        ("亭旁", []),
        ("Tingpang, Xianju", []),
        ("Tingpang Subdistrict", []),
        ("", []),
        (" ", []),
        ("\nTing", []),
        (",", []),
        ("Town", []),
        ("镇", []),
    ],
)
def test_a_place_is_found_by_code_or_name(named: str, codes: list[str]) -> None:
    assert list(find_places(named)) == codes


@pytest.mark.parametrize("code", SAMPLE[::6])
def test_every_township_is_the_only_one_under_its_whole_name(code: str) -> None:
    place = divisions.place(code)
    names = [place["name"], place["county"], place["prefecture"], place["province"]]
    assert find_places("".join(name for name in reversed(names) if name)) == (code,)
    uppers = [code[:digits] for digits in (6, 4, 2)]
    latin = [divisions.latin(code), *(divisions.latin(upper) for upper in uppers if divisions.is_place(upper))]
    if all("," not in each for each in latin):
        assert code in find_places(", ".join(latin))


def test_several_and_none_are_told_apart() -> None:
    with pytest.raises(BadRequest) as several:
        read_place("城关镇", BadRequest, parameter="township")
    assert (several.value.code, several.value.extra) == ("ambiguous_township", {"parameter": "township"})
    assert several.value.detail.startswith("88 places have the name '城关镇': 天津市武清区城关镇 (120114110), ")
    assert several.value.detail.endswith(" and others.")
    with pytest.raises(ReportError) as none:
        read_place("没有镇", ReportError, place="township")
    assert (none.value.code, none.value.extra) == ("unknown_township", {"place": "township"})
    assert "'没有镇'" in none.value.detail


@settings(deadline=1000)
@given(st.text(alphabet="三门县亭旁镇城关市省,， /aTingp'ü1é镇乡\n", max_size=80))
def test_any_text_means_some_places_or_none(named: str) -> None:
    assert all(divisions.is_place(code) for code in find_places(named))
