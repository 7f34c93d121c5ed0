"""The capacity units of each operation, as DynamoDB Local counts them (ReturnConsumedCapacity), and its requests.

    .venv/bin/python -m bench.capacity [--out FILE]

One ingestion of each seed and of a made report; each GET, and one page of each list, in a collection of made reports.
Prints tables in Markdown; FILE gets the figures as JSON, which bench.monthly_bill reckons with. Needs `make engines`.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import app
from bench.consumed import Consumed, Meter
from bench.load_collection import first_cases, receive
from bench.made_collection import YEARS, report_text
from bench.scale_engines import engine_session, make_resources, opener
from bench.scale_requests import KINDS, Keys
from chalicelib.bulk import export
from chalicelib.ingestion import ingest, upload_state, uploads
from chalicelib.storage import Storage
from tests.gateway import event

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
REPORTS = 300  # in the collection that is asked, so that a page of 100 is full
NOW = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
OTHERS = {
    "health": "/v1/health",
    "townships by name": "/v1/townships?q=%E4%BA%AD%E6%97%81",
    "concepts": "/v1/concepts",
    "bulk manifest": "/v1/bulk",
    "bulk file": "/v1/bulk/reports.ndjson.gz",
}

Figures = dict[str, dict[str, Any]]


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    asked.add_argument("--out", type=Path)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, engine_session(Path(folder)) as session:
        make_resources(session, "capacity")
        storage = opener("capacity")()
        meter = Meter(storage)
        ingestions = dict(_ingestions(storage, meter))
        cases = first_cases(REPORTS)
        for case in cases:
            receive(storage, case)
        export.publish_files(storage)
        gets = dict(_gets(storage, meter, sorted({code for code, _ in cases})))
    print(table(ingestions, "ingestion", ("figures", "entries of rows")))
    print(table(gets, "GET", ("bytes",)))
    if given.out:
        given.out.write_text(json.dumps({"ingestions": ingestions, "gets": gets}, ensure_ascii=False, indent=1))


def _ingestions(storage: Storage, meter: Meter) -> Iterator[tuple[str, dict[str, Any]]]:
    made = ("110101001", YEARS[0])
    files = {path.stem: path.read_bytes() for path in sorted(SEEDS.glob("*.txt"))}
    for name, data in {**files, "a made report": report_text(*made).encode()}.items():
        with meter.counting() as found:
            record = _ingest(storage, name, data)
        yield name, {**_figures(found), "figures": len(record["indicators"]), "entries of rows": _row_entries(record)}
    corrected = files["稽东镇-2023"].decode().replace("稽东镇", "稽东镇", 1) + "\n附:以上数据为快报数。"
    with meter.counting() as found:
        record = _ingest(storage, "稽东镇-2023", corrected.encode())
    assert record["revision"] == 2
    yield (
        "稽东镇-2023, corrected",
        {
            **_figures(found),
            "figures": len(record["indicators"]),
            "entries of rows": _row_entries(record),
        },
    )


def _ingest(storage: Storage, name: str, data: bytes) -> dict[str, Any]:
    """From the upload's announcement on; the record that it became."""
    upload = uploads.announce(storage, f"{name}.txt", None, NOW)["id"]
    storage.objects.put(upload_state.object_key(upload), data)
    state = ingest.receive(storage, upload_state.object_key(upload), NOW)
    if state and state["state"] == "needs_township":
        state = ingest.settle(storage, upload, "110101001", NOW)
    assert state and state["report"], state
    key = f"records/{state['report']['id']}/{state['report']['revision']}.json"
    found: dict[str, Any] = json.loads(storage.objects.get(key))
    return found


def _row_entries(record: dict[str, Any]) -> int:
    from chalicelib.catalog import layout

    return len(layout.row_bodies(record, "0" * layout.TOKEN))


def _gets(storage: Storage, meter: Meter, townships: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    app.__dict__["storage"] = storage
    keys = Keys(townships, random.Random(1))
    addresses = {name: address(keys).replace("limit=50", "limit=100") for name, address in KINDS.items()}
    for name, address in {**addresses, **OTHERS}.items():
        asked = event("GET", address)
        app(asked, None)  # what is kept for later answers is not of this one
        with meter.counting() as found:
            answer = app(event("GET", address), None)
        assert answer["statusCode"] in (200, 307), (address, answer)
        yield name, {**_figures(found), "bytes": len(answer["body"].encode())}


def _figures(found: Consumed) -> dict[str, Any]:
    return {
        "read units": found.read_units,
        "write units": found.write_units,
        "requests": dict(sorted(found.requests.items())),
        "units": dict(sorted(found.units.items())),
    }


def table(rows: Figures, title: str, more: Sequence[str]) -> str:
    """The figures in Markdown."""
    heads = [title, *more, "read units", "write units", "requests"]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    for name, row in rows.items():
        requests = ", ".join(f"{count} {operation}" for operation, count in Counter(row["requests"]).items())
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
