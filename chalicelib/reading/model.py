"""The values that travel between the stages of reading. All offsets count characters of the report's clean text."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Document:
    """A decoded upload: all of its text, page furniture included, before anything is known about it.

    `meta` holds machine-readable metadata of the file itself (HTML `<meta>` names in lower case, `title` for the `<title>`,
    `url` for a canonical address). `format` is `text` or `html`; `encoding` the charset by its Python name. `main` is the
    span of `text` that the page itself marks as its article, None where it marks none.
    """

    text: str
    format: str
    encoding: str
    meta: dict[str, str] = field(default_factory=dict)
    main: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A document without its furniture. `text` is the clean text that is stored and served: title line, blank line, body.

    Paragraphs are lines; `body_start` is where the body begins in `text`. The rest is what the page's furniture says of the
    report: None where it says nothing. Dates are ISO (`2023-06-20`, or with a time `2023-06-20T10:15`). `places` are
    the strings outside the body that may name a place (publisher, source, breadcrumb, site name, address), with their kind.
    """

    text: str
    title: str
    body_start: int
    issuer: str | None = None
    issued: str | None = None
    published: str | None = None
    index_number: str | None = None
    places: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Township:
    """Names as in the division table, None where not settled or (placeholders such as 市辖区) not a place's name."""

    code: str | None
    name: str | None
    county: str | None
    prefecture: str | None
    province: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A township that the report may be of, best first, with the words that speak for it."""

    township: Township
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What report this is. `kind` is `annual`, `half-year`, `quarter` or `plan` (a plan alone, whose year is `plan_year`).

    `months` are the first and last month that a half-year or quarterly report covers.
    """

    kind: str
    title: str
    township: Township
    candidates: tuple[Candidate, ...]
    review_year: int | None
    plan_year: int | None
    months: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it: `start` is the heading's first character, `end` where its part ends.

    `title_start` and `title_end` bound the title itself. `plan` tells whether the part speaks of what is planned.
    """

    id: str
    parent: str | None
    level: int
    label: str | None
    title: str
    start: int
    end: int
    title_start: int
    title_end: int
    plan: bool


@dataclass(frozen=True, slots=True)
class Indicator:
    """A quantity that the report states. Meanings as in `schemas/report.schema.json`."""

    name: str
    value: Decimal | None
    unit: str | None
    bound: str
    yoy: Decimal | None
    year: int | None
    months: tuple[int, int] | None
    status: str
    place: str | None
    section: str | None
    start: int
    end: int
    number_start: int
    number_end: int
    concept: str | None = None
    concept_rule: str | None = None
    standard: tuple[Decimal, str] | None = None
    # A sum or a mean over several years, of which no concept tells.
    summed: bool = False
