"""Numbers with their measure words: what is a quantity, how much it is, and what only looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from chalicelib.reading.lexicon import one_of, read_rows, read_words, units
from chalicelib.reading.numerals import CHINESE, DIGITS, read_number

PERCENT = {"%"}
ARABIC = r"\d{1,3}(?:[, ]\d{3})+(?![\d.]\d|\d)(?:\.\d+)?|\d+(?: ?\. ?\d+)?"
# Measure words that Chinese numerals carry in names of places and programmes more often than in counts.
NAMELIKE = {
    "门",
    "里",
    "片",
    "方",
    "组",
    "层",
    "面",
    "度",
    "对",
    "站",
    "身",
    "部",
    "首",
    "道",
    "期",
    "节",
    "轮",
    "米",
    "口",
    "店",
    "校",
}
# Durations and lots: a count only in words that say so.
DAYS = re.compile(r"(?:天数|优良|优于|达标|蓝天|好于|缩短|压缩)[^,。;]{0,12}$")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the text: `start` and `end` bound it with its measure word (and 余, 多), but without 超 and 以上."""

    start: int
    end: int
    value: Decimal
    unit: str | None
    bound: str
    # Only the share of a whole: `%` and `‰`.
    rate: bool
    # The spelling that `units.csv` knows, None for a compound (`公斤/亩`) or a lost one.
    spelled: str | None
    # True for 万亩-like words without a leading digit (`百余`, `千万元`).
    chinese: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A number that is no quantity, with the rule that says so."""

    start: int
    end: int
    rule: str


@cache
def _number() -> re.Pattern[str]:
    unit = one_of(tuple(sorted(units(), key=len, reverse=True)))
    compound = rf"{unit}(?:/{unit}|\((?:次|{unit})(?:[、,]{unit})*\)次?)?"
    return re.compile(
        rf"(?P<number>{ARABIC}|(?<!第)[{CHINESE}]+)"
        rf"(?:(?P<first>%)? ?(?:-|~|至|到) ?(?P<second>{ARABIC}))?"
        rf" ?(?P<about>[余多来几])? ?(?P<scale>(?:[十百万亿]|千(?![瓦米克伏])){{0,3}}) ?(?P<more>[余多来])?"
        rf"(?: ?(?P<unit>{compound}|(?P<tenths>成(?![立功效为员本果长交品年套因绩人就都语分型])[一二三四五六七八九半]?)))?"
    )


@cache
def _excluded(begins: str) -> re.Pattern[str]:
    """The rules of `excluded.csv` that begin with a number, or with a word before it, as one pattern; the first wins."""
    rows = [row for row in read_rows("excluded.csv") if row["begins"] == begins]
    return re.compile("|".join(f"(?P<{row['rule']}>{row['pattern']})" for row in rows))


NUMBER_START = re.compile(rf"(?<!\d)\d|[{CHINESE}]")


QUOTED = re.compile(r"“[^“”\n]{1,24}”|‘[^‘’\n]{1,24}’|《[^《》\n]{1,60}》|\"[^\"\n]{1,24}\"")
ZERO_EVENT = re.compile(r"(?<![\d.])[“]?(?:0|零)[”]?(?={events})")


def find_refusals(folded: str) -> list[Refusal]:
    """Spans whose numbers are dates, ordinals, names, thresholds or programmes, in reading order; they may overlap."""
    found = [Refusal(m.start(), m.end(), "quoted") for m in QUOTED.finditer(folded) if _has_number(m[0])]
    found += [Refusal(m.start(), m.end(), m.lastgroup or "") for m in _excluded("word").finditer(folded)]
    pattern = _excluded("number")
    for start in NUMBER_START.finditer(folded):
        match = pattern.match(folded, start.start())
        if match is not None:
            found.append(Refusal(match.start(), match.end(), match.lastgroup or ""))
    return sorted(found, key=lambda r: (r.start, r.end))


PERCENT_WORDS = re.compile(r"百分之(?P<number>[零一二三四五六七八九十百点\d.]+)(?!点)")


def _percent_words(folded: str) -> list[Quantity]:
    """`百分之九十八点五`, read as 98.5 %."""
    found = []
    for match in PERCENT_WORDS.finditer(folded):
        whole, _, digits = match["number"].partition("点")
        number = read_number(whole)
        decimals = "".join(str(DIGITS.get(c, "")) for c in digits)
        if number is not None:
            value = Decimal(f"{number}.{decimals}") if decimals else number
            found.append(
                Quantity(match.start(), match.end(), value, "%", _bound(folded, match), True, "%", chinese=True)
            )
    return found


def _has_number(text: str) -> bool:
    return any(c.isdigit() or c in CHINESE for c in text)


def find_quantities(folded: str, text: str) -> list[Quantity]:
    """Every quantity of the text in reading order, percentages included. `folded` is `fold(text)`."""
    refused = _covered(find_refusals(folded), len(folded))
    spelled_out = _percent_words(folded)
    for quantity in spelled_out:
        refused[quantity.start : quantity.end] = b"\x01" * (quantity.end - quantity.start)
    found = [q for q in _scan(folded, text, refused) if not _qualifies(folded, q)]
    return sorted(found + spelled_out, key=lambda q: q.start) if spelled_out else found


def _covered(refusals: list[Refusal], length: int) -> bytearray:
    covered = bytearray(length + 1)
    for refusal in refusals:
        covered[refusal.start : refusal.end] = b"\x01" * (refusal.end - refusal.start)
    return covered


def _scan(folded: str, text: str, refused: bytearray) -> Iterator[Quantity]:
    position = 0
    pattern = _number()
    while match := pattern.search(folded, position):
        start = match.start()
        if refused[start]:
            position = start + 1
            while position < len(folded) and refused[position] and refused[position - 1]:
                position += 1
            continue
        number = match["number"]
        cut = _clause_comma(number, text, start)
        if cut:
            # 12，300 with a full-width comma is two numbers in two clauses.
            match = pattern.match(folded, start, start + cut)
            if match is None:
                position = start + 1
                continue
        position = max(match.end(), start + 1)
        quantity = _read(folded, text, match)
        if quantity is not None:
            yield quantity
        else:
            position = start + len(match["number"])


def _clause_comma(number: str, text: str, start: int) -> int:
    comma = text.find("，", start, start + len(number))
    return comma - start if comma > 0 and text[comma - 1].isascii() else 0


def _read(folded: str, text: str, match: re.Match[str]) -> Quantity | None:
    chinese = match["number"][0] in CHINESE
    value = read_number(match["number"] + match["scale"])
    if value is None:
        return None
    spelled = match["unit"]
    if match["tenths"]:
        return _tenths(folded, match, value)
    if spelled is None and not _unit_lost(folded, match):
        return None
    if chinese and not _counts(folded, match, value):
        return None
    if spelled and not _measures(folded, match, spelled):
        return None
    if match["second"] and not _is_range(match):
        return None
    end = match.end()
    unit, known = _unit(text, match)
    bound = _bound(folded, match)
    return Quantity(match.start(), end, value, unit, bound, unit in ("%", "‰"), known, chinese)


def _tenths(folded: str, match: re.Match[str], value: Decimal) -> Quantity | None:
    """`近四成` is 40 %: only behind a word that leads to a share, since 成 begins many words."""
    if value >= 10 or match["scale"] or not TENTHS.search(folded, max(0, match.start() - 4), match.start()):
        return None
    rest = match["tenths"][1:]
    share = value * 10 + (5 if rest == "半" else DIGITS.get(rest, 0))
    return Quantity(match.start(), match.end(), share, "%", _bound(folded, match), True, "%", chinese=True)


TENTHS = re.compile(r"(?:[达占近超约逾到至过为的有率比]|不足|不到|以上) ?$")


def _is_range(match: re.Match[str]) -> bool:
    first, second = read_number(match["number"]), read_number(match["second"])
    return first is not None and second is not None and first < second


def _unit(text: str, match: re.Match[str]) -> tuple[str | None, str | None]:
    """The unit as printed in the record and the spelling that converts; a unit lost after 万 or 亿 stays open."""
    spelled = match["unit"]
    if spelled is None:
        return None, None
    if "(" in spelled:
        return text[match.start("unit") : match.end("unit")], spelled if spelled in units() else None
    if "/" in spelled:
        per, base = spelled.split("/")
        return f"{units()[per].unit}/{units()[base].unit}", None
    return units()[spelled].unit, spelled


def _unit_lost(folded: str, match: re.Match[str]) -> bool:
    """A figure in 万 or 亿 whose measure word the page lost (`销售额2523.7万,`), at the end of its clause."""
    rest = folded[match.end() : match.end() + 1]
    return (
        bool(match["scale"]) and match["scale"][-1] in "万亿" and match["number"][0].isdigit() and rest in ",。;、)\n"
    )


def _measures(folded: str, match: re.Match[str], spelled: str) -> bool:
    """Whether the measure word is one here: not the first letters of a word (`3.5m` but not `3mm2`, `12人民`)."""
    after = folded[match.end() : match.end() + 2]
    if spelled.isascii() and spelled[-1].isalpha():
        return not (after[:1].isascii() and after[:1].isalnum())
    if spelled == "天":
        return bool(DAYS.search(folded, max(0, match.start() - 20), match.start()))
    if spelled in ("度", "个") and not match["scale"]:
        return after[:1] not in ({"重"} if spelled == "度" else {"月", "年"}) and not (
            spelled == "度" and after[:1] in "电"
        )
    return not _word_goes_on(spelled, after)


@cache
def _longer_words() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for word in read_words("nouns.toml", "not_measured"):
        table[word[0]] = (*table.get(word[0], ()), word[1:])
    return table


def _word_goes_on(spelled: str, after: str) -> bool:
    """`5家庭` is not 5 家 and `3条件` not 3 条: the measure word is the start of a longer word."""
    return any(after.startswith(rest) for rest in _longer_words().get(spelled, ()))


@cache
def _abstract() -> re.Pattern[str]:
    return re.compile(r"[“‘\"《一二三四五六七八九十]|" + one_of(read_words("nouns.toml", "abstract")))


def _counts(folded: str, match: re.Match[str], value: Decimal) -> bool:
    """Whether a number in Chinese characters counts something: `两家`, `三千二百余户`, `超千万元`, but not `四个全面`."""
    number, spelled = match["number"], match["unit"]
    if spelled is None or "/" in spelled:
        return False
    before = folded[max(0, match.start() - 3) : match.start()]
    after = folded[match.end() : match.end() + 6]
    if before[-1:] in (
        "第",
        "每",
        "逐",
        "唯",
        "初",
        "同",
        "成",
        "统",
        "万",
        "星",
        "周",
        "某",
        "半",
        "这",
        "那",
        "任",
        "数",
        "几",
        "双",
    ):
        return False
    vague = match["about"] or match["more"]
    if number[0] in "百千万亿" and not vague:
        return before.endswith(("超", "逾", "破", "过", "近", "达", "上", "约", "足")) and spelled in units()
    if value == 1:
        # 一 counts only behind its noun, where nothing follows: 引进企业一家。
        return (
            bool(re.match(r"[,。;、和及]|$|\n", after))
            and bool(re.search(r"[\u4e00-\u9fff”)]$", before))
            and (
                spelled
                in ("家", "个", "座", "处", "条", "所", "人", "名", "起", "件", "项", "台", "辆", "栋", "口", "宗")
                and not before.endswith(("唯", "之", "于", "这", "同", "归", "合", "为", "成", "每", "某", "统", "有"))
            )
        )
    if value < 100 and not vague:
        if spelled in NAMELIKE or match["scale"]:
            return spelled in ("期", "口") and bool(re.search(r"[\u4e00-\u9fff]$", before)) and number == "两"
        return not _abstract().match(after)
    return spelled not in NAMELIKE or bool(vague)


AT_LEAST = re.compile(r"(?:超过?|逾|突破|破|不低于|不少于|不小于|至少|高于|多于|大于|达到?[^,]{0,2}超) ?$")
AT_MOST = re.compile(r"(?:不到|不足|低于|不超过?|不高于|少于|小于|控制在|近乎|以内的?) ?$")
ABOUT = re.compile(r"(?:约|近|大约|将近|接近|约为|大概|约占|约达) ?(?:为|达)?$")
UP_TO = re.compile(r" ?(?:\(含\))?(?:以内|以下|之内|内(?=[,。;]))")
OR_MORE = re.compile(r" ?(?:及其?以上|以上|之多|多(?=[,。;\n]|$))")
ROUGHLY = re.compile(r" ?左右|上下")


def _bound(folded: str, match: re.Match[str]) -> str:
    """`>=`, `<=`, `~` or `=`: 余 and 多 beat 约, and 超 beats all but them."""
    before = folded[max(0, match.start() - 6) : match.start()]
    end = match.end()
    groups = match.groupdict()
    if groups.get("about") in ("余", "多") or groups.get("more") in ("余", "多"):
        return ">="
    if AT_MOST.search(before) and not before.endswith(("控制在",)):
        return "<="
    if AT_LEAST.search(before) or OR_MORE.match(folded, end):
        return ">="
    if UP_TO.match(folded, end) or before.endswith("控制在"):
        return "<="
    if (
        ABOUT.search(before)
        or ROUGHLY.match(folded, end)
        or groups.get("about") in ("来", "几")
        or groups.get("more") == "来"
    ):
        return "~"
    return "="


THRESHOLD = re.compile(r" ?\(?(?:及其?)?(?:以上|以下|以内|以外)\)?(?:的)?(?=[\u4e00-\u9fff“(])")
BARE_THRESHOLD = re.compile(r"级(?:以上)?|元户|元村|元企业|斤粮(?!食)|人村|岁")
# `低于10万元的村4个`, `过亿元项目3个`: an amount that says which things are counted.
OF_THINGS = re.compile(
    r" ?(?:及以上|以上|以下)?的?(?:村|项目|企业|大户|贷款户|合作社|家庭农场|市场主体|农户|产业|工程)(?!年|共|总|实)"
)
SIZE = re.compile(r"(?:及其?)?(?:以上|以下)的?(?:自然|行政|村|寨|组|屯|企业|聚|居|集|单位|场所|学校|项目)")
PAUSE = re.compile(r"[,。;、!?\n:]")


def _qualifies(folded: str, quantity: Quantity) -> bool:
    """Whether the quantity is a threshold that only qualifies what is counted (`5亿元以上产业项目2个`)."""
    if BARE_THRESHOLD.match(folded, quantity.end):
        return True
    if quantity.unit in ("户", "人") and SIZE.match(folded, quantity.end):
        return True
    of_things = OF_THINGS.match(folded, quantity.end) if quantity.unit in ("元", "吨", "亩") else None
    if of_things and (
        quantity.chinese
        or re.search(
            r"(?:低于|高于|超过?|过|达到?|不足|不到|收入|产值|投资)$",
            folded[max(0, quantity.start - 3) : quantity.start],
        )
    ):
        pause = PAUSE.search(folded, of_things.end())
        if re.search(
            r"\d|[两三四五六七八九十]", folded[of_things.end() : pause.start() if pause else of_things.end() + 30]
        ):
            return True
    above = THRESHOLD.match(folded, quantity.end)
    if above is None:
        return False
    pause = PAUSE.search(folded, above.end())
    rest = folded[above.end() : pause.start() if pause else above.end() + 40]
    # A lost full stop also puts a word behind 以上 (`达99.5%以上提升服务力`): a threshold has its count in the same clause.
    return not quantity.rate and (
        bool(re.search(r"\d|[两三四五六七八九十百千]", rest)) or rest.startswith(THRESHOLD_NOUNS)
    )


THRESHOLD_NOUNS = (
    "项目",
    "企业",
    "老人",
    "老年",
    "人员",
    "人口",
    "儿童",
    "村",
    "规模",
    "大户",
    "工业",
    "固定资产",
    "投资",
    "贷款",
    "高层",
    "的",
)
