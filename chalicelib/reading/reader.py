"""Goes through the sentences of a report and makes an indicator of every figure in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chalicelib.reading.clauses import Clause, Sentence
from chalicelib.reading.context import Context
from chalicelib.reading.figures import Growth, Item, Quantity, Ratio, Zero, item_start
from chalicelib.reading.growth import absolute_change
from chalicelib.reading.measures import measure
from chalicelib.reading.members import split_members
from chalicelib.reading.memory import Memory
from chalicelib.reading.model import Identity, Indicator, Section
from chalicelib.reading.names import clean_name, generic_heads
from chalicelib.reading.naming import COUNTED, REACHES, Words, name_figure
from chalicelib.reading.owners import complete_name, join_head, name_of_share
from chalicelib.reading.ratios import part_names
from chalicelib.reading.tables import TableFigure
from chalicelib.reading.whose import is_place, place_of


class Reader:
    """Goes through the sentences once; keeps what a later clause leans on: the last indicators, subject and period."""

    def __init__(self, folded: str, identity: Identity, sections: Sequence[Section]) -> None:
        self.folded, self.identity = folded, identity
        self.context = Context(folded, identity, sections)
        self.memory = Memory()

    def read(self, sentence: Sentence) -> None:
        """Add the indicators of one sentence."""
        memory = self.memory
        goes_on = self.folded[sentence.start - 1 : sentence.start] == ";"
        memory.open_sentence(sentence.start, sentence.end, goes_on=goes_on)
        if years := SUM_OF_YEARS.search(self.folded, sentence.start, sentence.end):
            memory.summed = years.end()
        outside, closes = 0, -1
        for clause in sentence.clauses:
            if self.folded[clause.start - 1 : clause.start] == "(":
                outside, closes = len(memory.anchors), self.folded.find(")", clause.start, sentence.end)
            elif 0 <= closes < clause.start and outside:
                del memory.anchors[outside:]  # what follows a bracket is of what stood before it
                closes = -1
            if not clause.items:
                self._read_subject(clause)
                continue
            if not self._read_list(clause):
                self._read_clause(clause)
            memory.said.clear()

    def _read_subject(self, clause: Clause) -> None:
        """Keep what a clause without figures says of those behind it: their subject, their place, the year of their base."""
        said = self.folded[clause.start : clause.end]
        self.memory.said.append(said)
        if "20" in said or "19" in said:  # most clauses without a figure name no year
            base = COMPARED_WITH.search(self.folded, clause.start, clause.end)
            self.memory.base_year = int(base["year"]) if base else self.memory.base_year
        if said.endswith(PLACE_ENDS) and is_place(subject := clean_name(said)):
            self.memory.place = subject

    def read_figure(self, cell: TableFigure) -> None:
        """Add the indicator of a table's cell; its row is the evidence."""
        self.memory.open_sentence(cell.start, cell.end, goes_on=False)
        self._add(cell.figure, cell.name)
        if last := self.memory.last:
            # A table of what was done may stand behind the plan.
            review = self.identity.review_year
            done = cell.status == "actual" or (cell.status is None and (cell.year or 9999) <= (review or 0))
            year = review if done and last.status == "target" else last.year
            self.memory.found[-1] = replace(
                last,
                yoy=cell.yoy,
                status=cell.status or ("actual" if done else last.status),
                year=cell.year or year,
                months=cell.months or last.months,
            )

    # --- clauses -----------------------------------------------------------------------------------------------

    def _read_list(self, clause: Clause) -> bool:
        """Read a clause whose 分别 gives its figures to the members of a list, in order; False if it is none."""
        if len(clause.items) < 2:
            return False
        respectively = self.folded.find("分别", clause.start, clause.end)
        items = [i for i in clause.items if item_start(i) > respectively]
        if len(items) < 2 or (respectively < 0 and not self._one_verb(clause) and not self._is_pair(clause)):
            return False
        if any(isinstance(i, Ratio) for i in items):
            return False
        respectively = respectively if respectively >= 0 else items[0].start
        members = split_members(clean_name(self.folded[clause.start : respectively]) or self.memory.subject)
        if not members and len(self.memory.anchors) >= len(items) and all(isinstance(i, Growth) for i in items):
            for position, item in zip(self.memory.anchors[-len(items) :], items, strict=True):
                self._grow(position, item)
            return True
        if len(members) != len(items):
            return self._read_years(clause, respectively, items) or self._read_shares(respectively, items)
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
            self.memory.found[-1] = replace(
                self.memory.found[-1], year=int(year), status="target" if ahead else "actual"
            )
        return True

    def _read_shares(self, respectively: int, items: Sequence[Item]) -> bool:
        """`分别完成任务的123%和136%`: the shares of the targets of the figures before, in order."""
        memory = self.memory
        share = self.folded[respectively + 2 : item_start(items[0])]
        owners = [memory.found[position].name for position in memory.anchors[-len(items) :]]
        names = [name_of_share(share, owner) for owner in owners]
        if len(names) != len(items) or not all(names) or not all(isinstance(i, Quantity) and i.rate for i in items):
            return False
        for item, name in zip(items, names, strict=True):
            self._add(item, name, anchor=False, reached=True)
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
        base = len(self.memory.found)
        while n < len(clause.items):
            item = clause.items[n]
            before = self.folded[done : item_start(item)]
            if isinstance(item, Growth):
                self._read_growth(item, self.folded[done : item.start], base)
            elif isinstance(item, Zero):
                self._read_zero(item, before)
            elif isinstance(item, Ratio):
                self._read_ratio(item, before, clause.items[n + 1 : n + 2])
            elif n + 1 < len(clause.items) and self._is_source(
                group := self._group(clause.items[n:]), clause.items[n + len(group) :]
            ):
                self.memory.source = (
                    clean_name(CHANGE_OF.sub("", before)) or self.memory.subject or self.memory.last_name
                )
                n += len(group) - 1
                if since := SINCE.search(before):
                    self.memory.base_year = int(since[0])
            else:
                n += self._read_group(clause, n, before, base)
            done, n = clause.items[n].end, n + 1

    def _read_group(self, clause: Clause, n: int, before: str, base: int) -> int:
        """Read the figures that stand side by side and share their name (`101户77.89亩`); how many there are beyond one."""
        memory = self.memory
        group = self._group(clause.items[n:])
        rest = clause.items[n + len(group) :]
        stop = rest[0].start if rest else clause.end
        tail = self.folded[stop : clause.end] if rest else ""
        if self._completes_growth(before, group):
            return 0
        if self._read_each(before, group):
            return len(group) - 1
        anchor = memory.anchor
        same_unit = anchor is not None and anchor.unit == group[0].unit and len(group) == 1
        change = absolute_change(before, same_unit=same_unit) if anchor else ""
        if anchor and change:
            self._add(group[0], anchor.name + change, anchor=False)
            return 0
        behind = self.folded[group[-1].end : memory.end]
        words = Words(before, self.folded[group[-1].end : stop], tail, behind, first=len(memory.found) == base)
        name, share = name_figure(words, group[-1], memory)
        counted = name in COUNTED.values()
        for member in group:
            own = COUNTED.get(member.unit or "", name) if counted else name
            self._add(member, own, anchor=not share, reached=share)
        self.memory.source = ""
        return len(group) - 1

    def _completes_growth(self, before: str, group: Sequence[Quantity]) -> bool:
        """Give the value to the growth before it (`同比增长6.8%,达到12.4亿元`); False where it is of something else."""
        if len(group) > 1 or group[0].rate or not self.memory.anchors:
            return False
        last = self.memory.found[self.memory.anchors[-1]]
        if last.value is not None or last.yoy is None or not REACHES.match(before):
            return False
        item = group[0]
        figure = measure(item, last.name)
        self.memory.found[self.memory.anchors[-1]] = replace(
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
        word, members = self._members_each(before) if len(group) == 1 else ("", [])
        if word[:1] != "各" and not all(m.endswith(("率", "度", "比例")) for m in members):
            return False
        for member in members:
            self._add(group[0], member)
        return bool(members)

    def _members_each(self, before: str) -> tuple[str, list[str]]:
        """The word that gives what follows to each member of a list (`事故起数、死亡人数均`), and the members; [] if none does."""
        each = EACH.search(before) if not EACH_WORDS.isdisjoint(before) else None
        members = split_members(clean_name(before[: each.start()])) if each else []
        return (each[1], members) if each and len(members) > 1 else ("", [])

    def _group(self, items: Sequence[Item]) -> list[Quantity]:
        group: list[Quantity] = []
        for item in items:
            if not isinstance(item, Quantity):
                break
            if group and (item.rate or self.folded[group[-1].end : item.start].strip(" 、,和共计")):
                break
            group.append(item)
        return group

    def _is_source(self, group: Sequence[Quantity], rest: Sequence[Item]) -> bool:
        """Whether the figures are where a change starts from (`由9.44%下降到2.55%`, `由217户486人减少到58户121人`)."""
        if not rest:
            return False
        if ON_TOP_OF.match(self.folded, group[-1].end):
            return True  # 在去年2360万元的基础上增长10%
        between = self.folded[group[-1].end : item_start(rest[0])]
        before = self.folded[max(0, group[0].start - 14) : group[0].start]
        return bool(STARTS_FROM.search(before)) and bool(LEADS_ON.match(between))

    # --- growth ------------------------------------------------------------------------------------------------

    def _read_growth(self, growth: Growth, before: str, base: int) -> None:
        own = self._is_annual(growth)
        if own and (members := self._members_each(before)[1]):
            for member in members:
                self._add(growth, member)
            return
        subject = self.memory.source if ON_TOP_OF.match(before) else clean_name(before)
        if own and not subject and self._spread(growth):
            return
        if own and not subject and (len(self.memory.found) > base or not self.memory.subject) and self._may_grow():
            self._grow(self.memory.anchors[-1], growth)
            return
        name = subject if own else complete_name(subject, self.memory, self.memory.last_name, same_clause=True)
        name = name or self.memory.subject or self.memory.last_name
        if growth.points and name and not name.endswith(growth.verb):
            name += growth.verb  # 提高 and 下降 are no signs of points, but part of what they are
        self._add(growth if own else replace(growth, annual=False), name, anchor=own)

    def _spread(self, growth: Growth) -> bool:
        """Give the growths of a run (`分别完成A、B,同比增长13.8%、下降2.6%`) to as many figures before, in order."""
        memory = self.memory
        joined = memory.run and self.folded[memory.run[-1].end : growth.start].strip() in RUN_ON
        memory.run = [*memory.run, growth] if joined else [growth]
        positions = memory.anchors[-len(memory.run) :]
        if not joined or len(positions) < len(memory.run) or memory.found[positions[0]].yoy is not None:
            return False
        if any(memory.found[position].value is None for position in positions):
            return False
        for position, each in zip(positions, memory.run, strict=True):
            self._grow(position, each)
        return True

    def _is_annual(self, growth: Growth) -> bool:
        """Whether the growth is on the year before: unnamed, or named as the year before the one that it speaks of."""
        if growth.points or (growth.annual and self.memory.base_year is None):
            return not growth.points
        if growth.annual and YEAR_BEFORE.search(self.folded, growth.start, growth.number_start):
            return True
        year = self.memory.found[self.memory.anchors[-1]].year if self.memory.anchors else self.identity.review_year
        return year is not None and (growth.base_year or self.memory.base_year) == year - 1

    def _may_grow(self) -> bool:
        """Whether the sentence has a value without growth that the growth at hand can belong to."""
        if not self.memory.anchors:
            return False
        last = self.memory.found[self.memory.anchors[-1]]
        return last.yoy is None and last.value is not None

    def _grow(self, position: int, growth: Item) -> None:
        assert isinstance(growth, Growth)
        if self._is_annual(growth):
            self.memory.found[position] = replace(self.memory.found[position], yoy=growth.value)
        else:
            self._add(replace(growth, annual=False), self.memory.found[position].name, anchor=False)

    def _read_zero(self, zero: Zero, before: str) -> None:
        lead = self.memory.source or clean_name(before)
        event = "" if zero.event == "发生" and lead else zero.event
        # 实现零感染 names itself; 零发生 and a bare 降为零 are of what stands before.
        before_it = self.memory.last_name if event in ("", "发生") else ""
        self._add(zero, f"{lead or self.memory.subject or before_it}{event}")
        self.memory.source = ""

    def _read_ratio(self, ratio: Ratio, before: str, rest: Sequence[Item]) -> None:
        """Add the parts of a ratio; where a change leads to another ratio (由A调整为B), that one counts."""
        subject = self.memory.source or clean_name(re.sub(r"(?:由|从)[^由从]*$", "", before)) or self.memory.subject
        if rest and isinstance(rest[0], Ratio):
            self.memory.source = subject
            return
        names = part_names(subject)
        if len(names) == len(ratio.parts):
            for part, name in zip(ratio.parts, names, strict=True):
                self._add(part, name)
        self.memory.source = ""

    # --- indicators --------------------------------------------------------------------------------------------

    def _add(self, item: Item, name: str, *, anchor: bool = True, reached: bool = False) -> None:
        if not name:
            return
        start = item_start(item)
        setting = self.context.at(start, reached=reached)
        if anchor:
            self.memory.anchors.append(len(self.memory.found))
        self.memory.found.append(
            Indicator(
                name=name,
                year=setting.year,
                months=setting.months,
                status=setting.status,
                place=place_of(name) or self.memory.place,
                section=setting.section,
                start=self.memory.start,
                end=self.memory.end,
                number_start=start,
                number_end=item.end,
                summed=self.memory.summed <= start,
                **measure(item, name),
            )
        )


# 五年来,累计完成投资56亿元; 三年累计化解纠纷120起.
SUM_OF_YEARS = re.compile(
    r"(?:[两二三四五六七八九十](?<![\d一二三四五六七八九十第].)年(?:来|间|里)?|十[一二三四]五”?(?:期间|时期|以来)),?[^,。;]{0,8}?(?:累计|共|总计|合计)"
)
SINCE = re.compile(r"(?:19|20)\d\d(?= ?年)")
STARTS_FROM = re.compile(r"(?:由|从)[^,。]{0,12}$")
LEADS_ON = re.compile(r"^[^。;]{0,16}(?:到|至|为|达)[^。;]{0,10}$")
YEAR_BEFORE = re.compile(r"同比|同期|上年|去年")
RUN_ON = frozenset(("、", "和", "及", "与", "以及"))
EACH = re.compile(r"(各|均(?:为|达到?)?|都(?:为|达到?)?)(?:约|超过?)?$")
EACH_WORDS = frozenset("各均都")
ON_TOP_OF = re.compile(r"[ 的左右]*基础上")
CHANGE_OF = re.compile(r"(?:由|从)[^由从]*$|在[^在]*$")
COMPARED_WITH = re.compile(r"(?:与|同|和|比|较)(?P<year>(?:19|20)\d\d) ?年?(?:末|底|同期)?(?:相比|比较|比)")
PLACE_ENDS = ("村", "社区", "公司", "合作社")
