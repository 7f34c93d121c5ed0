"""API Gateway's part on one machine, as a WSGI application: HTTP in, the app's view called, HTTP out.

It does what the gateway and Chalice do on AWS (routes, preflight, limits, unknown addresses), and `/objects/…` stands for S3: the
addresses that the local storage signs, streamed both ways.

Granian hands the path over decoded, without the one that was sent: `%2F` inside a parameter is a slash here, and the
address unknown, where on AWS it stays in the parameter. No code, id or name of the data has a slash.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, quote

from chalicelib.errors import BadRequest, ReportsError, StorageError, TooLarge
from chalicelib.storage.local import LocalObjects
from chalicelib.storage.local_index import LocalIndex
from chalicelib.telemetry import logs, metrics
from chalicelib.web import core
from chalicelib.web.api import Api
from chalicelib.web.body import NO_TURN, Body, Environ, Turns
from chalicelib.web.core import CORS, Answer, Call, Conditions
from chalicelib.web.kept_answers import KeptAnswers, most_bytes
from chalicelib.web.matching import Matcher
from chalicelib.web.object_reading import read_object
from chalicelib.web.publishers import find_publisher
from chalicelib.web.read_limits import ReadLimit, Verdict
from chalicelib.web.replies import RefusedError, problem_reply, refusal
from chalicelib.web.route import Route
from chalicelib.web.routes import ROUTES

BODY_BYTES = 6_000_000  # what a function is handed at most
BODIES = 16  # read at once
FIELDS = 100  # more query parameters than any route has
OBJECTS = "/objects/"
_ASKED = ("PATH_INFO", "QUERY_STRING", "HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_ACCEPT")

Start = Callable[[str, list[tuple[str, str]]], object]


@dataclass(frozen=True, slots=True)
class Sent:
    """An HTTP response: whole in `body`, or block by block from `stream`."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    stream: Iterator[bytes] | None = None


class Kept(NamedTuple):
    """An answer that may be given again, the route that it is of, and its headers as the server takes them."""

    answer: Answer
    route: Route
    lines: list[tuple[str, str]]


class Refusal:
    """A refusal's body, which goes out at once; behind it what the client still sends is taken and dropped."""

    def __init__(self, answer: Iterable[bytes], body: Body, held: ExitStack) -> None:
        self._answer, self._body, self._held = answer, body, held

    def __iter__(self) -> Iterator[bytes]:
        with self._held:
            yield from self._answer
            self._body.drain()

    def close(self) -> None:
        self._held.close()


class Gateway:
    """The WSGI application in front of the app; `limit` is that of reading."""

    def __init__(self, app: Api, limit: ReadLimit | None = None) -> None:
        self._app, self._limit = app, limit
        self._matcher = Matcher(ROUTES)
        self._kept = KeptAnswers[Kept](most_bytes())
        self._turns = Turns(BODIES)

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        begun, request_id, method = time.perf_counter(), os.urandom(16).hex(), environ["REQUEST_METHOD"]
        body = Body(environ)
        if self._limit and not body.comes and method in ("GET", "HEAD"):
            verdict = self._limit.take(environ.get("REMOTE_ADDR", ""))
            if verdict is not None:
                start = _telling(start, verdict)
                if verdict.wait:
                    sent = _problem(refusal(429, method), quote(environ["PATH_INFO"].encode("latin-1")), request_id)
                    return _send(sent, method, start, request_id)
        # Read first: what is committed while an answer is made ends the generation that it is kept under.
        generation = None if body.comes or method not in ("GET", "HEAD") else self._generation()
        if generation is not None and (kept := self._kept.find(_question(environ), generation)):
            return _give_again(kept, environ, request_id, begun, start)
        # WSGI hands the path over decoded once, its bytes as latin-1.
        path = quote(environ["PATH_INFO"].encode("latin-1"))
        with ExitStack() as held:
            try:
                if body.comes:
                    held.enter_context(self._turns.taken())
                sent = (
                    self._store(environ, body, method)
                    if path.startswith(OBJECTS)
                    else self._call(environ, body, path, request_id, generation)
                )
            except ReportsError as error:
                answer = _send(_problem(error, path, request_id), method, start, request_id)
                # Without a turn there is no thread to spare for what the client sends.
                waits = body.comes and error.code != NO_TURN
                return Refusal(answer, body, held.pop_all()) if waits else answer
        return _send(sent, method, start, request_id)

    def _call(self, environ: Environ, body: Body, path: str, request_id: str, generation: int | None) -> Sent:
        method = environ["REQUEST_METHOD"]
        match = self._matcher.match(path)
        if match is None:
            raise refusal(404, method)
        if method == "OPTIONS":
            return _preflight(match.routes)
        route = match.routes.get(method)
        if route is None:
            raise refusal(405, method, ", ".join([*match.routes, "OPTIONS"]))
        start = time.perf_counter()
        with logs.context(request_id=request_id):
            call = _read_call(environ, body, route, path, match.captured, request_id)
            answer = core.respond(self._app.views[route.name], call, lambda: self._app.storage, self._app.clock())
            if call.takes_gzip:
                answer = core.encode(answer)
            if generation is not None and call.settled and answer.status == 200:
                lines = [*answer.headers.items(), ("Content-Length", str(len(answer.body)))]
                self._kept.keep(_question(environ), generation, Kept(answer, route, lines), len(answer.body))
            answer = core.deliver(answer, request_id, call.conditions)
            metrics.tell_request(method, route.path, answer.status, logs.milliseconds_since(start))
        return Sent(answer.status, answer.headers, answer.body)

    def _generation(self) -> int | None:
        index = self._app.storage.index
        if not isinstance(index, LocalIndex):
            return None
        try:
            return index.generation()
        except StorageError:  # told where the answer is made
            return None

    def _store(self, environ: Environ, body: Body, method: str) -> Sent:
        objects = self._app.storage.objects
        if not isinstance(objects, LocalObjects):
            raise refusal(404, method)
        key = environ["PATH_INFO"].encode("latin-1").decode(errors="replace").removeprefix(OBJECTS)
        query = dict(_fields(parse_qsl, environ))
        match method:
            case "PUT":
                size, media = objects.verify_upload(key, query, time.time())
                if body.length > size:
                    self._note_too_large(key, body.length, size)
                _require_announced(body.length, environ.get("CONTENT_TYPE", ""), size, media)
                objects.put_stream(key, _whole_stream(body, size), size)
                return Sent(200, CORS)
            case "GET" | "HEAD":
                named = objects.verify_download(key, query, time.time())
                asked = _headers(environ)
                if method == "HEAD":
                    asked.pop("range", None)  # of a GET alone
                status, headers, stream = read_object(objects, key, *named, asked)
                return Sent(status, headers, stream=stream)
            case "OPTIONS":
                return _preflight(("GET", "HEAD", "PUT"))
        raise refusal(405, method, "GET, HEAD, PUT, OPTIONS")

    def _note_too_large(self, key: str, size: int, most: int) -> None:
        from chalicelib.ingestion import uploads

        uploads.refuse_too_large(self._app.storage, key, size, most, self._app.clock())


def _telling(start: Start, verdict: Verdict) -> Start:
    """`start` with the headers of the limit."""
    return lambda status, headers: start(status, [*headers, *verdict.headers.items()])


def _question(environ: Environ) -> tuple[object, ...]:
    """All of a GET that its answer depends on, if the data stay the same."""
    return (core.takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")), *map(environ.get, _ASKED))


def _give_again(kept: Kept, environ: Environ, request_id: str, begun: float, start: Start) -> Iterable[bytes]:
    """Answer as before. Most requests are answered here, so little is done for who has nothing yet."""
    method, answer = environ["REQUEST_METHOD"], kept.answer
    has = Conditions(environ.get("HTTP_IF_NONE_MATCH", ""), environ.get("HTTP_IF_MODIFIED_SINCE", ""))
    sent = core.deliver(answer, request_id, has) if any(has) else answer
    if metrics.are_told():
        with logs.context(request_id=request_id):
            metrics.tell_request(method, kept.route.path, sent.status, logs.milliseconds_since(begun))
    if sent is not answer:
        return _send(Sent(sent.status, sent.headers, sent.body), method, start, request_id)
    start("200 OK", [*kept.lines, ("X-Request-Id", request_id)])
    return [] if method == "HEAD" else [answer.body]


def _read_call(
    environ: Environ, body: Body, route: Route, path: str, captured: Mapping[str, str], request_id: str
) -> Call:
    headers = _headers(environ)
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    base = core.own_base(headers.get("host", ""), headers.get("x-forwarded-proto", ""), _own_host(environ))
    method = environ["REQUEST_METHOD"]
    query = _fields(parse_qs, environ) if environ.get("QUERY_STRING") else {}
    publisher = find_publisher(headers, os.environ) if route.protected else ""
    return Call(method, route, path, captured, query, headers, _whole(body, method), base, request_id, publisher)


def _headers(environ: Environ) -> dict[str, str]:
    """The request's headers, with names in lower case."""
    return {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}


def _own_host(environ: Environ) -> str:
    name = environ["SERVER_NAME"]
    return f"{f'[{name}]' if ':' in name else name}:{environ['SERVER_PORT']}"


def _fields(parse: Callable[..., Any], environ: Environ) -> Any:
    try:
        return parse(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError as error:
        detail = f"The query has more than {FIELDS} parameters."
        raise BadRequest("bad_request", detail, "No address takes as many; leave out the others.") from error


def _whole(body: Body, method: str) -> bytes:
    """All of the body. Raises RefusedError beyond `BODY_BYTES`."""
    if body.length > BODY_BYTES:
        raise refusal(413, method)
    read = bytearray()
    for block in body.blocks():
        read += block
        if len(read) > BODY_BYTES:
            raise refusal(413, method)
    return bytes(read)


def _require_announced(length: int, given: str, size: int, media: str) -> None:
    """Raise what refuses a body that is not of the size and type that its address was given out for."""
    if length > size:
        way_out = "Ask for an address for this file."
        raise TooLarge("upload_too_large", f"The file is larger than the {size:,} bytes announced.", way_out)
    if 0 <= length < size:
        raise _cut(length, size)
    if given != media:
        way_out = f"Send the header Content-Type: {media}, or ask for another address."
        raise RefusedError(415, "upload_type", "The file is not of the type that was announced.", way_out)


def _whole_stream(body: Body, size: int) -> Iterator[bytes]:
    """The body as it arrives. Raises BadRequest when it ends before its `size`."""
    come = 0
    for block in body.blocks():
        come += len(block)
        yield block
    if come < size:
        raise _cut(come, size)


def _cut(come: int, size: int) -> BadRequest:
    return BadRequest("upload_cut", f"The file ends after {come:,} of {size:,} bytes.", "Send it again, whole.")


def _preflight(methods: Iterable[str]) -> Sent:
    allowed = ", ".join([*methods, "OPTIONS"])
    age = str(core.PREFLIGHT_SECONDS)
    cors = {
        **CORS,
        "Access-Control-Allow-Headers": ",".join(core.CORS_HEADERS),
        "Access-Control-Allow-Methods": allowed,
        "Access-Control-Max-Age": age,
    }
    return Sent(204, {**cors, "Allow": allowed, "Cache-Control": f"public, max-age={age}"})


def _problem(error: ReportsError, path: str, request_id: str) -> Sent:
    reply = problem_reply(error, path)
    more = {"Allow": error.extra["allow"]} if "allow" in error.extra else {}
    if reply.status == 416:
        more["Content-Range"] = f"bytes */{error.extra['size']}"
    answer = core.deliver(core.finish(reply), request_id, Conditions())
    return Sent(answer.status, {**answer.headers, **more}, answer.body)


def _send(sent: Sent, method: str, start: Start, request_id: str) -> Iterable[bytes]:
    """Hand the response to the server; HEAD, 204 and 304 have no body, and HEAD says how long it would be."""
    headers, bare = {"X-Request-Id": request_id, **sent.headers}, sent.status in (204, 304)
    if not bare:
        headers.setdefault("Content-Length", str(len(sent.body)))
    start(f"{sent.status} {HTTPStatus(sent.status).phrase}", list(headers.items()))
    if bare or method == "HEAD":
        return []
    return sent.stream or [sent.body]
