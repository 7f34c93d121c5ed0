"""Growth: `同比增长34.15%`, `翻番`, `增长3倍`, `持平`, and the figures that only look like it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from chalicelib.reading.figures import Growth, Quantity
from chalicelib.reading.numerals import DIGITS, read_number

LAST_YEAR = (
    r"(?:同比|同期(?:相?比)?|(?:比|较|与|同|跟)(?:去年|上年|上一年|前一年|往年)(?:同期|末|底|全年|度)?(?:决算|实际|执行)?数?(?:相比|比较)?"
    r"|按?(?:可比|现行?|不变|同)(?:价格?|口径)(?:计算)?,?|(?:扣除|剔除)[^,。;\d]{2,10}(?:因素|影响)后?,?(?:实际)?|比上年度?|年增|比(?=增|降|减|升))"
)
OTHER_BASE = (
    r"(?:(?:比|较|与)(?:(?:19|20)\d\d年?(?:同期|末|底)?|年初|前年|“?十[一二三四]?五”?(?:末|期末|期间|初|时期)?|上届|五年前|三年前)"
    r"(?:相比)?|年均|年平均|环比|累计)"
)
UP = r"(?:增量|增长|递增|增产|增收|增加|上升|提高|上涨|提升|攀升|增速|增幅|增|涨|升)"
DOWN = r"(?:减量|改善|下降|递减|减产|减收|减少|降低|下跌|回落|缩减|下滑|降幅|负增长|下调|降|减)"
LINK = r"(?:了|率|幅|幅度|速度?|均|各|为|达到|达|约|超过|超|近|逾|突破|至少|不低于|分别|:| |,?分别(?:为|达)?)*"
GROWTH = re.compile(
    rf"(?P<base>(?:{LAST_YEAR}|{OTHER_BASE})+)?(?:\(下同\))?[, ]?(?:分别|均|各|实现|净|预计|稳步|大幅|快速|再|共|,分别)*"
    rf"(?:(?P<up>{UP})|(?P<down>{DOWN})){LINK}$"
)
# Without any of these there is no verb of growth and no base, so that most shares are spared the patterns.
CHANGES = re.compile("[增升高涨减善降跌落滑调比期价格径素响际]")
BARE = re.compile(rf"{LAST_YEAR}(?:为|约|分别)? ?(?:(?P<minus>-)|[+])?$")
FLAT = re.compile(rf"(?P<base>{LAST_YEAR}|与上年|同上年)?(?:基本|大致|保持)?(?P<flat>持平)")
TIMES = re.compile(
    rf"(?P<base>{LAST_YEAR}|{OTHER_BASE})?(?:实现|增长|增加|提高|扩大)?(?:了|近|约|超)?"
    r"(?:(?P<double>翻一?番|翻了一番|翻一倍|翻了一倍)|(?P<twice>翻了?两番))"
)
MULTIPLE = re.compile(
    rf"(?P<base>{LAST_YEAR}|{OTHER_BASE})?(?P<way>增长|增加|提高|扩大|增产|增收|下降|减少|降低|减产|减收)(?:了|近|约|超过?|达)?"
    r"(?P<number>\d+(?:\.\d+)?|[一二两三四五六七八九十]+) ?(?P<more>[多余])?(?P<unit>倍|成)(?P<tenth>[一二三四五六七八九半])?"
)
LEVEL = re.compile(r"(?:自然增长率|增长率目标|(?<!达)到|至|(?:降|降低|下降|减少|升|上升|提高|增加|扩大|缩小)为)$")


def find_growth(folded: str, quantities: list[Quantity]) -> tuple[list[Growth], list[Quantity]]:
    """The growth expressions in reading order, and the quantities that are none."""
    grown: list[Growth] = []
    left: list[Quantity] = []
    for quantity in quantities:
        growth = _of_rate(folded, quantity, grown[-1] if grown else None)
        if growth is None:
            left.append(quantity)
        else:
            grown.append(growth)
    worded = _in_words(folded)
    taken = {g.number_start for g in worded}
    grown = [g for g in grown if g.number_start not in taken] + worded
    return sorted(grown, key=lambda g: g.number_start), [q for q in left if q.start not in taken]


MINUS = re.compile("[增长速幅比达为]-$")
OF_BIRTHS = re.compile("自然增长率[为达约]*$")


def _of_rate(folded: str, quantity: Quantity, last: Growth | None) -> Growth | None:
    """The growth that a percentage or a number of points states: its verb stands before it."""
    points = quantity.unit == "个百分点"
    if not (quantity.unit == "%" or points):
        return None
    begin = max(0, quantity.start - 30)
    before = folded[begin : quantity.start]
    joined = _shares_verb(folded, quantity, last)
    if joined is not None:
        return joined
    if CHANGES.search(before) is None:
        return None
    minus = MINUS.search(before) is not None
    match = (
        GROWTH.search(before[:-1] if minus else before)
        or (None if minus else BARE.search(before))
        or (BARE.search(before) if minus else None)
    )
    if match is None or LEVEL.search(before):
        return None
    if OF_BIRTHS.search(before):
        return None
    groups = match.groupdict()
    down = bool(groups.get("down")) != (minus or bool(groups.get("minus")))
    base = groups.get("base") or ""
    annual = not base or re.search(OTHER_BASE, base) is None
    return Growth(
        begin + match.start(),
        quantity.start,
        quantity.end,
        -quantity.value if down and not points else quantity.value,
        quantity.bound,
        annual,
        points,
        _base_year(base),
        groups.get("up") or groups.get("down") or "",
    )


def _base_year(base: str) -> int | None:
    year = re.search(r"(?:19|20)\d\d", base)
    return int(year[0]) if year else None


def _shares_verb(folded: str, quantity: Quantity, last: Growth | None) -> Growth | None:
    """A further figure behind the same verb: `分别增长32.2%、50.56%和36.31%`."""
    if (
        last is None
        or last.end > quantity.start
        or not re.fullmatch(r" ?(?:以上|左右|以内)?[、,和及与] ?-?", folded[last.end : quantity.start])
    ):
        return None
    if "," in folded[last.end : quantity.start] and "分别" not in folded[max(0, last.start - 40) : last.number_start]:
        return None
    signed = folded[quantity.start - 1] == "-" or folded[last.number_start - 1] == "-"
    down = folded[quantity.start - 1] == "-" if signed else last.value < 0
    value = -quantity.value if down else quantity.value
    return Growth(
        last.start, quantity.start, quantity.end, value, quantity.bound, last.annual, last.points, last.base_year
    )


def _in_words(folded: str) -> list[Growth]:
    found = []
    for match in _near(TIMES, TURN, folded):
        value = Decimal(100) if match["double"] else Decimal(300)
        number = match.start("double") if match["double"] else match.start("twice")
        found.append(Growth(match.start(), number, match.end(), value, "=", _annual(match)))
    for match in _near(MULTIPLE, FOLD, folded):
        times = read_number(match["number"])
        if times is not None:
            value = times * (100 if match["unit"] == "倍" else 10)
            if match["tenth"]:
                value += 5 if match["tenth"] == "半" else DIGITS[match["tenth"]]
            value = -value if re.match(DOWN, match["way"]) else value
            bound = ">=" if match["more"] or "超" in match[0] else "~" if "近" in match[0] or "约" in match[0] else "="
            found.append(Growth(match.start(), match.start("number"), match.end(), value, bound, _annual(match)))
    for match in _near(FLAT, LEVEL_WITH, folded):
        if match["base"]:
            found.append(Growth(match.start(), match.start("flat"), match.end(), Decimal(0), "=", _annual(match)))
    return found


def _near(pattern: re.Pattern[str], marks: re.Pattern[str], folded: str) -> Iterator[re.Match[str]]:
    """The matches of a pattern that ends with one of the marks or just behind it; looked for around the marks alone."""
    done = 0
    for mark in marks.finditer(folded):
        match = pattern.search(folded, max(done, mark.start() - WINDOW), mark.end() + 3)
        if match is not None and match.end() > mark.start():
            done = match.end()
            yield match


TURN = re.compile("翻")
FOLD = re.compile(r"[倍成](?<=[\d一二两三四五六七八九十多余 ].)")  # 完成 is no tenth
LEVEL_WITH = re.compile("平(?<=持平)")
# A base, a verb and a number fit in here: 比2020年同期增长了近12.5倍.
WINDOW = 24


def _annual(match: re.Match[str]) -> bool:
    return not match["base"] or re.fullmatch(OTHER_BASE, match["base"]) is None


CHANGE = re.compile(
    rf"^[ ,]*(?:(?:{LAST_YEAR}|{OTHER_BASE})[多共]?(?P<verb>净?{UP}|净?{DOWN}|新增|多|少)|(?P<net>净增加?|净减少?))(?:了|约|近|超|达)*$"
)


BARE_CHANGE = re.compile(r"^[ ,]*(?P<verb>增加|减少|增收|增产|减产|提高|降低)(?:了|约|近|超)*$")


def absolute_change(before: str, *, same_unit: bool) -> str:
    """The verb of a change in the unit of the figure before (`比去年减少5起`), '' if the words lead to no change.

    Without a base it is one only where the two are in one unit (`17260元,增加1316元`).
    """
    match = CHANGE.match(before)
    if match is None:
        bare = BARE_CHANGE.match(before) if same_unit else None
        return bare["verb"] if bare else ""
    return match["verb"] or match["net"]
