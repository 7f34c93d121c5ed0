"""Publish files and folders from the command line: each file goes the way of any upload, through the app's handler."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
from tqdm import tqdm

from chalicelib.catalog import layout
from chalicelib.ingestion import ingest, intake, upload_state, uploads
from chalicelib.ingestion.events import upload_event
from chalicelib.storage import Storage, open_storage


def ingest_paths(paths: Sequence[Path], township: str | None) -> int:
    """Publish every file; a line each on stdout, a bar and a summary on stderr. 1 if any was refused, else 0."""
    code = None if township is None else uploads.read_township(township)
    storage, outcomes = open_storage(os.environ), Counter[str]()
    files = [file for path in paths for file in _files(path)]
    for file in tqdm(files, desc="ingest", unit="file", file=sys.stderr, disable=None):
        outcome, line = _ingest_file(storage, file, code)
        outcomes[outcome] += 1
        tqdm.write(f"{file.name}: {line}", file=sys.stdout)
    counts = ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in sorted(outcomes.items()))
    print(f"{len(files)} files: {counts or 'nothing to do'}", file=sys.stderr)
    return 1 if outcomes["rejected"] or outcomes["failed"] else 0


def _files(path: Path) -> Iterator[Path]:
    """The file, or a folder's files in order without hidden ones and READMEs. Raises OSError for a missing path."""
    if not path.is_dir():
        path.stat()
        yield path
        return
    for child in sorted(path.iterdir()):
        hidden = child.name.startswith(".")
        if child.is_dir() and not hidden:
            yield from _files(child)
        elif child.is_file() and not hidden and child.stem.upper() != "README":
            yield child


def _ingest_file(storage: Storage, file: Path, township: str | None) -> tuple[str, str]:
    """The outcome (an upload's state, `unchanged` or `failed`) and the line that tells it."""
    known = ingest.find_known(storage, intake.file_sha256(file), township)
    if known:
        return "unchanged", f"unchanged ({known['id']} revision {known['revision']})"
    state = _upload(storage, file, township)
    if state["state"] == "published":
        line = _report_line(storage, state["report"]["id"])
        return ("unchanged", f"unchanged ({line})") if state["unchanged"] else ("published", line)
    if state["state"] == "needs_township":
        choices = ", ".join(f"{c['code']} {c['county'] or ''}{c['name']}" for c in state["candidates"][:5])
        return "needs_township", f"needs township: name one with --township ({choices})"
    if state["state"] == "rejected":
        return "rejected", "rejected: " + " ".join(f"{r['detail']} {r['way_out']}".strip() for r in state["reasons"])
    return "failed", "failed: the storage did not take it; the same command may succeed later"


def _upload(storage: Storage, file: Path, township: str | None) -> upload_state.State:
    from app import ingest_upload  # the function that AWS calls

    now = datetime.now(UTC)
    upload_id = uploads.announce(storage, file.name, township, now)["id"]
    key = upload_state.object_key(upload_id)
    storage.objects.put_file(key, file)
    ingest_upload(upload_event([key], now), None)
    return uploads.read(storage, upload_id)


def _report_line(storage: Storage, report_id: str) -> str:
    head = storage.index.get(*layout.head(report_id))
    assert head is not None, report_id
    summary = orjson.loads(layout.read_head(head.body).summary)
    place, year = summary["township"], layout.report_year(summary)
    where = f"{place['county'] or ''}{place['name'] or ''}" or place["code"]
    counts = f"{summary['sections']} sections, {summary['indicators']} indicators"
    return f"{where} {year}, {counts}, {report_id} revision {summary['revision']}"
