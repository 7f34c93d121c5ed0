"""The section tree: every heading of the body, on a line of its own or run in at the start of a paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.reading.fold import fold
from chalicelib.reading.model import Identity, Page, Section
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
RUN_RANK = 11
LINE_ONLY = {"arabic", "arabic_bracket", "dotted", "circled", "part", "ordinal"}
SENTENCE_END = re.compile(r"[。!?;\n]")
# The title of a run-in heading ends with its sentence; one longer than this has lost its full stop.
LONG_TITLE = 42
LONG_LINE = 60
PLANNED = re.compile(
    r"工作(?:计划|思路|打算|安排|谋划|部署|展望|设想|要点|举措|目标)|下一?步|下一?阶段|明年|来年|今后|下半年|目标任务$|(?:主要|重点|奋斗)(?:任务|目标)|未来|展望|(?:总体|发展)(?:思路|要求|目标)|计划$|思路$|打算$|安排$"
)
REVIEWED = re.compile(r"总结|回顾|完成情况|开展情况|落实情况|工作情况|成效|成绩|过去|一年来|五年来|以来|上半年|存在")


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


def outline(page: Page, identity: Identity) -> tuple[Section, ...]:
    """The headings of `page` in reading order, with their nesting and whether their part is a plan."""
    folded = fold(page.text)
    found = _in_sequence(_numbered(folded, page.body_start), folded)
    found = _with_unnumbered(found, folded, page.body_start)
    return _tree(found, page.text, folded, identity)


def _numbered(folded: str, begin: int) -> list[Heading]:
    found = []
    for match in re.finditer(
        rf"(?:^|(?<=[。!?;:,\n ])|(?<=[)”]))(?=第?{CHINESE}[是要、.部章篇,]|第?{CHINESE} ?[、.]|\({CHINESE}\)|\d{{1,2}} ?[、.)]|\(\d{{1,2}}\)|[①-⑳⒈-⒛])",
        folded[begin:],
    ):
        heading = _read(folded, begin + match.start(), begin)
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
        if not line_start and (style in LINE_ONLY or not (gap or style == "run" or before in "。!?:;”)")):
            return None
        label = match["label"] or match["half"] if style == "arabic_bracket" else match["label"]
        number = _ordinal(match, label)
        title_start, title_end, alone = _title(folded, match.end())
        if number is None or title_end <= title_start:
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
    line = folded.find("\n", start)
    line = len(folded) if line < 0 else line
    alone = end == line or not folded[end + 1 : line].strip()
    colon = re.compile(r"[:]").search(folded, start, end)
    gap = re.compile(r"(?<=[^\d ]) +(?=[^ ])").search(folded, start, end)
    if gap and gap.start() - start >= 4 and not (alone and end == line and end - start <= LONG_TITLE):
        end = gap.start()
        alone = False
    if end - start > LONG_TITLE or (colon and colon.start() - start >= 4 and not alone):
        pause = re.compile(r"[,:]").search(folded, start, end)
        if pause:
            end, alone = pause.start(), False
    while end > start and folded[end - 1] in " :,、":
        end -= 1
    return start, end, alone


def _in_sequence(candidates: list[Heading], folded: str) -> list[Heading]:
    """The candidates whose ordinals run 1, 2, 3… inside their parent."""
    kept: list[Heading] = []
    stack: list[Heading] = []
    for position, heading in enumerate(candidates):
        if heading.style == "run" and not _opens_sentences(candidates, position, folded):
            continue
        depth = next((d for d, open_ in enumerate(stack) if open_.style == heading.style), None)
        follows = depth is not None and heading.number == stack[depth].number + 1
        if not follows and heading.number != 1:
            # A lost or misprinted number: believe a heading on a line of its own that goes on in the open run.
            skipped = depth is not None and stack[depth].number < heading.number <= stack[depth].number + 2
            if not (heading.line_start and (skipped or (heading.alone and heading.rank <= 5))):
                continue
        if heading.number == 1 and not follows and not _has_second(candidates, position):
            if not (heading.alone and heading.line_start and heading.rank <= 5):
                continue
        if depth is not None and (follows or heading.number != 1):
            heading.rank = stack[depth].rank
            stack = stack[:depth]
        else:
            while stack and stack[-1].rank >= heading.rank and not _goes_on(candidates, position, stack[-1]):
                stack.pop()
            if stack:
                heading.rank = max(heading.rank, stack[-1].rank + 0.5)
        stack.append(heading)
        kept.append(heading)
    return kept


def _goes_on(candidates: list[Heading], position: int, open_: Heading) -> bool:
    """Whether the open run counts on behind the new one, so that the new one stands inside it whatever its style."""
    later = next((h for h in candidates[position + 1 :] if h.style == open_.style), None)
    return later is not None and later.style != candidates[position].style and later.number == open_.number + 1


def _has_second(candidates: list[Heading], position: int) -> bool:
    """Whether a 2 of the same style comes before the next 1 of it: a lone 1 is no numbering."""
    first = candidates[position]
    for other in candidates[position + 1 :]:
        if other.style == first.style:
            return other.number == 2
    return False


def _opens_sentences(candidates: list[Heading], position: int, folded: str) -> bool:
    """Whether `一是…` opens a run of sentences rather than being one clause of a list (`一是…;二是…;三是…。`)."""
    heading = candidates[position]
    run = [h for h in candidates[max(0, position - 12) : position + 12] if h.style == "run"]
    at = run.index(heading)
    first = at
    while first > 0 and run[first - 1].number == run[first].number - 1:
        first -= 1
    last = at
    while last + 1 < len(run) and run[last + 1].number == run[last].number + 1:
        last += 1
    members = run[first : last + 1]
    if members[0].number != 1 or len(members) < 2:
        return False
    opening = sum(
        _has_sentences(folded, m, members[k + 1].start if k + 1 < len(members) else None) for k, m in enumerate(members)
    )
    return opening * 2 >= len(members)


def _has_sentences(folded: str, heading: Heading, stop: int | None) -> bool:
    line = folded.find("\n", heading.title_end)
    line = len(folded) if line < 0 else line
    end = min(line, stop) if stop is not None else line
    if heading.line_start and heading.alone:
        return True
    closed = folded[heading.title_end : heading.title_end + 1]
    if closed == ";":
        return False
    rest = folded[heading.title_end + 1 : end].strip(" 。;")
    return (
        len(rest) >= 12
        and (closed in "。:!" or heading.title_end - heading.title_start <= LONG_TITLE)
        and (closed != "," or "。" in folded[heading.title_end : max(heading.title_end, end - 1)])
    )


SPEAKER = re.compile(
    r"(?:人民政府|办事处|委员会|政府|党委|办公室|书记|镇长|乡长|县长|区长|市长|主任|主席|代表|同志)[^,。]{0,6}$"
)
NO_HEADING = re.compile(
    r"\||^(?:各位|同志们|谢谢|以上|现将|附件|特此|.{0,12}[:]$|.*\d{4}年\d{1,2}月\d{1,2}日\)?$|[-—]{2}|\(.*\)$)|[;,、|]$|https?:|^\d+$"
)
SPEECH = re.compile(r"来[,]我们|我们.{2,40}[,].{2,}")


def _with_unnumbered(found: list[Heading], folded: str, begin: int) -> list[Heading]:
    """Adds headings without a number: short lines of their own, and lone sentences that open a numbered run."""
    lines = [(m.start(), m.end()) for m in re.finditer(r"[^\n]+", folded[begin:])]
    lines = [(begin + s, begin + e) for s, e in lines if folded[begin + s : begin + e].strip()]
    starts = {h.start for h in found}
    short: list[Heading] = []
    sentences: list[Heading] = []
    for n, (start, end) in enumerate(lines):
        line = folded[start:end]
        text = line.strip()
        if (
            any(start <= s < end for s in starts)
            or NO_HEADING.search(text)
            or SPEAKER.search(text)
            or n + 1 == len(lines)
        ):
            continue
        lead = start + line.index(text[0])
        heading = Heading(lead, "unnumbered", 2, 0, None, lead, lead + len(text.rstrip(" 。:")), True, True)
        if "|" in folded[lines[n + 1][0] : lines[n + 1][1]]:
            continue  # a table's caption
        follower = next((h for h in found if lines[n + 1][0] <= h.start < lines[n + 1][1]), None)
        if not SENTENCE_END.search(text) and len(text) <= 26 and re.search(r"[\u4e00-\u9fff]{4}", text):
            short.append(heading)
        elif (
            len(text) <= LONG_LINE
            and text.endswith("。")
            and text.count("。") == 1
            and follower
            and follower.number == 1
        ):
            heading.rank = follower.rank - 0.5
            sentences.append(heading)
    # One lone sentence before a list is a sentence; a row of them is the document's headings of that rank.
    extra = (sentences if len(sentences) >= 2 else []) + short
    merged = sorted(found + extra, key=lambda h: h.start)
    _rank_unnumbered(merged)
    return sorted([*merged, *_lead_ins(folded, lines, merged)], key=lambda h: h.start)


def _rank_unnumbered(headings: list[Heading]) -> None:
    """A line without number stands above the run that it opens, else below the heading that it follows."""
    for n, heading in enumerate(headings):
        if heading.style != "unnumbered" or heading.rank != 2:
            continue
        after = next((h for h in headings[n + 1 :] if h.style != "unnumbered"), None)
        before = next((h for h in reversed(headings[:n]) if h.style != "unnumbered"), None)
        if after is not None and after.number == 1 and not (before and before.rank < after.rank):
            heading.rank = after.rank - 0.5
        elif after is not None and after.number == 1 and before is not None and after.rank > before.rank:
            heading.rank = before.rank + 0.5
        elif before is not None:
            heading.rank = before.rank + 0.5


LEAD_IN = re.compile(r" *(?P<dash>-{1,3})? ?(?P<title>[^。,;:!?\n\d|-]{4,20})[。:](?=.{12})")


def _lead_ins(folded: str, lines: list[tuple[int, int]], headings: list[Heading]) -> list[Heading]:
    """The opening sentences of paragraphs, where they are the only headings of their rank in their part.

    A part is what stands between two headings. Its paragraphs have lead-ins if at least three of them, and four in
    five, open with a short sentence, or if two do so behind a dash.
    """
    found: list[Heading] = []
    bounds = [h.start for h in headings] + [len(folded)]
    for n in range(-1, len(headings)):
        low = headings[n].start + 1 if n >= 0 else 0
        part = [(s, e) for s, e in lines if low <= s < bounds[n + 1]]
        leads = [(s, m) for s, e in part if (m := LEAD_IN.match(folded, s, e))]
        dashed = [(s, m) for s, m in leads if m["dash"]]
        if len(dashed) >= 2:
            leads = dashed
        elif len(leads) < 3 or len(leads) * 5 < len(part) * 4 or (n < 0 and headings):
            continue
        rank = headings[n].rank + 0.5 if n >= 0 else 2
        for _, match in leads:
            begin, end = match.span("title")
            found.append(Heading(begin, "unnumbered", rank, 0, None, begin, end, True, False))
    return found


def _tree(headings: list[Heading], text: str, folded: str, identity: Identity) -> tuple[Section, ...]:
    sections: list[Section] = []
    stack: list[tuple[float, Section]] = []
    for n, heading in enumerate(headings):
        while stack and stack[-1][0] >= heading.rank:
            stack.pop()
        parent = stack[-1][1] if stack else None
        title = text[heading.title_start : heading.title_end]
        section = Section(
            id=f"s{n + 1}",
            parent=parent.id if parent else None,
            level=len(stack) + 1,
            label=text[heading.start : heading.title_start] and heading.label,
            title=title,
            start=heading.start,
            end=_end(headings, n, len(text)),
            title_start=heading.title_start,
            title_end=heading.title_end,
            plan=_is_plan(folded[heading.title_start : heading.title_end], parent, identity),
        )
        sections.append(section)
        stack.append((heading.rank, section))
    return tuple(sections)


def _end(headings: list[Heading], n: int, length: int) -> int:
    return next((h.start for h in headings[n + 1 :] if h.rank <= headings[n].rank), length)


def _is_plan(title: str, parent: Section | None, identity: Identity) -> bool:
    if parent is not None and parent.plan:
        return True
    if identity.kind == "plan":
        return not REVIEWED.search(title)
    if REVIEWED.search(title) and not re.search(r"明年|下一?步|下半年|下一?阶段", title):
        return False
    year = str(identity.plan_year) if identity.plan_year and identity.plan_year != identity.review_year else None
    if year is not None and year in title:
        return True
    return bool(PLANNED.search(title)) and (parent is None or "下" in title or "明年" in title)
