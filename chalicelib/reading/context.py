"""Of what section, time and status a place in the text is."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from chalicelib.reading.clauses import LONGEST
from chalicelib.reading.lexicon import one_of, read_words
from chalicelib.reading.model import Identity, Section
from chalicelib.reading.periods import STOP, Months, PeriodReader

AHEAD = re.compile(
    r" *(?:(?P<year>20\d\d)年(?:度)?,?.{0,30}(?:将|要|力争|计划|打算|着力|重点|继续)|(?:明年|下一?步|下一?阶段|今后|下半年),)"
)
PAST = re.compile(r"(?:已|(?<![由从比较])(?:去年|上年)|累计已|目前)[^,]*$")
# What a plan foresees without aiming at it; 预期目标 is an aim.
FORESEEN = re.compile(r"预计|有望|估计")
# 《任务清单》 is a name, which says nothing of what is aimed at.
QUOTED = re.compile(r"《[^》]*》|“[^”]*”")
# An aim holds for all that its sentence lists: 力争产值增长6%,收入增长10%.
AIMS = re.compile(r"力争|争取(?:实现|达到|完成|突破|在|全年)|我们将")
# What is done behind the plan that it was done of: 计划投资5亿元的项目已完成投资2亿元.
DONE = re.compile(r"已(?!经?批)")
# The task of which a share was reached: 占全年任务9.5亿元的94.2%.
ITSELF = re.compile(r"\d[\d.,]*[^\d,。;的]{1,6}的 ?\d")
REACHED = re.compile(
    r"(?:完成|超额|占|(?<!下)达|实现|[是为](?=年初|全年|年度|人代会|[省市县区])).{0,6}(?:目标|任务|计划)[^,]*$"
    r"|(?:目标|任务|计划)(?:总?体?完成|兑现)[率比][^,]*$"
)
# 财政收入8600万元;预计实现增加值9860万元: what is foreseen in mid-sentence ends with its part.
MID = re.compile(r";|\d[^,;]*[^年月度日季,;],")

FAR = 12  # characters: no word of what is foreseen is longer, so that one may overlap the search's beginning by less


@cache
def _cue(status: str) -> re.Pattern[str]:
    return re.compile(one_of(read_words("names.toml", status)))


class Setting(NamedTuple):
    """Where a figure stands: section, calendar year, months where not the whole year, and status."""

    section: str | None
    year: int | None
    months: Months
    status: str


class Context:
    """Answers in reading order, since a period holds from where it is named."""

    def __init__(self, folded: str, identity: Identity, sections: Sequence[Section]) -> None:
        self.folded, self.identity, self.sections = folded, identity, sections
        self.starts = [s.start for s in sections]
        self.periods = PeriodReader(folded)
        self.lines = [0, *(m.end() for m in re.finditer("\n", folded))]
        self.line, self.opens_plan = -1, False
        # Where the text foresees anything, so that the sentences that do not need not be searched.
        self.foreseen = [m.start() for m in _cue("estimate").finditer(folded)]
        self.aimed = 0  # where the sentence ends whose figures are aims from its first one on

    def at(self, start: int, *, reached: bool = False) -> Setting:
        """The setting of the figure at `start`; `reached` where it is the reached share of a target."""
        section = self._section(start)
        period = self.periods.at(start)
        plan = section.plan if section else self.identity.kind == "plan"
        plan = plan or self._ahead(start) or (period.year or 0) > (self.identity.review_year or 9999)
        return Setting(
            section.id if section else None,
            period.year or self._own_year(plan=plan),
            period.months,
            self._status(start, plan=plan, reached=reached),
        )

    def _section(self, position: int) -> Section | None:
        n = bisect_right(self.starts, position) - 1
        while n >= 0 and self.sections[n].end <= position:
            n -= 1
        return self.sections[n] if n >= 0 else None

    def _own_year(self, *, plan: bool) -> int | None:
        """The year of what names none: the planned one in the plan, which follows the reviewed one."""
        review = self.identity.review_year
        if not plan:
            return review
        ahead = review + (self.identity.kind == "annual") if review else None
        return self.identity.plan_year or ahead

    def _ahead(self, start: int) -> bool:
        """Whether the paragraph opens with what is to come (`2022年,我们将…`), without a heading that says so."""
        line = self.lines[bisect_right(self.lines, start) - 1]
        if line != self.line:
            self.line = line
            opening = AHEAD.match(self.folded, line)
            year = self.identity.review_year
            self.opens_plan = opening is not None and (
                opening["year"] is None or (year is not None and int(opening["year"]) > year)
            )
        return self.opens_plan

    def _status(self, start: int, *, plan: bool, reached: bool) -> str:
        folded, floor = self.folded, max(0, start - LONGEST)
        opens = max(folded.rfind("。", floor, start), folded.rfind("\n", floor, start), floor - 1) + 1
        pause = max(folded.rfind(",", opens, start), folded.rfind(":", opens, start), folded.rfind(";", opens, start))
        clause = folded[max(opens, pause + 1) : start]
        clause = QUOTED.sub("", clause) if "“" in clause or "《" in clause else clause
        if plan and FORESEEN.search(clause) and not _cue("target").search(clause):
            return "estimate"
        if plan:
            return "actual" if PAST.search(clause) else "target"
        cue = None if reached else _cue("target").search(clause)
        if (
            cue
            and not DONE.search(clause, cue.end())
            and not (REACHED.search(clause) and not ITSELF.match(folded, start))
        ):
            if AIMS.search(clause):
                stop = STOP.search(folded, start)
                self.aimed = stop.start() if stop else len(folded)
            return "target"
        if start < self.aimed and not reached and not PAST.search(clause):
            return "target"
        return "estimate" if self._is_foreseen(opens, start) else "actual"

    def _is_foreseen(self, opens: int, start: int) -> bool:
        """Whether the sentence foresees the figure; months that it names behind its 预计 are past again."""
        if bisect_left(self.foreseen, opens - FAR) == bisect_left(self.foreseen, start):
            return False
        cues = list(_cue("estimate").finditer(self.folded, opens, start))
        if not cues:
            return False
        stop = self.folded.rfind(";", cues[-1].end(), start)
        if stop >= 0 and MID.search(self.folded, opens, cues[-1].start()):
            return False
        named = self.periods.last_mention
        return named is None or named.period.months is None or named.start < cues[-1].end() + len("全县全年")
