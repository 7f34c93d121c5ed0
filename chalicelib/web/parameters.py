"""The parameters of the REST API as data: names, meanings, and the values that they take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chalicelib.catalog.choice import NUMBER
from chalicelib.web import narrowing

REPORT_YEARS = (1978, 2100)
FIGURE_YEARS = (1900, 2100)
LIMIT, MOST = 100, 1000
MOST_VALUES = 20  # of one parameter
STATUSES = ("actual", "target", "estimate")
KINDS = ("annual", "half-year", "quarter", "plan")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`schema` is JSON Schema: an integer with bounds, or a string with lengths, a pattern or an enum.

    `many`: several values with commas, at most `most`. `row`: the values are fields of rows of this schema. `runs`: a
    number, a run of numbers (`2019..2023`, open at an end), or several with commas; it says which numbers.
    """

    name: str
    description: str
    schema: dict[str, Any]
    example: Any
    required: bool = False
    many: bool = False
    runs: str = ""
    most: int = MOST_VALUES
    row: str = ""

    def filled(self) -> Parameter:
        """With the values that it takes of `row`: only now, since an app that is just being packaged has no schemas."""
        if not self.row:
            return self
        names = narrowing.fields(self.row)
        return replace(self, schema={**self.schema, "enum": [*names]}, example=names[0], most=len(names), row="")


def _text(pattern: str | None = None, most: int = 100) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most, **({"pattern": pattern} if pattern else {})}


def _whole(first: int, last: int, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "minimum": first, "maximum": last, **more}


def _runs(name: str, description: str, example: str, number: str, numbers: str) -> Parameter:
    """`number` is the pattern of one, `numbers` says which there are."""
    run = rf"(?:{number}(?:\.\.(?:{number})?)?|\.\.{number})"
    schema = _text(rf"^{run}(?:,{run}){{0,{MOST_VALUES - 1}}}$", most=1000)
    described = f"{description} One, a run (`a..b`, ends included, either end open), or several with commas."
    return Parameter(name, described, schema, example, runs=numbers)


# A time without a zone is taken too.
MOMENT = {**_text(most=40), "anyOf": [{"format": "date"}, {"format": "date-time"}]}
LIST = (
    Parameter(
        "cursor",
        "Where the page starts, from the `next` link of the page before; opaque, and of that list alone.",
        _text(most=1000),
        "WyJjb25jZXB0I2ZpeGVkX2Fzc2V0X2ludmVzdG1lbnQiLCIyMDIxIzMzMTA4MzEwNiMzMzEwODMxMDYtMjAyMCIsMF0",
    ),
    Parameter("limit", "How many rows a page holds at most.", _whole(1, MOST, default=LIMIT), 20),
)
FORMAT = Parameter(
    "format",
    "The format of the rows; it goes before the header Accept. CSV and NDJSON name the next page in the header Link.",
    {"type": "string", "enum": ["json", "csv", "ndjson"]},
    "csv",
)
RECORDS_FORMAT = replace(FORMAT, schema={"type": "string", "enum": ["json", "ndjson"]}, example="ndjson")


def fields(schema: str) -> Parameter:
    """Which members the rows of this schema are to have."""
    return Parameter(
        "fields",
        "The members that rows are to have, in this order, all others are left out: members, members of those after a dot, "
        "or columns of CSV.",
        {"type": "string"},
        None,
        many=True,
        row=schema,
    )


PROVINCE = Parameter("province", "2-digit code, full name or pinyin of a province.", _text(), "33", many=True)
PREFECTURE = Parameter(
    "prefecture", "4-digit code, full name or pinyin of a prefecture-level city.", _text(), "3310", many=True
)
COUNTY = Parameter(
    "county",
    "6-digit code, full name or pinyin of a county, district or county-level city.",
    _text(),
    "331022",
    many=True,
)
TOWNSHIP = Parameter(
    "township",
    "9-digit code or full name of a township; or the shorter code of a county, city or province, which may have "
    "reports of its own.",
    _text(),
    "331022103",
)
TOWNSHIPS = replace(TOWNSHIP, many=True)
YEARS = _runs(
    "year",
    "The year that the report is filed under: the one it reviews, or plans.",
    "2019..2023",
    r"(?:19(?:7[89]|[89][0-9])|20[0-9]{2}|2100)",
    f"whole numbers from {REPORT_YEARS[0]} to {REPORT_YEARS[1]}",
)
FIGURE_YEAR = _runs(
    "year",
    "The calendar year that the figure speaks of, not the report's.",
    "2019..2023",
    r"(?:19[0-9]{2}|20[0-9]{2}|2100)",
    f"whole numbers from {FIGURE_YEARS[0]} to {FIGURE_YEARS[1]}",
)
YEAR = Parameter(
    "year", "The year that the report is filed under: the one it reviews, or plans.", _whole(*REPORT_YEARS), 2022
)
CONCEPT = Parameter(
    "concept", "Id of a concept, see `/v1/concepts`.", _text(r"^[a-z][a-z0-9_]*$"), "fixed_asset_investment", many=True
)
THEME = Parameter("theme", "Id of a theme: all of its concepts, see `/v1/concepts`.", _text(), "industry", many=True)
STATUS = Parameter(
    "status",
    "What was reached, what is aimed at, or a forecast.",
    {"type": "string", "enum": [*STATUSES]},
    "actual",
    many=True,
)
KIND = Parameter("kind", "What the report covers.", {"type": "string", "enum": [*KINDS]}, "annual", many=True)
ISSUER = Parameter("issuer", "A part of the issuer's name.", _text(), "亭旁")
VALUE = _runs(
    "value", "The value in its `standard` unit, or as printed where a figure has none.", "1000000..", NUMBER, "numbers"
)
ABOVE, BELOW = (
    Parameter(f"value{sign}", f"The value is at {which} this: `value{sign}=1000000`.", _text(f"^{NUMBER}$"), "1000000")
    for sign, which in ((">", "least"), ("<", "most"))
)
GROUP_REPORTS, GROUP_FIGURES = (
    Parameter(
        "group_by",
        f"How many rows there are of each group, instead of the rows: by {' and '.join(names)}. Beside it may be given "
        f"`year`, `province`{more} alone. As of the last preparation: the header X-Indexed tells its time.",
        {"type": "string", "enum": names},
        "year",
        many=True,
    )
    for names, more in ((["year", "province"], ""), (["year", "province", "concept"], ", `concept`, `theme`"))
)
SORT_REPORTS = Parameter(
    "sort", "`-year`: newest first.", {"type": "string", "enum": ["-year", "year"], "default": "-year"}, "year"
)
SORT_ROWS = Parameter(
    "sort",
    "By value or growth, `-`: the greatest first. Rows without one are left out; at most 5,000 rows are sorted.",
    {"type": "string", "enum": ["value", "-value", "yoy", "-yoy"]},
    "-value",
)
MET = Parameter(
    "met",
    "Whether the outcome reaches the target; `null` where that cannot be said.",
    {"type": "string", "enum": ["true", "false", "null"]},
    "true",
)
DRY_RUN = Parameter(
    "dry_run",
    "`true`: the file is read and checked, and not published; the upload's state then tells what it would be published "
    "as, and how that differs from last year's report.",
    {"type": "string", "enum": ["true", "false"], "default": "false"},
    "true",
)
REVISION = Parameter("revision", "A revision's number; without it the current one.", _whole(1, 999_999), 1)
AS_OF = Parameter(
    "as_of",
    "A date or a time (ISO 8601, UTC where no zone is given): the revision that was current then. Not with `revision`.",
    MOMENT,
    "2024-03-02",
)
LISTED_AS_OF = replace(
    AS_OF,
    description="A date or a time (ISO 8601, UTC where no zone is given): reports as they stood then. Those that are withdrawn "
    "now are so at all times. Pages are shorter, for more is asked for each report that was revised since.",
)
REASON = Parameter("reason", "Why, for everybody to read.", _text(most=1000), "published by mistake")
SINCE = Parameter(
    "since",
    "A date or a time (ISO 8601, UTC where no zone is given): changes from then on. A `cursor` goes before it.",
    MOMENT,
    "2024-03-01",
)
Q = Parameter("q", "A part of the township's name, in Chinese or in pinyin.", _text(most=50), "亭旁")
SEARCH = Parameter(
    "q",
    "The text filter: words that a report has all of in its text, title or names: Chinese of two characters and more, numbers, "
    "Latin words, English labels of concepts, pinyin of places; several with blanks between, or together in quotes.",
    _text(),
    "招商引资 亭旁",
    required=True,
)
CONCEPT_Q = Parameter(
    "q", "A part of a concept's id, label in Chinese or English, or other name.", _text(most=50), "财政"
)

PAGE_LANGUAGE = Parameter("lang", "The language of the page.", {"type": "string", "enum": ["zh", "en"]}, "en")
LABELS = Parameter(
    "lang",
    "Adds the concept's name in this language: to concepts as `label`, to figures as `concept_label`.",
    {"type": "string", "enum": ["zh", "en"]},
    "en",
)
INCLUDE = Parameter(
    "include",
    "What to add as members: the clean `text` that offsets count in, and all `revisions`.",
    {"type": "string", "enum": ["text", "revisions"]},
    "text",
    many=True,
)
# A header that says nothing sensible does not count: HTTP refuses none of them.
_HEADER = {"type": "string"}
IF_NONE_MATCH = Parameter(
    "If-None-Match", "ETags of what the caller has: 304 while one of them holds.", _HEADER, '"TkhRg8yJ3kiU7kSXr5Vd8A"'
)
IF_MODIFIED_SINCE = Parameter(
    "If-Modified-Since",
    "The `Last-Modified` of what the caller has. Counts only without `If-None-Match`.",
    _HEADER,
    "Sat, 02 Mar 2024 08:00:00 GMT",
)
IF_MATCH = Parameter(
    "If-Match", "The ETag of the record that is meant: 412 once it is another one.", _HEADER, '"TkhRg8yJ3kiU7kSXr5Vd8A"'
)
PATH = {
    p.name: p
    for p in (
        TOWNSHIP,
        Parameter("year", YEAR.description, YEAR.schema, 2022),
        Parameter("report", "Id of a report.", _text(), "331022103-2022"),
        Parameter("section", "Id of a section of the report.", _text(), "s1"),
        replace(CONCEPT, schema=_text(), many=False),
        Parameter("upload", "Id of an upload.", _text(), "example"),
        Parameter("file", "Name of a file of the manifest.", _text(), "reports.ndjson.gz"),
        Parameter("version", "Which parts: as the page names them, or `latest`.", _text(), "latest"),
        Parameter("asset", "Name of a part of the front page.", _text(), "front.css"),
        Parameter("part", "Name of a part of the documentation's page.", _text(), "swagger-ui.css"),
        Parameter("problem", "Name of a problem type.", _text(), "unknown-parameter"),
    )
}
