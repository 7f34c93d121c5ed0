"""What a page says of its place: names and codes outside the body, names in the body and their number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from chalicelib import divisions
from chalicelib.reading import gazetteer
from chalicelib.reading.anchors import Anchored, find_anchored
from chalicelib.reading.model import Page

_CREDIT_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Z]{2}([0-9]{6})[0-9A-Z]{9,10}(?![0-9A-Za-z])", re.I)
# Other schemes begin with the code, or with 11 and the code, and go on with numbers of their own. Nine digits are an
# organisation's code, which says nothing of a place.
_LONG_NUMBER = re.compile(r"(?<![0-9])(?:11)?([0-9]{6})(?=[0-9]{4})")
_SIX_DIGITS = re.compile(r"(?<![0-9])([0-9]{6})(?![0-9])")
_SUBTITLE = re.compile("人民代表大会|人代会|党代会|代表大会|会议上|大会上")
_SIGNATURE = re.compile(".{2,30}(?:人民政府|政府|委员会|党委|党工委|办事处|办公室|镇|乡|街道)$")


@dataclass(slots=True)
class Evidence:
    """What the page says of the place: names outside the body with their kind, names in the body with their number."""

    index: tuple[str, ...]
    printed: list[tuple[str, gazetteer.Mention]]
    body: Counter[tuple[str, tuple[str, ...]]]
    text: str
    shorts: dict[str, int] = field(default_factory=dict)

    def count(self, short: str) -> int:
        """How often a short form stands in the body."""
        if short not in self.shorts:
            self.shorts[short] = self.text.count(short)
        return self.shorts[short]


def place_strings(page: Page) -> list[tuple[str, str]]:
    """The strings that name the report's place, the surest kind first."""
    lines = page.text[page.body_start :].split("\n", 8)[:8]
    subtitle = [("subtitle", line) for line in lines if len(line) <= 80 and _SUBTITLE.search(line)]
    tail = page.text[max(page.body_start, len(page.text) - 200) :].split("\n")[-4:]
    signature = [("signature", line) for line in tail if _SIGNATURE.fullmatch(line)]
    return [("title", page.title), *subtitle, *signature, *page.places]


def collect_evidence(page: Page, strings: Iterable[tuple[str, str]], body: str) -> Evidence:
    """The names and codes that speak for a place, in the strings of the page and in its body."""
    lines = [(kind, line[:300], find_anchored(line[:300])) for kind, line in strings]
    printed = [(kind, each) for kind, line, anchored in lines for each in _narrowed(_apart(line, anchored))]
    everyday = gazetteer.words("generic")
    named = Counter((m.name, m.codes) for m in gazetteer.find_uppers(body) if m.name not in everyday)
    printed += [(kind, each.county) for kind, _, anchored in lines for each in anchored if not each.county.exact]
    printed += [(kind, mention) for kind, line, _ in lines for mention in _shorts_before_townships(line)]
    return Evidence(_index_codes(page.index_number or ""), printed, named, body)


def _apart(line: str, anchored: list[Anchored]) -> Iterator[gazetteer.Mention]:
    """The counties and what is above them, without those that other words than their own make up: the 山城区 of
    `乳山城区街道`, where 乳山 has a 城区街道."""
    spans = [(each.county.start, each.start, each.end) for each in anchored]
    for mention in gazetteer.find_uppers(line):
        if not any(first < mention.end and mention.start < end and mention.end > at for first, at, end in spans):
            yield mention


def _narrowed(mentions: Iterable[gazetteer.Mention]) -> Iterable[gazetteer.Mention]:
    """The mentions, each county with those codes only that lie in the division named before it: `乐山市市中区`."""
    above: tuple[str, ...] = ()
    for mention in mentions:
        inside = tuple(code for code in mention.codes if any(code.startswith(upper) for upper in above))
        above = inside or mention.codes
        yield replace(mention, codes=above)


def _shorts_before_townships(line: str) -> Iterable[gazetteer.Mention]:
    """A short form glued to a township's name: `仙居下各镇`."""
    for mention in gazetteer.find_townships(line):
        for start in range(max(0, mention.start - 5), mention.start - 1):
            short = line[start : mention.start]
            if codes := gazetteer.stem_codes(short):
                yield gazetteer.Mention(start, mention.start, short, codes, False)


def _index_codes(index_number: str) -> tuple[str, ...]:
    """Counties, or prefectures, with their code in the index number: places 3 to 8 of a credit code, six digits alone,
    or the first six of ten or more."""
    digits = [
        m.group(1) for pattern in (_CREDIT_CODE, _SIX_DIGITS, _LONG_NUMBER) for m in pattern.finditer(index_number)
    ]
    codes = [
        code for six in digits for code in (six, six[:4] if six.endswith("00") else "") if code and divisions.get(code)
    ]
    return tuple(dict.fromkeys(codes))
