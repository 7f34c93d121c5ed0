"""Numbers with their measure words: what is a quantity, and how much it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

from chalicelib.reading.counting import ROUND, bound_of, counts, measures
from chalicelib.reading.figures import Quantity
from chalicelib.reading.lexicon import find_unit, one_of, units
from chalicelib.reading.numerals import CHINESE, DIGITS, read_number
from chalicelib.reading.refusals import Refusal, find_refusals, qualifies

ONES = "".join(DIGITS)
ARABIC = r"\d{1,3}(?:[, ]\d{3})+(?![\d.]\d|\d)(?:\.\d+)?|\d+(?: ?\. ?\d+)?"


@cache
def _number() -> re.Pattern[str]:
    unit = one_of(tuple(sorted(units(), key=len, reverse=True)))
    compound = rf"{unit}(?:/(?:{unit}|年|月|日|天|小时)|\((?:次|{unit})(?:[、,]{unit})*\)次?)?"
    return re.compile(
        rf"(?P<number>{ARABIC}|(?<!第)[{CHINESE}]+(?:点[{ONES}]+(?!十))?)"
        rf"(?:(?P<low>[十百千万亿]{{0,2}})(?P<first>%)? ?(?:-|~|至|到) ?(?P<second>{ARABIC}))?"
        rf" ?(?P<about>[余多来几])? ?(?P<scale>(?:[十万亿]|百(?!分点)|千(?![瓦米克伏])){{0,3}})"
        rf" ?(?P<more>[余多来])?(?P<beyond>(?<=[百千][余多])[万亿])?"
        rf"(?: ?(?P<unit>{compound}|(?P<tenths>成(?![立功效为员本果长交品年套因绩人就都语分型])[一二三四五六七八九半]?)))?"
    )


def find_quantities(folded: str, text: str) -> list[Quantity]:
    """Every quantity of the text in reading order, percentages included. `folded` is `fold(text)`."""
    refused = _covered(find_refusals(folded), len(folded))
    spelled_out = _percent_words(folded)
    for quantity in spelled_out:
        refused[quantity.start : quantity.end] = b"\x01" * (quantity.end - quantity.start)
    found = [q for q in _scan(folded, text, refused) if not qualifies(folded, q)]
    return sorted(found + spelled_out, key=lambda q: q.start) if spelled_out else found


def _covered(refusals: list[Refusal], length: int) -> bytearray:
    covered = bytearray(length + 1)
    for refusal in refusals:
        covered[refusal.start : refusal.end] = b"\x01" * (refusal.end - refusal.start)
    return covered


def _scan(folded: str, text: str, refused: bytearray) -> Iterator[Quantity]:
    position = 0
    pattern, firsts = _number(), _firsts()
    while first := firsts.search(folded, position):
        start = first.start()
        if refused[start]:
            position = refused.find(0, start)
            continue
        match = pattern.match(folded, start)
        if match is None:
            position = start + 1
            continue
        number, unit = match.group("number", "unit")
        cut = 0 if unit else _clause_comma(number, text, start)
        if cut:
            # 12，300 with a full-width comma is two numbers in two clauses.
            match = pattern.match(folded, start, start + cut)
            if match is None:
                position = start + 1
                continue
        position = max(match.end(), start + 1)
        measured = unit or match["unit"] or match["tenths"] or match["scale"] or number[0] in "百千万亿"
        quantity = _read(folded, text, match) if measured else None
        if quantity is not None:
            yield quantity
        else:
            position = start + len(match["number"])


@cache
def _firsts() -> re.Pattern[str]:
    """What a quantity begins with, but no numeral up to ten (进一步, 统一) without its measure or more of the number behind it."""
    behind = re.escape("".join({*(spelled[0] for spelled in units()), *CHINESE, *"点余多来几成-~至到% "}))
    ones, more = CHINESE[: CHINESE.index("百")], CHINESE[CHINESE.index("百") :]
    return re.compile(rf"[\d{CHINESE}](?:(?<=[\d{more}])|(?<=[{ones}])(?=[{behind}]))")


def _clause_comma(number: str, text: str, start: int) -> int:
    comma = text.find("，", start, start + len(number))
    return comma - start if comma > 0 and text[comma - 1].isascii() else 0


def _read(folded: str, text: str, match: re.Match[str]) -> Quantity | None:
    number, low, scale, beyond, second, tenths, spelled = match.group(
        "number", "low", "scale", "beyond", "second", "tenths", "unit"
    )
    chinese = number[0] in CHINESE
    value = read_number(number + (low or scale + (beyond or "")))
    if value is None:
        return None
    if tenths:
        return _tenths(folded, match, value)
    measured = measures(folded, match, spelled) if spelled else _unit_lost(folded, match)
    if not measured or (chinese and not counts(folded, match, value)):
        return None
    start = match.start()
    if second:
        if CHANGED_FROM.search(folded, max(0, start - 12), start):
            # 由9.4%到12% is a change, whose second value counts.
            start, value = match.start("second"), read_number(second + scale) or value
        elif not _is_range(match):
            return None
    unit, known = _unit(text, match)
    beside = (match["about"], match["more"])
    return Quantity(
        start, match.end(), value, unit, bound_of(folded, match, beside), unit in ("%", "‰"), known, chinese
    )


CHANGED_FROM = re.compile(r"[由从][^,。;]{0,10}$")


def _tenths(folded: str, match: re.Match[str], value: Decimal) -> Quantity | None:
    """`近四成` is 40 %: only behind a word that leads to a share, since 成 begins many words."""
    if value >= 10 or match["scale"] or not TENTHS.search(folded, max(0, match.start() - 4), match.start()):
        return None
    rest = match["tenths"][1:]
    beside = (match["about"], match["more"])
    share = value * 10 + (5 if rest == "半" else DIGITS.get(rest, 0))
    return Quantity(match.start(), match.end(), share, "%", bound_of(folded, match, beside), True, "%", chinese=True)


TENTHS = re.compile(r"(?:均在|[达占近超约逾到至过为的有率比]|不足|不到|以上) ?$")


def _is_range(match: re.Match[str]) -> bool:
    low = match["low"]
    first, second = read_number(match["number"] + low), read_number(match["second"] + (low and match["scale"]))
    return first is not None and second is not None and first < second


def _unit(text: str, match: re.Match[str]) -> tuple[str | None, str | None]:
    """The unit as printed in the record and the spelling that converts; a unit lost after 万 or 亿 stays open."""
    spelled = match["unit"]
    if spelled is None:
        return ("人", "人") if PEOPLE.match(match.string, match.end()) else (None, None)
    if "(" in spelled:
        return text[match.start("unit") : match.end("unit")], spelled if find_unit(spelled) else None
    if "/" in spelled:
        per, base = spelled.split("/")
        return f"{units()[per].unit}/{units()[base].unit if base in units() else base}", None
    return units()[spelled].unit, spelled


def _unit_lost(folded: str, match: re.Match[str]) -> bool:
    """A figure in 万 or 亿 whose measure word the page lost (`销售额2523.7万,`), at the end of its clause."""
    rest = folded[match.end() : match.end() + 1]
    if match["number"][0] in CHINESE:
        return ROUND.match(folded, match.end()) is not None
    scaled = bool(match["scale"]) and match["scale"][-1] in "万亿"
    return scaled and (rest in ",。;、)的\n" or PEOPLE.match(folded, match.end()) is not None)


# 1.86万贫困人口: people need no measure word behind 万.
PEOPLE = re.compile(r"[\u4e00-\u9fff]{0,4}?(?:人口|群众|居民|农民|村民|职工|党员|学生|劳动力|老人|牧民|移民|游客|儿童)")
PERCENT_WORDS = re.compile(r"百分之(?P<number>[零一二三四五六七八九十百点\d.]+)(?!点)")


def _percent_words(folded: str) -> list[Quantity]:
    """`百分之九十八点五`, read as 98.5 %."""
    found = []
    for match in PERCENT_WORDS.finditer(folded):
        whole, _, digits = match["number"].partition("点")
        number = read_number(whole)
        decimals = "".join(str(DIGITS.get(c, "")) for c in digits)
        if number is not None:
            value = Decimal(f"{number}.{decimals}") if decimals else number
            found.append(
                Quantity(match.start(), match.end(), value, "%", bound_of(folded, match), True, "%", chinese=True)
            )
    return found
