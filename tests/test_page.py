"""Furniture goes, the report's words stay: clean pages of many layouts."""

from __future__ import annotations

import pytest

from chalicelib.errors import ReportError
from chalicelib.reading import furniture, metadata
from tests.pages import PROSE, Case, cases

CASES = cases()
READ = [case for case in CASES if not case.refused]
FIELDS = ("title", "issuer", "issued", "published", "index_number")


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_page_has_the_report_and_no_furniture(case: Case) -> None:
    page = case.page()
    expected = {key: case.expect[key] for key in FIELDS if key in case.expect}
    assert {key: getattr(page, key) or "" for key in expected} == expected
    lines = page.text.split("\n")
    assert [line for line in case.lines if line not in lines] == []
    assert [word for word in case.absent if word in page.text] == []
    assert page.text[page.body_start :].startswith(case.lines_start)
    assert page.text.startswith(f"{page.title}\n\n" if page.title else page.text[:1])
    assert PROSE in page.text or "{prose}" not in case.source


@pytest.mark.parametrize("case", [case for case in CASES if case.refused], ids=lambda case: case.name)
def test_what_is_no_report_is_refused(case: Case) -> None:
    with pytest.raises(ReportError) as caught:
        case.page()
    assert caught.value.code == case.refused
    assert caught.value.way_out


@pytest.mark.parametrize("kind", ["line", "end"])
def test_every_furniture_pattern_drops_its_example_and_spares_its_counter_example(kind: str) -> None:
    for rule in furniture.rules(kind):
        assert rule.pattern.fullmatch(rule.example), rule.example
        assert not rule.pattern.fullmatch(rule.counter), rule.counter


def test_furniture_examples_are_dropped_from_a_page_and_counter_examples_stay() -> None:
    for kind in ("line", "end"):
        for rule in furniture.rules(kind):
            body = f"{PROSE}\n{rule.counter}\n{PROSE}\n{PROSE}\n{rule.example}"
            text = Case("", f"稽东镇2020年工作总结\n{body}").page().text
            assert rule.counter in text.split("\n"), rule.counter
            assert not text.endswith(rule.example), rule.example


@pytest.mark.parametrize("label", metadata.labels(), ids=lambda label: label.name)
def test_every_metadata_label_is_read_from_its_example(label: metadata.Label) -> None:
    case = Case("", f"{label.example}\n稽东镇2020年工作总结\n{PROSE}")
    page = case.page()
    assert page.text == f"稽东镇2020年工作总结\n\n{PROSE}"
    if label.field in {"written", "sent", "published"}:
        assert page.issued == label.value[:10]
    if label.field == "published":
        assert page.published == label.value
    if label.field in {"issuer", "source", "publisher"}:
        assert page.issuer == label.value
    if label.field == "index_number":
        assert page.index_number == label.value
