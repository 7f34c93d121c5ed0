"""Remarks on figures that cannot be right: each rule speaks where it must, and only there, and changes nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.reading.checks import check_indicators, check_township
from chalicelib.reading.concepts import with_concepts
from chalicelib.reading.lexicon import read_rows
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


NO_FIGURE = "今年以来，全镇干部群众认真落实党委、政府的工作部署，扎实推进各项工作，社会大局保持和谐稳定。" * 3


def remarks(text: str, rule: str) -> list[str]:
    """The names of the indicators of a report's sentences that the rule remarks on."""
    record = parse(f"某镇2022年工作总结\n{NO_FIGURE}\n{text}".encode(), "").record
    names = {i["id"]: i["name"] for i in record["indicators"]}
    return [names[check["indicator"]] for check in record["checks"] if check["rule"] == rule]


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
    assert rules(TAX, other) == ([("two_values", "i2")] if remarked else [])


def test_one_value_in_two_units_is_one_value() -> None:
    found = with_concepts(read({"text": "粮食总产量1.2万吨。今年粮食总产量1200万公斤。"}))
    assert [i.concept for i in found] == ["grain_output", "grain_output"]
    assert check_indicators(found) == []


def test_people_and_their_turns_are_two_values_that_both_hold() -> None:
    found = with_concepts(read({"text": "转移就业劳动力826人、1310人次。"}))
    assert [i.concept for i in found] == ["labour_transferred", "labour_transferred"]
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


@pytest.mark.parametrize(
    ("text", "remarked"),
    [
        ("农民人均纯收入12000元，比上年增加1000元，增长15%。", ["农民人均纯收入"]),
        ("农民人均纯收入12000元，比上年增加1000元，增长9.1%。", []),
        ("农民人均纯收入12000元，比上年增加1000元，增长9%。", []),
        ("财政收入1.2亿元，比上年减少0.3亿元，下降20%。", []),
        ("财政收入1.2亿元，比上年减少0.3亿元，下降35%。", ["财政收入"]),
        ("财政收入1.2亿元，比上年增加2000万元，增长1.2倍。", ["财政收入"]),
        ("2021年财政收入1.00亿元。2022年财政收入1.50亿元，增长10%。", ["财政收入"]),
        ("2021年财政收入1.00亿元。2022年财政收入1.1.00亿元，增长10%。", []),
        ("2021年财政收入1.00亿元。2022年财政收入超过1.50亿元，增长10%。", []),
        ("2021年地区生产总值10.0亿元。2022年地区生产总值15亿元，增长8%。", []),
        ("2021年工业总产值10亿元。2022年工业总产值15亿元，按可比价增长8%。", []),
        ("2021年财政收入1.00亿元。2022年上半年财政收入1.50亿元，增长10%。", []),
    ],
)
def test_growth_that_values_contradict(text: str, remarked: list[str]) -> None:
    assert remarks(text, "growth_contradicted") == remarked


@pytest.mark.parametrize(
    ("text", "remarked"),
    [
        ("财政总收入5000万元，其中税收收入6000万元。", ["税收收入"]),
        ("财政总收入5000万元，其中税收收入4000万元。", []),
        ("引进项目6个，其中工业项目8个、农业项目1个。", ["工业项目"]),
        ("引进项目6个，其中工业项目4个、农业项目2个，新开工项目9个。", []),
        ("财政总收入0.5亿元，其中税收收入5200万元。", []),
        ("果园面积200亩，人均1.6亩，其中挂果园82亩。", []),
        ("财政总收入5000余万元，其中税收收入5600万元。", []),
        ("参保2.3万人，其中缴费2.5万人。", ["缴费"]),
    ],
)
def test_a_part_that_exceeds_its_whole(text: str, remarked: list[str]) -> None:
    assert remarks(text, "part_exceeds_whole") == remarked


@pytest.mark.parametrize(
    ("text", "remarked"),
    [
        ("固定资产投资8600亩。", ["固定资产投资"]),
        ("固定资产投资8600万元。", []),
        ("粮食总产量2.3万亩。", ["粮食总产量"]),
        ("拆除违建20处、1.5万平方米。", []),
        ("发放低保金126万元，惠及230户。", []),
        ("固定资产投资增长12%。", []),
    ],
)
def test_a_unit_that_does_not_fit(text: str, remarked: list[str]) -> None:
    assert remarks(text, "unit_misfit") == remarked


@pytest.mark.parametrize("row", read_rows("checks.csv"), ids=lambda row: str(row["id"]))
def test_every_rule_speaks_of_its_example_alone(row: dict[str, str]) -> None:
    if row["example"]:
        assert remarks(row["example"], row["id"]) != []
        assert remarks(row["counter"], row["id"]) == []
    assert row["zh"]
    assert row["en"]
    assert row["description"]


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
    (found,) = check_indicators([TAX, worth(200)])
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
