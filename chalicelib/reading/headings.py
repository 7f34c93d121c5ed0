"""Lines and openings that carry a number: candidates for headings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.reading.numerals import read_chinese

CHINESE = "[一二三四五六七八九十]{1,3}"
# Rank: which style encloses which, where a report uses both (GB/T 9704: 一、 then (一) then 1. then (1)).
STYLES: tuple[tuple[str, int, re.Pattern[str]], ...] = (
    ("part", 1, re.compile(rf"(?P<label>第(?P<n>{CHINESE})(?:部分|章|篇))[ :、,]?")),
    ("chinese", 3, re.compile(rf"(?P<label>(?P<n>{CHINESE})) ?(?:、|\.(?!\d))")),
    ("chinese_bracket", 5, re.compile(rf"\((?P<label>(?P<n>{CHINESE}))\) ?[、.,]?")),
    ("arabic", 7, re.compile(r"(?P<label>(?P<n>\d{1,2})) ?(?:[、]|\.(?!\d)) ?")),
    ("arabic_bracket", 9, re.compile(r"(?:\((?P<label>(?P<n>\d{1,2}))\)|(?P<half>\d{1,2})\)) ?[、.,]?")),
    ("dotted", 7, re.compile(r"(?P<label>[⒈-⒛]) ?")),
    ("circled", 10, re.compile(r"(?P<label>[①-⑳])")),
    ("ordinal", 11, re.compile(rf"(?P<label>第(?P<n>{CHINESE}))[,、]")),
    ("run", 12, re.compile(rf"(?P<label>(?P<n>{CHINESE})(?:是|要))[,、:]?")),
)
LINE_ONLY = {"arabic", "arabic_bracket", "dotted", "part", "ordinal"}
SENTENCE_END = re.compile(r"[。!?;\n]")
# The title of a run-in heading ends with its sentence; one longer than this has lost its full stop.
LONG_TITLE = 42
SHORT_TITLE = 20  # of a heading within a paragraph whose number alone does not tell it
HAS_PAUSE = re.compile(r"[,\d]")

# The first character decides for most of the text; what stands before it, for most of the rest.
FIRST = re.compile(r"[第一二三四五六七八九十(\d①-⑳⒈-⒛](?<![^。!?;:,\n )”].)")
OPENING = re.compile(
    rf"第?{CHINESE}[是要、.部章篇,]|第?{CHINESE} ?[、.]|\({CHINESE}\)|\d{{1,2}} ?[、.)]|\(\d{{1,2}}\)|[①-⑳⒈-⒛]"
)
# No gap: 粮食播种面积 3.4 万亩.
GAP = re.compile(r"(?<=[^\d ]) +(?=[^\d ]|\d{4}年)")
PAUSE = re.compile(r"[,:]")
BLANK_REST = re.compile(r"\s*(?:\n|$)")


@dataclass(slots=True)
class Heading:
    """A candidate: its style and ordinal decide whether it is one."""

    start: int
    style: str
    rank: float
    number: int
    label: str | None
    title_start: int
    title_end: int
    line_start: bool
    # The heading stands on a line of its own.
    alone: bool


def find_numbered(folded: str, begin: int) -> list[Heading]:
    """Every place that begins like a numbered heading, in reading order."""
    found = []
    for first in FIRST.finditer(folded, begin):
        start = first.start()
        if OPENING.match(folded, start):
            heading = _read(folded, start, begin)
            if heading is not None:
                found.append(heading)
    return found


def _read(folded: str, start: int, begin: int) -> Heading | None:
    line_start = _at_line_start(folded, start, begin)
    before = folded[start - 1 : start].strip() or folded[max(begin, start - 2) : start - 1].strip()
    for style, rank, pattern in STYLES:
        match = pattern.match(folded, start)
        if match is None:
            continue
        gap = folded[start - 1 : start] == " "
        counted = style == "arabic" and before in "。;:" and folded[match.end("n")] == "、"
        if (
            not line_start
            and not counted
            and (style in LINE_ONLY or not (gap or style == "run" or before in "。!?:;”)"))
        ):
            return None
        label = match["label"] or match["half"] if style == "arabic_bracket" else match["label"]
        number = _ordinal(match, label)
        title_start, title_end, alone = _title(folded, match.end())
        if number is None or title_end <= title_start:
            return None
        if style == "circled" and not line_start:
            # ①财税收入稳步增长。 opens a run of sentences; ①进一步…;②… is a list within one.
            lone = folded[title_end : title_end + 1] == "。" and title_end - title_start <= SHORT_TITLE
            if not lone or HAS_PAUSE.search(folded, title_start, title_end):
                return None
        if style == "dotted":
            label = str(number)
        return Heading(start, style, rank, number, label, title_start, title_end, line_start, alone)
    return None


def _at_line_start(folded: str, start: int, begin: int) -> bool:
    while start > begin and folded[start - 1] == " ":
        start -= 1
    return start == begin or folded[start - 1] == "\n"


def _ordinal(match: re.Match[str], label: str) -> int | None:
    groups = match.groupdict()
    for first in "①⒈":
        if 0 <= ord(label[0]) - ord(first) < 20:
            return ord(label[0]) - ord(first) + 1
    digits = groups.get("n") or groups.get("half") or label
    return int(digits) if digits.isdigit() else read_chinese(digits)


def _title(folded: str, start: int) -> tuple[int, int, bool]:
    """Start and end of the title behind a label, and whether it fills its line."""
    while folded[start : start + 1] == " ":
        start += 1
    stop = SENTENCE_END.search(folded, start)
    end = stop.start() if stop else len(folded)
    fills = folded[end : end + 1] in ("", "\n")
    alone = fills or BLANK_REST.match(folded, end + 1) is not None
    colon = folded.find(":", start, end)
    gap = GAP.search(folded, start, end)
    if gap and gap.start() - start >= 4 and not (fills and end - start <= LONG_TITLE):
        end = gap.start()
        alone = False
    if end - start > LONG_TITLE or (colon - start >= 4 and not alone):
        pause = PAUSE.search(folded, start, end)
        if pause:
            end, alone = pause.start(), False
    while end > start and folded[end - 1] in " :,、":
        end -= 1
    return start, end, alone
