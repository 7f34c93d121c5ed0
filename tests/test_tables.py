"""A table of indicators gives one indicator a cell, with what its column means."""

from __future__ import annotations

import pytest

from tests.reading_cases import Case, check, load, read


@pytest.mark.parametrize("case", load("tables"))
def test_table(case: Case) -> None:
    check(case)


def test_the_number_is_the_bare_cell_and_the_row_the_evidence() -> None:
    body = "指标 | 单位 | 完成数 | 同比\n财政收入 | 万元 | 1,360 | 8.6\n"
    (found,) = read({"text": body})
    text = f"某镇2022年工作总结\n\n{body}"
    assert text[found.number_start : found.number_end] == "1,360"
    assert text[found.start : found.end] == "财政收入 | 万元 | 1,360 | 8.6"
