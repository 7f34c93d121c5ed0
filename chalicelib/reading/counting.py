"""Whether a number with a measure word counts something, and how exactly."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from chalicelib.reading.lexicon import one_of, read_words, units

# Measure words that Chinese numerals carry in names of places and programmes more often than in counts.
NAMELIKE = frozenset("门里片方组层面度对站身部首道期节轮米口店校车集架封具堂版则尊")
# What a Chinese numeral is bound to when it stands behind these: 第三, 每两, 统一, 十二.
BOUND_TO = frozenset("续第每逐唯初同成统万星周某半这那任数几双")
SINGLE = frozenset("家个座处条所人名起件项台辆栋幢口宗")
# Durations and lots: a count only in words that say so.
DAYS = re.compile(r"(?:天数|优良|优于|达标|蓝天|好于|缩短|压缩)[^,。;]{0,12}$")


def measures(folded: str, match: re.Match[str], spelled: str) -> bool:
    """Whether the measure word is one here: not the first letters of a word (`3.5m` but not `3mm2`, `12人民`)."""
    after = folded[match.end() : match.end() + 3]
    if spelled.isascii() and spelled[-1].isalpha():
        return not (after[:1].isascii() and after[:1].isalnum())
    if spelled == "天":
        return bool(DAYS.search(folded, max(0, match.start() - 20), match.start()))
    if match["scale"] and spelled in ("度", "个"):
        return True
    return not _word_goes_on(spelled, after)


@cache
def _longer_words() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for word in read_words("nouns.toml", "not_measured"):
        table[word[0]] = (*table.get(word[0], ()), word[1:])
    return table


def _word_goes_on(spelled: str, after: str) -> bool:
    """`5家庭` is not 5 家 and `3条件` not 3 条: the measure word is the start of a longer word."""
    return after.startswith(_longer_words().get(spelled, ()))


# 工业总产值突破百亿大关: an amount of which the unit goes without saying.
ROUND = re.compile(r"元?大关")
# 三件事一起抓 is a figure of speech; 十件实事, 三件事故 are counts.
AFFAIR = re.compile(r"大?事(?![故项件务])")
# 葡萄、大枣两项合计 sums up what was named, 大体分三块 parts it.
TOGETHER = re.compile(r"合计|相加|均|都")
# 四项手术320例: what is named with a number of its own and then counted.
NAMED = re.compile(r"[\u4e00-\u9fff]{2,6}\d")


BEHIND_WORD = re.compile(r"[\u4e00-\u9fff]$")
# What may stand around a single thing: 引进企业一家。
BEHIND_NOUN = re.compile(r"[\u4e00-\u9fff”)]$")
CLOSED = re.compile(r"[,。;、和及\n\d]|$")


@cache
def _abstract() -> re.Pattern[str]:
    return re.compile(r"[“‘\"《一二三四五六七八九十]|" + one_of(read_words("nouns.toml", "abstract")))


def counts(folded: str, match: re.Match[str], value: Decimal) -> bool:
    """Whether a number in Chinese characters counts something: `两家`, `三千二百余户`, `超千万元`, but not `四个全面`."""
    number, spelled = match["number"], match["unit"]
    before = folded[max(0, match.start() - 3) : match.start()]
    after = folded[match.end() : match.end() + 8]
    villages = spelled == "村" and before[-1:] not in ("等", "村", "共", "镇", "乡")
    villages = villages and "、" not in folded[max(0, match.start() - 5) : match.start()]  # 东岭、西桥两村
    if spelled is None and ROUND.match(after):
        return before.endswith(("破", "超", "过"))
    if spelled is None or "/" in spelled or before[-1:] in BOUND_TO or villages:
        return False
    vague = match["about"] or match["more"]
    if number[0] in "百千万亿" and not vague:
        return before.endswith(("超", "逾", "破", "过", "近", "达", "上", "约", "足")) and spelled in units()
    if value == 1:
        return _is_single(spelled, before, after)
    if value < 100 and not vague:
        return _is_few(match, before, after)
    # 三百六十行 is a saying, 三千五百米 a length.
    return spelled not in NAMELIKE or bool(vague) or spelled == "米"


def _is_few(match: re.Match[str], before: str, after: str) -> bool:
    """Whether a small numeral counts: 两家企业, but not 三大攻坚, 四项手术320例."""
    spelled = match["unit"]
    if spelled in NAMELIKE or match["scale"]:
        return spelled in ("期", "口") and match["number"] == "两" and bool(BEHIND_WORD.search(before))
    if (
        (spelled == "件" and AFFAIR.match(after))
        or (spelled == "项" and TOGETHER.match(after))
        or before.endswith("分")
    ):
        return False
    return not (_abstract().match(after) or (spelled in ("项", "类") and NAMED.match(after)))


def _is_single(spelled: str, before: str, after: str) -> bool:
    """一 counts only behind its noun, where nothing follows: 引进企业一家。"""
    return (
        spelled in SINGLE
        and CLOSED.match(after) is not None
        and BEHIND_NOUN.search(before) is not None
        and before[-1] not in "唯之于这同归合为成每某统有"
    )


AT_LEAST = re.compile(
    r"(?:超过?|(?<![通经越])过|逾|突破|破|不低于|不少于|不小于|至少|高于|多于|大于|达到?[^,]{0,2}超) ?$"
)
AT_MOST = re.compile(r"(?<!不)(?:不到|不足|低于|不超过?|不高于|少于|小于|控制在|近乎|以内的?) ?$")
ABOUT = re.compile(r"(?:(?<![签预节履条集])约|近|大约|将近|接近|约为|大概|约占|约达) ?(?:为|达)?$")
UP_TO = re.compile(r" ?(?:\(含\))?(?:以内|以下|之内|内(?=[,。;]))")
OR_MORE = re.compile(r" ?(?:及其?以上|以上|之多|多(?=[,。;\n]|$))")
ROUGHLY = re.compile(r" ?左右|上下")


def bound_of(folded: str, match: re.Match[str], beside: tuple[str | None, ...] = ()) -> str:
    """`>=`, `<=`, `~` or `=`: 余 and 多, which stand `beside` the number, beat 约, and 超 beats all but them."""
    before = folded[max(0, match.start() - 6) : match.start()]
    end = match.end()
    if "余" in beside or "多" in beside:
        return ">="
    bounded = before.rstrip()[-1:] in LEADS_TO_BOUND
    if bounded and AT_MOST.search(before) and not before.endswith("控制在"):
        return "<="
    goes_on = folded[end : end + 1] not in ENDS
    if (bounded and AT_LEAST.search(before)) or (goes_on and OR_MORE.match(folded, end)):
        return ">="
    if before.endswith("控制在") or (goes_on and UP_TO.match(folded, end)):
        return "<="
    if (
        (bounded and ABOUT.search(before))
        or (goes_on and ROUGHLY.match(folded, end))
        or "来" in beside
        or "几" in beside
    ):
        return "~"
    return "="


ENDS = frozenset((",", "。", ";", "、", "\n", ""))
# What the words before a figure that bound it end in: one look spares most figures the rest.
LEADS_TO_BOUND = frozenset("超过逾破于少到足在乎的内约近概为达")
