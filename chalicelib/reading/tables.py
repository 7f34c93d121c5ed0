"""Tables of indicators: `指标 | 单位 | 完成 | 同比`, one indicator a cell, with the meaning of its column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from chalicelib.reading.figures import Quantity
from chalicelib.reading.fold import fold
from chalicelib.reading.lexicon import units
from chalicelib.reading.numerals import SCALES, read_number
from chalicelib.reading.periods import Months, find_periods

LINE = re.compile(r"(?<=\n)[^\n|]*\|[^\n]*")
CELL = re.compile(r"[^|\n]+")
COLUMNS = (
    ("name", re.compile(r"^(?:主要|经济)*(?:指标|项目|名称|内容|类别|指标名称)")),
    ("unit", re.compile(r"^(?:计量)?单位$")),
    ("yoy", re.compile(r"同比|增长|增速|增幅|比上年|较上年|±%")),
    ("share", re.compile(r"占|完成率|完成比例|比例|进度")),
    ("target", re.compile(r"目标|计划|任务|预期")),
    ("value", re.compile(r"完成|实际|数值|总量|绝对|累计|本年|本期|实绩|合计|数量|金额|20\d\d年")),
)
IN_BRACKETS = re.compile(r"\((?:单位:?)?(?P<unit>[^()]{1,8})\)")
NUMBERED = re.compile(
    r"^ *(?:[一二三四五六七八九十]{1,3}、|\(?[一二三四五六七八九十\d]{1,3}\)|\d{1,2}[.、]|其中:?|#)? *"
)
NUMBER = re.compile(
    r" *(?P<minus>-)?(?P<number>\d[\d,]*(?:\.\d+)?) ?(?P<unit>%|[十百千万亿]{0,2}(?:[\u4e00-\u9fff]{1,3}|(?<=[万亿])))? *$"
)
DONE = re.compile(r"完成(?!目标|任务|计划)|实际|实绩|累计")
YEAR = re.compile(r"20\d\d(?=年)")


@dataclass(frozen=True, slots=True)
class TableFigure:
    """A cell of a table: the row's name, its figure and growth, whether it is a target or was done (None where the column
    does not say), and the year and months over its column.

    `start` and `end` bound the row, `over` the column's header.
    """

    name: str
    figure: Quantity
    yoy: Decimal | None
    status: str | None
    year: int | None
    months: Months
    start: int
    end: int
    over: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cell:
    start: int
    text: str


def find_table_lines(folded: str, begin: int) -> list[tuple[int, int]]:
    """The lines of the body that are rows of a table, header rows included."""
    return [(m.start(), m.end()) for m in LINE.finditer(folded, begin)] if "|" in folded else []


def read_tables(text: str, begin: int) -> Iterator[TableFigure]:
    """The figures of all tables whose header names an indicator column and a value, target or growth column."""
    folded = fold(text)
    meanings: list[str] = []
    header: list[Cell] = []
    last_end = -2
    for match in LINE.finditer(folded, begin):
        start, end = match.start(), match.end()
        cells = [
            Cell(start + c.start() + len(c[0]) - len(c[0].lstrip()), c[0].strip()) for c in CELL.finditer(match[0])
        ]
        found = _header(cells)
        if found:
            meanings, header = found, cells
        elif meanings and start <= last_end + 2:
            yield from _row(cells, meanings, header, (start, end))
        else:
            meanings = []
        last_end = end


def _header(cells: list[Cell]) -> list[str]:
    """What each column holds; empty if the row is no header of a table of indicators."""
    if any((figure := NUMBER.fullmatch(c.text)) and figure["unit"] in (None, "%") for c in cells):
        return []
    meanings = [next((m for m, p in COLUMNS if p.search(c.text)), "") for c in cells]
    figures = {"value", "target", "yoy"} & set(meanings)
    if not figures or ("name" not in meanings and "unit" not in meanings):
        return []
    if "name" not in meanings:
        meanings[0] = "name"
    return meanings


def _row(cells: list[Cell], meanings: list[str], header: list[Cell], line: tuple[int, int]) -> Iterator[TableFigure]:
    if len(cells) != len(meanings):
        return
    row = dict(zip(meanings, cells, strict=True))
    name, unit = _split_unit(row["name"].text)
    unit = row["unit"].text if "unit" in row and row["unit"].text else unit
    growth = NUMBER.fullmatch(row["yoy"].text) if "yoy" in row else None
    yoy = _signed(growth) if growth else None
    for column, (meaning, cell) in enumerate(zip(meanings, cells, strict=True)):
        if meaning not in ("value", "target", "share"):
            continue
        over = header[column].text
        figure = _figure(cell, "%" if meaning == "share" else unit or _split_unit(over)[1])
        if figure is not None and name:
            label = f"{name}占目标比例" if meaning == "share" else name
            growth_of = yoy if meaning == "value" else None
            status = "target" if meaning == "target" else "actual" if DONE.search(over) else None
            span = header[column].start, header[column].start + len(over)
            yield TableFigure(label, figure, growth_of, status, _year_of(over), _months_of(over), *line, span)


def _year_of(header: str) -> int | None:
    year = YEAR.search(header)
    return int(year[0]) if year else None


def _months_of(header: str) -> Months:
    return next((m.period.months for m in find_periods(header)), None)


def _split_unit(text: str) -> tuple[str, str | None]:
    """A label and the unit that stands in brackets behind it: `财政收入(万元)`."""
    match = IN_BRACKETS.search(text)
    if match is None or not _scaled(match["unit"])[1]:
        return NUMBERED.sub("", text), None
    return (text[: match.start()] + text[match.end() :]).strip(), match["unit"]


def _signed(match: re.Match[str]) -> Decimal | None:
    number = read_number(match["number"])
    return -number if number is not None and match["minus"] else number


def _figure(cell: Cell, unit: str | None) -> Quantity | None:
    match = NUMBER.fullmatch(cell.text)
    value = _signed(match) if match else None
    if match is None or value is None:
        return None
    start = cell.start + match.start("number")
    scale, spelled = _scaled(match["unit"] or unit or "")
    if match["unit"] and not spelled:
        return None
    for each in scale:
        value *= SCALES[each]
    end = cell.start + match.end("unit" if match["unit"] else "number")
    known = units()[spelled].unit if spelled else unit
    return Quantity(start, end, value, known, "=", known == "%", spelled or None)


def _scaled(printed: str) -> tuple[str, str]:
    """Scale and measure word of a unit as a column prints it: 万元, 万千瓦时, 千克; both '' for none that is known."""
    for at in range(len(printed)):
        if printed[at:] in units():
            return printed[:at], printed[at:]
        if printed[at] not in SCALES:
            break
    return "", ""
