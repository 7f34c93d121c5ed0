"""Shares of a whole written as one ratio: `12.3:45.6:42.1` of the three sectors."""

from __future__ import annotations

import re
from decimal import Decimal

from chalicelib.reading.figures import Quantity, Ratio

RATIO = re.compile(r"\d(?<![\d.:]\d)\d*(?:\.\d+)?%?(?:[:/]\d+(?:\.\d+)?%?){2,4}(?!\.?\d|[:/]|年|月)")
BETWEEN = re.compile(r"[:/](?<=[\d%].)(?=\d)")  # few texts have what parts the numbers of a ratio
PART = re.compile(r"\d+(?:\.\d+)?")
SECTORS = re.compile(r"三次产业|三产|一二三产|产业(?:结构|比|比例)|一、二、三产")
# What one character of `粮经饲比例` stands for.
CROPS = {
    "粮": "粮食作物",
    "经": "经济作物",
    "饲": "饲料作物",
    "果": "水果",
    "菜": "蔬菜",
    "林": "林业",
    "牧": "牧业",
    "农": "农业",
}
LINK = re.compile(r"(?:比例|比重|比|结构|之比|种植|调整|优化|由|从|为|到|至|达)*$")


def find_ratios(folded: str, begin: int) -> list[Ratio]:
    """The ratios whose parts add up to about 100 (each is rounded)."""
    found: list[Ratio] = []
    if BETWEEN.search(folded, begin) is None:
        return found
    for match in RATIO.finditer(folded, begin):
        parts = tuple(
            Quantity(match.start() + p.start(), match.start() + p.end(), Decimal(p[0]), "%", "=", True, "%")
            for p in PART.finditer(match[0])
        )
        if abs(sum((p.value for p in parts), Decimal(-100))) <= 1:
            found.append(Ratio(match.start(), match.end(), parts))
    return found


def part_names(subject: str) -> tuple[str, ...]:
    """The names of the parts: the three sectors, or what the characters of the subject say (粮经饲比例)."""
    if SECTORS.search(subject):
        return ("第一产业占比", "第二产业占比", "第三产业占比")
    stem = LINK.sub("", subject)
    letters = re.search(rf"[{''.join(CROPS)}]{{3,5}}$", stem)
    if letters:
        return tuple(f"{CROPS[c]}占比" for c in letters[0])
    return tuple(f"{part}占比" for part in re.split(r"[、:与和]", stem))
