"""The reports and uploads that a choice means: reports by key queries of the index, uploads by their kept outcomes."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

import orjson

from chalicelib.catalog import layout
from chalicelib.catalog.layout import Span
from chalicelib.ingestion.upload_state import State
from chalicelib.maintenance import outcome as told
from chalicelib.maintenance.choice import PLACES, Choice
from chalicelib.storage import Index, Objects, Storage

PAGE = 1000  # entries of one query
# An outcome is a small object, and S3 takes some 20 ms for each: so many are on their way at once, no more than a client
# has connections.
READERS, READ_AT_ONCE = 8, 512
UPLOADS = layout.upload_object("").removesuffix(".json")


class Subject(NamedTuple):
    """What is read again: `kind` is `outcome.REPORT` or `outcome.UPLOAD`."""

    kind: str
    id: str


def list_subjects(storage: Storage, choice: Choice) -> Iterator[Subject]:
    """The reports by year and township, then the uploads that are not published.

    What only records tell is not looked at: a report may be listed that `Choice.takes_record` then leaves out.
    """
    if choice.takes_reports:
        yield from (Subject(told.REPORT, report) for report in _reports(storage.index, choice))
    if choice.takes_uploads:
        states = _outcomes(storage.objects)
        yield from (Subject(told.UPLOAD, state["id"]) for state in states if choice.takes_upload(state))


def _reports(index: Index, choice: Choice) -> Iterator[str]:
    wanted = choice.wanted("year")
    divisions = next(filter(None, map(choice.wanted, reversed(PLACES))), ("",))
    for year in index.query(layout.YEARS, limit=PAGE):
        if wanted and year.sk not in wanted:
            continue
        for division in divisions:
            for body in _bodies(index, layout.reports_of_year(int(year.sk), division)):
                summary = orjson.loads(body)
                if choice.takes_summary(summary):
                    yield summary["id"]


def _bodies(index: Index, span: Span) -> Iterator[bytes]:
    after = ""
    while found := index.query(span.pk, prefix=span.prefix, after=after, limit=PAGE):
        yield from (entry.body for entry in found)
        after = found[-1].sk


def _outcomes(objects: Objects) -> Iterator[State]:
    keys = objects.keys(UPLOADS)
    with ThreadPoolExecutor(READERS) as readers:
        while some := list(islice(keys, READ_AT_ONCE)):
            yield from map(orjson.loads, readers.map(objects.get, some))
