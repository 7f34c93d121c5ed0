"""The terms that texts are found by: pairs of Chinese characters, Latin words and numbers, of folded text."""

from __future__ import annotations

import re
from collections.abc import Iterator

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN = re.compile(f"[{HAN}]+|[a-z]+|[0-9]+")
_FOLDED = (
    {code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}
    | {code: chr(code).lower() for code in range(ord("A"), ord("Z") + 1)}
    | dict.fromkeys(map(ord, "\t\n\r\u00a0\u2002\u2003\u3000"), " ")
)


def fold(text: str) -> str:
    """Small letters, normal width, plain blanks; each character stays one, so that offsets hold."""
    return text.translate(_FOLDED)


def runs(folded: str) -> list[str]:
    """Runs of Chinese characters, of letters and of digits, in their order."""
    found: list[str] = _RUN.findall(folded)
    return found


def is_chinese(run: str) -> bool:
    """Whether a run is one of Chinese characters."""
    return run[0] > "z"


def text_terms(folded: str) -> set[str]:
    """Every term of a folded text."""
    found: set[str] = set()
    for run in runs(folded):
        if is_chinese(run):
            found.update(map(str.__add__, run, run[1:]))
        else:
            found.add(run)
    return found


def covering_terms(folded: str) -> tuple[str, ...]:
    """Terms that every text with these words has, as few as cover them; () where there are too few characters."""
    found: dict[str, None] = {}
    for run in runs(folded):
        if not is_chinese(run):
            found[run] = None
        elif len(run) > 1:
            starts = [*range(0, len(run) - 1, 2), len(run) - 2]
            found.update(dict.fromkeys(run[at : at + 2] for at in starts))
    return tuple(found)


def find(needle: str, folded: str) -> Iterator[int]:
    """Where the folded words stand in a folded text; numbers and Latin words only as a whole."""
    at = folded.find(needle)
    while at >= 0:
        end = at + len(needle)
        if not _joined(folded[at - 1 : at], needle[0]) and not _joined(needle[-1], folded[end : end + 1]):
            yield at
        at = folded.find(needle, at + 1)


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours are of one number or of one Latin word."""
    if not (left.isascii() and right.isascii()):
        return False
    return (left.isdigit() and right.isdigit()) or (left.isalpha() and right.isalpha())
