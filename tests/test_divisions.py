"""The division table: every row of the source, names down the hierarchy, search."""

from __future__ import annotations

import hashlib
import re

import pytest

from chalicelib import divisions
from chalicelib.divisions import Division
from deploy import make_divisions

# SHA-256 of the source table, whose columns level and parent_code follow from the code.
SOURCE = "89f492948b589db6e74566794c0fff4201ef5cf866580648d4bbb57c7ea8919f"


def test_table_is_the_source_row_for_row() -> None:
    table = divisions.table()
    rows = (f"{d.code},{d.level},{d.name},{d.parent}\n" for d in map(table.division, range(len(table.codes))))
    source = "code,level,name,parent_code\n" + "".join(rows)
    assert hashlib.sha256(source.encode()).hexdigest() == SOURCE


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("331022103", ("亭旁镇", "三门县", "台州市", "浙江省")),
        ("331022", (None, "三门县", "台州市", "浙江省")),
        ("3310", (None, None, "台州市", "浙江省")),
        ("110105021", ("南磨房地区", "朝阳区", None, "北京市")),
        ("500233118", ("永丰镇", "忠县", None, "重庆市")),
        ("429004100", ("郑场镇", "仙桃市", None, "湖北省")),
        ("441900121", ("虎门镇", None, "东莞市", "广东省")),
        ("620201", (None, None, "嘉峪关市", "甘肃省")),
    ],
)
def test_place_has_printed_names_only(code: str, names: tuple[str | None, ...]) -> None:
    place = divisions.place(code)
    assert (place["name"], place["county"], place["prefecture"], place["province"]) == names


@pytest.mark.parametrize("code", ["", "99", "3310221", "331022999", "abc"])
def test_an_unknown_code_is_none(code: str) -> None:
    assert divisions.get(code) is None
    with pytest.raises(KeyError):
        divisions.place(code)


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("亭旁镇", ["331022103"]),
        ("湖㳇镇", ["320282113"]),
        ("浒墅关经开区(镇)", ["320505400"]),
        ("二九零农场", ["230422500"]),
        ("三门县", []),
        ("没有这个镇", []),
        ("", []),
    ],
)
def test_named_folds_brackets_and_width(name: str, codes: list[str]) -> None:
    assert [d.code for d in divisions.named(name)] == codes


def test_a_common_name_gives_every_township() -> None:
    assert len(divisions.named("城关镇")) == 88


def test_children_are_one_level_down() -> None:
    assert len(divisions.children("")) == 31
    assert divisions.children("3310")[0] == Division("331002", "county", "椒江区", "3310")
    assert all(d.parent == "331022" and d.level == "township" for d in divisions.children("331022"))
    assert divisions.children("331022103") == ()


def test_search_puts_exact_names_first_and_narrows() -> None:
    found = divisions.search("永丰镇", province="浙江省")
    assert [d.code for d in found] == ["331082108"]
    assert [d.code for d in divisions.search("亭旁")] == ["331022103"]
    assert [d.code for d in divisions.search("331022103")] == ["331022103"]
    assert {d.parent for d in divisions.search("镇", county="三门县")} == {"331022"}
    assert divisions.search("  ") == ()


READINGS = [row for row in make_divisions.read_rows("readings.csv") if row["example"]]


@pytest.mark.parametrize("row", READINGS, ids=lambda row: row["name"])
def test_a_reading_holds_where_it_says(row: dict[str, str]) -> None:
    name, latin = row["example"].split(" ", 1)
    codes = [code for code, each in zip(divisions.table().codes, divisions.table().names, strict=True) if each == name]
    assert latin in {divisions.latin(code) for code in codes if code.startswith(row["within"])}


@pytest.mark.parametrize("row", make_divisions.read_rows("customary.csv"), ids=lambda row: row["name"])
def test_customary_spellings_stand_behind_the_pinyin(row: dict[str, str]) -> None:
    division = divisions.get(row["code"])
    assert division is not None
    assert division.name == row["name"]
    assert divisions.latin_names(row["code"])[1:] == tuple(row["spellings"].split("/"))


def test_the_table_is_what_its_maker_writes() -> None:
    assert make_divisions.compress(make_divisions.table_text()) == divisions.TABLE.read_bytes()


@pytest.mark.parametrize(
    ("code", "latin"),
    [
        ("331022103", "Tingpang Zhen"),
        ("3415", "Lu'an Shi"),
        ("371525", "Guanxian"),
        ("14", "Shanxi Sheng"),
        ("61", "Shaanxi Sheng"),
        ("15", "Neimenggu Zizhiqu"),
        ("54", "Xizang Zizhiqu"),
        ("532325", "Yao'an Xian"),
        ("331127", "Jingning Shezu Zizhixian"),
        ("429021", "Shennongjia Linqu"),
        ("130126100", "Lingshou Zhen"),
        ("320282113", "Hufu Zhen"),
    ],
)
def test_latin_names_are_written_as_words(code: str, latin: str) -> None:
    assert divisions.latin(code) == latin


def test_no_division_lacks_a_latin_name() -> None:
    written = re.compile("[A-ZÜ][a-zü']*([ /-][A-ZÜ][a-zü']*)*")
    table = divisions.table()
    assert [name for name, latin in zip(table.names, table.latin, strict=True) if not written.fullmatch(latin)] == []


@pytest.mark.parametrize(
    "q", ["Tingpang", "tingpang zhen", "TINGPANGZHEN", "ting-pang", "Tíngpáng Zhèn", "ting'pang", "ingpang Zh", "亭旁"]
)
def test_search_folds_case_blanks_and_signs(q: str) -> None:
    assert [d.code for d in divisions.search(q)] == ["331022103"]


@pytest.mark.parametrize("q", ["Lüyuan", "lvyuan", "LUYUAN", "lyuyuan"])
def test_search_knows_the_spellings_of_u_umlaut(q: str) -> None:
    assert "220106" in {d.parent for d in divisions.search(q)}


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("Taiping Zhen", ["太平镇"]),
        ("Taiping", ["太平镇", "太平乡", "太平街道", "太平川镇"]),
        ("太平", ["太平街道", "太平川镇", "北太平庄街道"]),
    ],
)
def test_search_puts_the_whole_name_before_its_beginning_and_that_before_a_part(q: str, names: list[str]) -> None:
    found = [d.name for d in divisions.search(q)]
    places = [found.index(name) for name in names]
    assert places == sorted(places)


@pytest.mark.parametrize("q", ["", "  ", "''", "-", "zzz", "没有这个镇", "9" * 9])
def test_search_finds_nothing_for_nothing(q: str) -> None:
    assert divisions.search(q) == ()
