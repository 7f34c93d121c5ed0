"""What a page says of its place: names and codes outside the body, names in the body and their number."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache

from chalicelib import divisions
from chalicelib.reading import gazetteer, township_names
from chalicelib.reading.anchors import Anchored, find_anchored
from chalicelib.reading.index_numbers import find_counties
from chalicelib.reading.model import Page

_HOST = re.compile("https?://([a-z0-9.-]+)", re.I)
_LIES_IN = re.compile("(?:位于|地处|隶属|隶属于|属于|坐落于|坐落在)$")
_LEADS = re.compile(
    "[省市县区旗]?(?:委|人民政府|政府)|下达|[东西南北中]{1,2}(?:部|面|郊|侧|端)|境内|的?(?:坚强|正确)领导"
)
_STOPS = "。；！？,;\n"  # and ，
_SUBTITLE = re.compile("人民代表大会|人代会|党代会|代表大会|会议上|大会上")
_SIGNATURE = re.compile(".{2,30}(?:人民政府|政府|委员会|党委|党工委|办事处|办公室|镇|乡|街道)$")


@dataclass
class Evidence:
    """What the page says of the place.

    `index` has the county or prefecture codes by the digits of the index number that give them (several where a county was
    divided since), `printed` the names outside the body with their kind, `behind` the same with the words that follow,
    `hosts` the parts of the address's host, `body` the names in the body with their number. `text` is the body without
    the clauses that speak of other places, and `mentions` are the names in it.
    """

    index: dict[str, tuple[str, ...]]
    printed: list[tuple[str, gazetteer.Mention]]
    behind: list[tuple[str, gazetteer.Mention, str]]
    hosts: frozenset[str]
    body: Counter[tuple[str, tuple[str, ...]]]
    text: str
    mentions: list[gazetteer.Mention]

    @cached_property
    def unnamed(self) -> str:
        """The body's text without the names in `body`: 淮安区 does not speak of 淮安市."""
        ends = [0, *(mention.end for mention in self.mentions)]
        starts = [*(mention.start for mention in self.mentions), len(self.text)]
        return "，".join(self.text[end:start] for end, start in zip(ends, starts, strict=True))

    @cached_property
    def _shorts(self) -> dict[str, int]:
        return {}

    @cached_property
    def _anchors(self) -> dict[str, Counter[tuple[str, tuple[str, ...]]]]:
        return {}

    @cached_property
    def superiors(self) -> Counter[tuple[str, tuple[str, ...]]]:
        """The names in the body that it says to be above its own place (位于三门县东部, 在琼海市委领导下), with their number."""
        found: Counter[tuple[str, tuple[str, ...]]] = Counter()
        start, end = 0, -1
        for mention in self.mentions:
            start = start if mention.start == end else mention.start  # 天水市麦积区 is one chain
            end = mention.end
            lies_in = _LIES_IN.search(self.text, max(0, start - 4), start)
            if lies_in or _LEADS.match(self.text, end):
                found[(mention.name, mention.codes)] += 1
        return found

    def count(self, short: str) -> int:
        """How often a short form stands in the body, outside full names and other words (大安 in 重大安全)."""
        if short not in self._shorts:
            text = self.unnamed
            places = (found.start() for found in re.finditer(re.escape(short), text))
            self._shorts[short] = sum(gazetteer.at_boundary(text, place) for place in places)
        return self._shorts[short]

    def anchors(self, name: str) -> Counter[tuple[str, tuple[str, ...]]]:
        """The names in the body right before the township's `name`, with their number."""
        if name not in self._anchors:
            before = (m for m in self.mentions if self.text.startswith(name, m.end))
            self._anchors[name] = Counter((m.name, m.codes) for m in before)
        return self._anchors[name]


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
    behind = [
        (kind, each, line[each.end :]) for kind, line, anchored in lines for each in _narrowed(_apart(line, anchored))
    ]
    printed = [(kind, each) for kind, each, _ in behind]
    home = _home_text(body)
    everyday = township_names.words("generic")
    mentions = [m for m in gazetteer.find_uppers(home) if m.name not in everyday]
    named = Counter((m.name, m.codes) for m in mentions)
    printed += [(kind, each.county) for kind, _, anchored in lines for each in anchored if not each.county.exact]
    printed += [(kind, mention) for kind, line, _ in lines for mention in _shorts_before_townships(line)]
    hosts = frozenset(part for kind, line, _ in lines if kind == "url" for part in _host_parts(line))
    return Evidence(find_counties(page.index_number or ""), printed, behind, hosts, named, home, mentions)


def _home_text(body: str) -> str:
    """The body without the clauses that speak of other places: help for them, visits to them, what comes from them."""
    text = body
    for stop in _STOPS:
        text = text.replace(stop, "，")
    kept, start = [], 0
    for word in _outward().finditer(text):  # some of the clauses have one: searching them one by one takes longer
        if word.start() < start:
            continue
        begin = text.rfind("，", start, word.start())
        if begin >= 0:
            kept.append(text[start:begin])
        end = text.find("，", word.end())
        if end < 0:
            return "，".join(kept)
        start = end + 1
    return "，".join([*kept, text[start:]])


@cache
def _outward() -> re.Pattern[str]:
    return re.compile("|".join(sorted(township_names.words("outward"))))


def _host_parts(address: str) -> list[str]:
    """The parts of a government site's host that may name its place: `sanmen` of `www.sanmen.gov.cn`."""
    found = _HOST.match(address)
    parts = found.group(1).lower().split(".") if found else []
    return parts[:-2] if parts[-2:] == ["gov", "cn"] else []


@lru_cache(maxsize=4096)
def host_names(code: str) -> frozenset[str]:
    """How the sites of a county, prefecture or province are called in pinyin: `sanmen`, `sanmenxian`."""
    names = divisions.latin_names(code)
    return frozenset(divisions.fold_latin(name) for name in (*names, names[0].split(" ", 1)[0]))


def _apart(line: str, anchored: Sequence[Anchored]) -> Iterator[gazetteer.Mention]:
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
