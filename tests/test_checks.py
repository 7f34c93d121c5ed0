"""Remarks on figures that cannot be right: each rule speaks where it must, and only there, and changes nothing."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.reading.checks import check_indicators, check_township
from chalicelib.reading.concepts import with_concepts
from chalicelib.reading.lexicon import read_rows, read_words
from chalicelib.reading.model import Indicator
from chalicelib.reading.numerals import read_number
from chalicelib.reading.parse import parse
from chalicelib.reading.rounding import read_interval
from tests.quality.tally import GOLD, document, load_gold
from tests.reading_cases import read

READING = Path(parse.__code__.co_filename).parent
DOCUMENTS = [document(load_gold(path)["doc"]) for path in GOLD]

TAX = Indicator(
    name="税收收入",
    value=Decimal(100),
    unit="元",
    bound="=",
    yoy=None,
    year=2022,
    months=None,
    status="actual",
    place=None,
    section=None,
    start=0,
    end=9,
    number_start=4,
    number_end=8,
    concept="tax_revenue",
    standard=(Decimal(100), "CNY"),
)
RATE = replace(TAX, name="参保率", value=Decimal(95), unit="%", concept=None, standard=(Decimal(95), "percent"))


PLAIN = (
    "坚持以项目建设为抓手，持续改善人居环境，群众的获得感不断增强。扎实做好信访维稳工作，未发生重大安全事故，社会大局和谐稳定。"
    "坚持党建引领，各项事业取得新的进步，全面落实上级决策部署，扎实推进乡村振兴，民生保障持续加强，作风建设不断深化。"
)


def remarks(text: str, rule: str, title: str = "某镇2022年工作总结") -> list[str]:
    """The names of the indicators of a report's sentences that the rule remarks on."""
    record = parse(f"{title}\n{PLAIN}\n{text}".encode(), "").record
    names = {i["id"]: i["name"] for i in record["indicators"]}
    return [names[check["indicator"]] for check in record["checks"] if check["rule"] == rule]


def load_cases() -> list[Any]:
    with (Path(__file__).parent / "cases" / "checks.toml").open("rb") as file:
        cases: list[dict[str, Any]] = tomllib.load(file)["case"]
    return [pytest.param(case, id=f"{case['rule']} {case['text']}", marks=_marks(case)) for case in cases]


def _marks(case: dict[str, Any]) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=case["gap"], strict=True)] if "gap" in case else []


@pytest.mark.parametrize("case", load_cases())
def test_a_rule_speaks_where_it_must_and_only_there(case: dict[str, Any]) -> None:
    assert bool(remarks(case["text"], case["rule"])) is case["remarked"]


# In another sentence.
ELSEWHERE: dict[str, Any] = {"start": 10, "end": 19, "number_start": 14, "number_end": 18}


def rules(*indicators: Indicator) -> list[tuple[str, str]]:
    """The remarks as rule and indicator."""
    return [(found["rule"], found["indicator"]) for found in check_indicators(indicators)]


def worth(value: int, **fields: Any) -> Indicator:
    return replace(TAX, value=Decimal(value), standard=(Decimal(value), "CNY"), **fields)


@pytest.mark.parametrize(
    ("indicator", "remarked"),
    [
        (replace(RATE, value=Decimal("100.1")), True),
        (replace(RATE, value=Decimal(100)), False),
        (replace(RATE, name="绿化覆盖率", value=Decimal(145)), True),
        (replace(RATE, name="第三产业占比", value=Decimal(120)), True),
        (replace(RATE, name="任务完成率", value=Decimal(120)), False),
        (replace(RATE, name="产销率", value=Decimal(102)), False),
        (replace(RATE, name="税收增长率", value=Decimal(300)), False),
        (replace(RATE, name="参保率", value=Decimal(300), unit="人"), False),
        (replace(RATE, value=None, unit=None, yoy=Decimal(300)), False),
    ],
)
def test_a_share_over_100(indicator: Indicator, remarked: bool) -> None:
    assert rules(indicator) == ([("share_over_100", "i1")] if remarked else [])


@pytest.mark.parametrize(
    ("other", "remarked"),
    [
        (worth(200), True),
        (worth(100), False),
        (worth(200, year=2021), False),
        (worth(200, months=(1, 6)), False),
        (worth(200, status="target"), False),
        (worth(200, bound=">="), False),
        (worth(200, concept=None), False),
        (worth(200, concept="fiscal_revenue"), False),
    ],
)
def test_one_indicator_with_two_values(other: Indicator, remarked: bool) -> None:
    assert rules(TAX, replace(other, **ELSEWHERE)) == ([("two_values", "i2")] if remarked else [])
    assert rules(TAX, other) == [], "of two figures in one sentence the second is another one"


def test_one_value_in_two_units_is_one_value() -> None:
    found = with_concepts(read({"text": "粮食总产量1.2万吨。今年粮食总产量1200万公斤。"}))
    assert [i.concept for i in found] == ["grain_output", "grain_output"]
    assert check_indicators(found) == []


@pytest.mark.parametrize(
    ("indicator", "remarked"),
    [
        (worth(5, status="target", year=None), True),
        (worth(5, status="target"), False),
        (worth(5, year=None), False),
    ],
)
def test_a_target_without_a_year(indicator: Indicator, remarked: bool) -> None:
    assert rules(indicator) == ([("target_without_year", "i1")] if remarked else [])


# What the example of a rule needs beside its text.
SETTING = {
    "target_without_year": {"title": "某镇工作总结"},
    "township_named_otherwise": {"title": "三门县亭旁镇2022年工作总结"},
}


@pytest.mark.parametrize("row", read_rows("checks.csv"), ids=lambda row: str(row["id"]))
def test_every_rule_speaks_of_its_example_alone(row: dict[str, str]) -> None:
    assert row["zh"]
    assert row["en"]
    assert row["description"]
    township = {"example": "331024106", "counter": "331022103"} if row["id"] == "township_named_otherwise" else {}
    for column, remarked in (("example", True), ("counter", False)):
        body = f"{SETTING.get(row['id'], {}).get('title', '某镇2022年工作总结')}\n{PLAIN}\n{row[column]}"
        checks = parse(body.encode(), "", township.get(column)).record["checks"]
        assert (row["id"] in {check["rule"] for check in checks}) is remarked, column


@pytest.mark.parametrize("word", read_words("checks.toml", "share"))
def test_a_share_is_at_most_the_whole(word: str) -> None:
    assert remarks(f"工业{word}达到120%。", "share_over_100") != []
    assert remarks(f"工业{word}达到98%。", "share_over_100") == []


@pytest.mark.parametrize("word", read_words("checks.toml", "may_exceed"))
def test_a_share_of_what_is_no_whole_may_exceed_it(word: str) -> None:
    assert remarks(f"工业{word}占比达到120%。", "share_over_100") == []


@pytest.mark.parametrize("word", read_words("checks.toml", "beyond"))
def test_what_is_no_part_may_be_more(word: str) -> None:
    assert remarks("投入资金300万元，其中上级资金500万元。", "part_exceeds_whole") != []
    assert remarks(f"投入资金300万元，其中{word}资金500万元。", "part_exceeds_whole") == []


@pytest.mark.parametrize("word", read_words("checks.toml", "project"))
def test_a_figure_of_a_project_is_not_that_of_the_place(word: str) -> None:
    assert remarks("工业实现税收收入300万元。全镇税收收入5000万元。", "two_values") == []
    assert remarks("实现税收收入300万元。全镇税收收入5000万元。", "two_values") != []
    assert remarks(f"建设甲{word}，实现税收收入300万元。全镇税收收入5000万元。", "two_values") == []


@pytest.mark.parametrize("word", read_words("checks.toml", "head"))
def test_the_end_of_a_name_says_what_it_is_measured_in(word: str) -> None:
    rows = read_rows("concepts.csv")
    names = {name: row for row in rows for name in row["aliases"].split("|") if name.endswith(word)}
    name, row = min(names.items(), key=lambda item: len(item[0]))
    unit = "亩" if row["dimension"] != "area" else "公斤"
    assert remarks(f"全年{name}达到12{unit}。", "unit_misfit") != []


def test_what_has_one_value_is_a_concept() -> None:
    assert set(read_words("checks.toml", "one_value")) <= {row["id"] for row in read_rows("concepts.csv")}


@pytest.mark.parametrize("row", read_rows("wholes.csv"), ids=lambda row: str(row["whole"]))
def test_every_whole_is_more_than_its_parts(row: dict[str, str]) -> None:
    assert remarks(row["example"], "part_exceeds_whole") != []
    assert remarks(row["counter"], "part_exceeds_whole") == []


def test_every_rule_is_described() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in READING.glob("*.py"))
    spoken = set(re.findall(r'Remark\(\s*"(\w+)"', source)) | set(re.findall(r'"rule": "(\w+)"', source))
    assert spoken == {row["id"] for row in read_rows("checks.csv")}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.stem))
def test_nothing_is_said_of_sound_reports(path: Path) -> None:
    """The seeds and the made reports were gone through by eye: none contradicts itself."""
    assert parse(path.read_bytes(), path.name).record["checks"] == []


@given(st.decimals(0, 10**9, places=2), st.integers(0, 3), st.sampled_from(["", "万", "亿"]))
def test_a_number_rounds_to_itself(value: Decimal, places: int, scale: str) -> None:
    printed = f"{value:.{places}f}{scale}元"
    read = read_number(f"{value:.{places}f}{scale}")
    assert read is not None
    interval = read_interval(read, printed)
    exact = value * {"": 1, "万": 10**4, "亿": 10**8}[scale]
    assert interval.low <= exact <= interval.high


def test_a_remark_is_a_sentence_with_its_figures() -> None:
    (found,) = check_indicators([TAX, worth(200, **ELSEWHERE)])
    assert set(found) == {"rule", "indicator", "message"}
    assert "200" in found["message"]
    assert "100" in found["message"]


def test_nothing_to_remark() -> None:
    assert check_indicators([]) == []
    assert check_indicators([TAX, RATE]) == []


@pytest.mark.parametrize(("stated", "remarks"), [("331022103", 0), (None, 0), ("331024106", 1)])
def test_a_township_named_against_the_document_is_remarked(stated: str | None, remarks: int) -> None:
    found = check_township("331022103", stated)
    assert [remark["rule"] for remark in found] == ["township_named_otherwise"] * remarks
