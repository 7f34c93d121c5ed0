"""From figures to indicators: what each is called, which growth is its own, and of what time and status it is."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from chalicelib.reading.clauses import Sentence, find_zeros, split_sentences
from chalicelib.reading.figures import Item, Ratio, Zero, item_start
from chalicelib.reading.fold import fold
from chalicelib.reading.growth import find_growth
from chalicelib.reading.model import Identity, Indicator, Page, Section
from chalicelib.reading.quantities import find_quantities
from chalicelib.reading.ratios import find_ratios
from chalicelib.reading.reader import Reader
from chalicelib.reading.tables import TableFigure, find_table_lines, read_tables


def read_indicators(
    page: Page,
    identity: Identity,
    sections: Sequence[Section],
    watch: Callable[[str, Identity, Sequence[Section]], Reader] | None = None,
) -> tuple[Indicator, ...]:
    """Every quantity of the body as an indicator, in reading order; concepts are not yet named.

    `watch` makes a reader that keeps account of what it does; without it nothing is kept.
    """
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
    reader = (watch or Reader)(folded, identity, sections)
    parts: list[Sentence | TableFigure] = [*prose, *figures]
    for part in sorted(parts, key=lambda p: p.start):
        if isinstance(part, Sentence):
            reader.read(part)
        else:
            reader.read_figure(part)
    return tuple(reader.memory.found)


def _with_headings_closed(folded: str, sections: Sequence[Section]) -> str:
    """The text with a full stop where a heading ends at a gap in its line: what follows is a sentence of its own."""
    gaps = [s.title_end for s in sections if folded[s.title_end : s.title_end + 1] in (" ", "】")]
    if not gaps:
        return folded
    ends = [0, *(gap + 1 for gap in gaps)]
    return "".join(folded[a:b] + "。" for a, b in zip(ends, gaps, strict=False)) + folded[ends[-1] :]


def _in_row(rows: Sequence[tuple[int, int]], position: int) -> bool:
    at = bisect_right(rows, position, key=lambda row: row[0]) - 1
    return at >= 0 and position < rows[at][1]
