"""The app as API Gateway and Chalice carry it: their requests as calls of `web.core`, its answers as their responses.

The current request belongs to the thread, since one process may answer many at once.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from chalice.app import Chalice, CORSConfig, Response

from chalicelib.storage import Storage, open_storage
from chalicelib.telemetry import logs, metrics
from chalicelib.web import core
from chalicelib.web.core import Answer, Call, Conditions, View
from chalicelib.web.replies import PROBLEM, refusal
from chalicelib.web.route import Route
from chalicelib.web.routes import BY_NAME

CORS = CORSConfig(
    allow_origin="*",
    allow_headers=list(core.CORS_HEADERS),
    expose_headers=list(core.EXPOSED_HEADERS),
    max_age=core.PREFLIGHT_SECONDS,
)


class Api(Chalice):
    """The app. `storage` is opened at first use by the environment, so that importing the app opens nothing.

    `views` are what answers, by the names of the routes.
    """

    def __init__(self, app_name: str) -> None:
        self._thread = threading.local()
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.views: dict[str, View] = {}
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
        # The gateway asks for the key, and calls nothing without it.
        key = {"api_key_required": True} if route.protected else {}
        types = {"content_types": ["application/json"]} if route.body else {}

        def register(view: View) -> View:
            def answer(**captured: str) -> Response:
                call = _call(self.current_request, route, captured)
                answer = core.respond(view, call, lambda: self.storage, self.clock())
                if call.takes_gzip:
                    answer = core.encode(answer, compress=False)
                return _response(core.deliver(answer, call.request_id, call.conditions))

            self.route(route.path, methods=list(route.methods), cors=CORS, name=name, **types, **key)(answer)
            self.views[name] = view
            return view

        return register


def _call(request: Any, route: Route, captured: Mapping[str, str]) -> Call:
    path = _own_path(request)
    return Call(
        request.method,
        route,
        path,
        captured,
        _query(request),
        request.headers,
        request.raw_body if route.body else b"",
        _base(request, path),
        _request_id(request),
        request.context.get("identity", {}).get("apiKeyId") or "",
    )


def _response(answer: Answer) -> Response:
    return Response(answer.body.decode(), dict[str, str | list[str]](answer.headers), answer.status)


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
    path = _own_path(request)
    answer = core.deliver(core.refuse(error, path, _base(request, path)), _request_id(request), Conditions())
    answer.headers.update({"Allow": allow} if allow else {})
    return _response(answer)


def _own_path(request: Any) -> str:
    """The path below the stage, percent-encoded as it came."""
    path: str = request.path
    for name, value in (request.uri_params or {}).items():
        path = path.replace("{" + name + "}", value)
    return path


def _base(request: Any, path: str) -> str:
    context, headers = request.context, request.headers
    server, stage = context.get("domainName", "localhost"), context.get("path", "").removesuffix(path).rstrip("/")
    return core.own_base(headers.get("host", ""), headers.get("x-forwarded-proto", ""), server, stage)


def _query(request: Any) -> dict[str, list[str]]:
    query = request.query_params
    return {name: query.getlist(name) for name in query} if query else {}


def _request_id(request: Any) -> str:
    found: str = request.context.setdefault("requestId", uuid.uuid4().hex)
    return found
