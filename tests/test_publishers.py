"""On one machine, who may change what is published has the key of the data folder, or that the server was started with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from app import app
from chalicelib.__main__ import main
from chalicelib.errors import StorageError, Unauthorized
from chalicelib.storage import Storage, local
from chalicelib.web.publishers import find_publisher, key_file, own_key, require_publisher, tell_key
from chalicelib.web.routes import BY_NAME, ROUTES
from tests.gateway import event, get
from tests.published import TINGPANG, publish, record
from tests.running_server import PATIENCE, run_server

SET = {"REPORTS_PUBLISHER_KEY": "s3cret"}
REFUSED = {
    "none": {},
    "an empty one": {"x-api-key": ""},
    "another one": {"x-api-key": "s3cre"},
    "not of ASCII": {"x-api-key": "s3crét"},
    "an empty token": {"authorization": "Bearer "},
    "another token": {"authorization": "Bearer s3cre"},
    "a password": {"authorization": "Basic s3cret"},
}
TAKEN = {
    "the key": {"x-api-key": "s3cret"},
    "a token": {"authorization": "Bearer s3cret"},
    "a token in other letters": {"authorization": "bearer  s3cret"},
    "a token beside a key that is none": {"x-api-key": "s3cre", "authorization": "Bearer s3cret"},
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
def test_a_key_that_is_not_the_servers_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized) as told:
        require_publisher(find_publisher(headers, SET))
    assert told.value.code == "invalid_api_key"


@pytest.mark.parametrize("headers", TAKEN.values(), ids=TAKEN)
def test_the_servers_key_names_a_publisher(headers: dict[str, str]) -> None:
    assert find_publisher(headers, SET) == "local"


def test_a_key_is_made_once_for_the_owner_of_the_data_alone_and_the_environment_goes_before(tmp_path: Path) -> None:
    environ = {"REPORTS_DATA": str(tmp_path / "data")}
    key = own_key(environ)
    assert len(key) >= 32
    assert own_key(environ) == key
    assert key_file(environ).stat().st_mode & 0o777 == 0o600
    assert key_file(environ).read_text() == f"{key}\n"
    assert own_key({**environ, **SET}) == "s3cret"
    assert find_publisher({"x-api-key": key}, environ) == "local"
    assert find_publisher({"x-api-key": key}, {**environ, **SET}) == ""
    assert key not in tell_key(environ)
    key_file(environ).unlink()
    assert own_key(environ) != key


def test_a_file_without_a_key_lets_nobody_in(tmp_path: Path) -> None:
    environ = {"REPORTS_DATA": str(tmp_path)}
    key_file(environ).write_text(" \n")
    with pytest.raises(StorageError) as told:
        find_publisher({"x-api-key": ""}, environ)
    assert told.value.code == "key_missing"


def test_the_command_line_shows_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPORTS_DATA", str(tmp_path))
    assert main(["key"]) == 0
    assert capsys.readouterr().out == key_file({"REPORTS_DATA": str(tmp_path)}).read_text()


def test_the_gateway_of_aws_asks_for_the_key_of_every_protected_route() -> None:
    asking = {
        (path, method) for path, methods in app.routes.items() for method, e in methods.items() if e.api_key_required
    }
    assert asking == {(route.path, route.method) for route in ROUTES if route.protected}
    assert {name for name, route in BY_NAME.items() if route.protected} == {
        "withdraw_report",
        "create_upload",
        "name_township",
    }


@pytest.mark.parametrize("identity", [None, {}, {"apiKeyId": None}, {"apiKeyId": ""}])
def test_on_aws_nothing_is_open_where_the_gateway_asked_for_no_key(storage: Storage, identity: Any) -> None:
    publish(storage, record())
    app.__dict__["storage"] = storage
    asked = event("DELETE", f"/v1/reports/{TINGPANG}-2022")
    del asked["requestContext"]["identity"]
    asked["requestContext"].update({} if identity is None else {"identity": identity})
    answer = app(asked, None)
    assert (answer["statusCode"], orjson.loads(answer["body"])["code"]) == (401, "invalid_api_key")
    assert get(storage, f"/v1/reports/{TINGPANG}-2022").status == 200


@pytest.mark.parametrize("environ", [{}, SET], ids=["a key that it made", "a key that it was given"])
def test_a_server_takes_reports_and_takes_them_back_for_its_key_alone(tmp_path: Path, environ: dict[str, str]) -> None:
    storage = local.open_storage(tmp_path / "data")
    publish(storage, record())
    with run_server(tmp_path / "data", **environ) as server:
        report = f"{server.url}/v1/reports/{TINGPANG}-2022"
        key = server.key["X-API-Key"]
        ways: list[tuple[dict[str, str], bool]] = [
            ({}, False),
            ({"X-API-Key": "wrong"}, False),
            ({"X-API-Key": key}, True),
            ({"Authorization": f"Bearer {key}"}, True),
        ]
        for headers, right in ways:
            made = requests.post(
                f"{server.url}/v1/uploads", json={"filename": "a.txt", "bytes": 1}, headers=headers, timeout=PATIENCE
            )
            assert made.status_code == (201 if right else 401), made.text
            answer = requests.delete(report, headers=headers, timeout=PATIENCE)
            assert answer.status_code == (200 if right else 401), answer.text
            for told in () if right else (made, answer):
                assert told.headers["WWW-Authenticate"] == 'Bearer realm="publishers"'
                assert requests.get(report, timeout=PATIENCE).ok
        assert requests.get(report, timeout=PATIENCE).status_code == 410
        assert server.get(f"/v1/uploads/{made.json()['id']}").json()["state"] == "waiting"
        township = f"{server.url}/v1/uploads/{made.json()['id']}/township"
        assert requests.post(township, json={"township": TINGPANG}, timeout=PATIENCE).status_code == 401
