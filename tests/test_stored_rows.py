"""Rows of an entry: every row comes back, of the years asked for, and small rows stay plain."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalog import stored_rows
from tests.published import indicator

YEARS = st.one_of(st.none(), st.integers(1949, 2100))
ROWS = st.lists(
    st.builds(lambda year, name: {"year": year, "name": name, "yoy": None}, YEARS, st.text(max_size=400)), max_size=12
)


@given(ROWS, YEARS)
def test_rows_come_back_by_year_and_in_their_order(rows: list[dict[str, Any]], asked: int | None) -> None:
    body = stored_rows.write_rows(rows)
    found = stored_rows.read_rows(body)
    assert found == sorted(rows, key=lambda row: (row["year"] is None, row["year"] or 0))
    of_one = stored_rows.read_lines(body, lambda year: year == asked)
    assert [orjson.loads(line) for line in of_one] == [row for row in rows if row["year"] == asked]


@pytest.mark.parametrize(("count", "plain"), [(0, True), (1, True), (3, False), (60, False)])
def test_what_fills_more_than_a_kilobyte_is_deflated(count: int, plain: bool) -> None:
    body = stored_rows.write_rows([indicator(n) for n in range(count)])
    assert body.startswith(b"[") == plain
    assert len(body) <= stored_rows.PLAIN or not plain
    assert plain or len(body) < 150 + 60 * count


STORED = (
    "7a5b5b323032322c3133345d2c5b6e756c6c2c3132325d5d0aab261832cfbaa6bed8da821c3e4a699915a929f189c5c5a925"
    "f1997965a9c525b9a024801e66d084855db59502dc6068a8189a1a8081213c747084abb1899ea129d680c534022d808d8c28"
    "0f6290dde04036324104f3d3753dcf3a2640bc64a867fa64d77ea0e31f373421073f5c1c231e0c2d6b6bb96051613478a2c2"
    "88f2a8301a825101000aab86868c31ce9079d635f5c5d616e4f0514acbac484d894f2c2e4e2d89cfcc2b4b2d2ec9052501f4"
    "3083262cecaaad14e0064343c5d0d4000c8ce1a183235c8d4df40c4db1062ca61128010c09354a8318643738908d4c10c1fc"
    "745dcfb38e09102f19ea993ed9b51fe8f8c70d4dc8c10f17c7880743cbda5a00"
)


def test_what_is_stored_is_read_by_every_later_version() -> None:
    stored = bytes.fromhex(STORED)
    assert stored_rows.read_rows(stored) == [indicator(1), indicator(2), indicator(3, year=None)]
