"""The name of the township that a page is of: in its title, its publisher's name and the like, or in its body."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from chalicelib.reading import gazetteer
from chalicelib.reading.anchors import find_anchored
from chalicelib.reading.township_names import is_township, words

RANKS = ("镇", "乡", "街道", "苏木", "地区", "农场", "林场")

# A title's words before its year, where a name without its rank may stand.
_BEFORE_YEAR = re.compile("(?:关于)?([\u3400-\u9fff]{2,10}?)(?:20[0-9]{2}|二[〇○零０oO0])")
# A village of the township right behind its name: `稽东镇冢斜村2020年工作总结`. 农村, 各村 and the like are no villages, and
# 社区工作 is a field of work.
_COMMITTEE = "(?:村?民委员会|村委会|居民委员会|居委会|党支部|党总支|党委|“?两委”?)"
_YEAR = "(?:20|19|二[〇○零０oO0])"
_VILLAGE = re.compile(
    f"(?:人民政府)?[\u3400-\u9fff]{{1,6}}?(?:(?<![乡农各全驻帮联])村{_COMMITTEE}?(?:{_YEAR}|工作|年度|$)"
    f"|社区(?:{_YEAR}|{_COMMITTEE}))"
)


def find_own_name(strings: Sequence[tuple[str, str]], body: str) -> tuple[str | None, str]:
    """The township's name and the kind of string that gives it; (None, '') where none does."""
    for kind, line in strings:
        if kind != "url" and (name := _name_in(kind, line, body)):
            return name, kind
    return (name, "body") if (name := _name_in_body(body)) else (None, "")


def is_joint(title: str) -> bool:
    """Whether the title names several townships in a row: a report of all of them has no one place."""
    mentions = gazetteer.find_townships(title)
    pairs = pairwise(mentions)
    return any(a.known and b.known and title[a.end : b.start] in {"、", "和", "与", "及"} for a, b in pairs)


def is_village(title: str, name: str) -> bool:
    """Whether the title names a village or 社区 right behind the township: then the report is the village's."""
    _, found, behind = title.partition(name)
    return bool(found) and _VILLAGE.match(behind) is not None


def _name_in(kind: str, line: str, body: str) -> str | None:
    last = -1 if kind == "breadcrumb" else 0
    if anchored := find_anchored(line[:300]):
        return anchored[last].name
    if mentions := gazetteer.find_townships(line[:300]):
        return mentions[last].name
    name = _odd_name(line) if kind in {"title", "issuer"} else None
    return name or (_rankless_name(line, body) if kind == "title" else None)


def _odd_name(line: str) -> str | None:
    """A name without a township's usual rank (`…管理处`, `…园区`) at the line's beginning or after a county's name."""
    starts = [0, *(mention.end for mention in gazetteer.find_uppers(line))]
    for start in starts:
        for end in range(min(len(line), start + 24), start + 3, -1):
            name = line[start:end]
            if is_township(name) and name not in words("generic"):
                return name
    return None


def _rankless_name(title: str, body: str) -> str | None:
    """The township that the title names without its rank (`稽东2023年工作总结`), where the body tells the rank: it
    names the township in full, or calls it 我镇 or 全镇, where a county of that short form is not called 我县 as often."""
    found = _BEFORE_YEAR.match(title)
    for short in _shorts(found.group(1)) if found else ():
        names = [short + rank for rank in RANKS]
        printed = [name for name in names if name in body]
        if not printed and not (gazetteer.stem_codes(short) and _is_of_county(body)):
            printed = [name for rank in RANKS if _called(rank, body) and is_township(name := short + rank)]
        if len(printed) == 1:
            return printed[0]
    return None


def _called(rank: str, body: str) -> int:
    """How often the body calls its place so: 我镇, 全镇, 本镇."""
    return sum(body.count(pronoun + rank) for pronoun in "我全本")


def _is_of_county(body: str) -> bool:
    """Whether the body calls its place a county as often as a township."""
    return sum(_called(rank, body) for rank in "县区市旗") >= sum(_called(rank, body) for rank in RANKS)


def _shorts(lead: str) -> Iterator[str]:
    """The title's lead, and what stands behind a county's name in it: `柯桥稽东` gives `柯桥稽东`, `稽东`."""
    for start in range(len(lead) - 1):
        above = lead[:start]
        if not above or gazetteer.stem_codes(above) or any(m.end == start for m in gazetteer.find_uppers(above)):
            yield lead[start:]


def _name_in_body(body: str) -> str | None:
    """The township that the body names again and again, more than any other."""
    counts = Counter(m.name for m in gazetteer.find_townships(body) if m.known and len(m.name) > 2).most_common(2)
    if not counts or counts[0][1] < 2 or (len(counts) > 1 and 2 * counts[1][1] > counts[0][1]):
        return None
    return counts[0][0]
