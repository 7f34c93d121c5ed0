"""Growth that the values of a report contradict: the value and last year's, or the value and its increase."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from chalicelib.reading.model import Indicator
from chalicelib.reading.numerals import read_number
from chalicelib.reading.remarks import Remark
from chalicelib.reading.rounding import Interval, growth_between, read_interval
from chalicelib.reading.spans import is_of_one_year, span_around

# Growth of these is reckoned at constant prices, their values are not.
AT_CONSTANT_PRICES = re.compile(r"(?:生产总值|GDP|增加值|(?:农业|农林牧渔业?)总产值)$", re.I)
ON_OTHER_BASIS = re.compile(r"可比|不变价|扣除|剔除|同口径|实际增长")
# Growth of these is reckoned over the firms and projects of this year's statistics, last year's value is of last year's.
OF_OTHER_FIRMS = re.compile(r"规模?以?上|限额?以?上|固定资产|投资")
LAST_YEARS = ("去年", "上年", "上一年")
LAST_YEAR = rf"(?:{'|'.join(LAST_YEARS)})(?:同期|全年|底|末)?"
# An increase is on last year where it says so or names no base at all, not where it names the year's start or an earlier year.
CHANGE = re.compile(
    rf"[,(]? ?(?:同比|[比较]?{LAST_YEAR}|[比较]同期)?(?:净|共)?"
    r"(?:(?P<less>减少|降低|下降|减产|减收)|增加|增收|增产|增长|提高|增)了? ?"
)
# A value that is said to be last year's: 去年同期为5000万元.
LAST_VALUE = re.compile(
    rf"(?:{LAST_YEAR}|(?:19|20)\d\d年(?:同期|全年|底|末)?)[的为是达]?(?:完成|实现)?"
    r"(?P<number>\d[\d,]*(?:\.\d+)? ?[百千万亿]*)"
)
RISES = r"(?:增加|增长|增|提高|提升|上升|升|扩大|减少|减|下降|降低|降)[到至为]"
LEADS_TO = re.compile(rf"[^,。;、\d]{{0,6}}{RISES}[^,。;、\d]{{0,3}}(?:\d{{4}}年)?的?")
# What is stated as often as this in one report is no total of the place.
MANY = 5
STANDS_BEHIND = re.compile(r"[,(]? ?[比较而]?")
GROWTH_PRINTED = re.compile(
    r"(?P<bound>超过?|突破|近|约|逾|达到?|不到|不足|不低于)?"
    r"(?P<number>\d+(?:\.\d+)?) ?(?P<unit>%|倍|成)(?P<more>以上|左右|以内|以下|多|余)?"
)


def find_contradicted_growth(indicators: Sequence[Indicator], folded: str) -> Iterator[Remark]:
    """Growth that the value and last year's, or the value and its increase, contradict.

    Each number stands for all that rounds to it; a growth with a bound or in words is not exact, and nothing is said of it.
    """
    report = _Report(indicators, folded)
    for n, i in enumerate(indicators):
        following = indicators[n + 1] if n + 1 < len(indicators) else None
        growth = _growth_of(i, following)
        if growth is None or i.value is None or i.bound != "=" or i.unit == "%" or AT_CONSTANT_PRICES.search(i.name):
            continue
        before = report.value_before(i, following)
        said = _printed_growth(i, growth, folded) if before else None
        grown = growth_between(before, _printed(i, folded)) if before and said else None
        if grown and said and not grown.touches(said) and not ON_OTHER_BASIS.search(folded, *span_around(i)):
            message = f"{i.name} is said to have grown by {growth} %, but its values give {_middle(grown)} %."
            yield Remark("growth_contradicted", n, message)


def _growth_of(i: Indicator, following: Indicator | None) -> Decimal | None:
    """Its growth; where last year's value stands between, the growth may have been given to that."""
    if i.yoy is None and following is not None and following.name.endswith("同期") and following.start == i.start:
        return following.yoy
    return i.yoy


class _Report:
    """The figures of a report, to ask for the value that one of them had the year before."""

    def __init__(self, indicators: Sequence[Indicator], folded: str) -> None:
        self.folded = folded
        self.words = [word for word in LAST_YEARS if word in folded]
        self.values: dict[tuple[object, ...], list[Indicator]] = defaultdict(list)
        for i in indicators:
            if i.value is not None and i.bound == "=" and (i.concept or len(i.name) > 3):
                alike = self.values[_key(i)]
                if len(alike) < MANY:
                    alike.append(i)

    def value_before(self, i: Indicator, following: Indicator | None) -> Interval | None:
        """By its increase, by its sentence, or by another one; None where the report does not say."""
        if following is not None and following.start == i.start and following.unit == i.unit and following.bound == "=":
            change = CHANGE.fullmatch(self.folded, i.number_end, following.number_start)
            if change and following.name.startswith(i.name):
                now, printed = _printed(i, self.folded), _printed(following, self.folded)
                return now + printed if change["less"] else now - printed
        if OF_OTHER_FIRMS.search(i.name):
            return None
        return self._last_in_sentence(i) or self._last_elsewhere(i)

    def _last_elsewhere(self, i: Indicator) -> Interval | None:
        """Last year's value of the same quantity; None where it has two, or is the sum of several years."""
        last = self.values.get(_key(i, -1), []) if i.year else []
        printed = [_printed(each, self.folded) for each in last]
        alike = all(each.touches(printed[0]) for each in printed)
        certain = (
            printed and alike and len(last) < MANY and all(is_of_one_year(each, self.folded) for each in (i, *last))
        )
        return printed[0] if certain else None

    def _last_in_sentence(self, i: Indicator) -> Interval | None:
        """Last year's value before it (由去年的A增加到B) or behind it (B,去年同期为A), in the same measure word."""
        for word in (*self.words, f"{i.year - 1}年") if i.year else self.words:
            at = self.folded.find(word, *span_around(i))
            value = self._stated_at(at, i) if at >= 0 else None
            if value is not None:
                return value
        return None

    def _stated_at(self, at: int, i: Indicator) -> Interval | None:
        match = LAST_VALUE.match(self.folded, at, i.end)
        measure = self.folded[i.number_start : i.number_end].lstrip("0123456789., 百千万亿余多")
        if match is None or not self.folded.startswith(measure, match.end()):
            return None
        end = match.end() + len(measure)
        leads = end < i.number_start and LEADS_TO.fullmatch(self.folded, end, i.number_start)
        behind = at >= i.number_end and STANDS_BEHIND.fullmatch(self.folded, i.number_end, at)
        value = read_number(match["number"]) if leads or behind else None
        return None if value is None else read_interval(value, match["number"])


def _key(i: Indicator, years: int = 0) -> tuple[object, ...]:
    return (i.concept or i.name, i.unit, (i.year or 0) + years, i.months, i.status, i.place)


def _printed(i: Indicator, folded: str) -> Interval:
    assert i.value is not None
    return read_interval(i.value, folded[i.number_start : i.number_end])


def _printed_growth(i: Indicator, growth: Decimal, folded: str) -> Interval | None:
    """The growth as rounded at its last printed digit; None where it is bounded, in words (翻一番) or not seen."""
    for match in GROWTH_PRINTED.finditer(folded, *span_around(i)):
        worth = {"%": 1, "倍": 100, "成": 10}[match["unit"]]
        if Decimal(match["number"]) * worth == abs(growth):
            if match["bound"] in (None, "达", "达到") and not match["more"]:
                half = Decimal("0.5").scaleb(-len(match["number"].partition(".")[2])) * worth
                return Interval(growth - half, growth + half)
            return None
    return None


def _middle(interval: Interval) -> Decimal:
    return ((interval.low + interval.high) / 2).quantize(Decimal("0.1"))
