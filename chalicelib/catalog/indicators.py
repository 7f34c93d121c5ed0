"""What the API answers about figures: a township's time series and targets, and concepts across townships."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import orjson

from chalicelib.catalog import layout, paging, pending, places, standing, stored_rows, targets
from chalicelib.catalog.choice import Rows, Runs, standard_value
from chalicelib.catalog.concepts import find_concept, load_concepts, load_themes
from chalicelib.catalog.layout import Record, Row, Span
from chalicelib.catalog.paging import Listing, Page
from chalicelib.errors import BadRequest
from chalicelib.storage import Entry, Index, Storage

# A township's entry holds the rows of a whole report, so few of them fill a page; of a year, all have to be looked into.
REPORTS_A_QUERY, REPORTS_OF_YEARS = 4, 25
SORTED = 5000  # rows that are read whole to be sorted
MET = {"true": True, "false": False, "null": None}


def of_township(
    storage: Storage,
    township: str,
    *,
    year: Runs | None = None,
    concept: Sequence[str] | None = None,
    theme: Sequence[str] | None = None,
    status: Sequence[str] | None = None,
    value: Runs | None = None,
    as_of: str | None = None,
    cursor: str | None,
    limit: int,
) -> Page:
    """A township's indicator rows in order of its reports; `year` is the one that the figure speaks of.

    As its reports stood at `as_of`. Raises BadRequest.
    """
    code = places.township(township)
    spans = [layout.indicators_of_township(code)]
    chosen = Rows(year, chosen_concepts(concept, theme), status, value)
    if as_of is not None:
        then = standing.rows_of_township(storage, code, standing.read_as_of(as_of))
        rows = [row for row in then if chosen.holds(row)]
        return paging.cut_page(rows, (f"township#{code}", f"as of|{paging.digest(chosen, as_of)}"), cursor, limit)
    batch = REPORTS_A_QUERY if year is None else REPORTS_OF_YEARS
    return _read(storage.index, _listing(lambda _: spans, chosen, batch, paging.digest(chosen)), cursor, limit)


def of_concepts(
    storage: Storage,
    *,
    concept: Sequence[str] | None = None,
    theme: Sequence[str] | None = None,
    year: Runs | None = None,
    province: Sequence[str] | None = None,
    prefecture: Sequence[str] | None = None,
    county: Sequence[str] | None = None,
    status: Sequence[str] | None = None,
    value: Runs | None = None,
    sort: str | None = None,
    cursor: str | None,
    limit: int,
) -> Page:
    """Concepts across townships: rows by concept, then the year that the figure speaks of, then township.

    Sorted by `value` or `yoy` (`-` before it: the greatest first), rows without one are left out. Raises BadRequest
    `missing_parameter`, `too_many_rows`.
    """
    concepts = chosen_concepts(concept, theme)
    if concepts is None:
        way_out = "Add concept=… or theme=…; /v1/concepts has all of them."
        raise BadRequest("missing_parameter", "concept is missing.", way_out, parameter="concept")
    within = places.divisions_within(province=province, prefecture=prefecture, county=county)

    def spans(first: str) -> Iterator[Span]:
        begun = not first
        for each in concepts:
            begun = begun or layout.indicators_of_concept(each).pk == first
            if begun:
                yield from _spans(storage.index, each, year, within)

    chosen = Rows(None, None, status, value)  # the spans are those of the concepts and years
    if sort is None:
        asked = paging.digest(concepts, year, within, status, value)
        return _read(storage.index, _listing(spans, chosen, asked=asked), cursor, limit)
    field, descending = sort.removeprefix("-"), sort.startswith("-")
    rows = (orjson.loads(line) for line in paging.read_whole(storage.index, _listing(spans, chosen), SORTED))
    sized = [(_size(row, field), row) for row in rows]
    anchor = ("indicators", paging.digest(sort, concepts, year, within, status, value))
    page = paging.sorted_page(
        [each for each in sized if each[0] is not None],
        lambda each: [-each[0] if descending else each[0], each[1]["report"], int(each[1]["id"][1:])],
        anchor,
        cursor,
        limit,
    )
    return Page([row for _, row in page.data], page.next, page.count)


def targets_of_township(
    storage: Storage,
    township: str,
    *,
    year: Runs | None = None,
    concept: Sequence[str] | None = None,
    met: str | None = None,
    cursor: str | None,
    limit: int,
) -> Page:
    """A township's targets, each joined to its outcome, by the year that they are set for."""
    code, concepts = places.township(township), chosen_concepts(concept, None)
    rows = [
        row
        for row in targets.join_targets(_rows_of_township(storage.index, code))
        if (year is None or row["year"] in year)
        and (concepts is None or row["concept"] in concepts)
        and (met is None or row["met"] is MET[met])
    ]
    return paging.cut_page(rows, (f"township#{code}", f"targets|{paging.digest(year, concepts, met)}"), cursor, limit)


def concept(storage: Storage, concept: str) -> Record:
    """A concept and the years that figures of it speak of. Raises NotFound."""
    found = find_concept(concept)
    return {**found, "years": [year or None for year in _years(storage.index, concept)]}


def chosen_concepts(concept: Collection[str] | None, theme: Collection[str] | None) -> list[str] | None:
    """The concepts of a filter, in the table's order; of a theme, all of its concepts. None where neither is given.

    Raises BadRequest for one that there is not, since no row can have it.
    """
    if concept is None and theme is None:
        return None
    for parameter, given, known in (("concept", concept, load_concepts()), ("theme", theme, load_themes())):
        for each in given or ():
            if each not in known:
                raise _unknown(parameter, each, list(known))
    return [
        each
        for each, found in load_concepts().items()
        if (concept is None or each in concept) and (theme is None or found["theme"]["id"] in theme)
    ]


def _unknown(parameter: str, value: str, known: Sequence[str]) -> BadRequest:
    import difflib

    near = difflib.get_close_matches(value, known, 3)
    where = "All are at /v1/concepts."
    way_out = f"Nearest: {', '.join(near)}. {where}" if near else where
    detail = f"There is no {parameter} {value!r}."
    return BadRequest("bad_parameter", detail, way_out, parameter=parameter, nearest=near)


def _read(index: Index, listing: Listing, cursor: str | None, limit: int) -> Page:
    page = paging.read_page(index, listing, cursor, limit)
    return Page([orjson.Fragment(line) for line in page.data], page.next)


def _listing(spans: Any, chosen: Rows, batch: int = paging.BATCH, asked: str = "") -> Listing:
    def lines(entry: Entry) -> list[bytes]:
        return stored_rows.read_lines(entry.body, None if chosen.years is None else chosen.holds_year)

    def keep(line: bytes) -> bool:
        return chosen.holds(orjson.loads(line))

    looks = keep if chosen.looks_into_rows else None
    return Listing(spans, lines, looks, batch, layout.plain_sk, pending.visible, asked)


def _spans(index: Index, concept_id: str, year: Runs | None, within: Sequence[str]) -> Iterator[Span]:
    """The runs of a concept's partition: all of it, or for each year those of the divisions."""
    if year is None and within == ("",):
        yield layout.indicators_of_concept(concept_id)
        return
    years: Iterable[int] | None = year.few_years() if year is not None else None
    if years is None:
        years = (each for each in _years(index, concept_id) if year is None or each in year)
    for each in years:
        yield from (layout.indicators_of_concept(concept_id, each, division) for division in within)


def _years(index: Index, concept_id: str) -> Iterator[int]:
    """The years that a concept's partition holds, ascending; 0 stands for figures without a year."""
    firsts = list(_first_of_years(index, concept_id))
    shown = {entry.sk for entry in pending.visible(index, firsts)}
    for first in firsts:
        year = layout.year_of_key(first.sk)
        if first.sk in shown or _has_rows(index, concept_id, year):
            yield year


def _first_of_years(index: Index, concept_id: str) -> Iterator[Entry]:
    """A year's first entry, whether or not it counts: a query a year."""
    span, after = layout.indicators_of_concept(concept_id), ""
    while entries := index.query(span.pk, after=after, limit=1):
        yield entries[0]
        after = layout.after_year(layout.year_of_key(entries[0].sk))


def _has_rows(index: Index, concept_id: str, year: int) -> bool:
    spans = [layout.indicators_of_concept(concept_id, year)]
    return bool(paging.read_page(index, _listing(lambda _: spans, Rows()), None, 1).data)


def _rows_of_township(index: Index, code: str) -> Iterator[Row]:
    """All indicator rows of a township, in order of its reports."""
    span, after = layout.indicators_of_township(code), ""
    while entries := index.query(span.pk, prefix=span.prefix, after=after, limit=paging.BATCH):
        for entry in pending.visible(index, entries):
            yield from stored_rows.read_rows(entry.body)
        after = entries[-1].sk


def _size(row: Row, field: str) -> Any:
    return standard_value(row) if field == "value" else row[field]
