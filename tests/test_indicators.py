"""Sentences of the genre give the indicators that a careful statistician takes from them, and no others."""

from __future__ import annotations

import pytest

from tests.reading_cases import Case, check, load


@pytest.mark.parametrize("case", load("lists"))
def test_lists_pairs_changes_and_ratios(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", load("targets"))
def test_targets_and_estimates(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", load("names"))
def test_names(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", load("places"))
def test_places(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", load("excluded"))
def test_what_is_no_indicator(case: Case) -> None:
    check(case)
