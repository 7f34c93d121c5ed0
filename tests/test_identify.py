"""Which report a page is: kind, years and township, on pages of many layouts."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import ReportError
from chalicelib.reading.identify import identify
from chalicelib.reading.model import Identity
from tests.pages import Case, cases

READ = [case for case in cases() if not case.refused]


def _stated(identity: Identity) -> dict[str, Any]:
    township = identity.township
    places = {key: getattr(township, key) or "" for key in ("code", "name", "county", "prefecture", "province")}
    years = {"review_year": identity.review_year or 0, "plan_year": identity.plan_year or 0}
    return {**places, **years, "kind": identity.kind, "title": identity.title, "candidates": len(identity.candidates)}


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_report_is_identified(case: Case) -> None:
    stated = _stated(identify(case.page()))
    expected = {key: value for key, value in case.expect.items() if key in stated}
    assert {key: stated[key] for key in expected} == expected


def test_a_named_code_settles_the_township() -> None:
    case = next(case for case in READ if case.name.startswith("many same names"))
    identity = identify(case.page(), township="420325100")
    assert (identity.township.name, identity.township.county, identity.candidates) == ("城关镇", "房县", ())


@pytest.mark.parametrize("code", ["999999999", "331022", "", "城关镇", "33102210"])
def test_a_code_that_is_no_township_is_refused(code: str) -> None:
    with pytest.raises(ReportError) as caught:
        identify(READ[0].page(), township=code)
    assert caught.value.code == "unknown_township"
