"""HTTP over the catalog: requests are checked by the contract, answers get ETag, caching, links and problem documents.

`Api` is a Chalice app whose current request belongs to the thread, since one process answers many at once. A view gets
an `Ask` and gives back a `Reply`; everything that is the same for all routes happens around it.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from chalice.app import Chalice, CORSConfig, Response

from chalicelib import checks, problems
from chalicelib.errors import ReportsError
from chalicelib.paging import Page
from chalicelib.routes import BY_NAME, Route
from chalicelib.storage import Storage, UploadAddress, open_storage

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

# A report is to be seen within two seconds of its upload, so caches ask each time; the ETag makes that cheap.
FRESH = "public, max-age=0, must-revalidate"
HOURLY = "public, max-age=3600"
FOR_EVER = "public, max-age=31536000, immutable"
NEVER = "no-store"

CORS = CORSConfig(
    allow_origin="*",
    allow_headers=["If-None-Match", "X-Request-Id"],
    expose_headers=["ETag", "Link", "Location", "Content-Location", "Content-Disposition", "X-Request-Id"],
    max_age=86400,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked request: `given` holds path and query parameters by name, `base` is the service's own address."""

    storage: Storage
    now: datetime
    base: str
    path: str
    given: Mapping[str, Any]
    query: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes = b""

    def __getitem__(self, name: str) -> Any:
        return self.given[name]

    def url(self, path: str) -> str:
        """An absolute address of this service; one that is absolute already stays as it is."""
        return self.base + path if path.startswith("/") else path


@dataclass(frozen=True, slots=True)
class Reply:
    """What a view answers. `cache` is the Cache-Control of a success; redirects and errors have their own."""

    body: bytes
    media: str = JSON
    cache: str = FRESH
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Headers = dict[str, str | list[str]]
View = Callable[[Ask], Reply]


class Api(Chalice):
    """The app. `storage` is opened at first use by the environment, so that importing the app opens nothing."""

    def __init__(self, app_name: str) -> None:
        self._thread = threading.local()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        super().__init__(app_name)
        self.register_middleware(_answer_refusals, "http")

    @property
    def current_request(self) -> Any:
        return getattr(self._thread, "request", None)

    @current_request.setter
    def current_request(self, request: Any) -> None:
        self._thread.request = request

    @cached_property
    def storage(self) -> Storage:
        return open_storage(os.environ)

    def serves(self, name: str) -> Callable[[View], View]:
        """Register a view for the route of this name in the contract; every GET answers HEAD too."""
        route = BY_NAME[name]
        methods = ["GET", "HEAD"] if route.method == "GET" else [route.method]
        types = {"content_types": ["application/json"]} if route.body else {}

        def register(view: View) -> View:
            def answer(**captured: str) -> Response:
                return respond(self, route, view, captured)

            self.route(route.path, methods=methods, cors=CORS, name=name, **types)(answer)
            return view

        return register


def respond(app: Api, route: Route, view: View, captured: Mapping[str, str]) -> Response:
    """The view's answer to the current request, or the problem document of what it raised."""
    request = app.current_request
    path, base = _own_path(request), _base(request)
    try:
        query = checks.read_query(route, _query(request))
        given = {**query, **checks.read_path(captured)}
        body = request.raw_body if route.body else b""
        ask = Ask(app.storage, app.clock(), base, path, given, query, request.headers, body)
        reply = view(ask)
    except ReportsError as error:
        reply = problem_reply(error, path, base)
    except Exception:
        log.exception("unexpected failure at %s", path)
        reply = problem_reply(internal_error(_request_id(request)), path)
    return _response(reply, request)


# What views answer with.


def json_reply(value: Any, **more: Any) -> Reply:
    """A value as JSON, Chinese as it is."""
    return Reply(orjson.dumps(value), **more)


def list_reply(ask: Ask, page: Page, **more: Any) -> Reply:
    """A page of a list with the address of the next one, in the body and as a `Link`."""
    if page.next is None:
        return json_reply({"data": page.data, "next": None}, **more)
    given = {name: value for name, value in ask.query.items() if value is not None}
    address = ask.url(f"{ask.path}?{urlencode({**given, 'cursor': page.next}, quote_via=quote)}")
    return json_reply({"data": page.data, "next": address}, headers={"Link": f'<{address}>; rel="next"'}, **more)


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
    return FOR_EVER if ask["revision"] else FRESH


def redirect_reply(address: str) -> Reply:
    """To a short-lived address of the object store."""
    return Reply(b"", TEXT, NEVER, 307, {"Location": address})


def problem_reply(error: ReportsError, instance: str, base: str = "") -> Reply:
    """The problem document; addresses of candidates begin at `base`."""
    document = problems.document(error, instance)
    for candidate in document.get("candidates", ()):
        candidate["url"] = base + candidate["url"]
    headers = {"Retry-After": "1"} if error.status == 503 else {}
    return Reply(orjson.dumps(document), PROBLEM, NEVER, error.status, headers)


def internal_error(request_id: str) -> ReportsError:
    detail = "The service failed in a way that it does not know."
    return ReportsError("internal_error", detail, "Tell its operators the request's id.", request=request_id)


# From replies to Chalice's responses.


def _response(reply: Reply, request: Any) -> Response:
    headers: Headers = {
        "Content-Type": reply.media,
        "Cache-Control": reply.cache,
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": _request_id(request),
        **reply.headers,
    }
    if reply.status == 200:
        headers["ETag"] = etag = _etag(reply.body)
        if _matches(request.headers.get("if-none-match", ""), etag):
            del headers["Content-Type"]
            return Response("", headers, 304)
    return Response(reply.body.decode(), headers, reply.status)


def _etag(body: bytes) -> str:
    return '"' + base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:16]).decode().rstrip("=") + '"'


def _matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison, as RFC 9110 wants it for If-None-Match: a cache on the way may have weakened the tag."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags


def _answer_refusals(request: Any, get_response: Callable[[Any], Response]) -> Response:
    """Chalice's own refusals (405, 415, 500) as problem documents too."""
    response = get_response(request)
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM:
        return response
    allow = str(response.headers.get("Allow", ""))
    error = refusal(response.status_code, request.method, allow, _request_id(request))
    answer = _response(problem_reply(error, _own_path(request)), request)
    answer.headers.update({**CORS.get_access_control_headers(), **({"Allow": allow} if allow else {})})
    return answer


class RefusedError(ReportsError):
    """HTTP itself refuses the request before any view sees it."""

    def __init__(self, status: int, code: str, detail: str, way_out: str, **extra: Any) -> None:
        super().__init__(code, detail, way_out, **extra)
        self.status = status


def refusal(status: int, method: str, allow: str = "", request_id: str = "") -> ReportsError:
    """The error that a bare status of Chalice or of the server stands for."""
    match status:
        case 404:
            return RefusedError(404, "unknown_address", "There is nothing at this address.", "GET / lists all routes.")
        case 405:
            way_out = f"Allowed: {allow}."
            return RefusedError(405, "method_not_allowed", f"{method} is not allowed here.", way_out, allow=allow)
        case 413:
            way_out = "Files go where POST /v1/uploads says."
            return RefusedError(413, "body_too_large", "The body is larger than 6 MB.", way_out)
        case 415:
            way_out = "Send JSON with the header Content-Type: application/json."
            return RefusedError(415, "unsupported_media_type", "This media type is not taken here.", way_out)
    return internal_error(request_id)


def _own_path(request: Any) -> str:
    """The path below the stage, percent-encoded as it came."""
    path: str = request.path
    for name, value in (request.uri_params or {}).items():
        path = path.replace("{" + name + "}", value)
    return path


def _base(request: Any) -> str:
    """Scheme, host and stage: `REPORTS_URL` where it is set, for behind a CDN the Host header is another one."""
    if configured := os.environ.get("REPORTS_URL"):
        return configured.rstrip("/")
    host = request.headers.get("host", "localhost")
    scheme = request.headers.get("x-forwarded-proto", "http")
    return f"{scheme}://{host}{request.context.get('path', '').removesuffix(_own_path(request)).rstrip('/')}"


def _query(request: Any) -> dict[str, list[str]]:
    query = request.query_params
    return {name: query.getlist(name) for name in query} if query else {}


def _request_id(request: Any) -> str:
    found: str = request.context.setdefault("requestId", uuid.uuid4().hex)
    return found
