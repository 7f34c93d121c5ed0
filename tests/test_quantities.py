"""A figure gives its exact value, its unit and its bound, however it is printed."""

from __future__ import annotations

import pytest

from tests.reading_cases import Case, check, load


@pytest.mark.parametrize("case", load("quantities"))
def test_quantity(case: Case) -> None:
    check(case)
