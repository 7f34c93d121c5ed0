"""Tables of cases in `cases/reading/`: a text, and the indicators that a careful statistician takes from it.

An expected indicator is one line, `NAMES = VALUE UNIT` and what differs from the defaults:

    固定资产投资|固投 = 71320000 元 yoy 12.5 months 1-9
    农业总产值 = - yoy -3
    参保率 = 95 % >= target year 2023 place 东村 optional

NAMES are the accepted names. `= -` is a growth without a value, unit `-` none. Defaults: bound `=`, no yoy, the year that the
report reviews (2022 unless the case says `review`), all of the year, actual, the township's own. `gap` says why a case fails.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chalicelib.reading.indicators import read_indicators
from chalicelib.reading.model import Identity, Indicator, Page, Township
from chalicelib.reading.outline import outline
from tests.agreement import SAME_NAME, differing, pair_up

FOLDER = Path(__file__).parent / "cases" / "reading"
NOWHERE = Township(None, None, None, None, None)
LINE = re.compile(r"(?P<names>.+?) = (?P<value>-|-?[\d.]+)(?P<rest>.*)")

Case = dict[str, Any]


def load(name: str) -> list[Any]:
    """The rows of a table as parameters of a test; rows with a `gap` must fail until they are mended."""
    with (FOLDER / f"{name}.toml").open("rb") as file:
        cases: list[Case] = tomllib.load(file)["case"]
    return [pytest.param(case, id=case["note"], marks=_marks(case)) for case in cases]


def _marks(case: Case) -> list[pytest.MarkDecorator]:
    return [pytest.mark.xfail(reason=case["gap"], strict=True)] if "gap" in case else []


def make_page(body: str, title: str = "某镇2022年工作总结") -> Page:
    """A page that is nothing but a title and a body."""
    return Page(text=f"{title}\n\n{body}", title=title, body_start=len(title) + 2)


def make_identity(case: Case) -> Identity:
    kind = case.get("kind", "annual")
    review = None if kind == "plan" else case.get("review", 2022)
    return Identity(kind, "某镇2022年工作总结", NOWHERE, (), review, case.get("plan"))


def read(case: Case) -> tuple[Indicator, ...]:
    """The indicators of a case's text, in its report."""
    page, identity = make_page(case["text"]), make_identity(case)
    return read_indicators(page, identity, outline(page, identity))


def expected(case: Case) -> list[dict[str, Any]]:
    """The case's expected indicators with all their fields."""
    return [parse_line(line, case) for line in case["expect"]]


def parse_line(line: str, case: Case) -> dict[str, Any]:
    """One line of the notation above."""
    match = LINE.fullmatch(line)
    assert match, line
    words = iter(match["rest"].split())
    item: dict[str, Any] = {
        "names": match["names"].split("|"),
        "value": None if match["value"] == "-" else Decimal(match["value"]),
        "unit": None,
        "bound": "=",
        "yoy": None,
        "year": case.get("review", 2022),
        "months": None,
        "status": "actual",
        "place": None,
        "optional": False,
    }
    if item["value"] is not None:
        unit = next(words)
        item["unit"] = None if unit == "-" else unit
    for word in words:
        _set_field(item, word, words)
    return item


def _set_field(item: dict[str, Any], word: str, words: Iterator[str]) -> None:
    if word in (">=", "<=", "~"):
        item["bound"] = word
    elif word in ("target", "estimate"):
        item["status"] = word
    elif word == "optional":
        item["optional"] = True
    elif word == "yoy":
        item["yoy"] = Decimal(next(words))
    elif word == "year":
        item["year"] = None if (year := next(words)) == "-" else int(year)
    elif word == "months":
        first, last = next(words).split("-")
        item["months"] = (int(first), int(last))
    elif word == "place":
        item["place"] = next(words)
    else:
        raise AssertionError(f"{word} is no field")


def complaints(gold: Sequence[dict[str, Any]], read_ones: Sequence[Indicator]) -> list[str]:
    """What differs between the indicators that were meant and those that were read; empty if they agree."""
    found = [asdict(i) for i in read_ones]
    pairs = pair_up(gold, found)
    hit, used = {g for g, _, _ in pairs}, {f for _, f, _ in pairs}
    said = [f"missed {_show(item)}" for g, item in enumerate(gold) if g not in hit and not item["optional"]]
    said += [f"invented {_show(item)}" for f, item in enumerate(found) if f not in used]
    for g, f, alike in pairs:
        if gold[g]["optional"]:
            continue
        if alike < SAME_NAME:
            said.append(f"misnamed {gold[g]['names'][0]}: {found[f]['name']}")
        for key in [*differing(gold[g], found[f]), *(k for k in ("bound", "place") if gold[g][k] != found[f][k])]:
            said.append(f"{gold[g]['names'][0]}: {key} is {found[f][key]}, not {gold[g][key]}")
    return said


def _show(item: dict[str, Any]) -> str:
    name = item["name"] if "name" in item else item["names"][0]
    return f"{name} = {item['value']} {item['unit']} yoy {item['yoy']}"


def check(case: Case) -> None:
    """Assert that the case's text is read as expected."""
    assert complaints(expected(case), read(case)) == []
