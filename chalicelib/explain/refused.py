"""Why a number is no quantity: the reader's own tests, asked one by one where it took no figure."""

from __future__ import annotations

import re
from decimal import Decimal

from chalicelib.reading.counting import BOUND_TO, _abstract, counts, measures
from chalicelib.reading.numerals import CHINESE, read_number
from chalicelib.reading.quantities import _clause_comma, _number, _read
from chalicelib.reading.refusals import OF_LINE, Refusal, qualifies

RUN = re.compile(rf"\d+|[{CHINESE}]+")


def refuse_number(folded: str, text: str, start: int) -> Refusal | None:
    """The refusal of the number that starts here, with the span that it is of; None where the number is a quantity.

    Spans of `excluded.csv` are no matter of this: the reader never looks at a number in one.
    """
    match = _match(folded, text, start)
    if match is None:
        run = RUN.match(folded, start)
        return Refusal(start, run.end() if run else start + 1, "numeral_bound")
    quantity = _read(folded, text, match) if _measured(match) else None
    if quantity is None:
        scaled = match["scale"] and not match["second"]
        return Refusal(start, match.end("scale" if scaled else "number"), _reason(folded, match))
    if quantity.start > start:
        return Refusal(start, quantity.start, "change_source")
    if not qualifies(folded, quantity):
        return None
    return Refusal(start, quantity.end, "drawn_line" if OF_LINE.match(folded, quantity.end) else "threshold")


def _match(folded: str, text: str, start: int) -> re.Match[str] | None:
    match = _number().match(folded, start)
    if match is None or match["unit"]:
        return match
    cut = _clause_comma(match["number"], text, start)
    return _number().match(folded, start, start + cut) if cut else match


def _measured(match: re.Match[str]) -> bool:
    return bool(match["unit"] or match["tenths"] or match["scale"] or match["number"][0] in "百千万亿")


def _reason(folded: str, match: re.Match[str]) -> str:
    """The first of the reader's tests that the number fails."""
    number, spelled = match["number"], match["unit"]
    value = read_number(number + match["scale"])
    chinese = number[0] in CHINESE
    if value is None:
        return "too_long"
    if match["tenths"]:
        return "tenths_word"
    if not spelled:
        return "numeral_word" if chinese else "no_measure"
    measured = measures(folded, match, spelled)
    if measured and chinese and not counts(folded, match, value):
        return _numeral(folded, match, value)
    return "falling_range" if measured else "longer_word"


def _numeral(folded: str, match: re.Match[str], value: Decimal) -> str:
    """What a numeral in Chinese characters is where it does not count."""
    if folded[match.start() - 1 : match.start()] in BOUND_TO:
        return "numeral_bound"
    if match["number"][0] in "百千万亿":
        return "round_number"
    if value == 1:
        return "one"
    return "programme_part" if _abstract().match(folded, match.end()) else "numeral_name"
