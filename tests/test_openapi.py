"""The contract, the schemas and the app say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from app import app
from chalicelib.records import SCHEMAS
from chalicelib.web import openapi
from chalicelib.web.pages import CONTRACT
from chalicelib.web.parameters import PATH
from chalicelib.web.routes import ROUTES

FILES = sorted(path for path in SCHEMAS.glob("*.schema.json"))
DOCUMENT: dict[str, Any] = orjson.loads(CONTRACT.read_bytes())


def nodes(value: Any, where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield where, value
        for key, each in value.items():
            yield from nodes(each, f"{where}/{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from nodes(each, f"{where}/{number}")


def test_the_served_document_is_the_one_that_routes_and_schemas_make() -> None:
    assert openapi.build() == DOCUMENT, "run python -m chalicelib.web.openapi"


def test_the_app_and_the_contract_have_the_same_routes() -> None:
    served = {(path, method.lower()) for path, methods in app.routes.items() for method in methods}
    assert served == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_the_app_and_the_contract_have_the_same_path_parameters() -> None:
    for path, methods in app.routes.items():
        for method, entry in methods.items():
            operation = DOCUMENT["paths"][path][method.lower()]
            named = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
            assert named == entry.view_args
            assert set(named) <= set(PATH)


def test_every_query_parameter_is_in_the_contract() -> None:
    for route in ROUTES:
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert [p["name"] for p in operation["parameters"] if p["in"] == "query"] == [p.name for p in route.parameters]


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_every_reference_resolves_within_the_document() -> None:
    references = [node["$ref"] for _, node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)]
    assert len(references) > 50
    for reference in references:
        assert reference.startswith("#/")
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_component_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_schema_is_closed_and_describes_every_property(path: Any) -> None:
    schema = orjson.loads(path.read_bytes())
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"/schemas/{path.name}"
    assert schema["title"]
    assert schema["description"]
    for where, node in nodes(schema):
        if isinstance(node.get("properties"), dict) and not where.endswith("/properties"):
            assert "additionalProperties" in node, where
            for name, shape in node["properties"].items():
                assert shape.get("description") or shape.get("$ref"), f"{where}/{name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_references_between_schemas_lead_to_described_shapes(path: Any) -> None:
    for where, node in nodes(orjson.loads(path.read_bytes())):
        if "$ref" in node:
            file, _, pointer = node["$ref"].partition("#")
            found = orjson.loads((SCHEMAS / file).read_bytes())
            for part in filter(None, pointer.split("/")):
                found = found[part]
            assert found["description"], where


def test_every_parameter_has_an_example_that_it_accepts() -> None:
    from chalicelib.catalog.choice import Runs
    from chalicelib.web.checks import read_value

    for parameter in (*PATH.values(), *(p for route in ROUTES for p in route.parameters)):
        assert parameter.description.endswith(".")
        if parameter.example is not None:
            read = read_value(parameter, str(parameter.example))
            assert read == ([parameter.example] if parameter.many else parameter.example) or isinstance(read, Runs)
