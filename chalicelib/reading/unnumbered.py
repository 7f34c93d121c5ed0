"""Headings without a number: lines of their own, lone sentences that open a run, and lead-ins of paragraphs."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import pairwise

from chalicelib.reading.headings import SENTENCE_END, Heading

LONG_LINE = 60
HEAD = 400  # characters in which a speech has its salutation
SALUTATION = re.compile(r"^ *(?:各位|同志们|尊敬的|主席团)", re.M)
SPEAKER = re.compile(
    r"(?:人民政府|办事处|委员会|政府|党委|办公室|书记|镇长|乡长|县长|区长|市长|主任|主席|代表|同志)(?!工作)[^,。]{0,6}$"
)
NO_HEADING = re.compile(
    r"\||^(?:各位|同志们|谢谢|以上|现将|附件|特此|.{0,12}[:]$|.*,.*[:]$|.*\d{4}年\d{1,2}月\d{1,2}日\)?$|[-—]{2}|\(.*\)$)|[;,、|]$|https?:|^\d+$"
)


def with_unnumbered(found: list[Heading], folded: str, begin: int) -> list[Heading]:
    """Adds headings without a number: short lines of their own, and lone sentences that open a numbered run."""
    lines = [(m.start(), m.end()) for m in re.finditer(r"[^\n]*[^\n ][^\n]*", folded[begin:])]
    lines = [(begin + s, begin + e) for s, e in lines]
    starts = [h.start for h in found]
    # What stands over the salutation is the meeting and the speaker.
    salutation = SALUTATION.search(folded, begin, begin + HEAD)
    opens = salutation.start() if salutation else begin
    short: list[Heading] = []
    sentences: list[Heading] = []
    for (start, end), (below, below_end) in pairwise(lines):
        text = folded[start:end].strip()
        if start < opens or len(text) > LONG_LINE:  # a paragraph is neither a short line nor a lone sentence
            continue
        caption = "|" in folded[below:below_end]
        if caption or _first(found, starts, start, end) or NO_HEADING.search(text) or SPEAKER.search(text):
            continue
        lead = folded.index(text[0], start)
        heading = Heading(lead, "unnumbered", 2, 0, None, lead, lead + len(text.rstrip(" 。:")), True, True)
        follower = _first(found, starts, below, below_end)
        if not SENTENCE_END.search(text) and len(text) <= 26 and re.search(r"[\u4e00-\u9fff]{4}", text):
            short.append(heading)
        elif _is_lone_sentence(text) and follower and follower.number == 1:
            heading.rank = follower.rank - 0.5
            sentences.append(heading)
    # One lone sentence before a list is a sentence; a row of them is the document's headings of that rank.
    extra = (sentences if len(sentences) >= 2 else []) + short
    merged = sorted(found + extra, key=lambda h: h.start)
    _rank_unnumbered(merged)
    return sorted([*merged, *_lead_ins(folded, lines, merged)], key=lambda h: h.start)


def _first(found: list[Heading], starts: list[int], low: int, high: int) -> Heading | None:
    """The first heading of text[low:high]."""
    at = bisect_left(starts, low)
    return found[at] if at < len(found) and found[at].start < high else None


# 社会消费品零售总额达到4.1亿元,增长10.8%。 is no heading.
FIGURE = re.compile(r"\d ?(?:%|[十百千万亿]{0,2}(?!年)[\u4e00-\u9fff])")


def _is_lone_sentence(text: str) -> bool:
    whole = text.endswith("。") and text.count("。") == 1
    return whole and FIGURE.search(text) is None


def _rank_unnumbered(headings: list[Heading]) -> None:
    """A line without number stands above the run that it opens, else below the heading that it follows."""
    for n, heading in enumerate(headings):
        if heading.style != "unnumbered" or heading.rank != 2:
            continue
        after = next((h for h in headings[n + 1 :] if h.style != "unnumbered"), None)
        before = next((h for h in reversed(headings[:n]) if h.style != "unnumbered"), None)
        if after is not None and after.number == 1 and not (before and before.rank < after.rank):
            heading.rank = after.rank - 0.5
        elif (
            after is not None and after.number == 1 and before is not None and after.rank > before.rank
        ) or before is not None:
            heading.rank = before.rank + 0.5


# Closed by a full stop, a colon or a gap.
LEAD_IN = re.compile(
    r" *(?:(?P<dash>-{1,3}|[◆◇●○■□★☆▲△•·▪]) ?(?P<dashed>[^。;:!?\n\d|\- ]{4,40})|【(?P<bracketed>[^】\n]{2,20})】"
    r"|(?P<plain>[^。,;:!?\n\d|\- 【]{4,20}|[^。,;:!?\n\d|\- 【]{4,14},[^。,;:!?\n\d|\- ]{4,14}))"
    r"(?:[。:]| +(?=[\u4e00-\u9fff]|\d{4}年)|(?<=】))(?=.{12})"
)
FEW = 12  # characters: two lead-ins of a part as short as this are enough, where it has no other paragraph


def _lead_ins(folded: str, lines: list[tuple[int, int]], headings: list[Heading]) -> list[Heading]:
    """The opening sentences of paragraphs, where they are the only headings of their rank in their part.

    A part is what stands between two headings. Its paragraphs have lead-ins if at least three of them, and four in
    five, open with a short sentence, or if two do so behind a dash, a bullet or in brackets, or if both of two are very short.
    """
    found: list[Heading] = []
    bounds = [h.start for h in headings] + [len(folded)]
    begins = [start for start, _ in lines]
    for n in range(-1, len(headings)):
        low = headings[n].start + 1 if n >= 0 else 0
        part = lines[bisect_left(begins, low) : bisect_left(begins, bounds[n + 1])]
        leads = [(s, m) for s, e in part if (m := LEAD_IN.match(folded, s, e))]
        marked = [(s, m) for s, m in leads if not m["plain"]]
        both = n >= 0 and len(leads) == len(part) == 2 and all(len(m["plain"] or "") <= FEW for _, m in leads)
        if len(marked) >= 2:
            leads = marked
        elif both:
            pass
        elif len(leads) < 3 or len(leads) * 5 < len(part) * 4 or (n < 0 and headings):
            continue
        rank = headings[n].rank + 0.5 if n >= 0 else 2
        for _, match in leads:
            begin, end = match.span(match.lastgroup or "plain")
            found.append(Heading(begin, "unnumbered", rank, 0, None, begin, end, True, False))
    return found
