"""The report's kind and its years: what the title says, then the headings, the first sentences and the dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.reading.fold import fold
from chalicelib.reading.model import Page
from chalicelib.reading.periods import find_periods

REVIEW = "(?:总结|回顾|小结|完成情况|开展情况|工作情况|报告|汇报|述职)"
PLAN = "(?:计划|思路|打算|安排|要点|谋划|规划|部署|目标|任务|展望|设想|举措)"
FIRST, LAST = 1978, 2100  # townships were set up again from 1983, and made no plans for the next century
HEAD = 400  # characters of the body in which the first sentences name the year

_DIGITS = {**{c: str(i) for i, c in enumerate("〇一二三四五六七八九")}, **dict.fromkeys("○零０oO0", "0")}
_FULL_WIDTH = {ord(wide): digit for wide, digit in zip("０１２３４５６７８９", "0123456789", strict=True)}
_WIDE = re.compile("[０-９]")
_CHINESE_YEAR = re.compile("[一二][〇○零０0oO九][〇○零０0oO一二三四五六七八九]{2}(?=年)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)(?:\s?[-—–~至到]{1,2}\s?((?:19|20)?\d{2})(?!\d))?")
_SHORT_YEAR = re.compile(r"(?<!\d)(\d{2})(?=年(?!来|代|前|后|内|间))")
_NEXT = re.compile("明年|来年|下一?年度?|次年|新(?:的)?一年|今后一年")
_HALF = re.compile("上半年|半年|1\\s?[-—–~至]{1,2}\\s?6月")
_QUARTER = re.compile("(?:第?[一二三四1-4]|前[三3])季度")
_NOUN = re.compile(f"(?P<review>{REVIEW})|(?P<plan>{PLAN})")
_NUMBER = (
    r"(?:[(（]?[一二三四五六七八九十]{1,3}[)）]?[、.．，,\s]?|第[一二三四五六七八九十]部分[：:、\s]*|\d{1,2}[、.．])"
)
_WHEN = (
    r"(?P<when>(?:19|20)\d{2}(?:\s?[-—–至]{1,2}\s?(?:19|20)\d{2})?年?度?|明年|来年|下一?年度?|今后|下一?步|下一?阶段|下半年"
    r"|下一?季度|新的?一年|今年|本年度?)"
)
_HEADING_END = r"(?=[\s。：:，,；;(（]|$)"
_LINE = rf"(?:^|\n|(?<=[。；：\s])){_NUMBER}?"
_BEFORE = re.compile(r"[。；：\s]")  # what stands before such a line
_PLAN_HEADING = re.compile(
    rf"{_LINE}(?:关于)?{_WHEN}[^，,。；;\n]{{0,20}}?{PLAN}(?:[和及与、].{{0,12}}|[的建议意见]{{0,3}}|汇报)?{_HEADING_END}",
    re.M,
)
# Of the year reviewed or of the one ahead.
_WORK_HEADING = re.compile(rf"(?P<year>(?:19|20)\d{{2}})年的?(?:重点|主要|工作)(?:工作|任务|重点){_HEADING_END}", re.M)
_OPENS_LINE = re.compile(rf"{_LINE}$")
_BARE_PLAN_HEADING = re.compile(
    rf"(?:^|\n|(?<=[。；：\s])){_NUMBER}(?:主要)?(?:工作|发展|奋斗|总体|下步)?{PLAN}{_HEADING_END}"
)
_PLAN_PARAGRAPH = re.compile(
    r"^(?P<when>(?:19|20)\d{2}年|明年|来年|下一年|新的一年|下一步|下半年)[，,]"
    r"(?=[^\n]{0,200}(?:力争|确保|预期|目标|达到|计划|将))(?=[^\n]{0,300}\d)",
    re.M,
)
_REVIEWED = "(?:回顾|总结|完成情况|开展情况|工作情况|小结)"
_REVIEW_HEADING = re.compile(
    rf"{_LINE}(?:关于)?(?:“?十[一二三四]五”?(?:时期|期间)?[和及与、暨]?)?(?P<year>(?:19|20)\d{{2}})\s?年?度?(?:以来)?[^，,。；\n]{{0,14}}?{_REVIEWED}{_HEADING_END}"
    r"|(?<=回顾)(?:过去的)?(?P<after>(?:19|20)\d{2})年"
)
_OPENING = re.compile(
    r"((?:19|20)\d{2})年(?:度|来|以来|，|,|是|我|全|，|在|镇|乡|街道|的?工作(?!计划|思路|打算|安排|要点|目标|任务|部署|重点)|上半年|\s)"
)
_SUBTITLE_DATE = re.compile(r"((?:19|20)\d{2})年(\d{1,2})月")
_GOVERNMENT_REPORT = re.compile("政府工作报告|工作报告")
# The congress that hears a report in the year's first months is told of the year before.
_MEETING = re.compile(r"((?:19|20)\d{2})年([1-4])月(?:\d{1,2}日)?,?[在于][^\n]{0,40}(?:会议|大会)")


@dataclass(frozen=True, slots=True)
class Years:
    kind: str
    review: int | None
    plan: int | None
    months: tuple[int, int] | None = None


def read_years(page: Page) -> Years:
    """Kind, review year and plan year of the report; a year that neither text nor dates settle is None."""
    years = _read(page)
    review, plan = (year if year and FIRST <= year <= LAST else None for year in (years.review, years.plan))
    return Years(years.kind, review, plan, _months(page, years.kind))


def _months(page: Page, kind: str) -> tuple[int, int] | None:
    """The months that a report of part of a year covers, by its title or else its first words."""
    if kind not in ("half-year", "quarter"):
        return None
    words = fold(page.title) + "\n" + fold(page.text[page.body_start : page.body_start + HEAD])
    return next(
        (m.period.months for m in find_periods(words) if m.period.months), (1, 6) if kind == "half-year" else None
    )


def _read(page: Page) -> Years:
    title = arabic_years(page.title)
    body = arabic_years(page.text[page.body_start :])
    review, plan, said = _title_years(title)
    kind = _kind(title, body, said)
    if kind == "plan":
        reviewed = _reviewed_year(body)
        plan = plan or _body_plan(page, body, None, kind) or _date_year(page, body, plans=True)
        return Years(kind, reviewed if reviewed and (plan is None or reviewed < plan) else None, plan)
    if review is not None and plan is None and _GOVERNMENT_REPORT.search(title):
        review = _report_year(review, body)
    if review is None:
        ahead = plan or next(iter(_plan_years(body)), None)
        review = _reviewed_year(body) or (ahead - 1 if ahead and kind == "annual" else None) or _opening_year(body)
        review = review or _date_year(page, body, plans=False)
    if plan is None:
        plan = _body_plan(page, body, review, kind) or (_after(review, kind) if "plan" in said else None)
    return Years(kind, review, plan)


def arabic_years(text: str) -> str:
    """The text with `二〇二三年` and `２０２３年` as `2023年`; every other character stays, so offsets do too."""
    text = text.translate(_FULL_WIDTH) if _WIDE.search(text) else text
    return _CHINESE_YEAR.sub(lambda m: "".join(_DIGITS[c] for c in m.group()), text)


def _title_years(title: str) -> tuple[int | None, int | None, set[str]]:
    """The years before the title's review and plan nouns, and which of the two kinds of noun it has."""
    review = plan = None
    said: set[str] = set()
    at = 0
    held: int | None = None
    for noun in _NOUN.finditer(title):
        part = title[at : noun.start()]
        year = _year_in(part)
        kind = str(noun.lastgroup)
        said.add(kind)
        at = noun.end()
        if year is None and _NEXT.search(part) and held:
            year = held + 1
        held = year or held
        if kind == "review":
            review = review or year
        else:
            plan = plan or year or (held if review is None else None)
    if review is None and plan is None and "plan" not in said:
        review = _year_in(title)
    return review, plan, said


def _year_in(part: str) -> int | None:
    """The last year of the words; of a range (`2022—2023年度`) its last one."""
    years = [
        int((m.group(2) or m.group(1)) if len(m.group(2) or "") != 2 else m.group(1)[:2] + m.group(2))
        for m in _YEAR.finditer(part)
    ]
    if years:
        return years[-1]
    short = _SHORT_YEAR.findall(part)
    return 2000 + int(short[-1]) if short and int(short[-1]) < 50 else None


def _kind(title: str, body: str, said: set[str]) -> str:
    if _HALF.search(title):
        return "half-year"
    if _QUARTER.search(title):
        return "quarter"
    if said == {"plan"}:
        return "plan"
    if not said:
        opening = body[:120]
        if _HALF.search(opening) and not re.search("全年|一年", opening):
            return "half-year"
    return "annual"


def _after(review: int | None, kind: str) -> int | None:
    """The year planned after the one reviewed: the next, or the same where only a part of it is reviewed."""
    if review is None:
        return None
    return review + 1 if kind == "annual" else review


def _reviewed_year(body: str) -> int | None:
    """The year of a heading such as 一、2023年工作回顾, or of 回顾2023年."""
    found = _REVIEW_HEADING.search(body)
    return int(found.group("year") or found.group("after")) if found else None


def _opening_year(body: str) -> int | None:
    """The year that the first sentences speak of: 2022年来, 2023年,…"""
    found = _OPENING.search(body[:HEAD])
    return int(found.group(1)) if found else None


def _report_year(titled: int, body: str) -> int:
    """A government report titled with the year of its meeting reviews the year before where its body says so."""
    reviewed = _reviewed_year(body)
    if reviewed == titled - 1:
        return reviewed
    met = _MEETING.search(body[:200])
    heard = titled in _plan_years(body) or (met is not None and int(met.group(1)) == titled)
    return titled - 1 if reviewed is None and heard else titled


def _plan_years(body: str) -> list[int]:
    return _years_of(_plan_times(body))


def _plan_times(body: str) -> list[str]:
    """The words of time in the headings of plans: a year, 明年, 下一步."""
    return [found.group("when") for found in _at_openings(_PLAN_HEADING, body)]


def _years_of(times: list[str]) -> list[int]:
    return [int(when[:4]) for when in times if when[0] in "12"]


def _at_openings(heading: re.Pattern[str], body: str) -> Iterator[re.Match[str]]:
    """The matches of a pattern that begins with `_LINE`: looked for only where a line or a sentence begins."""
    past = 0
    for start in (0, *(before.end() for before in _BEFORE.finditer(body))):
        if start >= past and (found := heading.match(body, start)):
            past = found.end()
            yield found


def _body_plan(page: Page, body: str, review: int | None, kind: str) -> int | None:
    """The year of the body's plan part: its heading's own, else the one after the review; None without such a part."""
    named = _plan_times(body)
    stated = [year for year in _years_of(named) if review is None or review <= year <= review + 6]
    later = [year for year in stated if review is None or year > review or kind != "annual"]
    if later:
        return later[0]
    if review and kind == "annual" and any(_is_year_after(found, review) for found in _WORK_HEADING.finditer(body)):
        return review + 1
    said = set(map(_rank, named))
    if "later" in said or any(_at_openings(_BARE_PLAN_HEADING, body)):
        return _after(review, kind)
    dated = _dates(page, body)
    if "now" in said and dated and dated[0][1] <= 6 and dated[0][0] == _after(review, kind):
        return dated[0][0]
    return _after(review, kind) if any(_is_ahead(found, review) for found in _PLAN_PARAGRAPH.finditer(body)) else None


def _is_year_after(found: re.Match[str], review: int) -> bool:
    """Whether a line opens with the year after the one reviewed, as a heading does."""
    before = found.string[max(0, found.start() - 8) : found.start()]
    return int(found["year"]) == review + 1 and (not before or _OPENS_LINE.search(before) is not None)


def _rank(when: str) -> str:
    """What a heading's word of time says: a `year`, this year (`now`), or what comes (`later`)."""
    return "year" if when[0] in "12" else "now" if when.startswith(("今年", "本年")) else "later"


def _is_ahead(found: re.Match[str], review: int | None) -> bool:
    when = found.group("when")
    return when[0] not in "12" or (review is not None and int(when[:4]) == review + 1)


def _dates(page: Page, body: str) -> list[tuple[int, int]]:
    """Year and month of the subtitle, of the signature, of issue and of publication, as far as there are."""
    found = _SUBTITLE_DATE.findall(body[:200]) + _SUBTITLE_DATE.findall(body[-40:])
    stated = [iso for iso in (page.issued, page.published) if iso]
    return [(int(year), int(month)) for year, month in found] + [(int(iso[:4]), int(iso[5:7])) for iso in stated]


def _date_year(page: Page, body: str, plans: bool) -> int | None:
    """The year by the subtitle's date or the date of issue: a report of the first months reviews the year before."""
    dated = _dates(page, body)
    if not dated:
        return None
    year, month = dated[0]
    if plans:
        return year + 1 if month >= 11 else year
    return year if month >= 11 else year - 1
