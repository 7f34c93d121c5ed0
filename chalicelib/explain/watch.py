"""The reader of indicators, watched: which of its steps took each figure, and what it went by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.explain.model import Cause, Trace
from chalicelib.explain.settings import trace_bound, trace_concept, trace_growth_cell, trace_status, trace_time
from chalicelib.explain.wording import trace_name
from chalicelib.reading.clauses import Clause, Sentence
from chalicelib.reading.figures import Growth, Item, Quantity, Ratio, Zero, item_start
from chalicelib.reading.model import Identity, Indicator, Section
from chalicelib.reading.reader import Reader
from chalicelib.reading.tables import TableFigure

DONE_ANYHOW = frozenset(("reported", "done_in_plan"))


class Watch(Reader):
    """Reads as `Reader` does, and keeps what became of each figure.

    `traces` has one entry an indicator. `used` tells, by where a figure starts, its rule and the indicators that it is the
    number of; `grown` the indicators that it is the growth of. `figures` are the figures of all sentences, `cells` the
    cells of all tables with their indicator.
    """

    def __init__(self, folded: str, identity: Identity, sections: Sequence[Section]) -> None:
        super().__init__(folded, identity, sections)
        self.traces: list[Trace] = []
        self.used: dict[int, tuple[str, list[int]]] = {}
        self.grown: dict[int, list[int]] = {}
        self.figures: list[Item] = []
        self.cells: list[tuple[TableFigure, int]] = []
        self.step = ""
        self.clause: Clause | None = None
        self.before = ""  # the words before the figure at hand, as the reader gave them to be named by

    # What the reader keeps, by the names that the rules here use.

    @property
    def made(self) -> list[Indicator]:
        """The indicators so far."""
        return self.memory.found

    @property
    def anchored(self) -> list[int]:
        """Those of the sentence that a growth may belong to."""
        return self.memory.anchors

    @property
    def leads_from(self) -> str:
        """The subject of a change whose first value was just passed."""
        return self.memory.source

    @property
    def opens(self) -> int:
        """Where the sentence at hand begins."""
        return self.memory.start

    # --- what is read ------------------------------------------------------------------------------------------

    def read(self, sentence: Sentence) -> None:
        """Add the indicators of one sentence."""
        self.figures += [item for clause in sentence.clauses for item in clause.items]
        super().read(sentence)

    def read_figure(self, cell: TableFigure) -> None:
        """Add the indicator of a table's cell."""
        position = len(self.made)
        self._during("table_row", super().read_figure, cell)
        if position < len(self.made):
            self.cells.append((cell, position))
            trace = self.traces[position]
            trace.status = Cause("target_column") if cell.status == "target" else trace.status
            done = self.made[position].status == "actual" and trace.status.rule not in DONE_ANYHOW
            trace.status = Cause("done_column", cell.over) if done else trace.status
            if cell.months or cell.year:
                trace.time = Cause("months_over_column" if cell.months else "year_over_column", cell.over)
            trace.growth = trace_growth_cell(self.folded, cell)

    # --- steps -------------------------------------------------------------------------------------------------

    def _during(self, step: str, method: Callable[..., Any], *given: Any) -> Any:
        outer, self.step = self.step, step
        try:
            return method(*given)
        finally:
            self.step = outer

    def _read_list(self, clause: Clause) -> bool:
        self.clause = clause
        return bool(self._during("list_member", super()._read_list, clause))

    def _read_years(self, clause: Clause, respectively: int, items: Sequence[Item]) -> bool:
        position = len(self.made)
        done = bool(self._during("list_of_years", super()._read_years, clause, respectively, items))
        for trace, found in zip(self.traces[position:], self.made[position:], strict=True):
            trace.time = Cause("year_of_list", (clause.start, respectively))
            trace.status = Cause("later_year" if found.status == "target" else "reported")
        return done

    def _read_group(self, clause: Clause, n: int, before: str, base: int) -> int:
        self.before = before
        return int(self._during("", super()._read_group, clause, n, before, base))

    def _read_each(self, before: str, group: Sequence[Quantity]) -> bool:
        return bool(self._during("each_member", super()._read_each, before, group))

    def _read_growth(self, growth: Growth, before: str, base: int) -> None:
        self._during("growth_alone", super()._read_growth, growth, before, base)

    def _read_zero(self, zero: Zero, before: str) -> None:
        self._during("zero", super()._read_zero, zero, before)

    def _read_ratio(self, ratio: Ratio, before: str, rest: Sequence[Item]) -> None:
        position = len(self.made)
        self._during("ratio_part", super()._read_ratio, ratio, before, rest)
        if len(self.made) == position:
            leads_on = bool(rest) and isinstance(rest[0], Ratio)
            self.used[ratio.start] = ("change_source" if leads_on else "ratio_unnamed", [])

    def _is_source(self, group: Sequence[Quantity], rest: Sequence[Item]) -> bool:
        source = super()._is_source(group, rest)
        if source:
            self.used.update({item.start: ("change_source", []) for item in group})
        return source

    def _spread(self, growth: Growth) -> bool:
        spread = super()._spread(growth)
        if spread:
            # Each growth moved on to the figure that it is of.
            run = self.memory.run
            self.grown.update({g.number_start: [p] for g, p in zip(run, self.anchored[-len(run) :], strict=True)})
        return spread

    def _completes_growth(self, before: str, group: Sequence[Quantity]) -> bool:
        last = self.made[self.anchored[-1]] if self.anchored else None
        done = super()._completes_growth(before, group)
        if done and last is not None:
            position = self.anchored[-1]
            _, others = self.used.pop(last.number_start, ("", [position]))
            self.grown[last.number_start] = others
            self.used[group[0].start] = ("completes_growth", others)
            found, trace = self.made[position], self.traces[position]
            trace.concept, trace.bound = trace_concept(found), trace_bound(self.folded, found)
        return done

    def _grow(self, position: int, growth: Item) -> None:
        count = len(self.made)
        super()._grow(position, growth)
        if len(self.made) == count and isinstance(growth, Growth):
            self.grown.setdefault(growth.number_start, []).append(position)
            self.traces[position].growth = Cause("growth_of_value", (growth.start, growth.end))

    def _add(self, item: Item, name: str, *, anchor: bool = True, reached: bool = False) -> None:
        position = len(self.made)
        cause = trace_name(self, item, name, anchor=anchor, reached=reached)
        super()._add(item, name, anchor=anchor, reached=reached)
        start = item_start(item)
        if len(self.made) == position:
            self.used.setdefault(start, ("no_name", []))
            return
        found = self.made[position]
        context = self.context
        trace = Trace(
            cause,
            trace_time(context, found),
            trace_status(context, start, found, reached),
            trace_concept(found),
            trace_bound(self.folded, found),
        )
        if isinstance(item, Growth) and found.yoy is not None:
            trace.growth = Cause("growth_alone", (item.start, item.end))
        self.traces.append(trace)
        self.used.setdefault(start, (cause.rule, []))[1].append(position)
