"""Numbers that are no quantities: dates, names, programmes, ordinals, and thresholds that say what is counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from chalicelib.reading.figures import Quantity
from chalicelib.reading.lexicon import read_rows, read_words
from chalicelib.reading.numerals import CHINESE


class Refusal(NamedTuple):
    """A number that is no quantity, with the rule that says so."""

    start: int
    end: int
    rule: str


@cache
def _excluded(*begins: str) -> re.Pattern[str]:
    """The rules of `excluded.csv` that begin so, as one pattern; the first wins."""
    rows = [row for row in read_rows("excluded.csv") if row["begins"] in begins]
    return re.compile("|".join(f"(?P<{row['rule']}>{row['pattern']})" for row in rows))


@cache
def _numbers() -> re.Pattern[str]:
    """The first characters of the numbers that a rule of `excluded.csv` can begin with.

    Such a rule says by its characters what stands behind the number and its scale, so that a number with anything else
    behind it (5家, 1000万元) need not be tried. A percentage is none but in quotes (“100%”).
    Only telephone numbers have nothing behind them, but many digits.
    """
    digits, numerals = (
        re.escape("".join(set(_excluded(kind, "number").pattern) - {"%"})) for kind in ("digits", "numerals")
    )
    return re.compile(
        rf"\d(?<!\d\d)(?=\d{{7}}|\d*+(?:,\d{{3}})*+(?:\.\d++)?+[十百千万亿]*+(?:[{digits}A-Za-z]|%[”’]))"
        rf"|[{CHINESE}](?<![{CHINESE}]{{2}})(?=[{CHINESE}]*+[{numerals}])"
    )


QUOTED = re.compile(r"“[^“”\n]{1,24}”|‘[^‘’\n]{1,24}’|《[^《》\n]{1,60}》|\"[^\"\n]{1,24}\"")


def find_refusals(folded: str) -> list[Refusal]:
    """Spans whose numbers are dates, ordinals, names, thresholds or programmes, in reading order; they may overlap."""
    found = [Refusal(m.start(), m.end(), "quoted") for m in QUOTED.finditer(folded) if HAS_NUMBER.search(m[0])]
    found += _find_words(folded)
    digits, numerals = _excluded("digits", "number"), _excluded("numerals", "number")
    for number in _numbers().finditer(folded):
        start = number.start()
        match = (numerals if folded[start] in CHINESE else digits).match(folded, start)
        if match is not None:
            found.append(Refusal(start, match.end(), match.lastgroup or ""))
    return sorted(found, key=lambda r: (r.start, r.end))


def _find_words(folded: str) -> Iterator[Refusal]:
    """The spans of the rules that begin with a word, where its first character stands."""
    rules, past = _excluded("word"), 0
    for first in _initials().finditer(folded):
        if first.start() >= past and (match := rules.match(folded, first.start())):
            past = match.end()
            yield Refusal(match.start(), past, match.lastgroup or "")


@cache
def _initials() -> re.Pattern[str]:
    return re.compile(f"[{''.join(row['initials'] for row in read_rows('excluded.csv') if row['begins'] == 'word')}]")


HAS_NUMBER = re.compile(f"[\\d{CHINESE}]")


THRESHOLD = re.compile(r" ?\(?(?:及其?)?(?:以上|以下|以内|以外)\)?(?:的)?(?=[\u4e00-\u9fff“(])")
BARE_THRESHOLD = re.compile(r"级(?:以上)?|元户|元村|元企业|斤粮(?!食)|人村|岁")
# `低于10万元的村4个`, `过亿元项目3个`: an amount that says which things are counted.
OF_THINGS = re.compile(
    r" ?(?:及以上|以上|以下)?的?(?:村|项目|企业|大户|贷款户|合作社|家庭农场|市场主体|农户|产业|工程|楼宇|园区)(?!年|共|总|实)"
)
# 引进5亿元项目: how large a thing is that may be one of several, whether or not they are counted.
SIZE_OF_THINGS = re.compile(r"(?:项目|企业|大户|楼宇)(?!资金|款|贷款|投资|支出|补助|经费|建设)")
SUM_BEFORE = re.compile(r"(?:投资|资金|完成|落实|投入|达到?|争取|共|计|额|价值|补助|奖励|给予|为|[\d])$")
# 协议投资超亿元的2家, 5亿元以上1个: how much each of the counted has.
THAT_MANY = re.compile(
    r"(?:(?:及?以上|以下)的?|的)(?:仅有?|只有|有|共|达)? ?(?:\d+|[两三四五六七八九十]+) ?(?:余|多)?(?:家|个|户|村|名|人|项|宗)"
)
# 低于2%的退出线, 迈过千万元门槛: where a line is drawn.
OF_LINE = re.compile(
    r" ?(?:以[上下内])?的?(?:退出线|警戒线|控制线|目标线|及格线|红线|底线|门槛|关口|国家标准|国家规定)"
)
SIZE = re.compile(r"(?:及其?)?(?:以上|以下)的?(?:自然|行政|村|寨|组|屯|企业|聚|居|集|单位|场所|学校|项目)")
# 全市确定的30个中心镇之一 is one of them.
ONE_OF = re.compile(r"[^,。;、\d]{0,14}之一")
# What stands behind a threshold, and in which measures it is one; () for all.
BEHIND: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (BARE_THRESHOLD, ()),
    (OF_LINE, ()),
    (ONE_OF, ()),
    (THAT_MANY, ("元",)),
    (SIZE, ("户", "人")),
)
# `21个村集体收入达到80万元以上`: what each of the counted has at least.
EACH = re.compile(r"个(?:行政|建制)?(?:村|社区)[^,。;\d]{0,14}$")
PAUSE = re.compile(r"[,。;、!?\n:]")
# Nothing stands behind a figure that ends its clause, so that it qualifies nothing; most do.
ENDS = frozenset((",", "。", ";", "、", "\n", ""))
# What any of the patterns here begins with: one look spares most figures all of them.
MAY_QUALIFY = re.compile(r"[ (及以的级元村斤人岁退警控目红底门关国项企大楼贷合家市农产工园]|[^,。;、\d]{0,14}之一")


def _sizes_things(folded: str, quantity: Quantity) -> bool:
    """Whether an amount only says how large the things behind it are: 引进5亿元项目, but not 落实4500万元项目资金."""
    if quantity.unit != "元" or SIZE_OF_THINGS.match(folded, quantity.end) is None:
        return False
    return SUM_BEFORE.search(folded, max(0, quantity.start - 3), quantity.start) is None


def qualifies(folded: str, quantity: Quantity) -> bool:
    """Whether the quantity is a threshold that only qualifies what is counted (`5亿元以上产业项目2个`)."""
    if quantity.unit == "元" and EACH.search(folded, max(0, quantity.start - 30), quantity.start):
        return quantity.bound == ">="
    if folded[quantity.end : quantity.end + 1] in ENDS or MAY_QUALIFY.match(folded, quantity.end) is None:
        return False
    if _sizes_things(folded, quantity) or any(
        quantity.unit in (units or (quantity.unit,)) and rule.match(folded, quantity.end) for rule, units in BEHIND
    ):
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
        bool(re.search(r"\d|[两三四五六七八九十百千]", rest)) or rest.startswith(read_words("nouns.toml", "threshold"))
    )
