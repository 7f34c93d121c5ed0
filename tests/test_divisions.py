"""The division table: every row of the source, names down the hierarchy, search."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

import pytest

from chalicelib import divisions, township_search
from chalicelib.divisions import Division
from deploy import make_divisions

PINYIN_CASES = Path(__file__).parent / "cases" / "pinyin.csv"

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
    found = township_search.search("永丰镇", province="浙江省")
    assert [d.code for d in found] == ["331082108"]
    assert [d.code for d in township_search.search("亭旁")] == ["331022103"]
    assert [d.code for d in township_search.search("331022103")] == ["331022103"]
    assert {d.parent for d in township_search.search("镇", county="三门县")} == {"331022"}
    assert township_search.search("  ") == ()


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
    "q",
    [
        "Tingpang",
        "tingpang zhen",
        "TINGPANGZHEN",
        "ting-pang",
        "Tíngpáng Zhèn",
        "Ti\u0301ngpa\u0301ng",
        "ting'pang",
        "ting’pang",
        "  Ting  Pang ",
        "ingpang Zh",
        "Tingpang Town",
        "tingpang township",
        "Tingpang  TOWN ",
        "亭旁",
        "亭旁镇",
        "331022103",
    ],
)
def test_search_folds_case_blanks_and_signs(q: str) -> None:
    assert [d.code for d in township_search.search(q)] == ["331022103"]


@pytest.mark.parametrize("q", ["Lüyuan", "lvyuan", "LUYUAN", "lyuyuan"])
def test_search_knows_the_spellings_of_u_umlaut(q: str) -> None:
    assert "220106" in {d.parent for d in township_search.search(q)}


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("Taiping Zhen", ["太平镇"]),
        ("Taiping", ["太平镇", "太平乡", "太平街道", "太平川镇"]),
        ("太平", ["太平街道", "太平川镇", "北太平庄街道"]),
    ],
)
def test_search_puts_the_whole_name_before_its_beginning_and_that_before_a_part(q: str, names: list[str]) -> None:
    found = [d.name for d in township_search.search(q)]
    places = [found.index(name) for name in names]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("q", "first", "last"),
    [
        ("Taiping Town", "镇", "街道"),
        ("Taiping Township", "乡", "街道"),
        ("Taiping Subdistrict", "街道", "镇"),
        ("Taiping sub-district", "街道", "镇"),
        ("Taiping Ethnic Township", "乡", "街道"),
    ],
)
def test_search_puts_the_rank_that_the_english_word_names_first(q: str, first: str, last: str) -> None:
    """All townships of the name are found, whatever their rank: the word may be a loose one."""
    names = [d.name for d in township_search.search(q)]
    assert set(names) == {d.name for d in township_search.search("Taiping")}
    assert names[0].endswith(first)
    assert max(n for n, name in enumerate(names) if name == f"太平{first}") < names.index(f"太平{last}")


@pytest.mark.parametrize("q", ["Town", "township", "Zhen"])
def test_an_english_rank_alone_is_a_part_of_a_name(q: str) -> None:
    assert all(
        divisions.fold_latin(q) in divisions.fold_latin(divisions.latin(d.code)) for d in township_search.search(q)
    )


@pytest.mark.parametrize("word", sorted(township_search.ENGLISH))
def test_an_english_rank_is_split_off(word: str) -> None:
    name, ranks = township_search.split_rank(f"Sanmen {word.title()}")
    assert (name, ranks) == ("Sanmen", township_search.ENGLISH[word])
    for rank in ranks:
        assert any(divisions.fold_latin(latin.split("/")[0]).endswith(rank) for latin in divisions.table().latin)


PINYIN = list(csv.DictReader(PINYIN_CASES.read_text("utf-8").splitlines()))


@pytest.mark.parametrize("row", PINYIN, ids=lambda row: row["name"])
def test_a_name_of_several_readings_is_read_right(row: dict[str, str]) -> None:
    division = divisions.get(row["code"])
    assert division is not None
    assert (division.name, divisions.latin(row["code"])) == (row["name"], row["latin"])


@pytest.mark.parametrize("q", ["", "  ", "''", "-", "zzz", "没有这个镇", "9" * 9])
def test_search_finds_nothing_for_nothing(q: str) -> None:
    assert township_search.search(q) == ()
