"""Runs of numbers as a query writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalog.choice import Rows, read_runs
from tests.published import indicator


@pytest.mark.parametrize(
    ("text", "holds", "leaves"),
    [
        ("2019", [2019], [2018, 2020, None, "2019"]),
        ("2019..2021", [2019, 2020, 2021], [2018, 2022]),
        ("2019..", [2019, 3000], [2018]),
        ("..2019", [2019, -5], [2020]),
        ("2019,2021..2022", [2019, 2021, 2022], [2020, 2023]),
        ("1.1", [1.1, Decimal("1.1")], [1.10001, 1]),
        ("-3..-1.5", [-3, -2, -1.5], [-1, 0, 3]),
        ("0.3", [0.1 + 0.2 - 0.00000000000000004], [0.31]),
    ],
)
def test_runs_hold_their_ends(text: str, holds: list[Any], leaves: list[Any]) -> None:
    runs = read_runs(text)
    assert all(number in runs for number in holds)
    assert not any(number in runs for number in leaves)


@pytest.mark.parametrize(
    "text",
    ["", "..", "a", "2019..a", "2021..2019", "1...2", "1..2..3", "1,", ",1", "１", "1e5", "+1", " 1", "NaN", "0" * 16],
)
def test_what_is_no_run_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no run of numbers"):
        read_runs(text)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2022", [2022]),
        ("2023,2019..2021,2020", [2019, 2020, 2021, 2023]),
        ("2010..2021", list(range(2010, 2022))),
        ("2010..2022", None),
        ("2010..", None),
        ("2001..2010,2015..2020", None),
    ],
)
def test_few_years_are_told_one_by_one(text: str, years: list[int] | None) -> None:
    assert read_runs(text).few_years() == years


@given(st.lists(st.tuples(st.integers(1978, 2030), st.integers(0, 9)), min_size=1, max_size=5), st.integers(1970, 2050))
def test_a_year_is_held_if_a_run_spans_it(runs: list[tuple[int, int]], year: int) -> None:
    found = read_runs(",".join(f"{first}..{first + more}" for first, more in runs))
    assert (year in found) == any(first <= year <= first + more for first, more in runs)
    assert found.few_years() in (None, sorted({y for first, more in runs for y in range(first, first + more + 1)}))


@pytest.mark.parametrize(
    ("filter_", "holds"),
    [
        (Rows(), True),
        (Rows(years=read_runs("2022")), True),
        (Rows(years=read_runs("2021")), False),
        (Rows(concepts=["gdp"]), False),
        (Rows(statuses=["target", "actual"]), True),
        (Rows(values=read_runs("..150000001")), True),
        (Rows(values=read_runs("150000002..")), False),
    ],
)
def test_a_row_has_to_fit_each_filter(filter_: Rows, holds: bool) -> None:
    assert filter_.holds(indicator(1)) == holds


def test_a_value_is_compared_in_its_standard_unit() -> None:
    printed = indicator(1, value=15, standard={"value": 150000, "unit": "CNY"})
    assert Rows(values=read_runs("150000")).holds(printed)
    assert not Rows(values=read_runs("15")).holds(printed)
    assert Rows(values=read_runs("15")).holds({**printed, "standard": None})
    assert not Rows(values=read_runs("..99")).holds({**printed, "standard": None, "value": None})
