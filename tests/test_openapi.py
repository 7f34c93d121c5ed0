"""The contract, the schemas and the app say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib.records import SCHEMAS
from chalicelib.web import openapi
from chalicelib.web import openapi_answers as answers
from chalicelib.web.links import LINKS
from chalicelib.web.pages import CONTRACT
from chalicelib.web.parameters import PATH
from chalicelib.web.routes import BY_NAME, ROUTES
from tests import answer_examples
from tests.contract import misfits

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

    for parameter in (*PATH.values(), *(p.filled() for route in ROUTES for p in route.parameters)):
        assert parameter.description.endswith(".")
        if parameter.example is not None:
            read = read_value(parameter, str(parameter.example))
            assert read == ([parameter.example] if parameter.many else parameter.example) or isinstance(read, Runs)


def test_the_document_is_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_the_examples_are_what_the_api_answers_over_the_seeds() -> None:
    assert answer_examples.make() == answers.read_examples(), "run python -m tests.answer_examples, then .web.openapi"


def test_every_example_fits_its_schema() -> None:
    checked = 0
    for where, node in nodes(DOCUMENT["paths"] | DOCUMENT["components"]["responses"]):
        for media, shown in (node.get("content") or {}).items() if isinstance(node.get("content"), dict) else ():
            if "example" in shown and media.endswith("json"):
                assert misfits(shown["example"], shown["schema"]) == [], where
                checked += 1
    assert checked > 30


def test_every_success_with_a_body_has_an_example() -> None:
    for route in ROUTES:
        success = DOCUMENT["paths"][route.path][route.method.lower()]["responses"][str(route.status)]
        without = answer_examples.WITHOUT | ({route.name} if route.status == 307 else set())
        assert route.name in without or "example" in success["content"][route.media], route.name


def test_links_lead_from_what_an_answer_has_to_what_an_operation_takes() -> None:
    examples = answers.read_examples()
    for name, links in LINKS.items():
        for link in links.values():
            target = BY_NAME[link["operationId"]]
            operation = DOCUMENT["paths"][target.path][target.method.lower()]
            assert set(link["parameters"]) <= {parameter["name"] for parameter in operation["parameters"]}
            for expression in link["parameters"].values():
                source, _, pointer = expression.partition("#")
                if source == "$response.body":
                    assert _at(examples[name]["application/json"], pointer), (name, pointer)
                else:
                    assert f"{{{source.removeprefix('$request.path.')}}}" in BY_NAME[name].path


def _at(value: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def test_a_protected_operation_asks_for_the_key_and_no_other_does() -> None:
    for route in ROUTES:
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert operation.get("security") == (
            [{"PublisherKey": []}, {"PublisherToken": []}] if route.protected else None
        )
        assert ("401" in operation["responses"]) == route.protected


def test_every_operation_has_a_tag_and_every_parameter_tells_of_itself() -> None:
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    used = set()
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            used.update(operation["tags"])
            for parameter in operation["parameters"]:
                assert parameter["description"]
                assert "example" in parameter, parameter["name"]
    assert used == tags
