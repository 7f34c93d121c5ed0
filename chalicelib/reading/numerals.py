"""Numbers as Chinese reports write them, read as exact decimals."""

from __future__ import annotations

import re
from decimal import Decimal

DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "俩": 2}
SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
CHINESE = "〇零一二两俩三四五六七八九十百千万亿"

_NUMERALS = frozenset(CHINESE)

# A number with more digits names something (a telephone, an account); binary floats are exact up to 15.
MOST_DIGITS = 15

_ARABIC = re.compile(r"(\d[\d, ]*(?: ?\. ?\d+)?)\s?([十百千万亿]*)")
# 十七点五, 二点三万
_POINT = re.compile(rf"([{CHINESE}]+)点([{''.join(DIGITS)}]+)([十百千万亿]*)")


def read_number(text: str) -> Decimal | None:
    """The value of a folded number: `2,523.7万`, `三千二百`, `1.2万亿`, `5千万`, `二〇一六`, `十七点五`. None if it is none."""
    if text.isdecimal() and len(text) <= MOST_DIGITS:
        return Decimal(int(text))
    arabic = _ARABIC.fullmatch(text)
    if arabic is None:
        if point := _POINT.fullmatch(text):
            digits = f"{read_chinese(point[1])}." + "".join(str(DIGITS[c]) for c in point[2])
            return read_number(digits + point[3])
        whole = read_chinese(text)
        return None if whole is None else Decimal(whole)
    digits = arabic[1].replace(",", "").replace(" ", "")
    if len(digits) > MOST_DIGITS:
        return None
    value = Decimal(digits)
    for scale in arabic[2]:
        value *= SCALES[scale]
    return value.normalize() if value % 1 else Decimal(int(value))


def read_chinese(text: str) -> int | None:
    """The value of a numeral in Chinese characters: `三千二百`, `两`, `百`, `二〇一六`, `三百万`, `一亿二千万`."""
    if not text or not _NUMERALS.issuperset(text):
        return None
    if DIGITS.keys() >= set(text):
        return int("".join(str(DIGITS[c]) for c in text)) if len(text) <= MOST_DIGITS else None
    total = section = digit = 0
    for c in text:
        if c in DIGITS:
            digit = DIGITS[c]
        elif SCALES[c] < 10**4:
            section += (digit or 1) * SCALES[c]
            digit = 0
        else:
            # 万 and 亿 multiply all that stands before them: 三百二十万, 一亿二千万.
            whole = section + digit
            total = (total + whole) * SCALES[c] if SCALES[c] > 10**4 and total else total + (whole or 1) * SCALES[c]
            section = digit = 0
    return total + section + digit
