"""Reports made up for tests of what happens to a report: a tiny notation, and its reader that stands in for `parse`.

township: 331022103          left out: nothing says whose report it is
candidates: 331022103 …      with no township: those it may be of
year: 2022
index: A/1

Any text. Each line `名称 concept 12 元` is a figure of it.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson

from chalicelib import divisions, records
from chalicelib.catalog import layout
from chalicelib.errors import NotFound, ReportError
from chalicelib.ingestion import ingest
from chalicelib.storage import Storage

NOW = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
TOWN = "331022103"
REPORT = f"{TOWN}-2022"
WORDS = "".join(chr(0x4E00 + 37 * n) for n in range(400))
OTHER_WORDS = "".join(chr(0x6000 + 41 * n) for n in range(400))
FIGURES = "工业产值 industrial_output 12 元\n财政收入 fiscal_revenue 34 元\n"
PLACE = {"name": "某镇", "county": "某县", "prefecture": "某市", "province": "某省"}


def write_report(body: str, **head: str | int) -> bytes:
    return ("".join(f"{key}: {value}\n" for key, value in head.items()) + "\n" + body).encode()


def report(body: str = WORDS, town: str = TOWN, year: int = 2022, **head: str) -> bytes:
    """A report with two figures."""
    return write_report(f"工作总结\n{FIGURES}{body}", township=town, year=year, **head)


def drop(storage: Storage, name: str, data: bytes) -> dict[str, Any]:
    """Put a file under `incoming/` and ingest it; its upload's state."""
    storage.objects.put(f"incoming/{name}", data)
    state = ingest.receive(storage, f"incoming/{name}", NOW)
    assert state is not None
    return state


def exists(storage: Storage, key: str) -> bool:
    try:
        storage.objects.stat(key)
    except NotFound:
        return False
    return True


def head(storage: Storage, report_id: str) -> dict[str, Any] | None:
    """The summary of the current revision."""
    entry = storage.index.get(*layout.head(report_id))
    return orjson.loads(layout.read_head(entry.body).summary) if entry else None


def revisions(storage: Storage, report_id: str) -> list[int]:
    pk, prefix = layout.revisions(report_id)
    return [orjson.loads(entry.body)["revision"] for entry in storage.index.query(pk, prefix=prefix)]


def read_report(data: bytes, filename: str = "", township: str | None = None) -> records.Parsed:
    """The record of a made-up report, as `parse` would give it."""
    if not data.startswith((b"township:", b"candidates:", b"year:")):
        raise ReportError("no_report", "This is no report.", "Upload a report.")
    top, _, text = data.decode().partition("\n\n")
    head = dict(line.split(": ", 1) for line in top.splitlines())
    code = township or head.get("township")
    year = int(head["year"]) if "year" in head else None
    record = {
        "id": f"{code}-{year}" if code and year else None,
        "revision": 1,
        "kind": "annual",
        "title": f"{year}年工作总结",
        "township": {"code": code, **(_place(code) if code else dict.fromkeys(PLACE))},
        "candidates": []
        if code
        else [{"code": c, **_place(c), "evidence": ["某镇"]} for c in head.get("candidates", "").split()],
        "review_year": year,
        "plan_year": None,
        "issuer": None,
        "issued": None,
        "published": None,
        "index_number": head.get("index"),
        "source": {
            "sha256": hashlib.sha256(data).hexdigest(),
            "filename": filename,
            "format": "text",
            "encoding": "utf-8",
            "bytes": len(data),
        },
        "sections": [_section(text)],
        "indicators": [_indicator(n, line, text, year) for n, line in enumerate(_figures(text), 1)],
        "checks": [],
        "parser": {"version": "0", "rules": "0" * 64},
    }
    return records.Parsed(record, text)


def _place(code: str) -> dict[str, Any]:
    found = divisions.get(code)
    return {**PLACE, "name": found.name} if found else PLACE


def _figures(text: str) -> list[str]:
    return [line for line in text.splitlines() if len(line.split(" ")) == 4]


def _section(text: str) -> dict[str, Any]:
    title = text.split("\n", 1)[0]
    return {
        "id": "s1",
        "parent": None,
        "level": 1,
        "label": None,
        "title": title,
        "start": 0,
        "end": len(text),
        "title_start": 0,
        "title_end": len(title),
    }


def _indicator(number: int, line: str, text: str, year: int | None) -> dict[str, Any]:
    name, concept, value, unit = line.split(" ")
    start = text.index(line)
    return {
        "id": f"i{number}",
        "section": "s1",
        "name": name,
        "concept": None if concept == "-" else concept,
        "concept_rule": None if concept == "-" else f"alias {concept}: {name}",
        "value": int(value),
        "unit": unit,
        "bound": "=",
        "yoy": None,
        "standard": {"value": int(value), "unit": "CNY"},
        "year": year,
        "months": None,
        "status": "actual",
        "place": None,
        "evidence": {
            "start": start,
            "end": start + len(line),
            "quote": line,
            "number": f"{value} {unit}",
            "number_start": start + line.index(value),
        },
    }
