"""Remarks on figures that cannot be right: each rule speaks where it must, and only there, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.reading.checks import check_indicators, check_township
from chalicelib.reading.concepts import with_concepts
from chalicelib.reading.model import Indicator
from tests.reading_cases import read

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


MISSING = [
    ("growth that last year's value contradicts", [worth(150, yoy=Decimal(10)), worth(100, year=2021)]),
    (
        "a part that exceeds its whole",
        [
            worth(100, name="固定资产投资", concept="fixed_asset_investment"),
            worth(150, name="工业投资", concept="industrial_investment"),
        ],
    ),
    ("a unit that does not fit the concept", [replace(TAX, unit="亩", standard=(Decimal(100), "m2"))]),
]


@pytest.mark.parametrize(
    "indicators",
    [
        pytest.param(found, id=name, marks=pytest.mark.xfail(reason="no rule looks for it yet", strict=True))
        for name, found in MISSING
    ],
)
def test_further_contradictions(indicators: list[Indicator]) -> None:
    assert check_indicators(indicators) != []


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
