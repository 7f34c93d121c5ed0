"""What views take and give: a checked request, and answers of every kind with their caching, links and problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from chalicelib.catalog.paging import Page
from chalicelib.errors import ReportsError
from chalicelib.storage import Storage, UploadAddress
from chalicelib.web import labels, narrowing, problems
from chalicelib.web.publishers import CHALLENGE

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

# A report is to be seen within two seconds of its upload, so caches ask each time; the ETag makes that cheap.
FRESH = "public, max-age=0, must-revalidate"
HOURLY = "public, max-age=3600"
FOR_EVER = "public, max-age=31536000, immutable"
NEVER = "no-store"
# Of answers that hold the service's own address and may be kept.
VARY = {"Vary": "Host, X-Forwarded-Proto"}


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked request: `given` holds path and query parameters by name, `base` is the service's own address.

    `query` are those of the query as they came. A list goes out in `format`, and `row` is the schema of its rows;
    `fields` are the members that they are to have, none for all, and `lang` is the language of the labels that they get.
    """

    storage: Storage
    now: datetime
    base: str
    path: str
    given: Mapping[str, Any]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    format: str = "json"
    row: str | None = None
    method: str = "GET"
    group_by: Sequence[str] = ()
    fields: Sequence[str] = ()
    lang: str | None = None

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    def url(self, path: str) -> str:
        """An absolute address of this service; one that is absolute already stays as it is."""
        return self.base + path if path.startswith("/") else path


@dataclass(frozen=True, slots=True)
class Reply:
    """What a view answers. `cache` is the Cache-Control of a success; redirects and errors have their own.

    `language` is that of the text: names, titles and sentences of reports are Chinese.
    """

    body: bytes
    media: str = JSON
    cache: str = FRESH
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    language: str = "zh"


def json_reply(value: Any, **more: Any) -> Reply:
    """A value as JSON, Chinese as it is."""
    return Reply(orjson.dumps(value), **more)


def list_reply(ask: Ask, page: Page, **more: Any) -> Reply:
    """A page of a list in the asked format, the address of the next one as a `Link` and in the body of JSON."""
    address = next_address(ask, page.next) if page.next else None
    links = _links(ask, address)
    more = {"language": labels.languages(ask.row, ask.lang), **more}
    if ask.format == "json":
        return json_reply({"data": _rows(ask, page), "next": address, "count": page.count}, headers=links, **more)
    from chalicelib import tables  # here, since most ask for JSON
    from chalicelib.web import formats

    if ask.format == "csv":
        assert ask.row
        lines = tables.csv_lines(ask.row, _rows(ask, page), narrowing.chosen_columns(ask.row, ask.fields))
    else:
        lines = tables.json_lines(_rows(ask, page))
    return Reply(lines, formats.MEDIA[ask.format], headers=links, **more)


def _rows(ask: Ask, page: Page) -> list[Any]:
    """The rows as they are, and not even parsed, unless labels or some of their members are asked for."""
    rows = labels.label_rows(ask.row, page.data, ask.lang) if ask.lang else page.data
    return narrowing.cut_rows(ask.row, ask.fields, rows) if ask.row and ask.fields and ask.format != "csv" else rows


def counts_reply(ask: Ask, count: Callable[..., Page]) -> Reply:
    """A page of what `count` makes of the prepared counts, and until when they are complete."""
    from chalicelib.catalog import counts  # here, since most ask for rows

    found, asked = counts.read(ask.storage.objects), dict(ask.given)
    if ask.group_by:
        asked["group_by"] = ask.group_by
    if "sort" not in ask.query:
        asked.pop("sort", None)  # where it is a default
    reply = list_reply(ask, count(found, **asked))
    return replace(reply, headers={**reply.headers, "X-Indexed": found.complete_to})


def _links(ask: Ask, following: str | None) -> dict[str, str]:
    """The header Link (RFC 8288) of a page: to the next one, and from later ones to the first."""
    links = [f'<{following}>; rel="next"'] if following else []
    if "cursor" in ask.query:
        query = urlencode({name: value for name, value in ask.query.items() if name != "cursor"}, quote_via=quote)
        links.append(f'<{ask.url(ask.path + (f"?{query}" if query else ""))}>; rel="first"')
    return {"Link": ", ".join(links), **VARY} if links else {}


def next_address(ask: Ask, cursor: str) -> str:
    """The address of the same list from `cursor` on."""
    return ask.url(f"{ask.path}?{urlencode({**ask.query, 'cursor': cursor}, quote_via=quote, safe=',')}")


def upload_reply(ask: Ask, state: Mapping[str, Any], put: UploadAddress | None = None, seconds: int = 0) -> Reply:
    """An upload's state with its links; a new one's with how to PUT the file within so many seconds."""
    report, address = state["report"], ask.url(f"/v1/uploads/{state['id']}")
    told = {**state, "url": address, "report": report and {**report, "url": ask.url(f"/v1/reports/{report['id']}")}}
    if put is None:
        return json_reply(told, cache=NEVER)
    expires = (ask.now + timedelta(seconds=seconds)).isoformat(timespec="seconds").replace("+00:00", "Z")
    told["put"] = {"method": put.method, "url": ask.url(put.url), "headers": dict(put.headers), "expires": expires}
    return json_reply(told, cache=NEVER, status=201, headers={"Location": address})


def pinned(ask: Ask) -> str:
    """The Cache-Control of what never changes once its revision is named."""
    return FOR_EVER if "revision" in ask.query else FRESH  # a date names another one once a clock goes wrong


def modified(ask: Ask, line: Mapping[str, Any]) -> dict[str, str]:
    """The header Last-Modified of a revision that the index has this `line` of.

    It counts whole seconds: until one has passed another revision could come that it would not tell from this one.
    """
    moment = datetime.fromisoformat(line["ingested"])
    if ask.now - moment < timedelta(seconds=1):
        return {}
    return {"Last-Modified": format_datetime(moment.astimezone(UTC), usegmt=True)}


def redirect_reply(address: str) -> Reply:
    """To a short-lived address of the object store."""
    return Reply(b"", TEXT, NEVER, 307, {"Location": address})


def problem_reply(error: ReportsError, instance: str, base: str = "") -> Reply:
    """The problem document; addresses of candidates begin at `base`."""
    document = problems.document(error, instance)
    for candidate in document.get("candidates", ()):
        candidate["url"] = base + candidate["url"]
    headers: Mapping[str, str] = {503: {"Retry-After": "1"}, 401: {"WWW-Authenticate": CHALLENGE}}.get(error.status, {})
    if isinstance(error, RefusedError):
        headers = {**headers, **error.headers}
    return Reply(orjson.dumps(document), PROBLEM, NEVER, error.status, headers, "en")


def internal_error(request_id: str) -> ReportsError:
    detail = "The service failed in a way that it does not know."
    return ReportsError("internal_error", detail, "Tell its operators the request's id.", request=request_id)


class RefusedError(ReportsError):
    """HTTP itself refuses the request before any view sees it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        way_out: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        **extra: Any,
    ) -> None:
        super().__init__(code, detail, way_out, **extra)
        self.status, self.headers = status, headers


def refusal(status: int, method: str, allow: str = "", request_id: str = "") -> ReportsError:
    """The error that a bare status of Chalice or of the server stands for."""
    match status:
        case 404:
            return RefusedError(
                404, "unknown_address", "There is nothing at this address.", "GET /developers lists all routes."
            )
        case 405:
            way_out = f"Allowed: {allow}."
            return RefusedError(405, "method_not_allowed", f"{method} is not allowed here.", way_out, allow=allow)
        case 413:
            way_out = "Files go where POST /v1/uploads says."
            return RefusedError(413, "body_too_large", "The body is larger than 6 MB.", way_out)
        case 415:
            way_out = "Send JSON with the header Content-Type: application/json."
            return RefusedError(415, "unsupported_media_type", "This media type is not taken here.", way_out)
        case 429:
            detail = "This address has asked too many questions in a short time."
            way_out = "The header Retry-After says in how many seconds to go on; /v1/bulk has everything at once."
            return RefusedError(429, "too_many_requests", detail, way_out)
    return internal_error(request_id)
