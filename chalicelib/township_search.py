"""Search among the townships by a part of their names, in Chinese or in Latin letters."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache

from chalicelib.divisions import Division, fold, fold_latin, get, latin, lies_below, table

_LETTER = re.compile("[a-z]")

# English words for a rank, with the ranks in pinyin that they may stand for, the likeliest first.
ENGLISH = {
    "town": ("zhen",),
    "township": ("xiang", "zhen"),
    "ethnic township": ("xiang",),
    "subdistrict": ("jiedao",),
    "sub-district": ("jiedao",),
    "subdistrict office": ("jiedao",),
    "street": ("jiedao",),
    "sumu": ("sumu",),
    "area": ("diqu",),
    "farm": ("nongchang",),
    "county": ("xian",),
    "district": ("qu",),
    "city": ("shi",),
    "prefecture": ("zhou", "diqu", "shi"),
    "banner": ("qi",),
    "league": ("meng",),
    "province": ("sheng",),
    "municipality": ("shi",),
    "autonomous region": ("zizhiqu",),
    "autonomous county": ("zizhixian",),
    "autonomous prefecture": ("zizhizhou",),
}
_RANK = re.compile(f"\\s+({'|'.join(sorted(ENGLISH, key=len, reverse=True))})\\s*$", re.I)
_NEXT_RANK = 3  # behind all that have the likelier rank


def split_rank(q: str) -> tuple[str, tuple[str, ...]]:
    """A Latin name without the English word for its rank, and what the word is in pinyin: `Tingpang Town` gives
    `Tingpang` and `zhen`; () where it has no such word."""
    found = _RANK.search(q)
    if found is None or not q[: found.start()].strip():
        return q, ()
    return q[: found.start()], ENGLISH[found.group(1).lower()]


class Keys:
    """Folded names, one a line, for finding a part of one of them; `codes` are those of the lines."""

    def __init__(self, codes: list[str], keys: str) -> None:
        self.codes = codes
        self.text = f"\n{keys}\n"
        self.starts = array("I", (found.start() for found in re.finditer("\n", self.text)))

    def find(self, wanted: str) -> Iterator[tuple[int, str]]:
        """The codes of the keys that hold `wanted`, each with its rank: 0 all of the key, 1 its beginning, 2 a part."""
        at = -1 if "\n" in wanted else self.text.find(wanted)  # no name has a line's end
        while at >= 0:
            line = bisect_left(self.starts, at) - 1
            last = self.starts[line + 1]
            rank = 2 if self.text[at - 1] != "\n" else 1 if at + len(wanted) < last else 0
            yield rank, self.codes[line]
            at = self.text.find(wanted, last)


@cache
def _keys(latin: bool) -> Keys:
    every = table()
    rows = [row for row, code in enumerate(every.codes) if len(code) == 9]
    names = every.latin if latin else every.names
    lines = [names[row] for row in rows]
    keys = fold_latin("\n".join(lines)) if latin else "\n".join(map(fold, lines))
    return Keys([every.codes[row] for row in rows], keys)


def search(q: str, province: str | None = None, county: str | None = None) -> tuple[Division, ...]:
    """Townships whose name or Latin name holds `q`, or whose code begins with it; `province` and `county` are a name
    or a code. Case, tones, blanks, apostrophes and hyphens count for nothing; an English word for the rank (`Tingpang
    Town`) puts the townships of that rank first.

    Exact names come first, then names that begin with `q`, of Latin ones those with the proper name `q` before
    others, then the rest, each in order of their codes.
    """
    return tuple(
        d
        for code in search_codes(q)
        if lies_below(code, 2, province) and lies_below(code, 6, county) and (d := get(code))
    )


def search_codes(q: str) -> list[str]:
    """The codes of the townships that `search` finds, in its order."""
    return [code for _, code in sorted(_ranked(q.strip()))]


def codes_beginning(name: str) -> Iterator[str]:
    """The codes of the townships whose Latin name begins with `name`, which is folded."""
    return (code for place, code in _keys(latin=True).find(name) if place < 2)


def _ranked(q: str) -> Iterator[tuple[float, str]]:
    name, ranks = split_rank(q)
    wanted = fold_latin(name)
    if _LETTER.search(wanted):
        for place, code in _keys(latin=True).find(wanted):
            proper, _, rank = latin(code).partition(" ")
            behind = next((n for n, each in enumerate(ranks) if fold_latin(rank or proper).endswith(each)), len(ranks))
            yield (0.5 if place == 1 and fold_latin(proper) == wanted else place) + _NEXT_RANK * behind, code
    elif wanted := fold(q):
        yield from _keys(latin=False).find(wanted)
        if wanted.isascii() and wanted.isdigit():
            yield from ((2, code) for code in _keys(latin=False).codes if code.startswith(wanted))
