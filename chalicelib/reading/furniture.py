"""What a site prints around and into a report: lines to drop, the page's end, and watermarks."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chalicelib.reading import metadata

RULES = Path(__file__).resolve().parent.parent / "rules" / "furniture.toml"
LONGEST = 420  # characters: no line of furniture is longer, and no pattern is tried on one

GLUED = 400  # characters in which a line that holds a whole page has its head
PROSE = 20  # characters that a paragraph of running text has at least
KEY = 6  # characters that a watermark has at least
_SENTENCE_END = "。！？；!?;：:”’」』）)"
_LATIN_MARK = re.compile(f"(?<=[{_SENTENCE_END}])[A-Za-z]{{3,12}}$")
MARKS = 5  # paragraphs that end alike in Latin letters: fewer may be names
_STOPS = re.compile("[。，,；;！!？?]")
_CRUMB = re.compile("[>＞»›→]")
_TAG = re.compile("[A-Za-z0-9]{0,8}$")
_FOREIGN = re.compile(r"[A-Za-z@#]|--|——|[【】\[\]]|网$")


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    example: str
    counter: str


@cache
def rules(kind: str) -> tuple[Rule, ...]:
    """The patterns of one table of `rules/furniture.toml`: `line` or `end`."""
    rows = tomllib.loads(RULES.read_text("utf-8"))[kind]
    return tuple(Rule(re.compile(row["pattern"], re.I), row["example"], row["counter"]) for row in rows)


@cache
def _any(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{rule.pattern.pattern})" for rule in rules(kind)), re.I)


def is_furniture(line: str) -> bool:
    """Whether the stripped line is one that sites print around an article."""
    return len(line) <= LONGEST and _any("line").fullmatch(line) is not None


def opens_end(line: str) -> bool:
    """Whether the stripped line begins what a page prints below its article."""
    return len(line) <= LONGEST and _any("end").fullmatch(line) is not None


def has_page_numbers(lines: list[str]) -> bool:
    """Whether the lines that are nothing but a number count pages: 1, 2, 3… Else they are a table's cells."""
    numbers = [int(line) for line in lines if line.isdecimal() and len(line) <= 3]
    return len(numbers) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def split_head(line: str) -> list[str]:
    """The line, or the several that it was: a page printed on one line begins with its breadcrumb and its labels."""
    if len(line) <= GLUED // 4:
        return [line]
    words = line[:GLUED].split()
    count = next((at for at, word in enumerate(words) if len(word) > 60 or _STOPS.search(word)), 0)
    head = words[:count]
    crumbs = max((at + 2 for at, word in enumerate(head) if _CRUMB.search(word)), default=0)
    if not count or not (crumbs or any(map(metadata.is_metadata, head))):
        return [line]
    at = 0
    for word in head:
        at = line.index(word, at) + len(word)
    return [line for line in (" ".join(head[:crumbs]), *head[crumbs:], line[at:].strip()) if line]


def is_prose(line: str) -> bool:
    """Whether the line is running text: long enough, and punctuated."""
    return len(line) >= PROSE and _STOPS.search(line) is not None and " | " not in line


def without_watermark(lines: list[str]) -> list[str]:
    """The lines without a string that a site adds to the end or the beginning of its paragraphs.

    Such a string follows the sentence's end, ends in none itself, and comes back at many paragraphs, if
    with varying Latin letters before it.
    """
    lines = _without_latin_mark(lines)
    prose = [line for line in lines if is_prose(line)]
    for core, lead in (_common_end(prose), _common_start(prose)):
        if core:
            mark = re.compile(("[A-Za-z0-9]{0,8}" if lead else "") + re.escape(core))
            lines = [mark.sub("", line).strip() if core in line else line for line in lines]
    return lines


def _without_latin_mark(lines: list[str]) -> list[str]:
    """The lines without the Latin letters that follow many a sentence's end, always the same ones."""
    mark, count = _commonest(
        [found[0] for line in lines if line[-1:].isascii() and (found := _LATIN_MARK.search(line))]
    )
    return [line.removesuffix(mark) for line in lines] if count >= MARKS else lines


def _common_end(prose: list[str]) -> tuple[str, bool]:
    """The watermark at the paragraphs' ends ('' if none), and whether varying letters precede it."""
    key, count = _commonest([line[-KEY:] for line in prose])
    if count < max(3, 0.4 * len(prose)) or key[-1] in _SENTENCE_END:
        return "", False
    group = [line for line in prose if line.endswith(key)]
    core = _longest_common([line[:-KEY][::-1] for line in group])[::-1] + key
    # The core may have swallowed the sentence's end that all the paragraphs share.
    for at in range(len(core) - KEY, -1, -1):
        if core[at] in _SENTENCE_END:
            core = core[at + 1 :]
            break
    before = [line[: -len(core)] for line in group]
    bare = [_TAG.sub("", text) for text in before]
    if sum(text[-1:] in _SENTENCE_END for text in bare) < 0.5 * len(group):
        return "", False
    return core, sum(a != b for a, b in zip(before, bare, strict=True)) > 0.5 * len(group)


def _common_start(prose: list[str]) -> tuple[str, bool]:
    key, count = _commonest([line[:KEY] for line in prose])
    if count < max(3, 0.6 * len(prose)):
        return "", False
    core = key + _longest_common([line[KEY:] for line in prose if line.startswith(key)])
    # Paragraphs of a report begin alike too (`一年来,我们…`): only a site's name counts.
    return (core, False) if len(core) < 60 and _FOREIGN.search(core) else ("", False)


def _commonest(keys: list[str]) -> tuple[str, int]:
    return max(Counter(keys).items(), key=lambda item: (item[1], item[0]), default=("", 0))


def _longest_common(texts: list[str]) -> str:
    """The longest common beginning, at most 80 characters."""
    low, high = min(texts)[:80], max(texts)[:80]
    for at, char in enumerate(low):
        if high[at : at + 1] != char:
            return low[:at]
    return low
