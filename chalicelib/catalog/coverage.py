"""Which townships have reports: by year and province, those that there are beside those of which a report was received."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from chalicelib import divisions
from chalicelib.catalog import paging, places
from chalicelib.catalog.choice import Runs
from chalicelib.catalog.counts import Counts, OfReports, named_province
from chalicelib.catalog.paging import Page

Row = dict[str, Any]


def coverage(
    counts: Counts,
    *,
    year: Runs | None = None,
    province: Sequence[str] | None = None,
    cursor: str | None,
    limit: int,
) -> Page:
    """A row for each year that any report is filed under and each province, newest year first; then the refused files.

    Townships are those of the division table, which is of one date. Nobody knows the year of a file that could not be
    read: such rows have none. Raises BadRequest.
    """
    within = places.divisions_within(province=province)
    rows = [each for each in _rows(counts.reports, within) if year is None or each["year"] in year]
    if year is None:
        rows += _refused(counts.rejected, within)
    return paging.cut_page(rows, ("coverage", paging.digest(year, within)), cursor, limit)


def _rows(counted: Sequence[OfReports], within: tuple[str, ...]) -> Iterator[Row]:
    there = {(each.year, each.province): each for each in counted}
    for year in sorted({each.year for each in counted}, reverse=True):
        for code, townships in _townships().items():
            if code.startswith(within):
                found = there.get((year, code), OfReports(year, code, 0, 0, 0))
                yield {
                    "year": year,
                    **named_province(code),
                    "townships": townships,
                    "reported": found.townships,
                    "missing": townships - found.townships,
                    "reports": found.reports,
                    "withdrawn": found.withdrawn,
                    "rejected": None,
                }


def _refused(rejected: dict[str, int], within: tuple[str, ...]) -> Iterator[Row]:
    for code, number in rejected.items():
        if code.startswith(within):
            where = named_province(code) if code else {"province_code": None, "province": None}
            unknown = dict.fromkeys(("townships", "reported", "missing", "reports", "withdrawn"))
            yield {"year": None, **where, **unknown, "rejected": number}


@cache
def _townships() -> dict[str, int]:
    """How many townships each province has, by its code."""
    found: dict[str, int] = {}
    for code in divisions.table().codes:
        if len(code) == places.DIGITS["township"]:
            found[code[:2]] = found.get(code[:2], 0) + 1
    return found
