"""Which time a quantity speaks of: years and months named in the text, and how far they carry."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

from chalicelib.reading.numerals import read_chinese

Months = tuple[int, int] | None

YEAR = r"(?:(?:19|20)\d\d|[一二][九〇零][〇零一二三四五六七八九]{2})"
TO_NOW = "截至目前|截止目前|到目前为止|目前|年初以来"
SPAN = re.compile(
    # One look at the first character spares most of the text the rest of the pattern.
    r"(?=[截至到今本全去上明当年\d一二三四五六七八九十前下目第“])(?:"
    r"(?P<until>截至|截止|截至到|截止到|至|到)?"
    rf"(?P<when>{YEAR} ?年|今年|本年|全年|去年|上年|明年|当年|年内)?的?第?"
    r"(?:(?P<from>\d{1,2}) ?月?份? ?[-~至到] ?(?P<to>\d{1,2}) ?月(?:份|底|末)?"
    r"|(?P<quarter>[一二三四1234])季度|前(?P<quarters>[二三两23])个?季度|(?P<half>[上下])半年"
    r"|(?P<month>\d{1,2}|(?:十[一二]?|[一二三四五六七八九])(?=月[份底末])) ?月"
    r"(?:份|底|末|初|中旬|上旬|下旬)?(?! ?\d{1,2} ?日| ?(?:起|以来|开始)))"
    r"|(?:截至|截止|至|到)?“?十(?P<plan>[一二三四五])五”?(?:规划)?期?末"
    rf"|(?P<whole>{YEAR} ?年(?:度|全年|末|底|初|以来|来|间)?|全年度?(?!任务|目标|计划)|今年(?:以来)?|本年度?|年内|年底前?|年末|一年来"
    rf"|去年(?:全年|以来)?|{TO_NOW}))"
)
# What a period can begin with: literals first, for which a text is searched fastest.
OPENS = re.compile(
    r"截(?=[至止])|至(?=[今本全去上明当年第前目“\d一二三四五六七八九十])|到(?=[今本全去上明当年第前目“\d一二三四五六七八九十])|今(?=年)|本(?=年)|全(?=年)|去(?=年)|明(?=年)"
    r"|当(?=年)|上(?=[年半])|下(?=半)|年(?=[内初底末])|目(?=前)|前(?=[二三两23])|第(?=[一二三四1-4])|“(?=十)"
    r"|[一二三四五六七八九十](?=[〇零一二三四五六七八九十”年月季规期末])|\d(?=\d{0,3} ?[年月季]|\d? ?份? ?[-~至到])"
)
COMPARED = re.compile(r"(?:比|较|同|与|于|自|从|为|上|由|是)$")

FIVE_YEARS = 2010  # the last year of 十一五


class Period(NamedTuple):
    """The year that a clause speaks of (None: the part's own) and the months where it is not the whole year."""

    year: int | None = None
    months: Months = None


class Mention(NamedTuple):
    """A period as the text names it; `year` None where only months are named."""

    start: int
    end: int
    period: Period
    # 今年: the part's own year, whatever year was named before.
    own: bool = False


def find_periods(folded: str) -> list[Mention]:
    """The periods that the text names, in reading order, but not those that a figure is compared with (`比2020年`)."""
    found, past = [], 0
    for first in OPENS.finditer(folded):
        match = SPAN.match(folded, first.start()) if first.start() >= past else None
        if match is None:
            continue
        past = match.end()
        if COMPARED.search(folded, max(0, match.start() - 1), match.start()) and match["until"] is None:
            continue
        period = _read(match)
        if period is not None:
            own = (match["when"] or match["whole"] or "").startswith(("今年", "本年"))
            found.append(Mention(match.start(), match.end(), period, own))
    return found


def _read(match: re.Match[str]) -> Period | None:
    if match["plan"]:
        return Period(FIVE_YEARS + 5 * "一二三四五".index(match["plan"]))
    year = _year(match)
    if match["whole"]:
        return Period(year)
    months = _months(match)
    if months is None:
        return None
    return Period(year, None if months == (1, 12) else months)


YEAR_ALONE = re.compile(YEAR)


def _year(match: re.Match[str]) -> int | None:
    named = YEAR_ALONE.search(match["when"] or match["whole"] or "")
    if named is None:
        return None
    return int(named[0]) if named[0].isdigit() else read_chinese(named[0])


def _months(match: re.Match[str]) -> Months:
    if match["quarter"]:
        quarter = int(match["quarter"]) if match["quarter"].isdigit() else "一二三四".index(match["quarter"]) + 1
        return quarter * 3 - 2, quarter * 3
    if match["quarters"]:
        return 1, 9 if match["quarters"] in "三3" else 6
    if match["half"]:
        return (1, 6) if match["half"] == "上" else (7, 12)
    if match["from"]:
        first, last = int(match["from"]), int(match["to"])
        return (first, last) if 1 <= first <= last <= 12 else None
    month = int(match["month"]) if match["month"].isdigit() else read_chinese(match["month"])
    if month is None or not 1 <= month <= 12:
        return None
    until = match["until"] or AT_END.search(match[0])
    return (1, month) if until else (month, month)


AT_END = re.compile("[底末]")
STOP = re.compile(r"[。!?\n]")


class PeriodReader:
    """The period that holds at each place: from where it is named up to the next 。 or the next period."""

    def __init__(self, folded: str) -> None:
        self.mentions = find_periods(folded)
        self.stops = [m.start() for m in STOP.finditer(folded)]
        self._changes = -1  # up to here nothing changes: most figures follow another one in its sentence
        self._mention = self._stop = 0
        self._current: Period | None = None

    @property
    def last_mention(self) -> Mention | None:
        """The last period named up to the position asked of last."""
        return self.mentions[self._mention - 1] if self._mention else None

    def at(self, position: int) -> Period:
        """The period in force at `position`; positions must not go back from call to call."""
        while position > self._changes:
            mention = self.mentions[self._mention] if self._mention < len(self.mentions) else None
            stop = self.stops[self._stop] if self._stop < len(self.stops) else None
            next_mention = mention is not None and mention.start <= position
            next_stop = stop is not None and stop < position
            if next_mention and (not next_stop or (mention and stop is not None and mention.start < stop)):
                assert mention is not None
                kept = self._current.year if self._current else None
                period = mention.period
                self._current = period if mention.own or period.year is not None else Period(kept, period.months)
                self._mention += 1
            elif next_stop:
                self._current = None
                self._stop += 1
            else:
                named = sys.maxsize if mention is None else mention.start - 1
                self._changes = named if stop is None else min(named, stop)
                break
        return self._current or Period()
