"""What the clauses before leave behind: what a later figure of the sentence leans on for its name and its base."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from chalicelib.reading.figures import Growth
from chalicelib.reading.lexicon import read_words
from chalicelib.reading.model import Indicator
from chalicelib.reading.names import RULES, clean_name, is_bare_verb


@dataclass(slots=True)
class Memory:
    """The indicators so far, and of the sentence at hand what its later clauses may need.

    `first` is the sentence's first indicator, `start` and `end` bound the sentence. `said` are the clauses without a figure
    since the last one that had any, and `place` the village or firm that such a clause names. `anchors` are the indicators that a
    growth or a share may belong to. `source` is the subject of a change whose first value was just passed (由A增加到B). `owner` is
    the last figure's own name: a bare 产值 or 办结率 behind it is of that. `base_year` is what the sentence compares all of its
    figures with (与2010年相比). `run` are the growths that follow one another without a figure of their own.
    `summed` is where the sentence begins to sum up several years.
    """

    found: list[Indicator] = field(default_factory=list)
    first: int = 0
    start: int = 0
    end: int = 0
    said: list[str] = field(default_factory=list)
    place: str | None = None
    source: str = ""
    owner: str = ""
    anchors: list[int] = field(default_factory=list)
    base_year: int | None = None
    run: list[Growth] = field(default_factory=list)
    summed: int = 0

    def open_sentence(self, start: int, end: int, *, goes_on: bool) -> None:
        """Forget the sentence before; `goes_on` where only a semicolon parts the two, over which a base holds."""
        self.first, self.start, self.end, self.summed = len(self.found), start, end, end
        self.source, self.owner, self.anchors, self.said, self.run = "", "", [], [], []
        if not goes_on:
            self.base_year, self.place = None, None

    @property
    def subject(self) -> str:
        """What the last clause without a figure that has a subject was about; '' where none has."""
        while self.said:
            subject = subject_of(self.said[-1])
            if subject:
                return subject
            self.said.pop()
        return ""

    @property
    def last(self) -> Indicator | None:
        """The sentence's last indicator."""
        return self.found[-1] if len(self.found) > self.first else None

    @property
    def anchor(self) -> Indicator | None:
        """The sentence's last indicator that a growth or a share may belong to."""
        return self.found[self.anchors[-1]] if self.anchors else None

    @property
    def last_name(self) -> str:
        """What the last figure is called, '' at the sentence's first one."""
        last = self.anchor or self.last
        if last is None:
            return ""
        return OF_TARGET.sub("", last.name) if last.name.endswith("比例") else last.name

    def last_counted(self, unit: str | None) -> str:
        """The name of the sentence's last figure in the same measure: of 项目12个, 总投资8亿元, 竣工3个 what 竣工 is of."""
        return next((i.name for i in reversed(self.found[self.first :]) if i.unit == unit), "")


# 固定资产投资完成任务的108%,同比增长12%: what grew is the investment.
OF_TARGET = re.compile(r"(?<=.)占[^占]*比例$")


@lru_cache(maxsize=64)
def subject_of(clause: str) -> str:
    """The noun phrase of a folded clause without a figure, '' where it only says how, or what was done."""
    if clause.strip(" 、,").startswith(read_words(RULES, "no_subject")) or LIES_IN.search(clause):
        return ""
    subject = UNFOLDS.sub("", clean_name(clause))
    return "" if is_bare_verb(subject) or HAS_DIGIT.search(subject) else subject


# Where the place lies is no subject: 亭旁镇位于三门县西部,面积118平方公里.
LIES_IN = re.compile(r"位于|地处|坐落|毗邻|紧邻")
# What happens to the subject is not whose figure it is: 园区配套不断完善,税收2亿元; 城乡低保做到动态管理,新增4户.
UNFOLDS = re.compile(
    r"(?<=.{2})(?:继续|不断|持续|稳步|进一步|逐步|明显|显著|全面|有序|加快|快速|顺利|成功|正式|已经|正在|全部|基本|得到|取得|有效|稳中"
    r"|做到|扎实|深入|有力).*"
)
# 距县城15公里 is nothing that a figure could be of.
HAS_DIGIT = re.compile(r"\d")
