"""The check that every answer of the tests passes finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from chalicelib.storage import Storage
from tests import contract, gateway
from tests.gateway import Answer, get
from tests.published import publish, record

REPORT = "/v1/reports/{report}"
Change = Callable[[Answer], Answer]


def _with(**body: Any) -> Change:
    return lambda answer: replace(answer, body=orjson.dumps({**answer.json, **body}).decode())


def _headed(**headers: str) -> Change:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: replace(answer, headers={**answer.headers, **told})


def _without(name: str) -> Change:
    return lambda answer: replace(answer, headers={k: v for k, v in answer.headers.items() if k != name})


def _lacking(field: str) -> Change:
    return lambda answer: replace(
        answer, body=orjson.dumps({k: v for k, v in answer.json.items() if k != field}).decode()
    )


BROKEN: dict[str, tuple[Change, str]] = {
    "an unknown field": (_with(colour="red"), "colour"),
    "a field that is missing": (_lacking("indicators"), "indicators"),
    "a field of another type": (_with(review_year="2022"), "review_year"),
    "an unknown header": (_headed(x_powered_by="x"), "x-powered-by"),
    "a header that is missing": (_without("etag"), "etag"),
    "a header that cannot be": (_headed(etag="weak"), "ETag|etag"),
    "an unknown status": (lambda answer: replace(answer, status=202), "202"),
    "another media type": (_headed(content_type="text/html"), "text/html"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_in_the_contract_is_found(local_storage: Storage, name: str) -> None:
    change, named = BROKEN[name]
    publish(local_storage, record())
    answer = get(local_storage, "/v1/reports/331022103-2022")
    contract.check_answer(REPORT, "GET", answer)
    with pytest.raises(AssertionError, match=named):
        contract.check_answer(REPORT, "GET", change(answer))


def test_a_problem_has_the_status_that_its_code_has(local_storage: Storage) -> None:
    answer = get(local_storage, "/v1/reports/331022103-1999")
    with pytest.raises(AssertionError, match="code"):
        contract.check_answer(REPORT, "GET", _with(code="bad_cursor")(answer))


def test_every_answer_of_the_tests_is_checked() -> None:
    assert contract.check_answer in gateway.CHECKS
