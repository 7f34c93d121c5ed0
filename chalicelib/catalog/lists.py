"""What the data can answer: every question of the API as a function over the storage, without HTTP.

Each page of a list costs a bounded number of key queries, however much is stored. A township, county or province is
named by its code or its name. Reports come as dictionaries, or as the stored bytes where nothing is cut out of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from chalicelib.catalog import layout, paging, places, standing
from chalicelib.catalog.choice import Runs
from chalicelib.catalog.concepts import load_concepts
from chalicelib.catalog.layout import Record, Span
from chalicelib.catalog.paging import Listing, Page, Position
from chalicelib.catalog.withdrawn import gone
from chalicelib.errors import NotFound
from chalicelib.storage import Entry, Index, Storage

Summaries = Callable[[Entry], Sequence[Any]]

# No township has more reports, and there are no more years: one query gives them all.
MOST = 1000
# A page looks at 40 times as many reports at most, for each of which two questions more may be asked.
ENTRIES_OF_BEFORE = 4
# Whole records in one answer: a function's answer stops at 6 MB.
ANSWER_BYTES = 3_000_000


# Townships.


def townships(
    *,
    q: str | None = None,
    province: Sequence[str] | None = None,
    prefecture: Sequence[str] | None = None,
    county: Sequence[str] | None = None,
    cursor: str | None,
    limit: int,
) -> Page:
    """Townships of the division table, whether or not they have a report: names equal to `q` first, then by code."""
    within = places.divisions_within(province=province, prefecture=prefecture, county=county)
    anchor = ("townships", f"{q or ''}|{','.join(within)}")
    page = paging.cut_page(places.search(q, within), anchor, cursor, limit)
    return Page([places.describe(code) for code in page.data], page.next, page.count)


def township(storage: Storage, township: str) -> Record:
    """A township's names and the years that it has reports of. Raises NotFound or Ambiguous."""
    code = places.township(township)
    years = [{"year": year, "reports": ids} for year, ids in _reports_by_year(storage.index, code).items()]
    return {**places.describe(code), "years": years}


def reports_of_township(
    storage: Storage, township: str, cursor: str | None, limit: int, as_of: str | None = None
) -> Page:
    """Summaries of a township's reports in order of their years; as they stood at `as_of`. Raises BadRequest."""
    spans = [layout.reports_of_township(places.township(township))]
    listing = Listing(lambda _: spans, _summaries(storage, as_of, _summary), batch=_batch(as_of), asked=as_of or "")
    return paging.read_page(storage.index, listing, cursor, limit)


def reports_of_year(
    storage: Storage, township: str, year: int, cursor: str | None, limit: int, as_of: str | None = None
) -> Page:
    """A township's whole records of one year, one or few of each kind; as they stood at `as_of`.

    Raises NotFound where there is none, BadRequest.
    """
    code = places.township(township)
    span = layout.reports_of_township(code, year)
    listing = Listing(lambda _: [span], _summaries(storage, as_of, _parsed), batch=_batch(as_of), asked=as_of or "")
    page = paging.read_page(storage.index, listing, cursor, limit)
    if not page.data and not cursor:
        raise _no_report(storage.index, code, year)
    there = [summary for summary in page.data if "withdrawn" not in summary]
    if page.data and not there and not cursor and not page.next:
        raise gone(page.data[-1]["id"], page.data[-1]["withdrawn"])
    return _whole_records(storage, Position(*span, asked=listing.asked), replace(page, data=there))


# Reports.


def reports(
    storage: Storage,
    *,
    year: Runs | None = None,
    township: Sequence[str] | None = None,
    province: Sequence[str] | None = None,
    prefecture: Sequence[str] | None = None,
    county: Sequence[str] | None = None,
    kind: Sequence[str] | None = None,
    issuer: str | None = None,
    sort: str = "-year",
    as_of: str | None = None,
    cursor: str | None,
    limit: int,
) -> Page:
    """Summaries of reports: newest year first (`sort` "year": oldest), then by township code; as they stood at `as_of`.

    Of townships named one by one: in order of those, then of their years. Raises BadRequest.
    """
    within, descending = (
        places.divisions_within(province=province, prefecture=prefecture, county=county),
        sort == "-year",
    )
    codes = None if township is None else [places.township(each) for each in township]

    def spans(first: str) -> Iterator[Span]:
        if codes is not None:
            every = [layout.reports_of_township(code) for code in codes if code.startswith(within)]
        else:
            years = year.few_years() if year is not None else None
            if years is None:
                years = [each for each in _years(storage.index) if year is None or each in year]
            ordered = reversed(years) if descending else years
            every = [layout.reports_of_year(each, division) for each in ordered for division in within]
        return itertools.dropwhile(lambda span: first not in ("", span.pk), every)

    def keep(summary: Record) -> bool:
        return (
            (kind is None or summary["kind"] in kind)
            and (issuer is None or issuer in (summary["issuer"] or ""))
            and (codes is None or year is None or layout.report_year(summary) in year)
        )

    looks = kind is not None or issuer is not None or (codes is not None and year is not None)
    asked = paging.digest(year, codes, within, kind, issuer, sort, as_of)
    rows = _summaries(storage, as_of, _parsed if looks else _summary)
    listing = Listing(spans, rows, keep if looks else None, batch=_batch(as_of), asked=asked)
    return paging.read_page(storage.index, listing, cursor, limit)


# Concepts.


def concepts(*, q: str | None = None, cursor: str | None, limit: int) -> Page:
    """Concepts in the table's order: all, or those with `q` in their id, a label or another name, case left aside."""
    wanted = (q or "").strip().lower()
    every = load_concepts().values()
    found = [each for each in every if any(wanted in name.lower() for name in _names(each))]
    return paging.cut_page(found, ("concepts", wanted), cursor, limit)


def _names(concept: Record) -> list[str]:
    return [concept["id"], concept["zh"], concept["en"], *concept["aliases"]]


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


def stored_row(entry: Entry) -> list[orjson.Fragment]:
    """The entry's body as it is: one row, and nothing to parse."""
    return [orjson.Fragment(entry.body)]


def _summary(entry: Entry) -> list[orjson.Fragment]:
    """The summary as stored, of a report's head or of its entry in its year's partition."""
    is_head = entry.pk.startswith("township#")
    return [orjson.Fragment(layout.read_head(entry.body).summary if is_head else entry.body)]


def _parsed(entry: Entry) -> list[Record]:
    return [orjson.loads(orjson.dumps(summary)) for summary in _summary(entry)]


def _summaries(storage: Storage, as_of: str | None, now: Summaries) -> Summaries:
    """What an entry gives: `now`, or the report as it stood at the moment."""
    if as_of is None:
        return now
    moment = standing.read_as_of(as_of)

    def then(entry: Entry) -> list[Record]:
        (summary,) = _parsed(entry)
        found = standing.as_it_stood(storage, summary, moment)
        return [found.summary] if found else []

    return then


def _batch(as_of: str | None) -> int:
    """How many entries a query asks for: of before, each may cost two questions more."""
    return paging.BATCH if as_of is None else ENTRIES_OF_BEFORE


def _years(index: Index) -> list[int]:
    """The years that reports were ever filed under, ascending."""
    return [layout.year_of_key(entry.sk) for entry in index.query(layout.years().pk, limit=MOST)]


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


def _whole_records(storage: Storage, start: Position, page: Page) -> Page:
    """The records of a page of summaries; it ends early where the next record would make the answer too large."""
    data: list[orjson.Fragment] = []
    size, last = 0, start
    for summary in page.data:
        body = storage.objects.get(layout.record_object(summary["id"], summary["revision"]))
        size += len(body)
        if data and size > ANSWER_BYTES:
            return Page(data, paging.write_cursor(last))
        data.append(orjson.Fragment(body.rstrip()))
        last = Position(*layout.head(summary["id"]), asked=start.asked)
    return Page(data, page.next)
