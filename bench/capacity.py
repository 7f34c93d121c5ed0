"""The capacity units of each operation, as DynamoDB Local counts them (ReturnConsumedCapacity), and its requests.

    .venv/bin/python -m bench.capacity [--out FILE]

One ingestion of each seed and of a made report; each GET, and one page of each list, over made reports. Prints tables in
Markdown; FILE gets the figures as JSON, which bench.monthly_bill reckons with. Needs `make engines`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import app
from bench.consumed import Consumed, Meter
from bench.load_collection import receive
from bench.made_collection import YEARS, report_text, reports
from bench.scale_requests import KINDS, Keys
from chalicelib.bulk import export
from chalicelib.catalog import layout
from chalicelib.ingestion import ingest, upload_state, uploads
from chalicelib.storage import Storage
from tests.engines import running
from tests.gateway import event

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
# Of one province, each with a report of the last year, so that a page of 100 is full; the first has all ten years.
TOWNSHIPS = 110
NOW = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
OTHERS = {
    "health": "/v1/health",
    "townships by name": "/v1/townships?q=%E4%BA%AD%E6%97%81",
    "concepts": "/v1/concepts",
    "bulk manifest": "/v1/bulk",
    "bulk file": "/v1/bulk/reports.ndjson.gz",
}

Figures = dict[str, Any]


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.capacity")
    asked.add_argument("--out", type=Path)
    given = asked.parse_args()
    with running() as engines, engines.storage("capacity") as storage:
        meter = Meter(storage)
        ingestions = dict(_ingestions(storage, meter))
        townships = list(dict.fromkeys(code for code, _ in reports()))[:TOWNSHIPS]
        for case in [(code, YEARS[-1]) for code in townships] + [(townships[0], year) for year in YEARS]:
            receive(storage, case)
        export.publish_files(storage)
        gets = dict(_gets(storage, meter, townships))
        stored = _stored(storage)
    print(table(ingestions, "ingestion", ("figures", "entries of rows")))
    print(table(gets, "GET", ("bytes", "gzipped")))
    print(", ".join(f"{name}: {value:,.0f}" for name, value in stored.items()))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        figures = {"ingestions": ingestions, "gets": gets, "stored": stored}
        given.out.write_text(json.dumps(figures, ensure_ascii=False, indent=1))


def _ingestions(storage: Storage, meter: Meter) -> Iterator[tuple[str, Figures]]:
    files = {path.stem: path.read_bytes() for path in sorted(SEEDS.glob("*.txt"))}
    made = report_text("110101001", YEARS[0]).encode()
    name = "稽东镇-2023"
    corrected = files[name].decode() + "\n附:以上数据为快报数。"
    for title, data in {**files, "a made report": made, f"{name}, corrected": corrected.encode()}.items():
        with meter.counting() as found:
            record = _ingest(storage, title, data)
        rows = layout.row_bodies(record, "0" * layout.TOKEN)
        yield title, {**_figures(found), "figures": len(record["indicators"]), "entries of rows": len(rows)}


def _ingest(storage: Storage, name: str, data: bytes) -> dict[str, Any]:
    """From the upload's announcement on; the record that it became."""
    upload = uploads.announce(storage, f"{name}.txt", None, NOW)["id"]
    storage.objects.put(upload_state.object_key(upload), data)
    state = ingest.receive(storage, upload_state.object_key(upload), NOW)
    if state is None or state["report"] is None:
        raise RuntimeError(f"{name} became {state}")
    key = layout.record_object(state["report"]["id"], state["report"]["revision"])
    found: dict[str, Any] = json.loads(storage.objects.get(key))
    return found


def _gets(storage: Storage, meter: Meter, townships: Sequence[str]) -> Iterator[tuple[str, Figures]]:
    app.__dict__["storage"] = storage
    keys = _OneTownship(townships, random.Random(1))
    addresses = {name: address(keys).replace("limit=50", "limit=100") for name, address in KINDS.items()}
    for name, address in {**addresses, **OTHERS}.items():
        app(event("GET", address), None)  # what is kept for later answers is not of this one
        with meter.counting() as found:
            answer = app(event("GET", address), None)
        if answer["statusCode"] not in (200, 307):
            raise RuntimeError(f"{address} answered {answer}")
        body = answer["body"].encode()
        yield name, {**_figures(found), "bytes": len(body), "gzipped": len(gzip.compress(body, 6)) if body else 0}


def _stored(storage: Storage) -> dict[str, float]:
    """Bytes and objects of a report on average, bulk files left out; an item costs 100 bytes more than it has."""
    entries = list(storage.index.entries())
    keys = [key for key in storage.objects.keys("") if not key.startswith("bulk/")]
    count = sum(each.sk.startswith("report#") for each in entries)
    items = sum(len(each.pk.encode()) + len(each.sk.encode()) + len(each.body) + 117 for each in entries)
    sizes = sum(storage.objects.stat(key).size for key in keys)
    return {"table bytes a report": items / count, "object bytes": sizes / count, "objects": len(keys) / count}


class _OneTownship(Keys):
    """Keys that all lead to the township with ten reports, and to the year that all townships have."""

    @property
    def town(self) -> str:
        return self.townships[0]

    @property
    def year(self) -> int:
        return YEARS[-1]

    @property
    def province(self) -> str:
        return self.town[:2]


def _figures(found: Consumed) -> Figures:
    return {
        "read units": found.read_units,
        "write units": found.write_units,
        "requests": dict(sorted(found.requests.items())),
        "units": dict(sorted(found.units.items())),
    }


def table(rows: Mapping[str, Figures], title: str, more: Sequence[str]) -> str:
    """The figures in Markdown."""
    heads = [title, *more, "read units", "write units", "requests"]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    for name, row in rows.items():
        requests = ", ".join(f"{count} {operation}" for operation, count in row["requests"].items())
        cells = [
            name,
            *(str(row[each]) for each in more),
            f"{row['read units']:g}",
            f"{row['write units']:g}",
            requests,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
