"""How many reports and figures there are by year, province and concept, as the last export counted them.

One object holds all counts: a line of reports, and one for each concept, of which only those that are asked for are parsed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from chalicelib import divisions
from chalicelib.catalog import paging, places
from chalicelib.catalog.choice import Runs
from chalicelib.catalog.indicators import chosen_concepts
from chalicelib.catalog.paging import Page
from chalicelib.errors import BadRequest, NotFound
from chalicelib.storage import Objects

OBJECT = "bulk/counts.ndjson"

Row = dict[str, Any]
Group = tuple[str | int | None, ...]


class OfReports(NamedTuple):
    """What is counted of a year and a province; `townships` have a report that stands, counties' reports are of none."""

    year: int
    province: str
    reports: int
    withdrawn: int
    townships: int


class Counts(NamedTuple):
    """All counts. Everything published before `complete_to` (ISO, UTC) is in them.

    `rejected` are the files that were refused, by the code of the province that was named, "" where none was.
    """

    complete_to: str
    reports: list[OfReports]
    lines: list[bytes]
    rejected: dict[str, int]

    def figures(self, concepts: Collection[str] | None) -> Iterator[tuple[str, int | None, str, int]]:
        """Concept, year that the figures speak of, province, number."""
        wanted = None if concepts is None else {f'["{each}",'.encode() for each in concepts}
        for line in self.lines:
            if wanted is None or line[: line.index(b",") + 1] in wanted:
                concept, cells = orjson.loads(line)
                yield from ((concept, year, province, number) for year, province, number in cells)


def read(objects: Objects) -> Counts:
    """Raises NotFound `no_export` before the first export."""
    try:
        first, *lines = objects.get(OBJECT).splitlines()
    except NotFound as error:
        way_out = "Ask again in some minutes."
        raise NotFound("no_export", "The reports have not been counted yet.", way_out) from error
    found = orjson.loads(first)
    reports = [OfReports(*each) for each in found["reports"]]
    return Counts(found["complete_to"], reports, lines, found["rejected"])


def of_reports(
    counts: Counts,
    *,
    group_by: Sequence[str],
    year: Runs | None = None,
    province: Sequence[str] | None = None,
    cursor: str | None,
    limit: int,
    **more: object,
) -> Page:
    """How many rows the list of reports has, withdrawn ones too, by `group_by`: year, province. Raises BadRequest."""
    _require_none(more)
    within = places.divisions_within(province=province)
    cells = (
        ({"year": each.year, "province": each.province}, each.reports + each.withdrawn)
        for each in counts.reports
        if (year is None or each.year in year) and each.province.startswith(within)
    )
    return _page(cells, group_by, paging.digest("reports", year, within), cursor, limit)


def of_figures(
    counts: Counts,
    *,
    group_by: Sequence[str],
    concept: Sequence[str] | None = None,
    theme: Sequence[str] | None = None,
    year: Runs | None = None,
    province: Sequence[str] | None = None,
    cursor: str | None,
    limit: int,
    **more: object,
) -> Page:
    """How many figures with a concept there are, by `group_by`: year that they speak of, province, concept.

    Raises BadRequest.
    """
    _require_none(more)
    within, concepts = places.divisions_within(province=province), chosen_concepts(concept, theme)
    cells = (
        ({"concept": which, "year": of, "province": where}, number)
        for which, of, where, number in counts.figures(concepts)
        if (year is None or of in year) and where.startswith(within)
    )
    return _page(cells, group_by, paging.digest("figures", concepts, year, within), cursor, limit)


def _page(
    cells: Iterable[tuple[dict[str, Any], int]], group_by: Sequence[str], asked: str, cursor: str | None, limit: int
) -> Page:
    names = [name for name in ("year", "province", "concept") if name in group_by]
    summed = Counter[Group]()
    for cell, number in cells:
        summed[tuple(cell[name] for name in names)] += number
    anchor = ("counts", paging.digest(asked, names))
    page = paging.sorted_page(
        [*summed.items()], lambda each: [part if part is not None else 0 for part in each[0]], anchor, cursor, limit
    )
    return Page([_row(names, group, number) for group, number in page.data], page.next, page.count)


def _row(names: Sequence[str], group: Group, number: int) -> Row:
    """Without the members that it is not grouped by; the year of figures that state none is None."""
    row: Row = {}
    for name, part in zip(names, group, strict=True):
        row |= named_province(str(part)) if name == "province" else {name: part}
    return {**row, "count": number}


def named_province(code: str) -> Row:
    """A province as a row has it."""
    return {"province_code": code, "province": divisions.place(code)["province"]}


def _require_none(more: dict[str, object]) -> None:
    for name, value in more.items():
        if value is not None:
            detail = f"{name} cannot be given beside group_by: it is not counted."
            way_out = "Leave it out, or group_by; year, province, concept and theme may stay."
            raise BadRequest("bad_parameter", detail, way_out, parameter=name)
