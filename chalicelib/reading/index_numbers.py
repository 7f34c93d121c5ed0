"""The county or prefecture in the index number of a page: every site has its own scheme, and many begin with the code."""

from __future__ import annotations

import re
import unicodedata

from chalicelib.reading.former_divisions import heirs

_CREDIT_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Z]{2}([0-9]{6})[0-9A-Z]{9,10}(?![0-9A-Za-z])", re.I)
# Other schemes begin with the code, or with 11 and the code, and go on with numbers of their own.
_LONG_NUMBER = re.compile(r"(?<![0-9])(?:11)?([0-9]{6})(?=[0-9]{4})")
_SIX_DIGITS = re.compile(r"(?<![0-9])([0-9]{6})(?![0-9])")
_NINE_DIGITS = re.compile(r"(?<![0-9A-Za-z])([0-9]{6})[0-9]{3}(?![0-9A-Za-z])")
# A day in the middle of a number is none of a place: `JXX-210112-001`.
_DAY = re.compile("(?:0[0-9]|1[0-9]|2[0-9])(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def find_counties(index_number: str) -> dict[str, tuple[str, ...]]:
    """The codes of counties or prefectures by the six digits that give them, also such as were theirs before; several
    codes where a county was divided since.

    The digits are places 3 to 8 of a credit code, stand alone, or begin a number of nine, ten or more. Two zeros at their
    end stand for a prefecture. Nine digits that may be an organisation's code say nothing of a place.
    """
    number = unicodedata.normalize("NFKC", index_number)
    found: dict[str, tuple[str, ...]] = {}
    for pattern in (_CREDIT_CODE, _SIX_DIGITS, _LONG_NUMBER, _NINE_DIGITS):
        for match in pattern.finditer(number):
            six, before = match.group(1), number[: match.start()]
            if pattern is _SIX_DIGITS and re.search("[0-9]", before) and _DAY.fullmatch(six):
                continue
            if pattern is _NINE_DIGITS and is_organisation(match.group()):
                continue
            if codes := heirs(six) or (heirs(six[:4]) if six.endswith("00") else ()):
                found[six] = codes
    return found


def is_organisation(nine: str) -> bool:
    """Whether nine digits may be an organisation's code: the last one is the check digit of GB 11714 over the others."""
    check = -sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, nine[:8], strict=True)) % 11
    return check == int(nine[8])
