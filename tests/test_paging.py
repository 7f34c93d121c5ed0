"""Pages while data change: every list visits what stays exactly once, and takes no cursor of another one."""

from __future__ import annotations

import base64
import contextlib
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.catalog import paging
from chalicelib.catalog.paging import Position
from chalicelib.errors import BadRequest, Gone, NotFound
from chalicelib.storage import Storage
from tests.published import FANGCHENG, TINGPANG, Record, indicator, plain, publish, record
from tests.test_catalog import ALL, BEIJING, LISTS, Ask

CODES = (TINGPANG, FANGCHENG, BEIJING, "110101002", "330603109")
YEARS = (2020, 2021, 2022)
# Of a report's own parts a page stays with one revision; there nothing can come between.
CHANGING = [name for name in LISTS if not name.startswith("a report's")]


@dataclass
class World:
    """What is published, and how it changes."""

    storage: Storage
    current: dict[tuple[str, int], Record] = field(default_factory=dict)

    def revise(self, code: str, year: int, figures: int) -> str:
        """A report with other figures than before, or a first one; with none, a withdrawal. Its id."""
        before = self.current.get((code, year))
        rows = [
            indicator(n + 1, ("gdp", "fixed_asset_investment", None)[n % 3], year - n % 2, value=n)
            for n in range(figures)
        ]
        gone: dict[str, Any] = {} if figures else {"withdrawn": {"time": "2024-03-01T08:30:00Z", "reason": None}}
        new = record(code, year, 1 + (before["revision"] if before else 0), rows, **gone)
        publish(self.storage, new, previous=before)
        self.current[code, year] = new
        return str(new["id"])


@pytest.fixture
def world(storage: Storage) -> World:
    return begin(storage)


def begin(storage: Storage) -> World:
    found = World(storage)
    for code, year in itertools.product(CODES[:3], YEARS):
        found.revise(code, year, 5)
    return found


def names(rows: list[Any]) -> list[tuple[str, str]]:
    """The report and its figure of each row, none of a row that is a report."""
    return [(row["report"], row["id"]) if "report" in row else (row["id"], "") for row in rows]


changes = st.tuples(st.sampled_from(CODES), st.sampled_from(YEARS), st.integers(0, 7))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(CHANGING), st.integers(1, 4), st.lists(changes, max_size=8))
def test_what_stays_is_met_once_and_in_order_whatever_comes_and_goes(
    world: World, name: str, limit: int, coming: list[tuple[str, int, int]]
) -> None:
    ask, _ = LISTS[name]
    try:
        before = names(plain(ask(world.storage, None, ALL)))
    except (NotFound, Gone):  # all of a township's year was withdrawn
        return
    met, touched = list[tuple[str, str]](), set[str]()
    cursor, upcoming = None, iter(coming)
    while True:
        page = ask(world.storage, cursor, limit)
        met += names(plain(page))
        cursor = page.next
        if cursor is None:
            break
        if change := next(upcoming, None):
            touched.add(world.revise(*change))
    staying = [each for each in before if each[0] not in touched]
    assert [each for each in met if each in set(staying)] == staying
    again = [each for each, times in Counter(met).items() if times > 1]
    assert {report for report, _ in again} <= touched


# The one concept of a theme.
SAME = {"a township's concept", "a township's theme"}
PLAIN = {"a township's year", "a township's reports", "reports of a township elsewhere"}


def test_a_cursor_of_another_list_is_refused(local_storage: Storage) -> None:
    begin(local_storage)
    cursors = {name: _cursor(ask, local_storage) for name, (ask, _) in LISTS.items()}
    for name, (ask, _) in LISTS.items():
        for other, cursor in cursors.items():
            if cursor is not None and name not in PLAIN and other != name and {name, other} != SAME:
                with pytest.raises(BadRequest, match="bad_cursor"):
                    ask(local_storage, cursor, 1)


def _cursor(ask: Ask, storage: Storage) -> str | None:
    return ask(storage, None, 1).next


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_cursors(text: str) -> None:
    with contextlib.suppress(BadRequest):
        paging.read_cursor(text)


@given(st.builds(Position, st.text(), st.text(), st.integers(0, 10**6), st.text()))
def test_a_cursor_comes_back_as_it_was(position: Position) -> None:
    assert paging.read_cursor(paging.write_cursor(position)) == position


def test_a_cursor_of_before_that_was_kept_goes_on() -> None:
    kept = (
        base64.urlsafe_b64encode(orjson.dumps(("changes", "2024-03-01T08:30:00.000Z#x#000001", 0))).decode().rstrip("=")
    )
    assert paging.read_cursor(kept) == Position("changes", "2024-03-01T08:30:00.000Z#x#000001", 0, "")


@pytest.mark.parametrize("name", [name for name in LISTS if "revisions" not in name and "without" not in name])
def test_a_cursor_fits_its_own_list_alone(local_storage: Storage, name: str) -> None:
    begin(local_storage)
    strange = paging.write_cursor(Position("report#x", "revision#000001", 0))
    with pytest.raises((BadRequest, NotFound)) as caught:
        LISTS[name][0](local_storage, strange, 1)
    assert caught.value.code == "bad_cursor"


@pytest.mark.parametrize(
    "position",
    [
        *(
            ("a", "b"),
            ("a", "b", 1, "", ""),
            ("a", 1, 2, ""),
            ("a", "b", -1, ""),
            ("a", "b", True, ""),
            ("a", "b", 1.5, ""),
        ),
        *(("a", "b", 1, 2), 3, {}),
    ],
)
def test_a_cursor_has_one_form(position: Any) -> None:
    text = base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")
    with pytest.raises(BadRequest):
        paging.read_cursor(text)
