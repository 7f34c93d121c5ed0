"""HTTP over the catalog: requests are checked by the contract, answers get ETag, caching, links and problem documents.

`Api` is a Chalice app whose current request belongs to the thread, since one process answers many at once. A view gets
an `Ask` and gives back a `Reply`; everything that is the same for all routes happens around it.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from chalice.app import Chalice, CORSConfig, Response

from chalicelib.errors import ReportsError
from chalicelib.storage import Storage, open_storage
from chalicelib.telemetry import logs, metrics
from chalicelib.web import checks
from chalicelib.web.replies import PROBLEM, Ask, Reply, internal_error, problem_reply, refusal
from chalicelib.web.routes import BY_NAME, Route

CORS = CORSConfig(
    allow_origin="*",
    allow_headers=["If-None-Match", "X-Request-Id"],
    expose_headers=["ETag", "Link", "Location", "Content-Location", "Content-Disposition", "X-Request-Id"],
    max_age=86400,
)

# A name, an IPv4 or a bracketed IPv6 address, and maybe a port.
HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

log = logging.getLogger(__name__)


Headers = dict[str, str | list[str]]
View = Callable[[Ask], Reply]


class Api(Chalice):
    """The app. `storage` is opened at first use by the environment, so that importing the app opens nothing."""

    def __init__(self, app_name: str) -> None:
        self._thread = threading.local()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        logs.configure(os.environ)
        super().__init__(app_name, configure_logs=False)
        self.register_middleware(_tell_request, "http")
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
        logs.note(report_id=given.get("report"), upload_id=given.get("upload"))
        body = request.raw_body if route.body else b""
        ask = Ask(app.storage, app.clock(), base, path, given, query, request.headers, body)
        reply = view(ask)
    except ReportsError as error:
        logs.note(error_code=error.code)
        reply = problem_reply(error, path, base)
    except Exception:
        log.exception("unexpected failure at %s", path)
        failure = internal_error(_request_id(request))
        logs.note(error_code=failure.code)
        reply = problem_reply(failure, path)
    return _response(reply, request)


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


def _tell_request(request: Any, get_response: Callable[[Any], Response]) -> Response:
    """One log line for each request, and its id on every line that is logged meanwhile."""
    start, route = time.perf_counter(), request.context["resourcePath"]
    invocation = getattr(request.lambda_context, "aws_request_id", None)
    with logs.context(request_id=_request_id(request), aws_request_id=invocation):
        response = get_response(request)
        metrics.tell_request(request.method, route, response.status_code, logs.milliseconds_since(start))
    return response


def _answer_refusals(request: Any, get_response: Callable[[Any], Response]) -> Response:
    """Chalice's own refusals (405, 415, 500) as problem documents too."""
    response = get_response(request)
    if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM:
        return response
    allow = str(response.headers.get("Allow", ""))
    error = refusal(response.status_code, request.method, allow, _request_id(request))
    logs.note(error_code=error.code)
    answer = _response(problem_reply(error, _own_path(request)), request)
    answer.headers.update({**CORS.get_access_control_headers(), **({"Allow": allow} if allow else {})})
    return answer


def _own_path(request: Any) -> str:
    """The path below the stage, percent-encoded as it came."""
    path: str = request.path
    for name, value in (request.uri_params or {}).items():
        path = path.replace("{" + name + "}", value)
    return path


def _base(request: Any) -> str:
    """Scheme, host and stage: `REPORTS_URL` where it is set, for behind a CDN the Host header is another one.

    What is no host, or no scheme of the web, never gets into an answer: the server's own name stands there then.
    """
    if configured := os.environ.get("REPORTS_URL"):
        return configured.rstrip("/")
    host = request.headers.get("host", "")
    if not HOST.fullmatch(host):
        host = request.context.get("domainName", "localhost")
    scheme = request.headers.get("x-forwarded-proto", "")
    scheme = scheme if scheme in ("http", "https") else "http"
    return f"{scheme}://{host}{request.context.get('path', '').removesuffix(_own_path(request)).rstrip('/')}"


def _query(request: Any) -> dict[str, list[str]]:
    query = request.query_params
    return {name: query.getlist(name) for name in query} if query else {}


def _request_id(request: Any) -> str:
    found: str = request.context.setdefault("requestId", uuid.uuid4().hex)
    return found
