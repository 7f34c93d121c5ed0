"""The contract as OpenAPI 3.1, made from the table of routes and from `schemas/`.

`python -m chalicelib.web.openapi` writes `schemas/openapi.json`, which the API serves; a test says when it has to be run.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson

from chalicelib.records import SCHEMAS, VERSION
from chalicelib.web.checks import MOST_VALUES
from chalicelib.web.formats import MEDIA
from chalicelib.web.pages import CONTRACT
from chalicelib.web.parameters import PATH, Parameter
from chalicelib.web.routes import ROUTES, Route

Json = dict[str, Any]

PURPOSE = (
    "Work reports of China's townships as validated, citable open data. Every indicator has the sentence that it was "
    "read from; offsets count characters of `/v1/reports/{report}/text`. A township is given by its code or its name; "
    "a name that several have answers 300 with the candidates. Lists are pages: follow `next` until it is null, for a "
    "filtered page may hold fewer rows than its limit. Every failure is a problem document (RFC 9457)."
)
HEADERS = {
    "ETag": "Strong: changes with every byte of the body. Send it as `If-None-Match` to get 304 while nothing changed.",
    "Last-Modified": "When the revision was published here. `If-Modified-Since` takes it, `If-None-Match` is exacter.",
    "Link": "The next page, as `next` of the body; from later pages the first one too.",
    "Location": "Where to go, or what was created.",
    "X-Indexed": "What was published until then (UTC) is found; of later ones up to 20, and all once the search is prepared anew.",
    "RateLimit": "Where reading is limited: `r` requests are left, and in `t` seconds all are there again.",
    "RateLimit-Policy": "Where reading is limited: `q` requests in `w` seconds.",
    "Retry-After": "In how many seconds to ask again.",
    "X-Request-Id": "Names this request in the service's log.",
}


def build() -> Json:
    """The whole document; every `$ref` in it points into it."""
    paths: Json = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
        if route.method == "GET":
            paths[route.path]["head"] = _head(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Township reports",
            "version": VERSION,
            "description": PURPOSE,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": _components(), "headers": {name: _header(text) for name, text in HEADERS.items()}},
    }


def write() -> None:
    """Write the document to where it is served from."""
    CONTRACT.write_bytes(orjson.dumps(build(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _operation(route: Route) -> Json:
    operation = {
        "operationId": route.name,
        "summary": route.summary,
        "parameters": [*_path_parameters(route), *(_parameter(p, "query", p.required) for p in route.parameters)],
        "responses": _responses(route),
    }
    if route.body:
        content = {"application/json": {"schema": _ref(_title(route.body))}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _head(route: Route) -> Json:
    """As GET, without bodies."""
    operation = _operation(route)
    for response in operation["responses"].values():
        response.pop("content", None)
    return {**operation, "operationId": f"{route.name}_head", "summary": f"Headers alone: {route.summary}"}


def _path_parameters(route: Route) -> Iterator[Json]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    return (_parameter(PATH[name], "path", True) for name in names)


def _parameter(parameter: Parameter, where: str, required: bool) -> Json:
    found = {"name": parameter.name, "in": where, "required": required, "description": parameter.description}
    example = {} if parameter.example is None else {"example": parameter.example}
    if parameter.many:
        several = {"type": "array", "items": parameter.schema, "minItems": 1, "maxItems": MOST_VALUES}
        return {**found, "style": "form", "explode": False, "schema": several, "example": [parameter.example]}
    return {**found, "schema": parameter.schema, **example}


def _responses(route: Route) -> Json:
    redirect = route.status == 307
    headers = ["X-Request-Id", *(["Location"] if redirect or route.status == 201 else [])]
    headers += ["X-Indexed"] if route.name == "search_reports" else []
    headers += ["ETag"] if route.status == 200 else []
    headers += ["RateLimit", "RateLimit-Policy"] if route.method == "GET" else []
    headers += ["Link"] if route.listed else []
    headers += ["Last-Modified"] if route.name in ("read_report", "read_text") else []
    success: Json = {"description": route.summary, "headers": {name: _header_ref(name) for name in headers}}
    if not redirect:
        success["content"] = {media: {"schema": _answer(route)} for media in (route.media, *route.also)}
        for name in route.formats[1:]:
            success["content"][MEDIA[name].partition(";")[0]] = {"schema": {"type": "string"}}
    responses = {str(route.status): success}
    if route.status == 200 and route.method == "GET":
        responses["304"] = {"description": "Nothing changed since the ETag that was sent."}
    for status in (*route.problems, *((406,) if route.formats else ()), 429, 500, 503):
        responses[str(status)] = _problem(status)
    return responses


def _answer(route: Route) -> Json:
    if route.answer is None:
        return {"type": "object"} if route.media == "application/json" else {"type": "string"}
    title = _title(route.answer)
    return _ref(f"{title}List" if route.listed else title)


def _problem(status: int) -> Json:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    headers = ["X-Request-Id", *(["Retry-After"] if status in (429, 503) else [])]
    headers += ["RateLimit", "RateLimit-Policy"] if status == 429 else []
    return {
        "description": HTTPStatus(status).phrase,
        "headers": {name: _header_ref(name) for name in headers},
        "content": content,
    }


def _components() -> Json:
    wanted = {name for route in ROUTES for name in (route.answer, route.body) if name} | {"problem", "report"}
    components = {}
    for name in sorted(wanted):
        schema = _load(name)
        components[schema["title"]] = _inlined({k: v for k, v in schema.items() if not k.startswith("$")})
    for name in sorted({route.answer for route in ROUTES if route.listed and route.answer}):
        components[f"{_title(name)}List"] = _page(_title(name))
    return components


def _page(title: str) -> Json:
    following = "The address of the next page; null at the list's end."
    counted = "The rows of all pages; null where they would have to be read to be counted."
    return {
        "title": f"{title}List",
        "description": "A page of a list. It may hold fewer rows than its limit, even none, while there is a next one.",
        "type": "object",
        "properties": {
            "data": {"description": "The rows.", "type": "array", "items": _ref(title)},
            "next": {"description": following, "type": ["string", "null"], "format": "uri"},
            "count": {"description": counted, "type": ["integer", "null"], "minimum": 0},
        },
        "required": ["data", "next", "count"],
        "additionalProperties": False,
    }


def _inlined(value: Any) -> Any:
    """The schema with its references to other files turned into references within the document."""
    if isinstance(value, dict):
        return {k: _moved(v) if k == "$ref" else _inlined(v) for k, v in value.items()}
    return [_inlined(each) for each in value] if isinstance(value, list) else value


def _moved(reference: str) -> str:
    file, _, pointer = reference.partition("#")
    return f"#/components/schemas/{_title(file.removesuffix('.schema.json'))}{pointer}"


def _load(name: str) -> Json:
    schema: Json = orjson.loads((SCHEMAS / f"{name}.schema.json").read_bytes())
    return schema


def _title(name: str) -> str:
    title: str = _load(name)["title"]
    return title


def _ref(title: str) -> Json:
    return {"$ref": f"#/components/schemas/{title}"}


def _header(description: str) -> Json:
    return {"description": description, "schema": {"type": "string"}}


def _header_ref(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}


if __name__ == "__main__":
    write()
