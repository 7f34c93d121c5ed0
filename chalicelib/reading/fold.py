"""One spelling for the characters that Chinese pages print in several: the text that patterns are matched against."""

from __future__ import annotations

import re
from functools import lru_cache

_PAIRS = {
    "\u3000": " ",
    "\u00a0": " ",
    "\t": " ",
    "—": "-",
    "–": "-",
    "―": "-",
    "−": "-",
    "﹣": "-",
    "‐": "-",
    "‑": "-",
    "〜": "~",
    "∼": "~",
    "﹪": "%",
    "○": "〇",
    "◯": "〇",
    "﹙": "(",
    "﹚": ")",
    "〔": "(",
    "〕": ")",
    "﹐": ",",
    "﹔": ";",
    "″": "”",
    "「": "“",
    "」": "”",
    "『": "“",
    "』": "”",
    "∶": ":",
    "﹕": ":",
    "壹": "一",
    "贰": "二",
    "叁": "三",
}
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_TABLE = {chr(code): chr(same) for code, same in _FULL_WIDTH.items()} | _PAIRS

_SEVERAL = re.compile(f"[{re.escape(''.join(_TABLE))}]")

# An ASCII full stop behind a Chinese word, a bracket or a percentage ends a sentence; one behind a numeral is numbering.
_STOP = re.compile(r"\.(?<=[\u4e00-\u9fff”)%]\.)(?<![一二三四五六七八九十]\.)(?![\dA-Za-z.])")


# Two blanks or more between Chinese words stand where the page lost a full stop.
_GAP = re.compile(r"(?<=[\u4e00-\u9fff]) ( +)(?=[\u4e00-\u9fff])")


@lru_cache(maxsize=2)  # outline and indicators fold the same text
def fold(text: str) -> str:
    """The text with full-width forms, dashes, blanks and brackets in one spelling; its length stays."""
    # A few characters of the table stand in a text: replacing each is several times faster than str.translate.
    for char in set(_SEVERAL.findall(text)):
        text = text.replace(char, _TABLE[char])
    text = _STOP.sub("。", text)
    return _GAP.sub(r"。\1", text) if "  " in text else text
