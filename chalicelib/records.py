"""The record: its assembly from what was read, its identity, its validation and its bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from chalicelib.errors import ReportError
from chalicelib.reading.model import Document, Identity, Indicator, Page, Section

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

VERSION = "0.1.0"
SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
RULES = Path(__file__).resolve().parent / "rules"
# What an id says of the part of the year that a report covers, by its first and last month.
PARTS = {(1, 6): "-h1", (7, 12): "-h2", (1, 3): "-q1", (4, 6): "-q2", (7, 9): "-q3", (10, 12): "-q4"}

Record = dict[str, Any]

# Whether a section is a plan helps reading; the record tells it by the status of each indicator.
SECTION_FIELDS = tuple(f.name for f in fields(Section) if f.name != "plan")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A record that is not stored yet, and the clean text that its offsets count in."""

    record: Record
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """The upload as bytes: what `source` of the record says."""

    data: bytes
    filename: str
    document: Document


def assemble(
    source: Source,
    page: Page,
    identity: Identity,
    sections: Sequence[Section],
    indicators: Sequence[Indicator],
    checks: Iterable[dict[str, Any]],
) -> Record:
    """The record as `schemas/report.schema.json` describes it, with its base identity and revision 1."""
    return {
        "id": base_id(identity),
        "revision": 1,
        "kind": identity.kind,
        "title": identity.title,
        "township": asdict(identity.township),
        "candidates": [{**asdict(c.township), "evidence": list(c.evidence)} for c in identity.candidates],
        "review_year": identity.review_year,
        "plan_year": identity.plan_year,
        "issuer": page.issuer,
        "issued": page.issued,
        "published": page.published,
        "index_number": page.index_number,
        "source": {
            "sha256": hashlib.sha256(source.data).hexdigest(),
            "filename": source.filename,
            "format": source.document.format,
            "encoding": source.document.encoding,
            "bytes": len(source.data),
        },
        "sections": [_section(s) for s in sections],
        "indicators": [_indicator(n, i, page.text) for n, i in enumerate(indicators, 1)],
        "checks": list(checks),
        "parser": {"version": VERSION, "rules": rules_digest()},
    }


def base_id(identity: Identity) -> str | None:
    """`{code}-{year}` and the suffix of the kind; None while township or year is not settled."""
    year = identity.review_year if identity.kind != "plan" else identity.plan_year
    if identity.township.code is None or year is None:
        return None
    return f"{identity.township.code}-{year}{_part(identity)}"


def _part(identity: Identity) -> str:
    """The suffix of an id: none for the annual report, so that another part of the year is never taken for it."""
    if identity.kind in ("annual", "plan"):
        return "-plan" if identity.kind == "plan" else ""
    first, last = identity.months or (1, 12)
    return PARTS.get((first, last), f"-m{first}to{last}")


def identified(record: Record, report_id: str, revision: int) -> Record:
    """The record under its final identity."""
    return {**record, "id": report_id, "revision": revision}


def _section(section: Section) -> dict[str, Any]:
    return {name: getattr(section, name) for name in SECTION_FIELDS}


def _indicator(number: int, found: Indicator, text: str) -> dict[str, Any]:
    return {
        "id": f"i{number}",
        "section": found.section,
        "name": found.name,
        "concept": found.concept,
        "concept_rule": found.concept_rule,
        "value": found.value,
        "unit": found.unit,
        "bound": found.bound,
        "yoy": found.yoy,
        "standard": {"value": found.standard[0], "unit": found.standard[1]} if found.standard else None,
        "year": found.year,
        "months": list(found.months) if found.months else None,
        "status": found.status,
        "place": found.place,
        "evidence": {
            "start": found.start,
            "end": found.end,
            "quote": text[found.start : found.end],
            "number": text[found.number_start : found.number_end],
            "number_start": found.number_start,
        },
    }


def dump(record: Record) -> bytes:
    """The record as JSON in UTF-8, keys in the schema's order, a line end last; equal records give equal bytes."""
    return orjson.dumps(record, default=_plain, option=orjson.OPT_APPEND_NEWLINE)


def _plain(value: object) -> int | float:
    """A Decimal as a JSON number. A float prints the shortest digits that give it back: exact up to 15 digits."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in a record")


@cache
def rules_digest() -> str:
    """SHA-256 over the names and bytes of the rule files, so that a record tells which rules read it."""
    digest = hashlib.sha256()
    for path in sorted(p for p in RULES.rglob("*") if p.is_file() and p.suffix in {".csv", ".toml", ".gz"}):
        digest.update(path.relative_to(RULES).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@cache
def _validator() -> Validator:
    from jsonschema import Draft202012Validator

    schema: dict[str, Any] = json.loads((SCHEMAS / "report.schema.json").read_bytes())
    return Draft202012Validator(schema)


def validate(record: Record) -> None:
    """Raise ReportError `schema` with the JSON Pointers that fail, at most 20."""
    errors = sorted(_validator().iter_errors(record), key=lambda e: [str(p) for p in e.absolute_path])[:20]
    if errors:
        pointers = [{"pointer": _pointer(e.absolute_path), "message": e.message[:200]} for e in errors]
        where = ", ".join(p["pointer"] or "/" for p in pointers[:3])
        detail = f"The record does not fit schemas/report.schema.json at {where}."
        raise ReportError("schema", detail, pointers=pointers)


def _pointer(path: Iterable[str | int]) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
