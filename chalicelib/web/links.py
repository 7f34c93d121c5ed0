"""Which answers lead to which addresses, as OpenAPI's links: from a list to its first row, from a thing to its parts."""

from __future__ import annotations

from typing import Any

Link = dict[str, Any]


def _to(operation: str, description: str, **parameters: str) -> Link:
    return {"operationId": operation, "description": description, "parameters": parameters}


def _report(pointer: str) -> dict[str, Link]:
    """The links of a row or record that names a report at this place of the body."""
    at = f"$response.body#{pointer}"
    return {
        "report": _to("read_report", "The whole record.", report=at),
        "sections": _to("list_sections", "Its sections.", report=at),
        "indicators": _to("list_report_indicators", "Its indicators.", report=at),
        "text": _to("read_text", "Its text.", report=at),
        "source": _to("read_source", "The uploaded file.", report=at),
        "revisions": _to("list_revisions", "Its revisions.", report=at),
    }


def _township(pointer: str) -> dict[str, Link]:
    at = f"$response.body#{pointer}"
    return {
        "township": _to("read_township", "The township.", township=at),
        "reports": _to("list_township_reports", "Its reports.", township=at),
        "series": _to("list_township_indicators", "Its time series.", township=at),
        "targets": _to("list_township_targets", "Its targets.", township=at),
    }


def _concept(pointer: str) -> dict[str, Link]:
    at = f"$response.body#{pointer}"
    return {
        "concept": _to("read_concept", "The concept.", concept=at),
        "figures": _to("list_indicators", "Its figures.", concept=at),
    }


_REPORT = "$request.path.report"
_UPLOAD = {
    "state": _to("read_upload", "What became of it.", upload="$response.body#/id"),
    "township": _to("name_township", "Where its township stayed ambiguous.", upload="$response.body#/id"),
}

LINKS: dict[str, dict[str, Link]] = {
    "list_townships": _township("/data/0/code"),
    "read_township": _township("/code"),
    "list_township_reports": _report("/data/0/id"),
    "list_township_year": _report("/data/0/id"),
    "list_reports": _report("/data/0/id"),
    "read_report": _report("/id"),
    "search_reports": _report("/data/0/report/id"),
    "list_changes": _report("/data/0/report"),
    "list_sections": {
        "section": _to("read_section", "With its text.", report=_REPORT, section="$response.body#/data/0/id")
    },
    "list_revisions": {
        "revision": _to("read_report", "As it was.", report=_REPORT, revision="$response.body#/data/0/revision"),
        "text": _to("read_text", "Its text.", report=_REPORT, revision="$response.body#/data/0/revision"),
    },
    "list_indicators": _report("/data/0/report"),
    "list_township_indicators": _report("/data/0/report"),
    "list_concepts": _concept("/data/0/id"),
    "read_concept": _concept("/id"),
    "read_manifest": {"file": _to("read_bulk_file", "The file.", file="$response.body#/files/0/name")},
    "create_upload": _UPLOAD,
    "read_upload": {"township": _UPLOAD["township"]},
}
