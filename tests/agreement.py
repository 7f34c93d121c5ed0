"""When a quantity that was read is the one that was meant: the definitions by which the quality of reading is measured."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

Item = Mapping[str, Any]

# Names at least this alike name the same quantity, titles the same section.
SAME_NAME, SAME_TITLE = 0.5, 0.8
SAME_UNIT = {"％": "%", "㎡": "平方米", "平米": "平方米", "m²": "平方米", "千米": "公里", "千克": "公斤", "km": "公里"}
ATTRIBUTES = ("yoy", "year", "months", "status")


def letters(text: object) -> str:
    """The letters and digits of a text in one width and case."""
    folded = unicodedata.normalize("NFKC", str(text or "")).casefold()
    return "".join(c for c in folded if c.isalnum())


def similarity(a: object, b: object) -> float:
    """Dice's coefficient over pairs of characters; at least 0.8 where one name holds the other and 0.4 of its length."""
    short, long = sorted((letters(a), letters(b)), key=len)
    if not short:
        return 0.0
    if short == long:
        return 1.0
    x, y = _pairs(short), _pairs(long)
    dice = 2 * (x & y).total() / (x.total() + y.total())
    holds = len(short) >= 2 and short in long and len(short) >= 0.4 * len(long)
    return max(dice, 0.8) if holds else dice


def _pairs(text: str) -> Counter[str]:
    return Counter(text[n : n + 2] for n in range(len(text) - 1)) or Counter([text])


def best_similarity(gold: Item, found: Item) -> float:
    """How much the found name is like the most similar of the accepted ones."""
    return max(similarity(name, found["name"]) for name in gold["names"])


def same_number(a: Decimal | float | None, b: Decimal | float | None) -> bool:
    """Equal but for one part in a million."""
    if a is None or b is None:
        return a is b
    x, y = float(a), float(b)
    return abs(x - y) <= 1e-6 * max(1.0, abs(x), abs(y))


def same_quantity(gold: Item, found: Item) -> bool:
    """Equal value and unit; of a growth alone, equal growth."""
    if gold["value"] is None:
        return found["value"] is None and same_number(gold["yoy"], found["yoy"])
    return same_number(gold["value"], found["value"]) and _unit(gold) == _unit(found)


def _unit(item: Item) -> str:
    unit = str(item["unit"] or "").strip()
    return SAME_UNIT.get(unit, unit)


def differing(gold: Item, found: Item) -> list[str]:
    """The attributes that do not agree."""
    return [key for key in ATTRIBUTES if not _same_attribute(gold[key], found[key])]


def _same_attribute(a: Any, b: Any) -> bool:
    if isinstance(a, list | tuple) or isinstance(b, list | tuple):
        return tuple(a or ()) == tuple(b or ())
    return bool(a == b) if isinstance(a, str) else same_number(a, b)


def pair_up(gold: Sequence[Item], found: Sequence[Item]) -> list[tuple[int, int, float]]:
    """Pairs of equal quantities with their names' similarity, the most alike first; each item is in one pair at most."""
    candidates = []
    for g, wanted in enumerate(gold):
        for f, read in enumerate(found):
            if same_quantity(wanted, read):
                alike = best_similarity(wanted, read)
                agreeing = len(ATTRIBUTES) - len(differing(wanted, read))
                candidates.append((-alike - 0.01 * agreeing, g, f, alike))
    pairs, used_gold, used_found = [], set(), set()
    for _, g, f, alike in sorted(candidates):
        if g not in used_gold and f not in used_found:
            used_gold.add(g)
            used_found.add(f)
            pairs.append((g, f, alike))
    return pairs
