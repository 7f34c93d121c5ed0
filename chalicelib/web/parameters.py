"""The parameters of the REST API as data: names, meanings, and the values that they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

REPORT_YEARS = (1978, 2100)
FIGURE_YEARS = (1900, 2100)
LIMIT, MOST = 100, 1000
STATUSES = ("actual", "target", "estimate")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`schema` is JSON Schema: an integer with bounds, or a string with lengths, a pattern or an enum."""

    name: str
    description: str
    schema: dict[str, Any]
    example: Any
    required: bool = False


def _text(pattern: str | None = None, most: int = 100) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most, **({"pattern": pattern} if pattern else {})}


def _whole(first: int, last: int, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "minimum": first, "maximum": last, **more}


LIST = (
    Parameter(
        "cursor", "Where the page starts, from the `next` link of the page before; opaque.", _text(most=1000), None
    ),
    Parameter("limit", "How many rows a page holds at most.", _whole(1, MOST, default=LIMIT), 20),
)
PROVINCE = Parameter("province", "2-digit code, full name or pinyin of a province.", _text(), "33")
COUNTY = Parameter(
    "county", "6-digit code, full name or pinyin of a county, district or county-level city.", _text(), "331022"
)
TOWNSHIP = Parameter(
    "township",
    "9-digit code or full name of a township; or the shorter code of a county, city or province, which may have "
    "reports of its own.",
    _text(),
    "331022103",
)
YEAR = Parameter(
    "year", "The year that the report is filed under: the one it reviews, or plans.", _whole(*REPORT_YEARS), 2022
)
FIGURE_YEAR = Parameter(
    "year", "The calendar year that the figure speaks of, not the report's.", _whole(*FIGURE_YEARS), 2022
)
CONCEPT = Parameter(
    "concept", "Id of a concept, see `/v1/concepts`.", _text(r"^[a-z][a-z0-9_]*$"), "fixed_asset_investment"
)
STATUS = Parameter(
    "status", "What was reached, what is aimed at, or a forecast.", {"type": "string", "enum": [*STATUSES]}, "actual"
)
MET = Parameter(
    "met",
    "Whether the outcome reaches the target; `null` where that cannot be said.",
    {"type": "string", "enum": ["true", "false", "null"]},
    "true",
)
REVISION = Parameter("revision", "A revision's number; without it the current one.", _whole(1, 999_999), 1)
Q = Parameter("q", "A part of the township's name, in Chinese or in pinyin.", _text(most=50), "亭旁")

PATH = {
    p.name: p
    for p in (
        TOWNSHIP,
        Parameter("year", YEAR.description, YEAR.schema, 2022),
        Parameter("report", "Id of a report.", _text(), "331022103-2022"),
        Parameter("section", "Id of a section of the report.", _text(), "s1"),
        Parameter("concept", CONCEPT.description, _text(), "fixed_asset_investment"),
        Parameter("upload", "Id of an upload.", _text(), "example"),
        Parameter("file", "Name of a file of the manifest.", _text(), "reports.ndjson.gz"),
        Parameter("problem", "Name of a problem type.", _text(), "unknown-parameter"),
    )
}
