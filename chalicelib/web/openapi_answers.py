"""What each operation answers, as OpenAPI has it: statuses, headers, media types, problems, links."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson

from chalicelib.records import SCHEMAS
from chalicelib.web.formats import MEDIA
from chalicelib.web.links import LINKS
from chalicelib.web.problems import load_kinds
from chalicelib.web.publishers import CHALLENGE
from chalicelib.web.route import Route

Json = dict[str, Any]

# Name: what it says, the schema of its value, an example.
HEADERS: dict[str, tuple[str, Json, str]] = {
    "Access-Control-Allow-Headers": ("On AWS on each answer, elsewhere on that to OPTIONS.", {}, "If-None-Match"),
    "Access-Control-Allow-Origin": ("Scripts of every site may read the answer.", {"const": "*"}, "*"),
    "Access-Control-Expose-Headers": ("The headers that they may read.", {}, "ETag,Link,Location"),
    "Access-Control-Max-Age": ("As `Access-Control-Allow-Headers`.", {"pattern": "^[0-9]+$"}, "86400"),
    "Allow": ("The methods that this address takes.", {}, "GET, HEAD, OPTIONS"),
    "Cache-Control": (
        "How long the answer may be kept: for ever where a revision is named, and asked again each time elsewhere.",
        {},
        "public, max-age=0, must-revalidate",
    ),
    "Content-Language": ("The language of the text: reports are Chinese, problems English.", {}, "zh"),
    "Content-Security-Policy": ("What the page may load: only what this service has.", {}, "default-src 'none'"),
    "ETag": (
        "Strong: changes with every byte of the body. Send it as `If-None-Match` to get 304 while nothing changed.",
        {"pattern": '^"[A-Za-z0-9_-]+"$'},
        '"TkhRg8yJ3kiU7kSXr5Vd8A"',
    ),
    "Last-Modified": (
        "When the revision was published here. `If-Modified-Since` takes it, `If-None-Match` is exacter. It comes once "
        "the second has passed in which that was.",
        {"pattern": " GMT$"},
        "Sat, 02 Mar 2024 08:00:00 GMT",
    ),
    "Link": (
        "The next page, as `next` of the body; from later pages the first one too (RFC 8288).",
        {},
        '<https://reports.example/v1/reports?cursor=x>; rel="next"',
    ),
    "Location": ("Where to go, or what was created.", {"minLength": 1}, "https://reports.example/v1/uploads/x"),
    "RateLimit": (
        "Where reading is limited, and of a key's uploads: `r` requests are left, and in `t` seconds all are there again.",
        {},
        '"reads";r=2999;t=1',
    ),
    "RateLimit-Policy": (
        "Where reading is limited, and of a key's uploads: `q` requests in `w` seconds.",
        {},
        '"reads";q=3000;w=60',
    ),
    "Retry-After": ("In how many seconds to ask again.", {"pattern": "^[0-9]+$"}, "1"),
    "Vary": ("The request's headers that the answer depends on, for caches.", {}, "Accept-Encoding"),
    "WWW-Authenticate": ("What a key may be sent by, besides `X-API-Key`.", {}, CHALLENGE),
    "X-Content-Type-Options": ("Browsers take the media type as it is told.", {"const": "nosniff"}, "nosniff"),
    "X-Indexed": (
        "What was published until then (UTC) is found and counted; the search finds up to 20 later ones too, and all once "
        "it is prepared anew.",
        {},
        "2024-03-02T08:00:00+00:00",
    ),
    "X-Request-Id": ("Names this request in the service's log.", {"minLength": 1}, "6f1c1c6f8c5e4a1d"),
}
# On all that a view answers.
ALWAYS = (
    *("Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Cache-Control", "Content-Language"),
    *("Vary", "X-Content-Type-Options", "X-Request-Id"),
)
PREFLIGHT = ("Access-Control-Allow-Headers", "Access-Control-Max-Age")
LIMITED = ("RateLimit", "RateLimit-Policy")
# Not on every answer that may have it.
AT_TIMES = {"Link", "Last-Modified", "X-Indexed", *LIMITED, *PREFLIGHT}
# A name that fits no township is 404 in an address, and in a filter or a body a parameter with a wrong value.
ALSO_400 = ("unknown-township", "ambiguous-township")
# What each operation may come to, whatever it does.
EVERYWHERE = (429, 500, 503, 504)


def responses(route: Route, answer: Json, examples: Json) -> Json:
    """By status; `answer` is the schema of a success, `examples` its bodies by media type."""
    found = {str(route.status): _success(route, answer, examples)}
    if route.status == 200 and route.method == "GET":
        found["304"] = {"description": "Nothing changed since what was sent.", "headers": _headers(route)}
    return found | {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses(route)}


def statuses(route: Route) -> list[int]:
    """Those of the problems that a route may answer with."""
    return sorted(
        {*route.problems, *((406,) if route.formats else ()), *((401,) if route.protected else ()), *EVERYWHERE}
    )


def bare(found: Json) -> Json:
    """The responses as HEAD has them: a success without body. Problems are those of GET, whose bodies HEAD leaves out."""
    return {
        status: {k: v for k, v in response.items() if k not in ("content", "links")}
        for status, response in found.items()
    }


def problem(status: int) -> Json:
    """The response of all problems of a status."""
    headers = [
        *ALWAYS,
        *PREFLIGHT,
        *(["Retry-After"] if status in (429, 503) else []),
        *(LIMITED if status >= 400 else ()),
        *(["WWW-Authenticate"] if status == 401 else []),
    ]
    codes = [name.replace("-", "_") for name, kind in load_kinds().items() if _is_of(name, kind["status"], status)]
    schema = {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"properties": {"status": {"const": status}, "code": {"enum": codes}}},
        ]
    }
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}.",
        # Not required: what API Gateway says on its own has fewer.
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in headers},
        "content": {"application/problem+json": {"schema": schema, "example": _example(status, codes[0])}},
    }


def header_components() -> Json:
    """All headers; those that an answer always has stand beside, with the ending `Always`."""
    found: Json = {}
    for name, (text, schema, example) in HEADERS.items():
        shape = {"description": text, "schema": {"type": "string", **schema}, "example": example}
        found[name] = shape
        if name not in AT_TIMES:
            found[f"{name}.Always"] = {**shape, "required": True}
    return found


def _success(route: Route, answer: Json, examples: Json) -> Json:
    found: Json = {"description": route.summary, "headers": _headers(route)}
    if route.status == 307:
        return found
    found["content"] = {media: {"schema": answer} for media in (route.media, *route.also)}
    for name in route.formats[1:]:
        found["content"][MEDIA[name].partition(";")[0]] = {"schema": {"type": "string"}}
    for media, example in examples.items():
        found["content"][media]["example"] = example
    return {**found, "links": LINKS[route.name]} if route.name in LINKS else found


def _headers(route: Route) -> Json:
    names = [*ALWAYS, *PREFLIGHT, *route.headers]
    names += ["Location"] if route.status in (201, 307) else []
    names += ["ETag"] if route.status == 200 else []
    names += LIMITED if route.method == "GET" or route.counted else ()
    names += ["Link"] if route.listed else []
    return {
        name: {"$ref": f"#/components/headers/{name}{'' if name in AT_TIMES else '.Always'}"} for name in sorted(names)
    }


def _is_of(name: str, own: int, status: int) -> bool:
    return own == status or (status == 400 and name in ALSO_400)


def _example(status: int, code: str) -> Json:
    kind = load_kinds()[code.replace("_", "-")]
    return {
        "type": kind["type"],
        "title": kind["title"],
        "status": status,
        "detail": kind["meaning"],
        "instance": "/v1/reports",
        "code": code,
        "way_out": None,
    }


def read_examples() -> Json:
    """Bodies by route and media type, as the API answered them over the seeds (tests/answer_examples.py)."""
    found: Json = orjson.loads((SCHEMAS / "examples.json").read_bytes())
    return found
