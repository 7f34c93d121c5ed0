"""Hard-wrapped lines joined into paragraphs: plain text often breaks its lines in mid-sentence at a fixed width."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from chalicelib.reading.titles import is_heading

WIDEST = 200  # columns; a text with longer lines is not wrapped
FULL = 0.85  # of the widest line: a line that the width broke
BEFORE_NUMBER = 0.7  # of it, where a number did not fit on the line any more
LEAST = 4  # broken lines that make a wrapped text
SHARE = 0.3  # of all lines
NARROWEST = 20  # characters between two blanks of a wrapped paragraph
NEAR = 3  # characters: lines differ by their punctuation and Latin letters
EVEN = 0.7  # of the distances
_BLANK = re.compile("(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef,;:]) (?=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])")
_WRAP = re.compile(
    "(?<=[\\d\u3000-\u303f\u4e00-\u9fff\uff00-\uffef,;:]) (?=[\\d\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])"
)
_ENDS = "。！？!?：:"
_CLOSERS = "”’」』）)》"


@dataclass(frozen=True, slots=True)
class Line:
    """A stripped line; whether it was indented, and whether blank lines set it off from the one before."""

    text: str
    indented: bool
    spaced: bool


def join_wrapped(lines: Sequence[Line]) -> list[str]:
    """The paragraphs: lines as they are, or joined where the text is broken at a fixed width.

    Lines are told broken by their length and by having no sentence's end; blank lines, indents and headings
    begin a paragraph.
    """
    texts = [line.text for line in lines]
    if not texts or len(max(texts, key=len)) > WIDEST:
        return texts
    widths = [_columns(text) for text in texts]
    widest, longest = _usual_most(widths), _usual_most([len(text) for text in texts])
    # Some wrap by columns, others by characters, of which Latin ones are as many as Chinese ones.
    shares = [max(width / widest, len(text) / longest) for width, text in zip(widths, texts, strict=True)]
    broken = [
        not _ended(text) and (share >= FULL or (share >= BEFORE_NUMBER and below[:1].isdigit()))
        for share, text, below in zip(shares, texts, [*texts[1:], ""], strict=True)
    ]
    if not 40 <= widest <= WIDEST or sum(broken) < max(LEAST, SHARE * len(texts)):
        return texts
    return _joined(lines, broken, [share >= FULL for share in shares])


def _usual_most(sizes: Sequence[int]) -> int:
    """The largest of the sizes but for the largest twentieth."""
    return sorted(sizes)[max(0, len(sizes) - 1 - len(sizes) // 20)] or 1


def _joined(lines: Sequence[Line], broken: Sequence[bool], full: Sequence[bool]) -> list[str]:
    indents = [line.indented for line in lines]
    # Where paragraphs are indented, a full line that happens to end in 。 goes on with the next one.
    indented = 0 < sum(indents) < 0.7 * len(indents)
    paragraphs: list[list[str]] = []
    for at, line in enumerate(lines):
        goes_on = (
            at > 0
            and not line.spaced
            and (full[at - 1] and not indents[at] if indented else broken[at - 1])
            and not is_heading(line.text)
        )
        if goes_on:
            paragraphs[-1].append(line.text)
        else:
            paragraphs.append([line.text])
    return [_glue(paragraph) for paragraph in paragraphs]


def _glue(parts: Sequence[str]) -> str:
    """The lines without a blank between them, save between two Latin words."""
    text = parts[0]
    pieces = [text]
    for part in parts[1:]:
        latin = text[-1:].isascii() and text[-1:].isalpha() and part[:1].isascii() and part[:1].isalpha()
        pieces.append(f" {part}" if latin else part)
        text = part
    return "".join(pieces)


def without_wrap_blanks(paragraph: str) -> str:
    """The paragraph without the blanks that a page put where its lines once broke (`工作部 署`).

    Such blanks stand at even distances; blanks that an author wrote do not.
    """
    at = [m.start() for m in _BLANK.finditer(paragraph)]
    if len(at) < LEAST:
        return paragraph
    distances = sorted(b - a for a, b in pairwise(at))
    usual = distances[len(distances) // 2]
    even = sum(abs(d - usual) <= NEAR for d in distances)
    if not NARROWEST <= usual <= WIDEST // 2 or even < EVEN * len(distances):
        return paragraph
    return _WRAP.sub("", paragraph)


def _ended(text: str) -> bool:
    return text.rstrip(_CLOSERS)[-1:] in _ENDS


def _columns(text: str) -> int:
    """The width in a terminal: two columns a wide character."""
    return sum(2 if char > "\u2e7f" else 1 for char in text)
