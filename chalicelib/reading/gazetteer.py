"""Names of divisions in a text: counties and above with short and former forms, townships at a name's boundary."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from chalicelib import divisions
from chalicelib.reading.former_divisions import vanished
from chalicelib.reading.township_names import is_township, street_of_office, without_peoples, words

LONGEST_UPPER = 12
LONGEST_TOWNSHIP = 12
LONGEST_ODD = 24  # `…镇…片区` and the like

_UPPER_END = re.compile("[县市区旗州盟省]")
# `乡村` and `乡镇` are words, so their 乡 ends no name.
_TOWNSHIP_END = re.compile("街道(?:办事处)?|办事处|镇|乡(?![村镇土贤亲愁])|苏木|农场|林场|牧场|地区")
_SUFFIX = re.compile("(?:自治县|自治旗|自治州|自治区|林区|特区|新区|地区|[县市区旗盟省])$")
_STEM_LEAST = 2
_IDEOGRAPHS = re.compile("[\u3400-\u9fff〇]+")


@dataclass(frozen=True, slots=True)
class Mention:
    """A county, prefecture or province named at `start:end` of a text; several codes where several carry the name.

    `exact` is false for a short or former form.
    """

    start: int
    end: int
    name: str
    codes: tuple[str, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class TownshipMention:
    """A township named at `start:end`: `known` tells whether the division table holds the name."""

    start: int
    end: int
    name: str
    known: bool


def stem(name: str) -> str:
    """The name without people and rank: `玉环市` gives `玉环`, `恩施土家族苗族自治州` `恩施`."""
    short = _SUFFIX.sub("", name)
    return without_peoples(short) or short


@cache
def _uppers() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Codes of counties and above by full name (also former and customary: `景宁县`, `恩施州`), and by stem."""
    exact: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    customary: dict[str, list[str]] = {}
    table = divisions.table()
    for code, name in zip(table.codes, table.names, strict=True):
        if len(code) == 9 or name in divisions.PLACEHOLDERS:
            continue
        exact.setdefault(name, []).append(code)
        short = stem(name)
        if (found := re.search("自治([县旗州])$", name)) and short != name:
            customary.setdefault(short + found.group(1), []).append(code)
        if _STEM_LEAST <= len(short) <= 6 and (short != name or name.endswith("群岛")):
            stems.setdefault(short, []).append(code)
    for name, codes in customary.items():
        exact.setdefault(name, codes)
    for row in vanished():
        exact.setdefault(row.name, []).extend(row.codes)
        if len(short := stem(row.name)) >= _STEM_LEAST and short not in stems:
            stems[short] = list(row.codes)
    return {k: tuple(v) for k, v in exact.items()}, {k: _lone_counties(v) for k, v in stems.items()}


def _lone_counties(codes: list[str]) -> tuple[str, ...]:
    """The codes, with the prefecture instead of its counties where several share a short form (`和田`)."""
    counties = Counter(code[:4] for code in codes if len(code) == 6)
    return tuple(dict.fromkeys(code[:4] if counties[code[:4]] > 1 else code for code in codes))


@cache
def _endings() -> dict[str, tuple[int, ...]]:
    """The last two characters of all names, and of short forms with a rank, with the lengths of the names that end so,
    longest first: 全县 and 我县 are none of them."""
    exact, stems = _uppers()
    lengths: dict[str, set[int]] = {}
    for name in (*exact, *(name + rank for name in stems for rank in "县市区")):
        lengths.setdefault(name[-2:], set()).add(len(name))
    return {ending: tuple(sorted(found, reverse=True)) for ending, found in lengths.items()}


def find_uppers(text: str) -> Iterator[Mention]:
    """Counties, prefectures and provinces named in `text` with their rank, longest name first, in reading order."""
    exact, stems = _uppers()
    endings = _endings()
    past = 0
    for found in _UPPER_END.finditer(text):
        end = found.end()
        for length in endings.get(text[end - 2 : end], ()):
            start = end - length
            if start < past:
                continue
            name = text[start:end]
            if (codes := exact.get(name)) and (name not in words("generic") or at_boundary(text, start)):
                end = _longest_upper(text, start, end)
                yield Mention(start, end, text[start:end], exact[text[start:end]], True)
            elif len(name) > _STEM_LEAST and name[-1] in "县市区" and (codes := stems.get(name[:-1])):
                yield Mention(start, end, name, codes, False)
            else:
                continue
            past = end
            break


def _longest_upper(text: str, start: int, end: int) -> int:
    """Where the longest name ends that begins as the one at `start:end` does: `沙县区`, `张家口市塞北管理区`."""
    exact = _uppers()[0]
    longer = range(min(len(text), start + LONGEST_UPPER + 4), end, -1)
    return next((past for past in longer if text[start:past] in exact), end)


def stems() -> dict[str, tuple[str, ...]]:
    """The codes by short form."""
    return _uppers()[1]


def stem_codes(name: str) -> tuple[str, ...]:
    """The codes that have this short form, () where none has."""
    return stems().get(name, ())


def find_townships(text: str) -> list[TownshipMention]:
    """Townships named in `text`: the whole name between its left boundary and its rank, known to the table or not."""
    found: list[TownshipMention] = []
    uppers = [(m.start, m.end) for m in find_uppers(text)]
    for match in _TOWNSHIP_END.finditer(text):
        if any(
            start < match.start() and match.end() < end for start, end in uppers[_first_past(uppers, match.end()) :][:1]
        ):
            continue  # the 乡 of `桐乡市`
        mention = _township_at(text, match)
        if mention is None or (found and mention.end <= found[-1].end):
            continue
        if found and mention.start <= found[-1].end:
            found.pop()  # `东乡` within `东乡镇`, `荔城镇` before `镇海街道`, the county `西乡` before `杨河镇`
        found.append(mention)
    return found


def _first_past(spans: list[tuple[int, int]], at: int) -> int:
    """The place of the first span that ends behind `at`."""
    return bisect_right(spans, at, key=lambda span: span[1])


def _township_at(text: str, rank: re.Match[str]) -> TownshipMention | None:
    ends = (rank.end(), rank.start() + 2) if rank.group() == "街道办事处" else (rank.end(),)
    is_office = rank.group() == "办事处"
    for end in ends:
        for start in range(max(0, end - LONGEST_TOWNSHIP), end - 1):
            name = text[start:end]
            if is_township(name) and name not in words("generic") and at_boundary(text, start):
                return _longest(text, TownshipMention(start, end, name, True))
            if is_office and (street := street_of_office(name)) and at_boundary(text, start):
                return TownshipMention(start, end, street, True)
    return None if is_office else _unknown_at(text, rank)


def _longest(text: str, mention: TownshipMention) -> TownshipMention:
    """The longest name of the table that begins as the mention does."""
    for end in range(min(len(text), mention.start + LONGEST_ODD), mention.end, -1):
        if is_township(text[mention.start : end]):
            return TownshipMention(mention.start, end, text[mention.start : end], True)
    return mention


def _unknown_at(text: str, rank: re.Match[str]) -> TownshipMention | None:
    """The run of ideographs up to the rank, without the divisions above it and the words before."""
    end = rank.start() + 2 if rank.group().startswith("街道") else rank.end()
    run = _last_run(text[max(0, end - 24) : end])
    start = end - len(run)
    for mention in find_uppers(run[:-1]):
        if mention.exact or mention.end - mention.start > 2:
            start = end - len(run) + mention.end
    name = text[start:end]
    if any(is_township(name[at:]) for at in range(2, len(name) - 2)):
        return None  # words and a known name, or a longer name: not to be told apart here
    for word in _words_before():
        if name.startswith(word) and len(name) > len(word) + 1:
            name = name[len(word) :]
            break
    short = len(name) - (end - rank.start())
    if not 1 < short + (rank.group() in "镇乡") <= 6 or name[0] in "全我本各乡镇村城小该此":
        return None
    return TownshipMention(end - len(name), end, name, is_township(name))


@cache
def _words_before() -> tuple[str, ...]:
    """The words that stand before names, longest first."""
    return tuple(sorted(words("before"), key=len, reverse=True))


def _last_run(text: str) -> str:
    last = ""
    for run in _IDEOGRAPHS.finditer(text):
        last = run.group() if run.end() == len(text) else ""
    return last


def at_boundary(text: str, start: int) -> bool:
    """Whether a name can begin at `start`: after nothing, no ideograph, a division's name, a common word."""
    before = text[max(0, start - LONGEST_UPPER) : start]
    if not before or not _IDEOGRAPHS.fullmatch(before[-1]):
        return True
    exact, stems = _uppers()
    return any(
        before[at:] in exact
        or before[at:] in words("before")
        or (before[at:] in stems and at_boundary(text, start - len(before) + at))
        for at in range(len(before))
    )
