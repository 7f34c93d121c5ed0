"""The contract as OpenAPI 3.1, made from the table of routes and from `schemas/`.

`python -m chalicelib.web.openapi` writes `schemas/openapi.json`, which the API serves; a test says when it has to be run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from chalicelib import tables
from chalicelib.records import SCHEMAS, VERSION
from chalicelib.web import openapi_answers as answers
from chalicelib.web.pages import CONTRACT
from chalicelib.web.parameters import PATH, Parameter
from chalicelib.web.route import Route
from chalicelib.web.routes import ROUTES

Json = dict[str, Any]

PURPOSE = (
    "Work reports of China's townships as validated, citable open data. Every indicator has the sentence that it was "
    "read from; offsets count characters of `/v1/reports/{report}/text`. A township is given by its code or its name; "
    "a name that several have answers 300 with the candidates. Lists are pages: follow `next` until it is null, for a "
    "filtered page may hold fewer rows than its limit. Every failure is a problem document (RFC 9457)."
)
KEYS = {
    "PublisherKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A publisher's key. Reading needs none.",
    },
    "PublisherToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The same key as a token, on one machine. API Gateway takes `X-API-Key` alone.",
    },
}
BODIES = {
    "upload-request": {
        "filename": "亭旁镇2022年度工作总结.txt",
        "bytes": 5954,
        "media": "text/plain",
        "township": "331022103",
    },
    "township-request": {"township": "331022103"},
}
TAGS = {
    "reports": "Records of reports, their sections, figures, texts and revisions.",
    "townships": "Places of the division table, and what is known of each.",
    "indicators": "Figures across townships, and what they are compared by.",
    "changes": "What was added, revised and withdrawn, in order.",
    "bulk": "Everything at once, as files.",
    "uploads": "For publishers.",
    "service": "The service itself, its pages and this contract.",
}
_TAGGED = {"search": "reports", "concepts": "indicators", "changes.atom": "changes"}


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
        "servers": [{"url": "/", "description": "Where this document came from."}],
        "externalDocs": {"url": "/docs", "description": "This contract to read and try."},
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _components(),
            "headers": answers.header_components(),
            "responses": {f"Problem{status}": answers.problem(status) for status in _problem_statuses()},
            "securitySchemes": KEYS,
        },
    }


def write() -> None:
    """Write the document to where it is served from."""
    CONTRACT.write_bytes(orjson.dumps(build(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _problem_statuses() -> list[int]:
    return sorted({status for route in ROUTES for status in answers.statuses(route)})


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [_tag(route)],
        "parameters": [
            *_path_parameters(route),
            *(_parameter(p, "query", p.required) for p in route.parameters),
            *(_parameter(p, "header", False) for p in route.conditions),
        ],
        "responses": answers.responses(route, _answer(route), answers.read_examples().get(route.name, {})),
    }
    if route.protected:
        operation["security"] = [{name: []} for name in KEYS]
    if route.body:
        content = {"schema": _ref(_title(route.body)), "example": BODIES[route.body]}
        operation["requestBody"] = {
            "description": _load(route.body)["description"],
            "required": True,
            "content": {"application/json": content},
        }
    return operation


def _tag(route: Route) -> str:
    _, first, second, *_ = [*route.path.split("/"), ""]
    second = _TAGGED.get(second, second)
    return second if first == "v1" and second in TAGS else "service"


def _head(route: Route) -> Json:
    """As GET, without bodies."""
    operation = _operation(route)
    summary = f"Headers alone: {route.summary}"
    head = {"operationId": f"{route.name}_head", "summary": summary, "responses": answers.bare(operation["responses"])}
    return {**operation, **head}


def _path_parameters(route: Route) -> Iterator[Json]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    return (_parameter(PATH[name], "path", True) for name in names)


def _parameter(parameter: Parameter, where: str, required: bool) -> Json:
    parameter = parameter.filled()
    found = {"name": parameter.name, "in": where, "required": required, "description": parameter.description}
    example = {} if parameter.example is None else {"example": parameter.example}
    if parameter.many:
        # A comma ends a value.
        one = parameter.schema if "enum" in parameter.schema else {"pattern": "^[^,]+$", **parameter.schema}
        several = {"type": "array", "items": one, "minItems": 1, "maxItems": parameter.most}
        return {**found, "style": "form", "explode": False, "schema": several, "example": [parameter.example]}
    return {**found, "schema": parameter.schema, **example}


def _answer(route: Route) -> Json:
    if route.answer is None:
        return {"type": "object"} if route.media == "application/json" else {"type": "string"}
    title = _title(route.answer)
    if route.including:
        return {"anyOf": [_ref(title), _ref(f"{title}With")]}
    if not route.listed:
        return _ref(title)
    counts = ["CountList"] if route.grouped else []
    return {"anyOf": [_ref(name) for name in (f"{title}List", f"{title}PartList", *counts)]}


def _components() -> Json:
    wanted = {name for route in ROUTES for name in (route.answer, route.body) if name} | {"problem", "report", "count"}
    components = {}
    for name in sorted(wanted):
        schema = _load(name)
        components[schema["title"]] = _inlined({k: v for k, v in schema.items() if not k.startswith("$")})
    for name in sorted({"count", *(route.answer for route in ROUTES if route.listed and route.answer)}):
        components[f"{_title(name)}List"] = _page(_title(name))
    components["ReportWith"] = _with(components["Report"])
    for name in sorted({route.answer for route in ROUTES if route.listed and route.answer}):
        part = f"{_title(name)}Part"
        components[part], components[f"{part}List"] = _part(name, part), _page(part)
    return components


def _with(report: Json) -> Json:
    """A record with what `include` adds."""
    text = "The clean text that all offsets count in, as `/v1/reports/{report}/text` has it."
    added = {
        "text": {"description": text, "type": "string"},
        "revisions": {"description": "All revisions, the first one first.", "type": "array", "items": _ref("Revision")},
    }
    described = "A record with the members that `include` names."
    properties = {"properties": {**report["properties"], **added}}
    return {**report, "title": "ReportWith", "description": described, **properties}


def _part(name: str, title: str) -> Json:
    """A row of which some members are asked for."""
    cut = {column.path[0] for column in tables.columns(name) if isinstance(column.path[-1], str) and column.path[1:]}
    some = {"description": "Those of its members that were asked for.", "type": ["object", "null"]}
    return {
        "title": title,
        "description": "A row with the members that `fields` names.",
        "type": "object",
        "properties": {k: some if k in cut else _inlined(v) for k, v in _load(name)["properties"].items()},
        "additionalProperties": False,
    }


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


if __name__ == "__main__":
    write()
