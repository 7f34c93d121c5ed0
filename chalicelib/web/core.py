"""HTTP over the catalog, whoever carries it: a call in, an answer out.

API Gateway with Chalice (`web.api`) and the server of one machine (`web.gateway`) hand over a `Call` and send the `Answer`.
Calls are checked by the contract; answers get ETag, caching and CORS headers, failures become problem documents.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, NamedTuple

from chalicelib.catalog import one_report
from chalicelib.errors import BadRequest, ReportsError
from chalicelib.storage import Index, Storage
from chalicelib.telemetry import logs
from chalicelib.web import checks, formats, upload_limits
from chalicelib.web.publishers import require_publisher
from chalicelib.web.replies import Ask, Reply, internal_error, problem_reply, refusal
from chalicelib.web.route import Route

View = Callable[[Ask], Reply]

CORS_HEADERS = (
    *("Authorization", "Content-Type", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range"),
    *("Range", "X-Api-Key", "X-Request-Id"),
)
EXPOSED_HEADERS = (
    *("Accept-Ranges", "Allow", "Content-Disposition", "Content-Location", "Content-Range", "ETag", "Link", "Location"),
    *("RateLimit", "RateLimit-Policy", "Retry-After", "X-Indexed", "X-Request-Id"),
)
GZIP_BYTES = 1024  # the gateway on AWS compresses from there on: minimum_compression_size in .chalice/config.json
GZIP_LEVEL = 5
PREFLIGHT_SECONDS = 86400
# On every answer, errors too: what a script of another site may read.
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": ",".join(EXPOSED_HEADERS)}

# A name, an IPv4 or a bracketed IPv6 address, and maybe a port.
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A request for a route. `path` lies below the stage and is percent-encoded, as `captured`, its parameters, are.

    `headers` have names in lower case; `base` is the service's own address. `publisher` names the key that was checked,
    and is empty where none was.
    """

    method: str
    route: Route
    path: str
    captured: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    base: str
    request_id: str
    publisher: str = ""

    @property
    def settled(self) -> bool:
        """Whether the answer stays the same as long as nothing is committed to the index. Counts are of objects."""
        return self.route.settled and "group_by" not in self.query

    @property
    def conditions(self) -> Conditions:
        """None for what changes something: that is never told as a 304."""
        if self.method not in ("GET", "HEAD"):
            return Conditions()
        return Conditions(self.headers.get("if-none-match", ""), self.headers.get("if-modified-since", ""))

    @property
    def takes_gzip(self) -> bool:
        return takes_gzip(self.headers.get("accept-encoding", ""))


class Conditions(NamedTuple):
    """What the caller has already: the headers If-None-Match and If-Modified-Since, empty where not sent."""

    if_none_match: str = ""
    if_modified_since: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent; a HEAD, a 204 or a 304 goes without the body."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


def respond(view: View, call: Call, storage: Callable[[], Storage], now: datetime) -> Answer:
    """The view's answer, or the problem document of what it raised; `deliver` makes it the caller's."""
    try:
        if call.route.protected:
            require_publisher(call.publisher)
        if call.route.body and not _is_json(call.headers.get("content-type", "")):
            raise refusal(415, call.method)
        given = {**checks.read_query(call.route, call.query), **checks.read_path(call.captured)}
        query = {name: values[0] for name, values in call.query.items()}
        logs.note(report_id=given.get("report"), upload_id=given.get("upload"))
        asked, groups = _format(call, given), given.pop("group_by", None) or ()
        fields, lang = given.pop("fields", None) or (), given.pop("lang", None)
        if groups:
            _require_rows({"fields": fields, "lang": lang})
        if call.route.dated:
            _name_revision(given, storage().index)
        ask = Ask(
            storage(),
            now,
            call.base,
            call.path,
            given,
            query,
            call.headers,
            call.body,
            asked,
            "count" if groups else call.route.answer,
            call.method,
            groups,
            fields,
            lang,
        )
        left = upload_limits.take(storage().index, call.publisher, now) if call.route.counted else {}
        reply = view(ask)
        reply = replace(reply, headers={**reply.headers, **left}) if left else reply
        return finish(reply, "Accept, Accept-Encoding" if call.route.formats else "Accept-Encoding")
    except ReportsError as error:
        return refuse(error, call.path, call.base)
    except Exception:
        log.exception("unexpected failure at %s", call.path)
        return refuse(internal_error(call.request_id), call.path, call.base)


def _name_revision(given: dict[str, Any], index: Index) -> None:
    """Give `given` the revision that was current at its `as_of`, which it loses. Raises BadRequest and NotFound."""
    as_of: str | None = given.pop("as_of")
    if as_of is None:
        return
    if given["revision"] is not None:
        detail, way_out = "Both revision and as_of say which revision is meant.", "Give one of them."
        raise BadRequest("bad_parameter", detail, way_out, parameter="as_of")
    given["revision"] = one_report.revision_at(index, given["report"], as_of)


def _require_rows(shaping: Mapping[str, object]) -> None:
    """Raise BadRequest for what shapes rows, where counts are asked for."""
    for name, value in shaping.items():
        if value:
            detail = f"{name} cannot be given beside group_by: it is for rows."
            raise BadRequest("bad_parameter", detail, "Leave out one of them.", parameter=name)


def _format(call: Call, given: dict[str, Any]) -> str:
    """The format that a list is asked for in; `given` loses its parameter. Raises RefusedError."""
    if not call.route.formats:
        return "json"
    named: str | None = given.pop("format")
    return named or formats.choose(call.headers.get("accept", ""), call.route.formats)


def refuse(error: ReportsError, path: str, base: str) -> Answer:
    """The answer that a failure is told by."""
    logs.note(error_code=error.code)
    return finish(problem_reply(error, path, base))


def finish(reply: Reply, vary: str = "Accept-Encoding") -> Answer:
    """The reply as it may be sent to anybody who asks the same: with the headers that all have, and its ETag."""
    headers = {
        "Content-Type": reply.media,
        "Content-Language": reply.language,
        "Cache-Control": reply.cache,
        "X-Content-Type-Options": "nosniff",
        **CORS,
        **reply.headers,
        "Vary": ", ".join(filter(None, (vary, reply.headers.get("Vary")))),
    }
    if reply.status == 200:
        headers["ETag"] = _etag(reply.body)
    return Answer(reply.status, headers, reply.body)


def encode(answer: Answer, compress: bool = True) -> Answer:
    """The answer for a caller that takes gzip: a representation of its own, which has its own ETag.

    Without `compress` its bytes stay, for a gateway that compresses them on the way.
    """
    if answer.status != 200 or len(answer.body) < GZIP_BYTES:
        return answer
    headers = {**answer.headers, "ETag": f'{answer.headers["ETag"][:-1]}-gzip"'}
    if not compress:
        return Answer(200, headers, answer.body)
    headers["Content-Encoding"] = "gzip"
    return Answer(200, headers, gzip.compress(answer.body, GZIP_LEVEL, mtime=0))


@lru_cache(maxsize=256)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether the header Accept-Encoding lets gzip pass (RFC 9110, section 12.5.3)."""
    weights = {}
    for part in accept_encoding.lower().split(","):
        name, *parameters = part.split(";")
        weights[name.strip()] = formats.weight(parameters)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def deliver(answer: Answer, request_id: str, has: Conditions) -> Answer:
    """The answer to one request: with its id, and 304 where the caller has it already."""
    headers = {**answer.headers, "X-Request-Id": request_id}
    if any(has) and "ETag" in headers and _is_held(headers, has):
        for name in ("Content-Type", "Content-Encoding"):
            headers.pop(name, None)
        return Answer(304, headers)
    return Answer(answer.status, headers, answer.body)


def _is_held(headers: Mapping[str, str], has: Conditions) -> bool:
    """RFC 9110, section 13.2.2: If-Modified-Since counts only without If-None-Match."""
    if has.if_none_match:
        return matches(has.if_none_match, headers["ETag"])
    if "Last-Modified" not in headers:
        return False
    try:
        return parsedate_to_datetime(headers["Last-Modified"]) <= parsedate_to_datetime(has.if_modified_since)
    except (ValueError, TypeError):  # no date, or one without a time zone: the condition does not count
        return False


def permits(headers: Mapping[str, str]) -> Callable[[bytes], bool]:
    """Whether the header If-Match lets something of these bytes be changed; without it everything may be."""
    asked = headers.get("if-match", "").replace('-gzip"', '"')  # the same bytes, however they came
    return lambda body: not asked or matches(asked, _etag(body))


def own_base(host: str, scheme: str, server: str, stage: str = "") -> str:
    """The service's address: `REPORTS_URL` where it is set, for behind a CDN the Host header is another one.

    What is no host, or no scheme of the web, never gets into an answer: the server's own name stands there then.
    """
    if configured := os.environ.get("REPORTS_URL"):
        return configured.rstrip("/")
    scheme = scheme if scheme in ("http", "https") else "http"
    return f"{scheme}://{host if _HOST.fullmatch(host) else server}{stage}"


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _etag(body: bytes) -> str:
    return '"' + base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:16]).decode().rstrip("=") + '"'


def matches(if_none_match: str, etag: str) -> bool:
    """Weak comparison, as RFC 9110 wants it for If-None-Match: a cache on the way may have weakened the tag."""
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags
