"""How long the search takes to prepare and to answer, and how large it gets, over made reports.

    .venv/bin/python -m bench.search_texts [REPORTS]

Publishes the first so many made reports (2,000) into an empty folder, records without figures and with one section, and
prints seconds and memory of a build, bytes, and milliseconds and reads of the first page of some queries.
"""

from __future__ import annotations

import hashlib
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from bench import made_collection
from chalicelib import divisions
from chalicelib.catalog import layout, search
from chalicelib.search import build
from chalicelib.storage import Put, Storage, local

QUERIES = ("招商引资", "亭旁", "规上工业总产值", "工业 农业 民生", "gross regional product", "Tingpang", "不存在的词语")
ROUNDS = 20


def main(arguments: Sequence[str]) -> int:
    count = int(arguments[0]) if arguments else 2000
    with tempfile.TemporaryDirectory() as folder:
        storage = local.open_storage(Path(folder))
        size = sum(_publish(storage, code, year) for code, year in islice(made_collection.reports("33"), count))
        start = time.perf_counter()
        manifest = build.refresh(storage)
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        build.refresh(storage)
        again = time.perf_counter() - start
        parts = manifest["segments"].values()
        held = sum(part["bytes"] for part in parts)
        print(f"{count} reports in {len(parts)} segments, {size / 1e6:.1f} MB of text in UTF-8")
        print(
            f"build {seconds:.1f} s ({1000 * seconds / count:.2f} s per 1,000 reports); nothing changed: {again:.2f} s"
        )
        print(f"segments {held / 1e6:.1f} MB, {held / size:.2f} of the text")
        print(f"most memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        for q in QUERIES:
            _tell(storage, q)
    return 0


def _tell(storage: Storage, q: str) -> None:
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        page = search.reports(storage, q=q, cursor=None, limit=20)
        took.append(1000 * (time.perf_counter() - start))
    more = "more" if page.next else "all"
    print(f"{q}: {len(page.data)} of 20, {more}; {took[0]:.1f} ms at first, {statistics.median(took):.1f} ms then")


def _publish(storage: Storage, code: str, year: int) -> int:
    """Make a report visible as far as the search looks at it; the bytes of its text."""
    text = made_collection.report_text(code, year)
    record = _record(code, year, text)
    body = orjson.dumps(record)
    storage.objects.put(layout.record_object(record["id"], 1), body)
    storage.objects.put(layout.text_object(record["id"], 1), text.encode())
    summary = layout.summarise(record, "2024-01-01T00:00:00Z", hashlib.sha256(body).hexdigest())
    storage.index.write(
        [Put(*layout.listed_year(record["id"]), b"{}"), Put(*layout.listed_report(record["id"]), orjson.dumps(summary))]
    )
    return len(text.encode())


def _record(code: str, year: int, text: str) -> dict[str, Any]:
    absent = dict.fromkeys(("plan_year", "issuer", "issued", "published"))
    return {
        "id": f"{code}-{year}",
        "revision": 1,
        "kind": "annual",
        "title": text.split("\n", 1)[0],
        "township": dict(divisions.place(code)),
        "review_year": year,
        **absent,
        "source": {"sha256": "0" * 64, "filename": made_collection.filename(code, year)},
        "sections": [{"id": "s1", "title": "", "start": 0, "end": len(text)}],
        "indicators": [],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
