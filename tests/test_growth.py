"""Growth goes to the quantity that it is of."""

from __future__ import annotations

import pytest

from tests.reading_cases import Case, check, load


@pytest.mark.parametrize("case", load("growth"))
def test_growth(case: Case) -> None:
    check(case)
