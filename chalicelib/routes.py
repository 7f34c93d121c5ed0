"""The contract of the REST API as data: every route, the parameters that it takes and what it answers.

`web` checks requests by it, `openapi` is generated from it, and a test compares it with the routes of the app.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
PROVINCE = Parameter("province", "2-digit code or full name of a province.", _text(), "33")
COUNTY = Parameter("county", "6-digit code or full name of a county, district or county-level city.", _text(), "331022")
TOWNSHIP = Parameter("township", "9-digit code or full name of a township.", _text(), "331022103")
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
REVISION = Parameter("revision", "A revision's number; without it the current one.", _whole(1, 999_999), 1)
Q = Parameter("q", "A part of the township's name.", _text(most=50), "亭旁")

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


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `answer` and `body` name a schema of `schemas/`, without ending; None for plain bytes of `media`.

    `listed` wraps the schema into a page; `status` is that of success; `problems` are the statuses of its errors.
    """

    path: str
    name: str
    summary: str
    answer: str | None
    parameters: tuple[Parameter, ...] = ()
    method: str = "GET"
    media: str = "application/json"
    listed: bool = False
    status: int = 200
    problems: tuple[int, ...] = field(default=(400,))
    body: str | None = None


def _list(
    path: str, name: str, summary: str, answer: str, *own: Parameter, problems: tuple[int, ...] = (400,)
) -> Route:
    return Route(path, name, summary, answer, (*own, *LIST), listed=True, problems=problems)


ABSENT = (400, 404)
NAMED = (300, 400, 404)

ROUTES = (
    Route("/", "show_front_page", "What this is, for people.", None, media="text/html"),
    Route("/problems/{problem}", "show_problem", "What a problem type means.", "problem-type", problems=ABSENT),
    Route("/v1/health", "check_health", "Whether the service answers, and which storage is behind it.", "health"),
    Route("/v1/openapi.json", "read_openapi", "This contract.", None),
    _list(
        "/v1/townships",
        "list_townships",
        "Townships of the division table by name, province, county.",
        "township",
        Q,
        PROVINCE,
        COUNTY,
    ),
    Route(
        "/v1/townships/{township}",
        "read_township",
        "A township's place and the years that it has reports of.",
        "township-years",
        problems=NAMED,
    ),
    _list(
        "/v1/townships/{township}/reports",
        "list_township_reports",
        "A township's reports in order of their years.",
        "summary",
        problems=NAMED,
    ),
    _list(
        "/v1/townships/{township}/reports/{year}",
        "list_township_year",
        "A township's whole records of one year.",
        "report",
        problems=NAMED,
    ),
    _list(
        "/v1/townships/{township}/indicators",
        "list_township_indicators",
        "A township's indicators: its time series.",
        "indicator",
        FIGURE_YEAR,
        CONCEPT,
        STATUS,
        problems=NAMED,
    ),
    _list(
        "/v1/reports",
        "list_reports",
        "Reports, newest year first; of one township in order of their years.",
        "summary",
        YEAR,
        TOWNSHIP,
        PROVINCE,
        problems=NAMED,
    ),
    Route("/v1/reports/{report}", "read_report", "The whole record.", "report", (REVISION,), problems=ABSENT),
    _list(
        "/v1/reports/{report}/sections",
        "list_sections",
        "The sections in reading order.",
        "section",
        REVISION,
        problems=ABSENT,
    ),
    Route(
        "/v1/reports/{report}/sections/{section}",
        "read_section",
        "A section with its text.",
        "section-text",
        (REVISION,),
        problems=ABSENT,
    ),
    _list(
        "/v1/reports/{report}/indicators",
        "list_report_indicators",
        "The indicators in reading order.",
        "indicator",
        REVISION,
        CONCEPT,
        STATUS,
        problems=ABSENT,
    ),
    Route(
        "/v1/reports/{report}/text",
        "read_text",
        "The clean text that all offsets count in.",
        None,
        (REVISION,),
        media="text/plain",
        problems=ABSENT,
    ),
    Route(
        "/v1/reports/{report}/source",
        "read_source",
        "The uploaded file, byte for byte, at a short-lived address.",
        None,
        (REVISION,),
        status=307,
        problems=ABSENT,
    ),
    _list(
        "/v1/reports/{report}/revisions",
        "list_revisions",
        "The revisions, the first one first.",
        "revision",
        problems=ABSENT,
    ),
    _list(
        "/v1/indicators",
        "list_indicators",
        "One concept across townships.",
        "indicator",
        Parameter(CONCEPT.name, CONCEPT.description, CONCEPT.schema, CONCEPT.example, required=True),
        FIGURE_YEAR,
        PROVINCE,
        STATUS,
    ),
    _list("/v1/concepts", "list_concepts", "What indicators of all reports are compared by.", "concept"),
    Route(
        "/v1/concepts/{concept}",
        "read_concept",
        "A concept and the years that figures of it speak of.",
        "concept-years",
        problems=ABSENT,
    ),
    Route("/v1/bulk", "read_manifest", "The files that hold everything, with rows, bytes and SHA-256.", "manifest"),
    Route(
        "/v1/bulk/{file}",
        "read_bulk_file",
        "One of the files, at a short-lived address.",
        None,
        status=307,
        problems=ABSENT,
    ),
    Route(
        "/v1/uploads",
        "create_upload",
        "Where and how to PUT a report.",
        "upload",
        method="POST",
        body="upload-request",
        status=201,
        problems=(400, 413, 415, 422),
    ),
    Route("/v1/uploads/{upload}", "read_upload", "What became of an upload.", "upload", problems=ABSENT),
    Route(
        "/v1/uploads/{upload}/township",
        "name_township",
        "Settle an upload whose township stayed ambiguous.",
        "upload",
        method="POST",
        body="township-request",
        problems=(400, 404, 409, 413, 415, 422),
    ),
)

BY_NAME = {route.name: route for route in ROUTES}
