"""What the data can answer: every question of the API as a function over the storage, without HTTP.

Each page of a list costs a bounded number of key queries, however much is stored. A township, county or province is
named by its code or its name. Reports come as dictionaries, or as the stored bytes where nothing is cut out of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from chalicelib.catalog import layout, paging, pending, places, stored_rows, targets
from chalicelib.catalog.concepts import find_concept, load_concepts
from chalicelib.catalog.layout import Record, Row, Span
from chalicelib.catalog.paging import Listing, Page, Position
from chalicelib.errors import BadRequest, NotFound
from chalicelib.storage import Entry, Index, Storage

# A township's entry holds the rows of a whole report, so few of them fill a page.
REPORTS_A_QUERY = 4
# No township has more reports, and there are no more years: one query gives them all.
MOST = 1000
MET = {"true": True, "false": False, "null": None}
# Whole records in one answer: a function's answer stops at 6 MB.
ANSWER_BYTES = 3_000_000


# Townships.


def townships(q: str | None, province: str | None, county: str | None, cursor: str | None, limit: int) -> Page:
    """Townships of the division table, whether or not they have a report: names equal to `q` first, then by code."""
    within = places.codes("county", county, places.codes("province", province))
    anchor = ("townships", f"{q or ''}|{','.join(within)}")
    page = paging.cut_page(places.search(q, within), anchor, cursor, limit)
    return Page([places.describe(code) for code in page.data], page.next)


def township(storage: Storage, township: str) -> Record:
    """A township's names and the years that it has reports of. Raises NotFound or Ambiguous."""
    code = places.township(township)
    years = [{"year": year, "reports": ids} for year, ids in _reports_by_year(storage.index, code).items()]
    return {**places.describe(code), "years": years}


def reports_of_township(storage: Storage, township: str, cursor: str | None, limit: int) -> Page:
    """Summaries of a township's reports in order of their years."""
    spans = [layout.reports_of_township(places.township(township))]
    return paging.read_page(storage.index, Listing(lambda: spans, _summary), cursor, limit)


def reports_of_year(storage: Storage, township: str, year: int, cursor: str | None, limit: int) -> Page:
    """A township's whole records of one year, one or few of each kind. Raises NotFound where there is none."""
    code = places.township(township)
    span = layout.reports_of_township(code, year)
    page = paging.read_page(storage.index, Listing(lambda: [span], _parsed_head), cursor, limit)
    if not page.data and not cursor:
        raise _no_report(storage.index, code, year)
    return _whole_records(storage, span, page)


def indicators_of_township(
    storage: Storage,
    township: str,
    year: int | None,
    concept: str | None,
    status: str | None,
    cursor: str | None,
    limit: int,
) -> Page:
    """A township's indicator rows in order of its reports; `year` is the one that the figure speaks of."""
    spans = [layout.indicators_of_township(places.township(township))]
    chosen = Chosen(year, known_concept(concept), status)
    listing = _row_listing(lambda: spans, chosen, REPORTS_A_QUERY)
    return paging.read_page(storage.index, listing, cursor, limit)


def targets_of_township(
    storage: Storage,
    township: str,
    year: int | None,
    concept: str | None,
    met: str | None,
    cursor: str | None,
    limit: int,
) -> Page:
    """A township's targets, each joined to its outcome, by the year that they are set for."""
    code, known_name = places.township(township), known_concept(concept)
    rows = [
        row
        for row in targets.join_targets(_rows_of_township(storage.index, code))
        if (year is None or row["year"] == year)
        and (known_name is None or row["concept"] == known_name)
        and (met is None or row["met"] is MET[met])
    ]
    return paging.cut_page(rows, (f"township#{code}", f"targets|{year}|{known_name}|{met}"), cursor, limit)


# Reports.


def reports(
    storage: Storage,
    year: int | None,
    township: str | None,
    province: str | None,
    cursor: str | None,
    limit: int,
) -> Page:
    """Summaries of reports: newest year first, then by township code; of one township in order of their years."""
    within = places.codes("province", province)
    if township is not None:
        code = places.township(township)
        spans: Iterable[Span] = [layout.reports_of_township(code, year)] if code.startswith(within) else []
    elif year is not None:
        spans = [layout.reports_of_year(year, division) for division in within]
    else:
        spans = _newest_first(storage.index, within)
    return paging.read_page(storage.index, Listing(lambda: spans, _summary), cursor, limit)


# Concepts.


def concepts(cursor: str | None, limit: int) -> Page:
    """Every concept, in the table's order."""
    return paging.cut_page(list(load_concepts().values()), ("concepts", ""), cursor, limit)


def concept(storage: Storage, concept: str) -> Record:
    """A concept and the years that figures of it speak of. Raises NotFound."""
    found = find_concept(concept)
    return {**found, "years": [year or None for year in _concept_years(storage.index, concept)]}


def indicators_of_concept(
    storage: Storage,
    concept: str,
    year: int | None,
    province: str | None,
    status: str | None,
    cursor: str | None,
    limit: int,
) -> Page:
    """One concept across townships: rows by the year that the figure speaks of, then by township."""
    known_concept(concept)
    within = places.codes("province", province)

    def spans() -> Iterator[Span]:
        if province is None and year is None:
            yield layout.indicators_of_concept(concept)
            return
        for each in _concept_years(storage.index, concept) if year is None else [year]:
            yield from (layout.indicators_of_concept(concept, each, division) for division in within)

    listing = _row_listing(spans, Chosen(None, None, status))
    return paging.read_page(storage.index, listing, cursor, limit)


# Uploads and the service itself.


def upload(storage: Storage, upload: str, now: datetime | None = None) -> Record:
    """What became of an upload until now. Raises NotFound."""
    from chalicelib.ingestion import upload_state  # here, since no other answer needs it

    return upload_state.told(upload_state.find(storage.index, upload).state, now or datetime.now(UTC))


def health(storage: Storage) -> Record:
    """That one entry of the index can be read, and which storage answers. Raises StorageError."""
    storage.index.query(layout.years().pk, limit=1)
    return {"status": "ok", "storage": type(storage.index).__module__.rpartition(".")[2].split("_")[0]}


# What the questions share.


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter of indicator rows; None lets every value pass."""

    year: int | None = None
    concept: str | None = None
    status: str | None = None

    def holds_year(self, year: int | None) -> bool:
        return self.year is None or year == self.year

    def holds(self, row: Row) -> bool:
        return (
            self.holds_year(row["year"])
            and (self.concept is None or row["concept"] == self.concept)
            and (self.status is None or row["status"] == self.status)
        )


def stored_row(entry: Entry) -> list[orjson.Fragment]:
    """The entry's body as it is: one row, and nothing to parse."""
    return [orjson.Fragment(entry.body)]


def _summary(entry: Entry) -> list[orjson.Fragment]:
    """The summary as stored, of a report's head or of its entry in its year's partition."""
    is_head = entry.pk.startswith("township#")
    return [orjson.Fragment(layout.read_head(entry.body).summary if is_head else entry.body)]


def _parsed_head(entry: Entry) -> list[Record]:
    return [orjson.loads(layout.read_head(entry.body).summary)]


def _row_listing(spans: Callable[[], Iterable[Span]], chosen: Chosen, batch: int = paging.BATCH) -> Listing:
    def rows(entry: Entry) -> list[Row]:
        return [orjson.loads(line) for line in stored_rows.read_lines(entry.body, chosen.holds_year)]

    return Listing(spans, rows, chosen.holds, batch, layout.plain_sk, pending.visible)


def known_concept(concept: str | None) -> str | None:
    """The filter's concept. Raises BadRequest for one that there is not, since no row can have it."""
    if concept is None or concept in load_concepts():
        return concept
    import difflib

    near = difflib.get_close_matches(concept, load_concepts(), 3)
    way_out = f"Nearest: {', '.join(near)}. All are at /v1/concepts." if near else "All are at /v1/concepts."
    raise BadRequest("bad_parameter", f"There is no concept {concept!r}.", way_out, parameter="concept", nearest=near)


def _newest_first(index: Index, within: Sequence[str]) -> Iterator[Span]:
    for entry in reversed(index.query(layout.years().pk, limit=MOST)):
        yield from (layout.reports_of_year(layout.year_of_key(entry.sk), division) for division in within)


def _concept_years(index: Index, concept_id: str) -> Iterator[int]:
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
    listing = _row_listing(lambda: [layout.indicators_of_concept(concept_id, year)], Chosen())
    return bool(paging.read_page(index, listing, None, 1).data)


def _rows_of_township(index: Index, code: str) -> Iterator[Row]:
    """All indicator rows of a township, in order of its reports."""
    span, after = layout.indicators_of_township(code), ""
    while entries := index.query(span.pk, prefix=span.prefix, after=after, limit=paging.BATCH):
        for entry in pending.visible(index, entries):
            yield from stored_rows.read_rows(entry.body)
        after = entries[-1].sk


def _reports_by_year(index: Index, code: str) -> dict[int | None, list[str]]:
    span, by_year = layout.reports_of_township(code), dict[int | None, list[str]]()
    for entry in index.query(span.pk, prefix=span.prefix, limit=MOST):
        summary = orjson.loads(layout.read_head(entry.body).summary)
        by_year.setdefault(layout.report_year(summary), []).append(summary["id"])
    return by_year


def _no_report(index: Index, code: str, year: int) -> NotFound:
    there = [str(each) for each in _reports_by_year(index, code)]
    way_out = f"There are reports of {', '.join(there)}." if there else "No report of this township is published yet."
    return NotFound("no_report", f"There is no report of {code} for {year}.", way_out)


def _whole_records(storage: Storage, span: Span, page: Page) -> Page:
    """The records of a page of summaries; it ends early where the next record would make the answer too large."""
    data: list[orjson.Fragment] = []
    size, last = 0, Position(*span)
    for summary in page.data:
        body = storage.objects.get(layout.record_object(summary["id"], summary["revision"]))
        size += len(body)
        if data and size > ANSWER_BYTES:
            return Page(data, paging.write_cursor(last))
        data.append(orjson.Fragment(body.rstrip()))
        last = Position(*layout.head(summary["id"]))
    return Page(data, page.next)
