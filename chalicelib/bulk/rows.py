"""The rows of the bulk files: flat, so that a table reader takes them as they are; `schemas/bulk-*` define them.

Records come as a JSON reader gives them. Every row names its report, revision and township.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]


def report_row(record: Row, summary: Row) -> Row:
    """The report in one row, with its counts and its source."""
    fields = ("title", "kind", "issuer", "issued", "published", "index_number")
    source = record["source"]
    return {
        **_whose(record),
        **{field: record[field] for field in fields},
        "sections": len(record["sections"]),
        "indicators": len(record["indicators"]),
        "filename": source["filename"],
        "format": source["format"],
        "encoding": source["encoding"],
        "bytes": source["bytes"],
        "source_sha256": source["sha256"],
        "record_sha256": summary["record_sha256"],
        "ingested": summary["ingested"],
        "withdrawn": summary["withdrawn"]["time"] if "withdrawn" in summary else None,
        "parser_version": record["parser"]["version"],
        "parser_rules": record["parser"]["rules"],
    }


def section_rows(record: Row, text: str) -> Iterator[Row]:
    """The sections in reading order; `text` is a section's own words, those of its subsections left to their rows."""
    paths, sections, whose = section_paths(record), record["sections"], _whose(record)
    starts = [section["start"] for section in sections] + [len(text)]
    for number, section in enumerate(sections):
        own_end = min(section["end"], starts[number + 1])
        yield {
            **whose,
            "section": section["id"],
            "parent": section["parent"],
            "level": section["level"],
            "label": section["label"],
            "title": section["title"],
            "section_path": paths[section["id"]],
            "start": section["start"],
            "end": section["end"],
            "text": text[section["start"] : own_end].strip(),
        }


def indicator_rows(record: Row) -> Iterator[Row]:
    """The indicators in reading order, each with its section's path and its evidence."""
    paths, whose = section_paths(record), _whose(record)
    fields = ("name", "concept", "concept_rule", "value", "unit", "bound", "yoy", "year", "status", "place")
    for indicator in record["indicators"]:
        months, standard, evidence = indicator["months"], indicator["standard"], indicator["evidence"]
        yield {
            **whose,
            "indicator": indicator["id"],
            **{field: indicator[field] for field in fields},
            "standard_value": standard and standard["value"],
            "standard_unit": standard and standard["unit"],
            "month_from": months and months[0],
            "month_to": months and months[1],
            "section": indicator["section"],
            "section_path": paths.get(indicator["section"]),
            **{field: evidence[field] for field in ("quote", "number", "start", "end", "number_start")},
        }


def section_paths(record: Row) -> dict[str, str]:
    """The titles from the top down to each section, joined by ` > `."""
    paths: dict[str, str] = {}
    for section in record["sections"]:
        above = paths[section["parent"]] + " > " if section["parent"] else ""
        paths[section["id"]] = above + section["title"]
    return paths


def _whose(record: Row) -> Row:
    place = record["township"]
    return {
        "report": record["id"],
        "revision": record["revision"],
        "township_code": place["code"],
        "township": place["name"],
        "county": place["county"],
        "prefecture": place["prefecture"],
        "province": place["province"],
        "review_year": record["review_year"],
        "plan_year": record["plan_year"],
    }
