"""Numerals are read as exact decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.reading.numerals import MOST_DIGITS, read_chinese, read_number
from tests.reading_cases import Case, load

FIGURES = "零一二三四五六七八九"


@pytest.mark.parametrize("case", load("numerals"))
def test_numeral(case: Case) -> None:
    read = {text: read_number(text) for text in case["values"]}
    assert read == {text: Decimal(value) if value else None for text, value in case["values"].items()}


def spell(number: int) -> str:
    """A whole number below 10^8 in Chinese characters as it is said, with 零 for skipped places."""
    if number >= 10**4:
        high, low = divmod(number, 10**4)
        return spell(high) + "万" + (("零" if low < 1000 else "") + spell(low) if low else "")
    said = ""
    for scale, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // scale % 10
        if digit:
            said += FIGURES[digit] + word
        elif said and not said.endswith("零") and number % scale:
            said += "零"
    return said or "零"


@given(st.integers(0, 10**8 - 1))
def test_a_spelled_number_is_read_back(number: int) -> None:
    assert read_chinese(spell(number)) == number


@given(st.decimals(0, 10**8, places=3), st.sampled_from(["", "十", "百", "千", "万", "亿", "万亿"]))
def test_scales_multiply_exactly(number: Decimal, scale: str) -> None:
    factor = {"": 0, "十": 1, "百": 2, "千": 3, "万": 4, "亿": 8, "万亿": 12}[scale]
    assert read_number(f"{number:f}{scale}") == number.scaleb(factor)


@given(st.integers(0, 10**MOST_DIGITS - 1))
def test_separators_change_nothing(number: int) -> None:
    assert read_number(f"{number:,}") == number == read_number(str(number))


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_none(text: str) -> None:
    value = read_number(text)
    assert value is None or (value.is_finite() and value >= 0)
