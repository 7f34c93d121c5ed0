"""The contract of the REST API as data: every route, the parameters that it takes and what it answers.

`web` checks requests by it, `openapi` is generated from it, and a test compares it with the routes of the app.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.web.parameters import (
    ABOVE,
    AS_OF,
    BELOW,
    CONCEPT,
    CONCEPT_Q,
    COUNTY,
    DRY_RUN,
    FIGURE_YEAR,
    FORMAT,
    GROUP_FIGURES,
    GROUP_REPORTS,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    INCLUDE,
    ISSUER,
    KIND,
    LABELS,
    LIST,
    LISTED_AS_OF,
    MET,
    PAGE_LANGUAGE,
    PREFECTURE,
    PROVINCE,
    REASON,
    RECORDS_FORMAT,
    REVISION,
    SEARCH,
    SINCE,
    SORT_REPORTS,
    SORT_ROWS,
    STATUS,
    THEME,
    TOWNSHIPS,
    VALUE,
    YEARS,
    Parameter,
    Q,
    fields,
)

DIVISIONS = (PROVINCE, PREFECTURE, COUNTY)
FIGURES = (FIGURE_YEAR, CONCEPT, THEME, STATUS, VALUE, ABOVE, BELOW)


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `answer` and `body` name a schema of `schemas/`, without ending; None for plain bytes of `media`.

    `listed` wraps the schema into a page; `status` is that of success; `problems` are the statuses of its errors.
    `settled`: as long as nothing is committed to the index, the same call has the same answer.
    `formats` are those that a list may be had in, the usual one first.
    `protected`: for publishers alone, who have a key; `counted`: so often an hour. `also`: what else than `media` plain bytes may be.
    `headers`: those of a success that its kind does not say.
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
    settled: bool = False
    formats: tuple[str, ...] = ()
    protected: bool = False
    counted: bool = False
    also: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[Parameter, ...]:
        """The headers by which a caller says what it has already, or what it wants to change."""
        if self.method != "GET":
            return (IF_MATCH,) if 412 in self.problems else ()
        dated = (IF_MODIFIED_SINCE,) if "Last-Modified" in self.headers else ()
        return (IF_NONE_MATCH, *dated) if self.status == 200 else ()

    @property
    def dated(self) -> bool:
        """Whether it tells of a revision, which may be named by a time."""
        return AS_OF in self.parameters

    @property
    def including(self) -> bool:
        """Whether it may be asked for more members."""
        return INCLUDE in self.parameters

    @property
    def grouped(self) -> bool:
        """Whether it may be asked for counts instead of rows."""
        return any(parameter.name == "group_by" for parameter in self.parameters)

    @property
    def methods(self) -> tuple[str, ...]:
        """What the path answers to by this route: every GET answers HEAD too."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)


def _list(
    path: str,
    name: str,
    summary: str,
    answer: str,
    *own: Parameter,
    problems: tuple[int, ...] = (400,),
    headers: tuple[str, ...] = (),
) -> Route:
    records = answer == "report"  # whole ones are no rows of a table
    formats = ("json", "ndjson") if records else ("json", "csv", "ndjson")
    parameters = (*own, *LIST, fields(answer), RECORDS_FORMAT if records else FORMAT)
    return Route(
        path,
        name,
        summary,
        answer,
        parameters,
        listed=True,
        problems=problems,
        # Coverage and the search read objects, and changes show some time after they are written.
        settled=answer not in ("coverage", "search-result", "change"),
        formats=formats,
        headers=headers,
    )


POLICY = ("Content-Security-Policy",)
MODIFIED = ("Last-Modified",)
COUNTED = ("X-Indexed",)
ABSENT = (400, 404)
SHOWN = (400, 404, 410)
NAMED = (300, 400, 404)

ROUTES = (
    Route(
        "/",
        "show_front_page",
        "Reports to choose and read, for people.",
        None,
        (PAGE_LANGUAGE,),
        media="text/html",
        headers=POLICY,
    ),
    Route("/developers", "show_developer_page", "Every address with an example; uploads.", None, media="text/html"),
    Route("/docs", "show_documentation", "This contract to read and try.", None, media="text/html", headers=POLICY),
    Route(
        "/docs/{version}/{part}",
        "read_documentation_part",
        "A part of the documentation's page.",
        None,
        media="text/javascript",
        also=("text/css",),
        problems=ABSENT,
    ),
    Route(
        "/assets/{version}/{asset}",
        "read_asset",
        "A part of the front page.",
        None,
        media="text/css",
        also=("text/javascript",),
        problems=ABSENT,
    ),
    Route("/problems/{problem}", "show_problem", "What a problem type means.", "problem-type", problems=ABSENT),
    Route("/v1/health", "check_health", "Whether the service answers, and which storage is behind it.", "health"),
    Route("/v1/openapi.json", "read_openapi", "This contract.", None),
    _list(
        "/v1/townships",
        "list_townships",
        "Townships of the division table by name, province, county.",
        "township",
        Q,
        *DIVISIONS,
    ),
    Route(
        "/v1/townships/{township}",
        "read_township",
        "A township's place and the years that it has reports of.",
        "township-years",
        problems=NAMED,
        settled=True,
    ),
    _list(
        "/v1/townships/{township}/reports",
        "list_township_reports",
        "A township's reports in order of their years.",
        "summary",
        LISTED_AS_OF,
        problems=NAMED,
    ),
    _list(
        "/v1/townships/{township}/reports/{year}",
        "list_township_year",
        "A township's whole records of one year.",
        "report",
        LISTED_AS_OF,
        problems=(*NAMED, 410),
    ),
    _list(
        "/v1/townships/{township}/indicators",
        "list_township_indicators",
        "A township's indicators: its time series.",
        "indicator",
        *FIGURES,
        LABELS,
        LISTED_AS_OF,
        problems=NAMED,
    ),
    _list(
        "/v1/townships/{township}/targets",
        "list_township_targets",
        "A township's targets, each joined to the outcome that a later report states.",
        "target",
        FIGURE_YEAR,
        CONCEPT,
        MET,
        problems=NAMED,
    ),
    _list(
        "/v1/reports",
        "list_reports",
        "Reports, newest year first; of one township in order of their years.",
        "summary",
        YEARS,
        TOWNSHIPS,
        *DIVISIONS,
        KIND,
        ISSUER,
        LISTED_AS_OF,
        SORT_REPORTS,
        GROUP_REPORTS,
        problems=NAMED,
        headers=COUNTED,
    ),
    _list(
        "/v1/search",
        "search_reports",
        "Reports with all words of a query, newest year first, and where the words stand.",
        "search-result",
        SEARCH,
        YEARS,
        TOWNSHIPS,
        *DIVISIONS,
        problems=NAMED,
        headers=COUNTED,
    ),
    Route(
        "/v1/reports/{report}",
        "read_report",
        "The whole record.",
        "report",
        (REVISION, AS_OF, INCLUDE),
        problems=(*SHOWN, 413),
        settled=True,
        headers=MODIFIED,
    ),
    Route(
        "/v1/reports/{report}",
        "withdraw_report",
        "Withdraw a report: what is left of it is a row in lists that says when and why. Its bytes, uploaded again, restore "
        "it. With If-Match only the record of this ETag is withdrawn; a report that is withdrawn already stays as it is.",
        "summary",
        (REASON,),
        method="DELETE",
        problems=(400, 404, 412),
        protected=True,
    ),
    _list(
        "/v1/reports/{report}/sections",
        "list_sections",
        "The sections in reading order.",
        "section",
        REVISION,
        AS_OF,
        problems=SHOWN,
    ),
    Route(
        "/v1/reports/{report}/sections/{section}",
        "read_section",
        "A section with its text.",
        "section-text",
        (REVISION, AS_OF),
        problems=SHOWN,
        settled=True,
    ),
    _list(
        "/v1/reports/{report}/indicators",
        "list_report_indicators",
        "The indicators in reading order.",
        "indicator",
        REVISION,
        AS_OF,
        *FIGURES,
        LABELS,
        problems=SHOWN,
    ),
    Route(
        "/v1/reports/{report}/text",
        "read_text",
        "The clean text that all offsets count in.",
        None,
        (REVISION, AS_OF),
        media="text/plain",
        problems=SHOWN,
        settled=True,
        headers=MODIFIED,
    ),
    Route(
        "/v1/reports/{report}/source",
        "read_source",
        "The uploaded file, byte for byte, at a short-lived address.",
        None,
        (REVISION, AS_OF),
        status=307,
        problems=SHOWN,
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
        "Concepts across townships.",
        "indicator",
        *FIGURES,
        LABELS,
        *DIVISIONS,
        SORT_ROWS,
        GROUP_FIGURES,
        problems=ABSENT,
        headers=COUNTED,
    ),
    _list(
        "/v1/coverage",
        "list_coverage",
        "How many townships there are in a province, and how many of them have a report of a year.",
        "coverage",
        YEARS,
        PROVINCE,
        problems=ABSENT,
        headers=COUNTED,
    ),
    _list(
        "/v1/concepts", "list_concepts", "What indicators of all reports are compared by.", "concept", CONCEPT_Q, LABELS
    ),
    Route(
        "/v1/concepts/{concept}",
        "read_concept",
        "A concept and the years that figures of it speak of.",
        "concept-years",
        (LABELS,),
        problems=ABSENT,
        settled=True,
    ),
    _list(
        "/v1/changes",
        "list_changes",
        "What was added, revised, withdrawn and restored, in order. There always is a `next`: follow it until a page has fewer rows than "
        "its limit, keep it, and ask it again later for what came since; nothing is missed, nothing comes twice.",
        "change",
        SINCE,
    ),
    Route(
        "/v1/changes.atom",
        "read_changes_feed",
        "The changes as an Atom feed: the newest first; with `since` or `cursor` those from then on, the first one first.",
        None,
        (SINCE, *LIST),
        media="application/atom+xml",
    ),
    Route(
        "/v1/bulk",
        "read_manifest",
        "The files that hold everything, with rows, bytes and SHA-256.",
        "manifest",
        problems=ABSENT,
    ),
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
        (DRY_RUN,),
        method="POST",
        body="upload-request",
        status=201,
        problems=(400, 413, 415),
        protected=True,
        counted=True,
    ),
    Route("/v1/uploads/{upload}", "read_upload", "What became of an upload.", "upload", problems=ABSENT),
    Route(
        "/v1/uploads/{upload}/township",
        "name_township",
        "Settle an upload whose township stayed ambiguous.",
        "upload",
        method="POST",
        body="township-request",
        problems=(400, 404, 409, 413, 415),
        protected=True,
    ),
)

BY_NAME = {route.name: route for route in ROUTES}
