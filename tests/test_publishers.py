"""On one machine, who may change what is published has the key that the server was started with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from app import app
from chalicelib.errors import Forbidden
from chalicelib.storage import Storage, local
from chalicelib.web.publishers import find_publisher, require_publisher
from chalicelib.web.routes import ROUTES
from tests.gateway import event, get
from tests.published import TINGPANG, publish, record
from tests.running_server import PATIENCE, run_server

SET = {"REPORTS_PUBLISHER_KEY": "s3cret"}
REFUSED = {
    "none": ({}, SET),
    "another one": ({"x-api-key": "s3cre"}, SET),
    "not of ASCII": ({"x-api-key": "s3crét"}, SET),
    "an empty one where none is set": ({"x-api-key": ""}, {}),
    "any one where none is set": ({"x-api-key": "s3cret"}, {}),
}


@pytest.mark.parametrize(("headers", "environ"), REFUSED.values(), ids=REFUSED)
def test_a_key_that_is_not_the_servers_is_refused(headers: dict[str, str], environ: dict[str, str]) -> None:
    with pytest.raises(Forbidden) as told:
        require_publisher(find_publisher(headers, environ))
    assert told.value.code == "invalid_api_key"


def test_the_gateway_of_aws_asks_for_the_key_of_every_protected_route() -> None:
    asking = {
        (path, method) for path, methods in app.routes.items() for method, e in methods.items() if e.api_key_required
    }
    assert asking == {(route.path, route.method) for route in ROUTES if route.protected}
    assert ("/v1/reports/{report}", "DELETE") in asking


@pytest.mark.parametrize("identity", [None, {}, {"apiKeyId": None}, {"apiKeyId": ""}])
def test_on_aws_nothing_is_open_where_the_gateway_asked_for_no_key(storage: Storage, identity: Any) -> None:
    publish(storage, record())
    app.__dict__["storage"] = storage
    asked = event("DELETE", f"/v1/reports/{TINGPANG}-2022")
    del asked["requestContext"]["identity"]
    asked["requestContext"].update({} if identity is None else {"identity": identity})
    answer = app(asked, None)
    assert (answer["statusCode"], orjson.loads(answer["body"])["code"]) == (403, "invalid_api_key")
    assert get(storage, f"/v1/reports/{TINGPANG}-2022").status == 200


@pytest.mark.parametrize("environ", [{}, SET], ids=["without a key", "with a key"])
def test_a_server_withdraws_for_its_key_alone(tmp_path: Path, environ: dict[str, str]) -> None:
    storage = local.open_storage(tmp_path / "data")
    publish(storage, record())
    with run_server(tmp_path / "data", **environ) as server:
        address = f"{server.url}/v1/reports/{TINGPANG}-2022"
        for key in ("", "wrong", "s3cret"):
            answer = requests.delete(address, headers={"X-API-Key": key}, timeout=PATIENCE)
            right = bool(environ) and key == "s3cret"
            assert answer.status_code == (200 if right else 403), answer.text
            assert requests.get(address, timeout=PATIENCE).status_code == (410 if right else 200)
