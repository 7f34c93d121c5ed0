"""From figures to indicators: what each is called, which growth is its own, and of what time and status it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from chalicelib.reading.clauses import Clause, Sentence, find_zeros, split_sentences
from chalicelib.reading.context import Context
from chalicelib.reading.figures import Growth, Item, Quantity, Ratio, Zero, item_start
from chalicelib.reading.fold import fold
from chalicelib.reading.growth import absolute_change, find_growth
from chalicelib.reading.measures import measure
from chalicelib.reading.model import Identity, Indicator, Page, Section
from chalicelib.reading.names import (
    clean_name,
    clean_object,
    complete_name,
    is_bare_verb,
    name_of_share,
    place_of,
    split_members,
    without_list,
)
from chalicelib.reading.quantities import find_quantities
from chalicelib.reading.ratios import find_ratios, part_names
from chalicelib.reading.tables import TableFigure, find_table_lines, read_tables


def read_indicators(
    page: Page,
    identity: Identity,
    sections: Sequence[Section],
    watch: Callable[[str, Identity, Sequence[Section]], _Reader] | None = None,
) -> tuple[Indicator, ...]:
    """Every quantity of the body as an indicator, in reading order; concepts are not yet named.

    `watch` makes a reader that keeps account of what it does; without it nothing is kept.
    """
    folded = fold(page.text)
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
    reader = (watch or _Reader)(folded, identity, sections)
    parts: list[Sentence | TableFigure] = [*prose, *figures]
    for part in sorted(parts, key=lambda p: p.start):
        if isinstance(part, Sentence):
            reader.read(part)
        else:
            reader.read_figure(part)
    return tuple(reader.found)


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
        self.anchors: list[int] = []  # indicators of the sentence that a growth or a share may belong to
        self.source = ""  # the subject of a change whose first value was just passed (由A增加到B)

    def read(self, sentence: Sentence) -> None:
        """Add the indicators of one sentence."""
        self.sentence, self.first = sentence, len(self.found)
        self.subject, self.source, self.anchors = "", "", []
        for clause in sentence.clauses:
            if not clause.items:
                subject = clean_name(self.folded[clause.start : clause.end])
                self.subject = self.subject if not subject or is_bare_verb(subject) else subject
                continue
            if not self._read_list(clause):
                self._read_clause(clause)
            self.subject = ""

    def read_figure(self, cell: TableFigure) -> None:
        """Add the indicator of a table's cell; its row is the evidence."""
        self.sentence, self.first, self.anchors = Sentence(cell.start, cell.end, ()), len(self.found), []
        self._add(cell.figure, cell.name)
        if self.found and self.found[-1].number_start == cell.figure.start:
            status = "target" if cell.target else self.found[-1].status
            self.found[-1] = replace(self.found[-1], yoy=cell.yoy, status=status)

    # --- clauses -----------------------------------------------------------------------------------------------

    def _read_list(self, clause: Clause) -> bool:
        """Read a clause whose 分别 gives its figures to the members of a list, in order; False if it is none."""
        respectively = self.folded.find("分别", clause.start, clause.end)
        items = [i for i in clause.items if item_start(i) > respectively]
        if len(items) < 2 or (respectively < 0 and not self._one_verb(clause)):
            return False
        respectively = respectively if respectively >= 0 else items[0].start
        members = split_members(clean_name(self.folded[clause.start : respectively]) or self.subject)
        if not members and len(self.anchors) >= len(items) and all(isinstance(i, Growth) for i in items):
            for position, item in zip(self.anchors[-len(items) :], items, strict=True):
                self._grow(position, item)
            return True
        if len(members) != len(items):
            return self._read_years(clause, respectively, items)
        for member, item in zip(members, items, strict=True):
            self._add(item, clean_name(member) or member)
        return True

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
                self.source = clean_name(re.sub(r"(?:由|从)[^由从]*$", "", before)) or self.subject or self._last_name()
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
        for member in group:
            self._add(member, name, anchor=not share, reached=share)
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
        between = self.folded[item.end : item_start(rest[0])]
        before = self.folded[max(0, item.start - 14) : item.start]
        return bool(re.search(r"(?:由|从)[^,。]{0,12}$", before)) and bool(
            re.match(r"^[^。;]{0,16}(?:到|至|为|达)[^。;]{0,10}$", between)
        )

    # --- names -------------------------------------------------------------------------------------------------

    def _name(self, before: str, after: str, item: Quantity, base: int, tail: str) -> tuple[str, bool]:
        """The name, and whether the figure is a share of another's target."""
        if self.source and LEADS_TO.search(before):
            return self.source, False
        behind = re.sub(r"^ ?(?:以上|以下|以内|左右|之多|余)", "", after)
        object_ = clean_object(behind, item.unit or "")
        lead = clean_name(without_list(before) if object_ else before)
        if object_ and len(lead) >= 3 and item.unit in STAND_BEHIND:
            object_ = ""
        if item.rate and not behind.startswith("的") and len(lead) > 1 and not is_bare_verb(object_):
            object_ = ""
        name = lead + object_
        if not name and tail:
            name = clean_object(
                re.sub(r"^[^\u4e00-\u9fff]*", "", tail.split(",", maxsplit=1)[0]).lstrip("元户人家个件"), ""
            )
        if item.rate:
            share = name_of_share(before, self._last_name())
            if share:
                return share, True
        return complete_name(name, self.subject, self._last_name(), same_clause=len(self.found) > base), False

    def _last_name(self) -> str:
        if self.anchors:
            return self.found[self.anchors[-1]].name
        return self.found[-1].name if len(self.found) > self.first else ""

    # --- growth ------------------------------------------------------------------------------------------------

    def _read_growth(self, growth: Growth, before: str, base: int) -> None:
        subject = clean_name(before)
        own = self._is_annual(growth)
        if own and not subject and (len(self.found) > base or not self.subject) and self._may_grow():
            self._grow(self.anchors[-1], growth)
            return
        name = subject if own else complete_name(subject, self.subject, self._last_name(), same_clause=True)
        name = name or self.subject or self._last_name()
        self._add(growth, name, anchor=own)

    def _is_annual(self, growth: Growth) -> bool:
        """Whether the growth is on the year before: unnamed, or named as the year before the reviewed one."""
        review = self.identity.review_year
        return not growth.points and (growth.annual or (review is not None and growth.base_year == review - 1))

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
            self._add(growth, self.found[position].name, anchor=False)

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
LEADS_TO = re.compile(r"(?:到|至|为|达)了?(?:(?:19|20)\d\d年底?)?的?[^\u4e00-\u9fff]*[约近超逾]?$")
STAND_BEHIND = ("元", "美元", "公斤", "斤", "吨")
