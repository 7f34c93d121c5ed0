"""The app called as API Gateway calls it: REST events in, responses out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from chalice.local import RouteMatcher

from app import app
from chalicelib.storage import Storage


@dataclass(frozen=True)
class Answer:
    """A response; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


# What each answer has to pass, by the contract's path and the method; the last tells whether members were asked for.
CHECKS: list[Callable[[str, str, Answer, bool], None]] = []


def call(storage: Storage, method: str, url: str, body: str | None = None, **headers: str) -> Answer:
    """Send one request for `url` (path and query, percent-encoded) to the app over `storage`.

    Whatever is tested, the answer is held to the contract: conftest.py gives the check.
    """
    app.__dict__["storage"] = storage
    asked = event(method, url, body, {k.replace("_", "-"): v for k, v in headers.items()})
    given = app(asked, None)
    assert all(isinstance(value, str) for value in given["headers"].values()), "header values are strings"
    assert not given.get("isBase64Encoded")
    answer = Answer(given["statusCode"], {k.lower(): v for k, v in given["headers"].items()}, given["body"])
    for check in CHECKS:
        check(asked["resource"], method, answer, "fields=" in url or "include=" in url)
    return answer


def get(storage: Storage, url: str, **headers: str) -> Answer:
    return call(storage, "GET", url, **headers)


def post(storage: Storage, url: str, body: Any, **headers: str) -> Answer:
    headers.setdefault("content_type", "application/json")
    return call(storage, "POST", url, orjson.dumps(body).decode(), **headers)


def event(method: str, url: str, body: str | None = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The event of a REST API at the stage `api`: path parameters stay encoded, query values come decoded."""
    parts = urlsplit(url)
    match = RouteMatcher(list(app.routes)).match_route(parts.path)
    return {
        "resource": match.route,
        "path": parts.path,
        "httpMethod": method,
        "headers": {"Host": "reports.example", "X-Forwarded-Proto": "https", **(headers or {})},
        "multiValueQueryStringParameters": parse_qs(parts.query, keep_blank_values=True) or None,
        "pathParameters": dict(match.captured) or None,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": match.route,
            "path": f"/api{parts.path}",
            "requestId": "request-1",
            "identity": {"apiKeyId": "key-1"},
        },
        "body": body,
        "isBase64Encoded": False,
    }
