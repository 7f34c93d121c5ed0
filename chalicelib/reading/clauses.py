"""Sentences and clauses, and the figures that stand in them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from chalicelib.reading.figures import Growth, Item, Quantity, Zero, item_start

# A zero that is stated as such: 零发生, 0事故. What follows is an event, so that 零售 and 零距离 stay words.
ZERO = re.compile(
    r"(?P<zero>[0零])(?<![\d.一二三四五六七八九十百千万].)”?(?P<event>(?:重大|较大|安全|生产|责任|信访|火灾|道路|食品|集体|越级|进京|非正常)*(?:发生|事故|伤亡|死亡|败诉|上访|信访|访|感染|投诉|差错|案件|发案|疫情|违纪|违规|违法|复发|返贫|致贫|遗漏|失误|火灾|火情|积压|污染|排放|复议|举报|溺水|传播|扩散|确诊|病例|输入|纠纷|缺陷|逾期|拖欠|欠薪|新增|突破底线|聚集|滞留|登革热|偷排|焚烧|火点|指标|记录|目标|态势|登记|辍学|失学|亡人|溺亡|死伤|欠账|延误|脱保|漏报|瞒报|聚餐|死角|新发|滋生|增长点)”?)"
)


class Clause(NamedTuple):
    """A stretch of text between pauses, and the figures in it, in reading order. `stop` is the mark that closes it."""

    start: int
    end: int
    items: tuple[Item, ...]
    stop: str


class Sentence(NamedTuple):
    """From one full stop, semicolon or line end to the next: `text[start:end]` is the evidence of its figures."""

    start: int
    end: int
    clauses: tuple[Clause, ...]


# Characters: the longest real sentences have some 400. What needs one look a figure stays cheap within this.
LONGEST = 600
SENTENCE = re.compile(r"[^。;!?\n]+")
JOIN = re.compile(r" ?(?:以上|左右|以内|余)? ?(?:[、,和及与]|以及) ?-?")


LED_TO = re.compile(r"[到至为](?P<zero>[0零])(?![\d.])")
# 贫困发生率降为零, 安全事故为零; 为零售业 is none.
DOWN = ("降", "降低", "减少", "控制")
SHARE_DOWN = tuple(f"%{down}{verb}" for down in ("", "下") for verb in DOWN)  # 由11.9%下降到零
EVENTS = ("事", "故", "访", "率", "数", "案", "灾", "人")
OTHER_WORDS = frozenset("%售距星散容")


def find_zeros(folded: str, begin: int) -> list[Zero]:
    """The zeros that are said without a measure word."""
    zeros = [
        Zero(m.start() - (folded[m.start() - 1] == "“"), m.end(), m["event"].strip("”"))
        for m in ZERO.finditer(folded, begin + 1)
    ]
    zeros += [
        Zero(m.start("zero"), m.end("zero"), "", "%" if folded.endswith(SHARE_DOWN, 0, m.start()) else None)
        for m in LED_TO.finditer(folded, begin)
        if folded.endswith(DOWN, 0, m.start()) or _is_none(folded, m)
    ]
    return sorted(zeros, key=lambda z: z.start)


def _is_none(folded: str, zero: re.Match[str]) -> bool:
    """Whether an event is said to be none (`安全事故为零`)."""
    events = zero[0][0] == "为" and folded.endswith(EVENTS, 0, zero.start())
    return events and folded[zero.end() : zero.end() + 1] not in OTHER_WORDS


def split_sentences(folded: str, begin: int, items: list[Item]) -> Iterator[Sentence]:
    """The sentences that hold a figure."""
    starts = [item_start(i) for i in items]
    for start, end in _stretches(folded, begin, starts, items):
        low, high = bisect_left(starts, start), bisect_left(starts, end)
        if low == high:
            continue
        words = folded[start:end]
        first, last = start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip())
        yield Sentence(first, last, tuple(split_clauses(folded, first, last, items[low:high])))


def _stretches(folded: str, begin: int, starts: list[int], items: list[Item]) -> Iterator[tuple[int, int]]:
    """The sentences, those without an end in sight cut at a pause: a figure's evidence is a text that one can read."""
    for match in SENTENCE.finditer(folded, begin):
        start, end = match.span()
        while end - start > LONGEST:
            cut = folded.rfind(",", start + 1, start + LONGEST) + 1 or start + LONGEST
            item = bisect_left(starts, cut) - 1
            cut = max(cut, items[item].end) if item >= 0 else cut
            yield start, min(cut, end)
            start = cut
        if start < end:
            yield start, end


def split_clauses(folded: str, start: int, end: int, items: list[Item]) -> Iterator[Clause]:
    """The clauses of a sentence. Commas and colons split, and so does what joins a figure to the next (2家、11家)."""
    starts = [item_start(i) for i in items]
    cuts = _cuts(folded, start, end, items, starts)
    position, taken = start, 0
    for cut, width in [*cuts, (end, 1)]:
        if cut > position:
            first, taken = taken, bisect_left(starts, cut, taken)
            yield Clause(position, cut, tuple(items[first:taken]), folded[cut : cut + 1])
        position = cut + width


def _cuts(folded: str, start: int, end: int, items: list[Item], starts: list[int]) -> list[tuple[int, int]]:
    quoted = _brackets(folded, start, end, starts)
    cuts = {}
    for match in COMMA.finditer(folded, start, end):
        place = match.start()
        if not quoted[place - start] and not _joins_values(folded, place, items, starts):
            cuts[place] = 1
    for n, item in enumerate(items):
        follower = items[n + 1] if n + 1 < len(items) else None
        stop = starts[n + 1] if follower else end
        if follower is not None and JOIN.fullmatch(folded, item.end, stop) and _same_list(folded, item, follower):
            continue
        if folded[item.end : item.end + 1] in PAUSES and (joint := PAUSED.match(folded, item.end, stop)):
            cuts[joint.start("mark")] = 1
        elif follower and (joint := JOINED.search(folded, max(item.end + 1, stop - 2), stop)):
            cuts[joint.start()] = len(joint[0])
    place = quoted.find(2)
    while place >= 0:
        cuts[start + place] = 1
        place = quoted.find(2, place + 1)
    return sorted(cuts.items())


# The comma of a number's thousands is none between clauses, even where the number is no figure (产值超5,000万元的仅1家).
COMMA = re.compile(r"[,:](?!(?<=\d,)\d{3}(?!\d))")
PAUSED = re.compile(r" ?(?:以上|左右|以内|之多)? ?(?P<mark>[、(])")
PAUSES = frozenset(" 以左之、(")  # what it begins with
JOINED = re.compile(r"(?:以及|[和、]|(?<!惠)(?<!涉)及|(?<!参)与)$")
BRACKETS = re.compile(r"\([^()]*\)|“[^“”]*”|《[^《》]*》")


def _brackets(folded: str, start: int, end: int, starts: list[int]) -> bytearray:
    """1 for what stands in brackets or quotes without a figure (its commas do not split), 2 for a bracket around a figure."""
    inside = bytearray(end - start)
    for match in BRACKETS.finditer(folded, start, end):
        low, high = match.span()
        holds = bisect_left(starts, low + 1) < bisect_left(starts, high)
        if holds and match[0][0] == "(":
            inside[low - start] = inside[high - 1 - start] = 2
        elif not holds:
            inside[low - start : high - start] = b"\x01" * (high - low)
    return inside


def _same_kind(a: Item, b: Item) -> bool:
    if isinstance(a, Growth) or isinstance(b, Growth):
        return isinstance(a, Growth) and isinstance(b, Growth)
    return isinstance(a, Quantity) and isinstance(b, Quantity) and (a.unit == b.unit or a.unit is None)


def _same_list(folded: str, a: Item, b: Item) -> bool:
    """Whether two figures side by side are of one list: of one kind, or of the members that 分别 gives them to."""
    if _same_kind(a, b):
        return True
    respectively = folded.rfind("分别", max(0, a.end - 60), a.end)
    return respectively >= 0 and "," not in folded[respectively : a.end] and type(a) is type(b)


def _joins_values(folded: str, place: int, items: list[Item], starts: list[int]) -> bool:
    """Whether the comma stands within a figure, or between two bare ones of one list (`分别为12.3%,45.6%`)."""
    n = bisect_right(starts, place)
    if n == 0:
        return False
    before = items[n - 1]
    if place < before.end:
        return True  # the comma of a number's thousands
    return n < len(items) and _same_kind(before, items[n]) and JOIN.fullmatch(folded, before.end, starts[n]) is not None
