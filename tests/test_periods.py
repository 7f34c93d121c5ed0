"""A figure is of the time that the text names, as far as the named time carries."""

from __future__ import annotations

import pytest

from tests.reading_cases import Case, check, load


@pytest.mark.parametrize("case", load("periods"))
def test_period(case: Case) -> None:
    check(case)
