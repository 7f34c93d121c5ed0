"""From figures to indicators: what each is called, which growth is its own, and of what time and status it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from chalicelib.reading.clauses import Clause, Sentence, find_zeros, split_sentences
from chalicelib.reading.context import Context
from chalicelib.reading.figures import Growth, Item, Quantity, Ratio, Zero, item_start
from chalicelib.reading.fold import fold
from chalicelib.reading.growth import absolute_change, find_growth
from chalicelib.reading.measures import measure
from chalicelib.reading.model import Identity, Indicator, Page, Section
from chalicelib.reading.names import (
    GOES_ON,
    clean_name,
    clean_object,
    complete_name,
    generic_heads,
    is_bare_verb,
    join_head,
    name_of_share,
    opens_with_verb,
    place_of,
    split_members,
    without_list,
)
from chalicelib.reading.quantities import find_quantities
from chalicelib.reading.ratios import find_ratios, part_names
from chalicelib.reading.tables import TableFigure, find_table_lines, read_tables


def read_indicators(page: Page, identity: Identity, sections: Sequence[Section]) -> tuple[Indicator, ...]:
    """Every quantity of the body as an indicator, in reading order; concepts are not yet named."""
    folded = _with_headings_closed(fold(page.text), sections)
    body = page.body_start
    growths, quantities = find_growth(folded, [q for q in find_quantities(folded, page.text) if q.start >= body])
    taken = bytearray(len(folded))
    for quantity in quantities:
        taken[quantity.start : quantity.end] = b"\x01" * (quantity.end - quantity.start)
    others: list[Zero | Ratio] = [*find_zeros(folded, body), *find_ratios(folded, body)]
    free = [i for i in others if not taken[i.start]]
    items: list[Item] = sorted([*(g for g in growths if g.start >= body), *quantities, *free], key=item_start)
    rows = find_table_lines(folded, body)
    figures = list(read_tables(page.text, body)) if rows else []
    prose = [s for s in split_sentences(folded, body, items) if not _in_row(rows, s.start)]
    reader = _Reader(folded, identity, sections)
    parts: list[Sentence | TableFigure] = [*prose, *figures]
    for part in sorted(parts, key=lambda p: p.start):
        if isinstance(part, Sentence):
            reader.read(part)
        else:
            reader.read_figure(part)
    return tuple(reader.found)


def _with_headings_closed(folded: str, sections: Sequence[Section]) -> str:
    """The text with a full stop where a heading ends at a gap in its line: what follows is a sentence of its own."""
    gaps = [s.title_end for s in sections if folded[s.title_end : s.title_end + 1] == " "]
    if not gaps:
        return folded
    ends = [0, *(gap + 1 for gap in gaps)]
    return "".join(folded[a:b] + "。" for a, b in zip(ends, gaps, strict=False)) + folded[ends[-1] :]


def _in_row(rows: Sequence[tuple[int, int]], position: int) -> bool:
    at = bisect_right(rows, position, key=lambda row: row[0]) - 1
    return at >= 0 and position < rows[at][1]


class _Reader:
    """Goes through the sentences once; keeps what a later clause leans on: the last indicators, subject and period."""

    def __init__(self, folded: str, identity: Identity, sections: Sequence[Section]) -> None:
        self.folded, self.identity = folded, identity
        self.context = Context(folded, identity, sections)
        self.found: list[Indicator] = []
        self.sentence = Sentence(0, 0, ())
        self.first = 0  # the first indicator of the sentence at hand
        self.subject = ""  # what the clause before was about, where it has no figure
        self.base_year: int | None = None  # what the sentence compares all of its figures with (与2010年相比)
        self.anchors: list[int] = []  # indicators of the sentence that a growth or a share may belong to
        self.source = ""  # the subject of a change whose first value was just passed (由A增加到B)
        self.owner = ""  # the last figure's own name: a bare 产值 or 办结率 behind it is of that

    def read(self, sentence: Sentence) -> None:
        """Add the indicators of one sentence."""
        self.sentence, self.first = sentence, len(self.found)
        self.subject, self.source, self.owner, self.anchors = "", "", "", []
        if self.folded[sentence.start - 1 : sentence.start] != ";":
            self.base_year = None
        outside, closes = 0, -1
        for clause in sentence.clauses:
            if self.folded[clause.start - 1 : clause.start] == "(":
                outside, closes = len(self.anchors), self.folded.find(")", clause.start, sentence.end)
            elif 0 <= closes < clause.start and outside:
                del self.anchors[outside:]  # what follows a bracket is of what stood before it
                closes = -1
            if not clause.items:
                subject = clean_name(self.folded[clause.start : clause.end])
                base = COMPARED_WITH.search(self.folded, clause.start, clause.end)
                self.base_year = int(base["year"]) if base else self.base_year
                if subject and not is_bare_verb(subject) and not HAS_DIGIT.search(subject):
                    self.subject = subject
                continue
            if not self._read_list(clause):
                self._read_clause(clause)
            self.subject = ""

    def read_figure(self, cell: TableFigure) -> None:
        """Add the indicator of a table's cell; its row is the evidence."""
        self.sentence, self.first, self.anchors = Sentence(cell.start, cell.end, ()), len(self.found), []
        self._add(cell.figure, cell.name)
        if self.found and self.found[-1].number_start == cell.figure.start:
            last = self.found[-1]
            status = "target" if cell.target else last.status
            self.found[-1] = replace(last, yoy=cell.yoy, status=status, year=cell.year or last.year)

    # --- clauses -----------------------------------------------------------------------------------------------

    def _read_list(self, clause: Clause) -> bool:
        """Read a clause whose 分别 gives its figures to the members of a list, in order; False if it is none."""
        respectively = self.folded.find("分别", clause.start, clause.end)
        items = [i for i in clause.items if item_start(i) > respectively]
        if len(items) < 2 or (respectively < 0 and not self._one_verb(clause) and not self._is_pair(clause)):
            return False
        respectively = respectively if respectively >= 0 else items[0].start
        members = split_members(clean_name(self.folded[clause.start : respectively]) or self.subject)
        if not members and len(self.anchors) >= len(items) and all(isinstance(i, Growth) for i in items):
            for position, item in zip(self.anchors[-len(items) :], items, strict=True):
                self._grow(position, item)
            return True
        if len(members) != len(items):
            return self._read_years(clause, respectively, items)
        head = self._head(respectively, items[0])
        for member, item in zip(members, items, strict=True):
            self._add(item, join_head(clean_name(member) or member, head))
        return True

    def _head(self, respectively: int, first: Item) -> str:
        """The measure that a list says once, behind its 分别 (`茶叶、蚕桑分别实现产值960万元、450万元`)."""
        stop = first.start if isinstance(first, Growth) else item_start(first)
        head = clean_name(self.folded[respectively + 2 : stop])
        return head if head in generic_heads() else ""

    def _read_years(self, clause: Clause, respectively: int, items: Sequence[Item]) -> bool:
        """`2021年、2022年分别实现财政收入A、B`: one quantity in several years, in order."""
        years = re.findall(r"((?:19|20)\d\d) ?年", self.folded[clause.start : respectively])
        name = clean_name(self.folded[respectively + 2 : item_start(items[0])])
        if len(years) != len(items) or not name:
            return False
        for year, item in zip(years, items, strict=True):
            self._add(item, name)
            ahead = int(year) > (self.identity.review_year or int(year))
            self.found[-1] = replace(self.found[-1], year=int(year), status="target" if ahead else "actual")
        return True

    def _is_pair(self, clause: Clause) -> bool:
        """Whether the clause is two amounts of what one word says (`存贷款余额达7338万元和4022万元`)."""
        both = all(isinstance(i, Quantity) and not i.rate for i in clause.items)
        return both and len(clause.items) == 2 and "存贷款" in self.folded[clause.start : clause.items[0].start]

    def _one_verb(self, clause: Clause) -> bool:
        """Whether the clause is several growths behind one verb and nothing else (`增长7.6%和11.3%`)."""
        first = clause.items[0]
        return (
            isinstance(first, Growth)
            and not clean_name(self.folded[clause.start : first.start])
            and all(isinstance(i, Growth) and i.start == first.start for i in clause.items)
        )

    def _read_clause(self, clause: Clause) -> None:
        done, n = clause.start, 0
        base = len(self.found)
        while n < len(clause.items):
            item = clause.items[n]
            before = self.folded[done : item_start(item)]
            if isinstance(item, Growth):
                self._read_growth(item, self.folded[done : item.start], base)
            elif isinstance(item, Zero):
                self._read_zero(item, before)
            elif isinstance(item, Ratio):
                self._read_ratio(item, before, clause.items[n + 1 : n + 2])
            elif self._is_source(item, clause.items[n + 1 : n + 2]):
                self.source = clean_name(CHANGE_OF.sub("", before)) or self.subject or self._last_name()
            else:
                n += self._read_group(clause, n, before, base)
            done, n = clause.items[n].end, n + 1

    def _read_group(self, clause: Clause, n: int, before: str, base: int) -> int:
        """Read the figures that stand side by side and share their name (`101户77.89亩`); how many there are beyond one."""
        group = self._group(clause.items[n:])
        rest = clause.items[n + len(group) :]
        stop = rest[0].start if rest else clause.end
        tail = self.folded[stop : clause.end] if rest else ""
        if self._completes_growth(before, group):
            return 0
        if self._read_each(before, group):
            return len(group) - 1
        change = absolute_change(before)
        if change and self.anchors:
            self._add(group[0], self.found[self.anchors[-1]].name + change, anchor=False)
            return 0
        name, share = self._name(before, self.folded[group[-1].end : stop], group[-1], base, tail)
        counted = name in COUNTED.values()
        for member in group:
            own = COUNTED.get(member.unit or "", name) if counted else name
            self._add(member, own, anchor=not share, reached=share)
        self.source = ""
        return len(group) - 1

    def _completes_growth(self, before: str, group: Sequence[Quantity]) -> bool:
        """Give the value to the growth before it (`同比增长6.8%,达到12.4亿元`); False where it is of something else."""
        if len(group) > 1 or group[0].rate or not self.anchors or not REACHES.match(before):
            return False
        last = self.found[self.anchors[-1]]
        if last.value is not None or last.yoy is None:
            return False
        item = group[0]
        figure = measure(item, last.name)
        self.found[self.anchors[-1]] = replace(
            last,
            value=figure["value"],
            unit=figure["unit"],
            bound=figure["bound"],
            standard=figure["standard"],
            number_start=item.start,
            number_end=item.end,
        )
        return True

    def _read_each(self, before: str, group: Sequence[Quantity]) -> bool:
        """Add one figure for each member of a list that has it (`文化广场、农家书屋各12个`, `覆盖率、发放率均为100%`)."""
        each = EACH.search(before)
        members = split_members(clean_name(before[: each.start()])) if each and len(group) == 1 else []
        rates = all(m.endswith(("率", "度", "比例")) for m in members)
        if len(members) < 2 or (each and each[1] != "各" and not rates):
            return False
        for member in members:
            self._add(group[0], member)
        return True

    def _group(self, items: Sequence[Item]) -> list[Quantity]:
        group: list[Quantity] = []
        for item in items:
            if not isinstance(item, Quantity):
                break
            if group and (item.rate or self.folded[group[-1].end : item.start].strip(" 、,和共计")):
                break
            group.append(item)
        return group

    def _is_source(self, item: Quantity, rest: Sequence[Item]) -> bool:
        """Whether the figure is where a change starts from (`由9.44%下降到2.55%`, `从A增加到B`)."""
        if not rest:
            return False
        if ON_TOP_OF.match(self.folded, item.end):
            return True  # 在去年2360万元的基础上增长10%
        between = self.folded[item.end : item_start(rest[0])]
        before = self.folded[max(0, item.start - 14) : item.start]
        return bool(re.search(r"(?:由|从)[^,。]{0,12}$", before)) and bool(
            re.match(r"^[^。;]{0,16}(?:到|至|为|达)[^。;]{0,10}$", between)
        )

    # --- names -------------------------------------------------------------------------------------------------

    def _name(self, before: str, after: str, item: Quantity, base: int, tail: str) -> tuple[str, bool]:
        """The name, and whether the figure is a share of another's target."""
        if taken_over := self._taken_over(before, item):
            return taken_over, False
        behind = re.sub(r"^ ?(?:以上|以下|以内|左右|之多|余)", "", after)
        object_ = clean_object(behind, item.unit or "")
        lead = "" if WHERE.fullmatch(before) and object_ else clean_name(without_list(before) if object_ else before)
        if self._stands_behind(lead, object_, behind, item):
            object_ = ""
        measure_of = OWN_INVESTMENT.search(lead)
        if (measure_of or lead in generic_heads()) and not self.subject and (owner := self._owner_behind(item)):
            return owner + (measure_of[0] if measure_of else lead), False
        if item.unit in COUNTED and (said := self._said_of_people(lead, object_, before, item.unit)):
            return said, False
        name = lead + object_
        if not name and tail:
            name = clean_object(
                re.sub(r"^[^\u4e00-\u9fff]*", "", tail.split(",", maxsplit=1)[0]).lstrip("元户人家个件"), ""
            )
        if item.rate:
            share = name_of_share(before, self._last_name())
            if share:
                return share, True
        last = self._last_name()
        if name in generic_heads():
            last = self.owner or last
        elif is_bare_verb(name):
            last = self._last_counted(item.unit) or (last if opens_with_verb(last) else "")
        whole = complete_name(name, self.subject, last, same_clause=len(self.found) > base)
        if name == whole:
            self.owner = name
        return whole, False

    def _taken_over(self, before: str, item: Quantity) -> str:
        """The name that the words before lead on from: the second value of a change, the target of the figure before."""
        if self.source and LEADS_TO.search(before):
            return self.source
        last = self._last_name()
        pointed = self.found[-1] if len(self.found) > self.first else None
        if item.rate and pointed and pointed.unit == "个百分点" and REACHES.match(before):
            return pointed.name  # 覆盖率提高1.2个百分点,达24.6%
        task = TASK.fullmatch(before) if last and not item.rate else None
        return last + task["task"] if task else ""

    def _said_of_people(self, lead: str, object_: str, before: str, unit: str) -> str:
        """The name of a number of people or households that needs no noun (有4860户, 脱贫145户), '' where it does."""
        if not lead and not object_ and (HAS.search(before) or self._counts_on(before)):
            return COUNTED[unit]
        whole = lead + object_
        of_people = bool(OF_PEOPLE.match(lead)) and "贫困" not in self._last_counted(unit)
        return whole if is_bare_verb(whole) and (of_people or not lead) else ""

    def _stands_behind(self, lead: str, object_: str, behind: str, item: Quantity) -> bool:
        """Whether the figure stands behind its noun phrase, so that what follows it is a clause of its own."""
        if lead and GOES_ON.match(object_):
            return True
        if item.rate:
            return not behind.startswith("的") and len(lead) > 1 and not is_bare_verb(object_)
        return len(lead) >= 3 and item.unit in STAND_BEHIND

    def _counts_on(self, before: str) -> bool:
        """Whether the figure goes on with `有4860户`, or counts who lives in the villages counted before it."""
        return not before.strip(" ,、") and bool(LIVED_IN.search(self._last_name()))

    def _owner_behind(self, item: Quantity) -> str:
        """What the figures before it describe: 总投资1.2亿元、占地150亩的农产品加工园."""
        described = DESCRIBED.match(self.folded, item.end, self.sentence.end)
        return described["owner"] if described else ""

    def _last_counted(self, unit: str | None) -> str:
        """The name of the sentence's last figure in the same measure: of 项目12个, 总投资8亿元, 竣工3个 what 竣工 is of."""
        return next((i.name for i in reversed(self.found[self.first :]) if i.unit == unit), "")

    def _last_name(self) -> str:
        if self.anchors:
            return self.found[self.anchors[-1]].name
        return self.found[-1].name if len(self.found) > self.first else ""

    # --- growth ------------------------------------------------------------------------------------------------

    def _read_growth(self, growth: Growth, before: str, base: int) -> None:
        subject = self.source if ON_TOP_OF.match(before) else clean_name(before)
        own = self._is_annual(growth)
        if own and not subject and (len(self.found) > base or not self.subject) and self._may_grow():
            self._grow(self.anchors[-1], growth)
            return
        name = subject if own else complete_name(subject, self.subject, self._last_name(), same_clause=True)
        name = name or self.subject or self._last_name()
        self._add(growth if own else replace(growth, annual=False), name, anchor=own)

    def _is_annual(self, growth: Growth) -> bool:
        """Whether the growth is on the year before: unnamed, or named as the year before the one that it speaks of."""
        if growth.points or (growth.annual and self.base_year is None):
            return not growth.points
        year = self.found[self.anchors[-1]].year if self.anchors else self.identity.review_year
        return year is not None and (growth.base_year or self.base_year) == year - 1

    def _may_grow(self) -> bool:
        """Whether the sentence has a value without growth that the growth at hand can belong to."""
        if not self.anchors:
            return False
        last = self.found[self.anchors[-1]]
        return last.yoy is None and last.value is not None

    def _grow(self, position: int, growth: Item) -> None:
        assert isinstance(growth, Growth)
        if self._is_annual(growth):
            self.found[position] = replace(self.found[position], yoy=growth.value)
        else:
            self._add(replace(growth, annual=False), self.found[position].name, anchor=False)

    def _read_zero(self, zero: Zero, before: str) -> None:
        lead = self.source or clean_name(before)
        event = "" if zero.event == "发生" and lead else zero.event
        self._add(zero, f"{lead or self.subject or self._last_name()}{event}")
        self.source = ""

    def _read_ratio(self, ratio: Ratio, before: str, rest: Sequence[Item]) -> None:
        """Add the parts of a ratio; where a change leads to another ratio (由A调整为B), that one counts."""
        subject = self.source or clean_name(re.sub(r"(?:由|从)[^由从]*$", "", before)) or self.subject
        if rest and isinstance(rest[0], Ratio):
            self.source = subject
            return
        names = part_names(subject)
        if len(names) == len(ratio.parts):
            for part, name in zip(ratio.parts, names, strict=True):
                self._add(part, name)
        self.source = ""

    # --- indicators --------------------------------------------------------------------------------------------

    def _add(self, item: Item, name: str, *, anchor: bool = True, reached: bool = False) -> None:
        if not name:
            return
        start = item_start(item)
        setting = self.context.at(start, reached=reached)
        if anchor:
            self.anchors.append(len(self.found))
        self.found.append(
            Indicator(
                name=name,
                year=setting.year,
                months=setting.months,
                status=setting.status,
                place=place_of(name),
                section=setting.section,
                start=self.sentence.start,
                end=self.sentence.end,
                number_start=start,
                number_end=item.end,
                **measure(item, name),
            )
        )


# Money and weights stand behind their noun phrase; what follows them without a pause is a clause of its own.
REACHES = re.compile(r"^[ ,]*(?:总量|总额|总数)?(?:已)?(?:达到?|为|实现|完成|突破|超过?)(?:了|约|近)*$")
EACH = re.compile(r"(各|均(?:为|达到?)?|都(?:为|达到?)?)(?:约|超过?)?$")
# A project behind its measures, up to what is said of it.
DESCRIBED = re.compile(
    r"(?:[、,][^,。;、的]{2,14}[\d.]+[^,。;、的\d]{1,6}){0,3}(?:以上)?的(?P<owner>[\u4e00-\u9fff“”·A-Za-z]{2,20}?"
    r"(?:项目|工程|园区|园|基地|厂|中心|线|广场|市场|公司|学校|小学|中学|幼儿园|卫生院|医院|综合体|小区|公路|大道|大桥|水库|景区|酒店)(?:[\u4e00-\u9fff]{0,6}(?:项目|工程))?)"
)
ON_TOP_OF = re.compile(r"[ 的左右]*基础上")
CHANGE_OF = re.compile(r"(?:由|从)[^由从]*$|在[^在]*$")
COMPARED_WITH = re.compile(r"(?:与|同|和|比|较)(?P<year>(?:19|20)\d\d) ?年?(?:末|底|同期)?(?:相比|比较|比)")
# 326户1125人脱贫, 就业600人: said of people, and of nothing that stands before.
OF_PEOPLE = re.compile(r"就业|脱贫|返贫|摘帽")
# 11个行政村76个自然村: what stands between is of the first alone.
WHERE = re.compile(r"(?:行政|自然|贫困|建制|重点)?(?:村|社区|乡镇|街道|村委会|居委会)")
# 是年初人代会目标45亿元的116%: the target is of the figure before.
TASK = re.compile(
    r"[,、 ]*(?:是|为|占|(?:超额)?完成)了?"
    r"(?:年初|年度|全年|人代会|党代会|[省市县区镇乡]{1,2}(?:级|委|里|定|政府)?|上级|下达|确定|制定|既定|计划|的)*(?P<task>目标|任务|计划)(?:任务|数|值)?的?"
)
LIVED_IN = re.compile(r"^(?:户数|人口)$|(?:村|社区|组|屯|寨|嘎查|队|村委会|居委会)$")
OWN_INVESTMENT = re.compile(r"(?<=公司|企业)(?:计划|概算)?总?投资$")
# 距县城15公里 is nothing that a figure could be of.
HAS_DIGIT = re.compile(r"\d")
# 全镇有4860户、18650人: what is counted goes without saying.
COUNTED = {"户": "户数", "人": "人口"}
HAS = re.compile(r"(?:^|[,乡镇村辖])(?:共?有|总计|共计|共)$")
LEADS_TO = re.compile(r"(?:到|至|为|达)了?(?:(?:19|20)\d\d年底?)?的?[^\u4e00-\u9fff]*[约近超逾]?$")
STAND_BEHIND = ("元", "美元", "公斤", "斤", "吨")
