"""The server of one machine over real HTTP: what API Gateway and S3 do on AWS, and that no answer crosses another."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from chalicelib import divisions
from chalicelib.catalog import layout
from chalicelib.errors import StorageError
from chalicelib.storage import local
from chalicelib.web.server import GRACE_SECONDS
from tests.published import TINGPANG, indicator, publish, record

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
BIG = bytes(range(256)) * 20_000


class Server:
    """A running server: `get` and the like send one request each over a connection of their own."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def connect(self) -> closing[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE))

    def ask(self, method: str, url: str, body: Any = None, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.connect() as connection:
            connection.request(method, url, body, named, encode_chunked="Transfer-Encoding" in named)
            answer = connection.getresponse()
            return answer, answer.read()

    def post(self, url: str, body: Any) -> Any:
        return json.loads(self.ask("POST", url, json.dumps(body), Content_Type="application/json", X_API_Key="key")[1])


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(data: Path, start_new_session: bool = False, **environ: str) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "chalicelib", "serve", "--port", str(port)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "REPORTS_DATA": str(data), "REPORTS_PUBLISHER_KEY": "key", **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=start_new_session,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "Publishers' key: REPORTS_PUBLISHER_KEY\n"
        assert process.stdout.readline() == f"Serving on http://127.0.0.1:{port}\n"
        yield Server(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def codes() -> list[str]:
    return [code for code in divisions.table().codes if len(code) == 9][:200]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, codes: list[str]) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("served")
    storage = local.open_storage(data)
    for code in (*codes, TINGPANG):
        publish(storage, record(code, indicators=[indicator(1)]))
    storage.objects.put(layout.raw_object(record()["source"]["sha256"]), BIG)
    with running(data, REPORTS_MAX_BYTES="100000") as started:
        yield started


def eventually(look: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_answers_never_cross(server: Server, codes: list[str]) -> None:
    def visit(thread: int) -> list[str]:
        wrong = []
        with server.connect() as connection:
            for number in range(200):
                code = codes[(number + 12 * thread) % 200]
                connection.request("GET", f"/v1/reports/{code}-2022")
                found = json.loads(connection.getresponse().read())
                wrong += [] if found["id"] == f"{code}-2022" else [f"{code}: {found}"]
        return wrong

    with ThreadPoolExecutor(16) as pool:
        assert [wrong for each in pool.map(visit, range(16)) for wrong in each] == []


def test_head_and_204_leave_nothing_behind_on_a_kept_connection(server: Server) -> None:
    with server.connect() as connection:
        for method, status in (("HEAD", 200), ("GET", 200), ("OPTIONS", 204), ("HEAD", 200), ("GET", 200)):
            connection.request(method, f"/v1/reports/{TINGPANG}-2022")
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == status
            assert bool(body) == (method == "GET")
            if method != "OPTIONS":
                assert int(answer.headers["Content-Length"]) > 100


def test_304_has_no_body(server: Server) -> None:
    answer, _ = server.ask("GET", "/v1/reports")
    again, body = server.ask("GET", "/v1/reports", If_None_Match=answer.headers["ETag"])
    assert (again.status, body, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])


def test_preflight_allows_what_the_route_takes(server: Server) -> None:
    for url, methods in (("/v1/reports", "GET, HEAD, OPTIONS"), ("/v1/uploads", "POST, OPTIONS")):
        answer, _ = server.ask("OPTIONS", url, Origin="https://a.example", Access_Control_Request_Method="GET")
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Access-Control-Allow-Methods"] == methods


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("GET", "/nothing", 404, "unknown_address"),
        ("GET", "/v1/reports/a/b/c", 404, "unknown_address"),
        ("GET", "/v1/../secret", 404, "unknown_address"),
        ("GET", "//", 404, "unknown_address"),
        ("OPTIONS", "/nothing", 404, "unknown_address"),
        ("DELETE", "/v1/reports", 405, "method_not_allowed"),
        ("PATCH", "/v1/uploads", 405, "method_not_allowed"),
        ("DELETE", "/objects/raw/x", 405, "method_not_allowed"),
        ("GET", "/objects/raw/x", 403, "address_forged"),
        ("GET", "/objects/../index.sqlite", 403, "address_forged"),
        ("PUT", "/objects/incoming/x?bytes=9&type=a&expires=9999999999&signature=0", 403, "address_forged"),
        ("GET", "/v1/reports?" + "&".join(f"a{n}=1" for n in range(200)), 400, "bad_request"),
        ("GET", "/v1/townships/%E4%BA", 400, "bad_parameter"),
        ("POST", "/v1/uploads", 415, "unsupported_media_type"),
    ],
)
def test_refusals_are_problems_with_cors(server: Server, method: str, url: str, status: int, code: str) -> None:
    answer, body = server.ask(method, url, X_API_Key="key", Content_Type="text/plain")
    found = json.loads(body)
    assert (answer.status, found["status"], found["code"]) == (status, status, code)
    assert answer.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["X-Request-Id"]
    assert (answer.headers["Allow"] is not None) == (status == 405)


def test_too_many_parameters_are_called_so(server: Server) -> None:
    found = json.loads(server.ask("GET", "/v1/reports?" + "&".join(f"a{n}=1" for n in range(200)))[1])
    assert found["detail"] == "The query has more than 100 parameters."


def test_an_answer_is_given_again_until_something_is_committed(tmp_path: Path) -> None:
    """Over both worker processes, and for each kind of answer that is kept."""
    storage = local.open_storage(tmp_path / "data")
    old = record()
    publish(storage, old)
    report = f"{TINGPANG}-2022"
    urls = [
        f"/v1/reports/{report}",
        "/v1/reports",
        f"/v1/townships/{TINGPANG}/indicators",
        "/v1/indicators?concept=fixed_asset_investment",
    ]
    with running(tmp_path / "data") as server:
        for number in range(2, 7):
            kept = {url: {server.ask("GET", url)[1] for _ in range(6)} for url in urls}
            assert all(len(bodies) == 1 for bodies in kept.values())
            new = record(revision=number, indicators=[indicator(number)])
            publish(storage, new, previous=old)
            old = new
            for url in urls * 3:
                answer, body = server.ask("GET", url)
                assert body not in kept[url]
                assert answer.headers["X-Request-Id"]
                tag = answer.headers["ETag"]
                again, nothing = server.ask("GET", url, If_None_Match=tag)
                assert (again.status, nothing, again.headers["ETag"]) == (304, b"", tag)


def test_a_path_is_decoded_exactly_once(server: Server) -> None:
    assert json.loads(server.ask("GET", f"/v1/townships/{quote('亭旁镇')}")[1])["code"] == TINGPANG
    assert "'100%25'" in json.loads(server.ask("GET", "/v1/reports/100%2525")[1])["detail"]
    assert "'亭+旁 镇'" in json.loads(server.ask("GET", f"/v1/townships/{quote('亭+旁 镇')}")[1])["detail"]


def test_query_values_are_decoded(server: Server) -> None:
    rows = json.loads(server.ask("GET", f"/v1/reports?province={quote('浙江省')}")[1])["data"]
    assert [row["township"]["code"] for row in rows] == [TINGPANG]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_6_mb_is_refused(server: Server, chunked: bool) -> None:
    body: Any = b" " * 7_000_000
    headers = {"Content_Type": "application/json", "X_API_Key": "key"}
    if chunked:
        body, headers = (b" " * 100_000 for _ in range(70)), {**headers, "Transfer_Encoding": "chunked"}
    answer, refused = server.ask("POST", "/v1/uploads", body, **headers)
    assert (answer.status, json.loads(refused)["code"]) == (413, "body_too_large")


def test_the_source_is_streamed_under_its_name(server: Server) -> None:
    answer, _ = server.ask("GET", f"/v1/reports/{TINGPANG}-2022/source")
    assert answer.status == 307
    parts = urlsplit(answer.headers["Location"])
    address = f"{parts.path}?{parts.query}"
    for method, expected in (("GET", BIG), ("HEAD", b"")):
        answer, body = server.ask(method, address)
        assert (answer.status, body) == (200, expected)
        assert answer.headers["Content-Length"] == str(len(BIG))
        assert f"filename*=UTF-8''{quote('亭旁镇2022.txt')}" in answer.headers["Content-Disposition"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert server.ask("GET", address.replace("filename=", "filename=x"))[0].status == 403


TYPE = "application/octet-stream"


def address_of(made: Any) -> str:
    parts = urlsplit(made["put"]["url"])
    return f"{parts.path}?{parts.query}"


def test_a_report_is_published_by_its_put(server: Server) -> None:
    seed = min((ROOT / "seeds").glob("*.txt"))
    made = server.post("/v1/uploads", {"filename": seed.name, "bytes": seed.stat().st_size})
    answer, _ = server.ask("PUT", address_of(made), seed.read_bytes(), Content_Type=TYPE)
    assert answer.status == 200
    status = f"/v1/uploads/{made['id']}"

    def state() -> Any:
        return json.loads(server.ask("GET", status)[1])

    assert eventually(lambda: state()["state"] not in ("waiting", "reading"))
    assert (state()["state"], state()["reasons"]) == ("published", [])
    report = urlsplit(state()["report"]["url"]).path
    found = json.loads(server.ask("GET", report)[1])
    assert found["source"]["sha256"] == hashlib.sha256(seed.read_bytes()).hexdigest()


def test_an_upload_address_takes_one_file(server: Server) -> None:
    made = server.post("/v1/uploads", {"filename": "a.txt", "bytes": 5})
    assert server.ask("PUT", address_of(made), b"first", Content_Type=TYPE)[0].status == 200
    answer, body = server.ask("PUT", address_of(made), b"other", Content_Type=TYPE)
    assert (answer.status, json.loads(body)["code"]) == (409, "upload_address_used")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_over_the_limit_is_refused_and_the_server_goes_on(server: Server, chunked: bool) -> None:
    address = address_of(server.post("/v1/uploads", {"filename": "a.txt", "bytes": 100_000}))
    body: Any = b"0" * 100_001
    headers = {"Content_Type": TYPE, **({"Transfer_Encoding": "chunked"} if chunked else {})}
    answer, refused = server.ask("PUT", address, iter([body]) if chunked else body, **headers)
    assert (answer.status, json.loads(refused)["code"]) == (413, "upload_too_large")
    assert server.ask("GET", "/v1/health")[0].status == 200


def test_a_file_cut_short_leaves_the_address_usable(server: Server) -> None:
    made = server.post("/v1/uploads", {"filename": "a.txt", "bytes": 100})
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        head = f"PUT {address_of(made)} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        line.sendall(f"{head}Content-Type: {TYPE}\r\n\r\n".encode() + b"half")
    whole = b"whole" * 20
    assert eventually(lambda: server.ask("PUT", address_of(made), whole, Content_Type=TYPE)[0].status == 200)


def test_links_begin_at_the_host_that_was_asked(server: Server) -> None:
    answer, body = server.ask("GET", "/v1/reports?limit=1", Host="data.example:81", X_Forwarded_Proto="https")
    following = json.loads(body)["next"]
    assert following.startswith("https://data.example:81/v1/reports?")
    assert answer.headers["Link"] == f'<{following}>; rel="next"'


def test_a_port_in_use_is_one_line(server: Server, tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "chalicelib", "serve", "--port", str(server.port)],
        cwd=ROOT,
        env={**os.environ, "REPORTS_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert len(ran.stderr.splitlines()) == 1
    assert f"127.0.0.1:{server.port}" in ran.stderr


def is_free(port: int) -> bool:
    from chalicelib.web.server import require_free

    try:
        require_free("127.0.0.1", port)
    except StorageError:
        return False
    return True


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(tmp_path: Path, sent: signal.Signals) -> None:
    with running(tmp_path) as started:
        started.process.send_signal(sent)
        out, err = started.process.communicate(timeout=PATIENCE)
        assert (started.process.returncode, out, err) == (0, "", "")
        assert is_free(started.port)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_its_process_group_ends_it_before_its_worker_is_killed(
    tmp_path: Path, sent: signal.Signals
) -> None:
    with running(tmp_path, start_new_session=True) as started:
        os.killpg(started.process.pid, sent)
        out, err = started.process.communicate(timeout=GRACE_SECONDS)
        assert (started.process.returncode, out, err) == (0, "", "")
        assert is_free(started.port)


def test_a_killed_server_leaves_no_worker_behind(tmp_path: Path) -> None:
    with running(tmp_path) as started:
        started.process.kill()
        assert eventually(lambda: is_free(started.port))
