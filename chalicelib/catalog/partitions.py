"""The reports of a year and a province: the parts that bulk files and the search are made of, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from chalicelib.catalog import layout
from chalicelib.catalog.layout import Span
from chalicelib.storage import Entry, Index

PAGE = 100


class Partition(NamedTuple):
    """`year` is the one that reports are filed under, `province` the first two digits of their townships' codes."""

    year: int
    province: str

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.province}"

    @property
    def span(self) -> Span:
        return layout.reports_of_year(self.year, self.province)


def partitions(index: Index, *, newest_first: bool = False) -> Iterator[tuple[Partition, Iterator[Entry]]]:
    """Every part that has reports, with their entries in order of townships, to be read before the next part."""
    years = sorted((layout.year_of_key(entry.sk) for entry in entries(index, layout.years())), reverse=newest_first)
    for year in years:
        for province, listed in groupby(entries(index, layout.reports_of_year(year)), lambda entry: entry.sk[:2]):
            yield Partition(year, province), listed


def entries(index: Index, span: Span) -> Iterator[Entry]:
    """All entries of a span, a page at a time."""
    after = ""
    while found := index.query(span.pk, prefix=span.prefix, after=after, limit=PAGE):
        yield from found
        after = found[-1].sk
