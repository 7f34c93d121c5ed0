"""The administrative divisions of mainland China down to the township: 44,703 rows of the statistics bureau, 2023.

`rules/divisions.csv.gz` holds code, name and Latin name (`deploy/make_divisions.py` makes it); the level is the code's
length and the parent its prefix. The table is read at first use and kept as sorted lists, and one map from name to
places in them.
"""

from __future__ import annotations

import gzip
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TypedDict

TABLE = Path(__file__).resolve().parent / "rules" / "divisions.csv.gz"
LEVELS = {2: "province", 4: "prefecture", 6: "county", 9: "township"}

# Rows that stand for a missing level, and no place is called so.
PLACEHOLDERS = frozenset({"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})


class Place(TypedDict):
    """A division's names down the hierarchy, as they are printed; None where there is no such level."""

    code: str
    name: str | None
    county: str | None
    prefecture: str | None
    province: str | None


@dataclass(frozen=True, slots=True)
class Division:
    """One row: `code` of 2, 4, 6 or 9 digits, `level`, name as in the source, and the parent's code ('' at the top)."""

    code: str
    level: str
    name: str
    parent: str


class Table:
    """Codes in order with their names, and the index from a name to its rows."""

    def __init__(self, text: str) -> None:
        fields = text.replace("\n", ",").split(",")
        self.codes: list[str] = fields[3:-1:3]
        self.names: list[str] = fields[4::3]
        self.latin: list[str] = fields[5::3]
        self.rows: dict[str, list[int]] = {}
        for row, name in enumerate(self.names):
            self.rows.setdefault(name, []).append(row)
        self.folded: dict[str, list[int]] = {}
        for name, rows in self.rows.items():
            if (plain := fold(name)) != name:
                self.folded.setdefault(plain, []).extend(rows)

    def row(self, code: str) -> int | None:
        at = bisect_left(self.codes, code)
        return at if at < len(self.codes) and self.codes[at] == code else None

    def division(self, row: int) -> Division:
        code = self.codes[row]
        return Division(code, LEVELS[len(code)], self.names[row], parent_code(code))

    def named(self, name: str) -> Iterator[Division]:
        plain = fold(name)
        rows = {*self.rows.get(name, ()), *self.rows.get(plain, ()), *self.folded.get(plain, ())}
        return (self.division(row) for row in sorted(rows))


_DROPPED = str.maketrans("", "", " \u3000\u00a0()[]〔〕【】-－—·•")


def fold(name: str) -> str:
    """The name without brackets, hyphens and blanks, in normal width, `〇` as `零`: what two spellings share."""
    if name.isalnum() and "〇" not in name:
        return name
    return unicodedata.normalize("NFKC", name).translate(_DROPPED).replace("〇", "零")


@cache
def table() -> Table:
    """The whole table, read once."""
    return Table(gzip.decompress(TABLE.read_bytes()).decode())


def parent_code(code: str) -> str:
    """The code one level up, '' for a province."""
    return {9: code[:6], 6: code[:4], 4: code[:2]}.get(len(code), "")


def get(code: str) -> Division | None:
    """The division with exactly this code, or None."""
    row = table().row(code)
    return None if row is None else table().division(row)


def is_place(code: str) -> bool:
    """Whether a township, county, prefecture or province has this code; rows that stand for a missing level are none."""
    division = get(code)
    return division is not None and division.name not in PLACEHOLDERS


def place(code: str) -> Place:
    """The names down to this code: `name` is the township's. A placeholder or a county that repeats its city is None.

    Raises KeyError for a code that the table does not hold.
    """
    division = get(code)
    if division is None:
        raise KeyError(code)
    province, prefecture, county = (_printed(code[:digits]) if len(code) >= digits else None for digits in (2, 4, 6))
    name = division.name if division.level == "township" else None
    return Place(
        code=code,
        name=name,
        county=None if county == prefecture else county,
        prefecture=prefecture,
        province=province,
    )


@lru_cache(maxsize=4096)
def _printed(code: str) -> str | None:
    division = get(code)
    return None if division is None or division.name in PLACEHOLDERS else division.name


def named(name: str) -> tuple[Division, ...]:
    """The townships that carry this name (brackets, hyphens and width folded), in order of their codes."""
    return tuple(d for d in table().named(name) if d.level == "township")


def children(code: str) -> tuple[Division, ...]:
    """The divisions one level below `code` (`""` gives the provinces), in order."""
    every = table()
    digits = {0: 2, 2: 4, 4: 6, 6: 9}.get(len(code), 0)
    first, last = bisect_left(every.codes, code), bisect_left(every.codes, code + ":")
    return tuple(every.division(row) for row in range(first, last) if len(every.codes[row]) == digits)


def townships_in(code: str) -> Iterator[Division]:
    """The townships below a county, prefecture or province, in order; a township itself."""
    every = table()
    first, last = bisect_left(every.codes, code), bisect_left(every.codes, code + ":")
    return (every.division(row) for row in range(first, last) if len(every.codes[row]) == 9)


def latin(code: str) -> str:
    """The division's name in pinyin without tones: `Tingpang Zhen`. Raises KeyError for an unknown code."""
    return latin_names(code)[0]


def latin_names(code: str) -> tuple[str, ...]:
    """The name in pinyin and behind it other customary spellings: `Xizang Zizhiqu`, `Tibet`. Raises KeyError."""
    row = table().row(code)
    if row is None:
        raise KeyError(code)
    return tuple(table().latin[row].split("/"))


def fold_latin(name: str) -> str:
    """Letters and digits alone, small, without accents, `v` and `ü` as `u`: what two ways of writing pinyin share."""
    letters = unicodedata.normalize("NFKD", name).translate(_NOT_LATIN).lower().replace("v", "u")
    return letters.replace("lyu", "lu").replace("nyu", "nu")


_NOT_LATIN = str.maketrans("", "", " \u3000\u00a0'’‘`ʼ-‐–.\u0300\u0301\u0302\u0304\u0306\u0308\u030c")


def lies_below(code: str, digits: int, wanted: str | None) -> bool:
    """Whether the division's code has, or the one of `digits` above it is called, what is `wanted`; any for None."""
    return wanted is None or wanted in (code[:digits], _printed(code[:digits]))
