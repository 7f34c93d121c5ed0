"""The log lines of requests and uploads: what they say, that CloudWatch can read them, and what they never say."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import app, ingest_upload
from chalicelib.errors import ReportsError, StorageError
from chalicelib.ingestion import deliveries, events, uploads
from chalicelib.storage import Storage
from chalicelib.telemetry import logs, metrics
from chalicelib.web.routes import ROUTES
from tests.gateway import call, event, get, post
from tests.log_lines import Line, Lines, part, require_embedded

ROOT = Path(__file__).resolve().parent.parent
SEED = (ROOT / "seeds" / "亭旁镇-2022.txt").read_bytes()
SHA256 = "a0bcffc7439add4ca1a28d2408985f2c0c024771aa64f3be1b9110041c5ab765"
REPORT = "331022103-2022"
AMBIGUOUS = "\n".join(
    line for line in SEED.decode().replace("亭旁", "太平").splitlines() if "索引号" not in line
).encode()


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines written since the last call, each from JSON."""
    root, written = logging.getLogger(), io.StringIO()
    kept = root.handlers[:], root.level, logs.EVENTS.level
    with contextlib.redirect_stdout(written):
        logs.configure({"REPORTS_LOG": "json"})

    def take() -> list[Line]:
        found = [json.loads(line) for line in written.getvalue().splitlines()]
        written.seek(0)
        written.truncate()
        return found

    yield take
    root.handlers[:] = kept[0]
    root.setLevel(kept[1])
    logs.EVENTS.setLevel(kept[2])


def deliver(storage: Storage, key: str, **changes: Any) -> dict[str, Any]:
    """Hand the upload function the message that tells of `key`, received for the third time."""
    app.__dict__["storage"] = storage
    (message,) = events.upload_event([key], datetime.now(UTC))["Records"]
    message["attributes"]["ApproximateReceiveCount"] = "3"
    answer: dict[str, Any] = ingest_upload(
        {"Records": [{**message, **changes}]}, SimpleNamespace(aws_request_id="invocation-1")
    )
    return answer


def publish(storage: Storage, data: bytes, key: str = "incoming/a.txt") -> dict[str, Any]:
    storage.objects.put(key, data)
    return deliver(storage, key)


# Requests.


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", "/v1/health", {"route": "/v1/health", "status": 200, "RouteClass": "other", "StatusClass": "2xx"}),
        (
            "GET",
            f"/v1/reports/{REPORT}?revision=1",
            {"route": "/v1/reports/{report}", "status": 200, "report_id": REPORT, "RouteClass": "item"},
        ),
        (
            "HEAD",
            f"/v1/reports/{REPORT}",
            {"method": "HEAD", "status": 200, "message": "HEAD /v1/reports/{report} 200"},
        ),
        ("GET", "/v1/reports", {"status": 200, "report_id": None, "error_code": None, "RouteClass": "list"}),
        ("GET", "/v1/reports/1-1", {"status": 404, "report_id": "1-1", "error_code": "unknown_report"}),
        ("GET", "/v1/reports?yaer=1", {"status": 400, "error_code": "unknown_parameter", "StatusClass": "4xx"}),
        ("GET", "/v1/townships/太平镇", {"status": 300, "error_code": "ambiguous_township", "StatusClass": "3xx"}),
        ("GET", f"/v1/reports/{REPORT}/source", {"status": 307, "report_id": REPORT, "StatusClass": "3xx"}),
        ("GET", f"/v1/uploads/{'0' * 32}", {"status": 404, "upload_id": "0" * 32, "RouteClass": "upload"}),
        ("PUT", "/v1/reports", {"method": "PUT", "status": 405, "error_code": "method_not_allowed"}),
        ("POST", "/v1/uploads", {"method": "POST", "status": 415, "error_code": "unsupported_media_type"}),
    ],
)
def test_a_request_is_one_line(local_storage: Storage, lines: Lines, method: str, url: str, expected: Line) -> None:
    publish(local_storage, SEED)
    lines()
    call(local_storage, method, url, content_type="text/csv" if method == "POST" else "application/json")
    (line,) = lines()
    assert part(line, expected) == expected
    assert part(line, {"level": "", "request_id": ""}) == {"level": "INFO", "request_id": "request-1"}
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC
    found = require_embedded(line)
    assert (found["Requests"], found["Latency"]) == (1, line["duration_ms"])


def test_a_request_names_the_invocation_of_lambda_too(local_storage: Storage, lines: Lines) -> None:
    app.__dict__["storage"] = local_storage
    app(event("GET", "/v1/health"), SimpleNamespace(aws_request_id="invocation-1"))
    assert part(lines()[0], {"request_id": "", "aws_request_id": ""}) == {
        "request_id": "request-1",
        "aws_request_id": "invocation-1",
    }


def test_an_unexpected_failure_is_one_line_with_its_request(
    local_storage: Storage, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.catalog.lists.reports", lambda *_, **__: 1 / 0)
    get(local_storage, "/v1/reports")
    failure, request = lines()
    assert (failure["level"], failure["request_id"]) == ("ERROR", "request-1")
    assert failure["exception"] == "ZeroDivisionError"
    assert "in list_reports\n" in failure["traceback"]
    assert failure["traceback"].endswith("ZeroDivisionError: division by zero\n")
    assert part(request, {"status": 0, "error_code": ""}) == {"status": 500, "error_code": "internal_error"}
    assert request["StatusClass"] == "5xx"


def test_routes_are_measured_in_five_classes() -> None:
    found: dict[str, set[str]] = {}
    for route in ROUTES:
        found.setdefault(metrics.route_class(route.path), set()).add(route.name)
    assert found == {
        "other": {"show_front_page", "show_developer_page", "show_documentation", "read_documentation_part"}
        | {"read_asset", "show_problem", "check_health", "read_openapi"},
        "item": {"read_township", "read_report", "read_section", "read_text", "read_source", "read_concept"}
        | {"list_township_year", "withdraw_report"},
        "list": {"list_townships", "list_township_reports", "list_township_indicators", "list_township_targets"}
        | {"list_changes", "list_coverage", "read_changes_feed", "list_reports", "search_reports"}
        | {"list_sections", "list_report_indicators", "list_revisions", "list_indicators", "list_concepts"},
        "upload": {"create_upload", "read_upload", "name_township"},
        "bulk": {"read_manifest", "read_bulk_file"},
    }


# Uploads.


def test_a_published_upload_is_one_line_with_its_report_and_what_reading_took(
    local_storage: Storage, lines: Lines
) -> None:
    assert publish(local_storage, SEED) == {"batchItemFailures": []}
    (line,) = lines()
    expected = {
        "level": "INFO",
        "message": "upload published",
        "request_id": "invocation-1",
        "receive_count": 3,
        "report_id": REPORT,
        "revision": 1,
        "state": "published",
        "outcome": "published",
        "Outcome": "published",
        "sha256": SHA256,
        "indicators": 39,
    }
    assert part(line, expected) == expected
    assert len(line["upload_id"]) == 32
    assert line["message_id"]
    found = require_embedded(line)
    assert (found["Uploads"], found["Indicators"]) == (1, 39)
    assert 0 < found["ParseDuration"] == line["parse_ms"] < line["duration_ms"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (SEED.replace(b"45478", b"45479"), {"outcome": "published", "revision": 2, "report_id": REPORT}),
        (SEED, {"outcome": "unchanged", "report_id": REPORT, "revision": 1, "parse_ms": None}),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), {"outcome": "rejected", "error_code": "not_text", "indicators": None}),
        (b"", {"outcome": "rejected", "error_code": "empty"}),
        (AMBIGUOUS, {"outcome": "needs_township", "state": "needs_township", "report_id": None, "error_code": None}),
    ],
    ids=["a correction", "the same bytes", "a picture", "nothing", "of an ambiguous township"],
)
def test_an_upload_is_one_line_with_its_outcome(
    local_storage: Storage, lines: Lines, data: bytes, expected: Line
) -> None:
    publish(local_storage, SEED)
    lines()
    publish(local_storage, data, "incoming/b.txt")
    (line,) = lines()
    assert part(line, expected) == expected
    assert require_embedded(line)["Uploads"] == 1
    assert line["Outcome"] == expected["outcome"]


def test_a_message_that_comes_again_counts_no_outcome_twice(local_storage: Storage, lines: Lines) -> None:
    state, _ = uploads.create(local_storage, uploads.Announced("a.txt", 9), datetime(2024, 3, 1, tzinfo=UTC))
    key = f"incoming/{state['id']}"
    publish(local_storage, SEED, key)
    deliver(local_storage, "incoming/nothing.txt")
    assert metrics_of(lines()) == [("published", state["id"]), ("missing", None)]
    held = uploads.read(local_storage, state["id"])
    assert deliveries.outcome(held, datetime(2030, 1, 1, tzinfo=UTC)) == "repeated"


def metrics_of(found: list[Line]) -> list[tuple[str, str | None]]:
    return [(line["outcome"], line.get("upload_id")) for line in found]


def test_a_failed_message_is_one_line_with_the_traceback(
    local_storage: Storage, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: Any) -> None:
        raise StorageError("storage_busy", "Slow down.")

    monkeypatch.setattr(type(local_storage.index), "commit", throttled)
    upload_id = "0" * 32
    answer = publish(local_storage, SEED, f"incoming/{upload_id}")
    (line,) = lines()
    assert answer == {"batchItemFailures": [{"itemIdentifier": line["message_id"]}]}
    assert line["message"] == f"message {line['message_id']} comes again"
    expected = {"level": "ERROR", "outcome": "failed", "error_code": "storage_busy", "upload_id": upload_id}
    assert part(line, {**expected, "receive_count": 3}) == {**expected, "receive_count": 3}
    assert (line["exception"], require_embedded(line)["Uploads"]) == ("StorageError", 1)
    assert "in throttled\n" in line["traceback"]


def test_a_message_that_is_no_notification_is_one_line(local_storage: Storage, lines: Lines) -> None:
    assert deliver(local_storage, "incoming/a.txt", body="no notification")["batchItemFailures"]
    (line,) = lines()
    assert part(line, {"outcome": "", "error_code": ""}) == {"outcome": "failed", "error_code": "bad_event"}


def test_of_two_uploads_in_a_message_one_failure_keeps_the_other_not_waiting(
    local_storage: Storage, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_storage.objects.put("incoming/b.txt", SEED)
    keys = ["incoming/a.txt", "incoming/b.txt"]
    both = [json.loads(m["body"])["Records"][0] for m in events.upload_event(keys, datetime.now(UTC))["Records"]]
    real = local_storage.objects.stat

    def stat(key: str) -> Any:
        if key.endswith("a.txt"):
            raise StorageError("storage_busy", "Slow down.")
        return real(key)

    monkeypatch.setattr(local_storage.objects, "stat", stat)
    assert deliver(local_storage, keys[0], body=json.dumps({"Records": both}))["batchItemFailures"]
    assert [outcome for outcome, _ in metrics_of(lines())] == ["failed", "published"]


def test_naming_the_township_is_an_outcome_of_its_upload(local_storage: Storage, lines: Lines) -> None:
    publish(local_storage, AMBIGUOUS)
    upload_id = lines()[0]["upload_id"]
    post(local_storage, f"/v1/uploads/{upload_id}/township", {"township": "120116156"})
    settled, request = lines()
    expected = {
        "outcome": "published",
        "upload_id": upload_id,
        "report_id": "120116156-2022",
        "request_id": "request-1",
    }
    assert part(settled, expected) == expected
    assert part(request, {"status": 0, "upload_id": ""}) == {"status": 200, "upload_id": upload_id}


# What no line says.


def test_no_line_has_the_text_of_a_file(local_storage: Storage, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    def quote(page: Any, *_: Any) -> None:
        raise ValueError(f"cannot read {page.text!r}")

    publish(local_storage, SEED)
    publish(local_storage, AMBIGUOUS, "incoming/b.txt")
    monkeypatch.setattr("chalicelib.reading.parse.outline", quote)
    publish(local_storage, SEED.replace("亭旁镇".encode(), "亭旁镇政府".encode()), "incoming/c.txt")
    found = lines()
    assert [line.get("error_code") for line in found[-1:]] == ["parser_failed"]
    assert any("ValueError: (left out" in line.get("traceback", "") for line in found)
    told = "\n".join(map(str, found))
    words = [line.strip() for line in SEED.decode().splitlines() if len(line.strip()) > 12]
    assert words
    assert [each for each in words if each[:12] in told or each[-12:] in told] == []


# Where lines go.


@pytest.mark.parametrize(
    ("environ", "json_lines"),
    [
        ({}, False),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, True),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "REPORTS_LOG": "plain"}, False),
        ({"REPORTS_LOG": "json"}, True),
        ({"REPORTS_LOG": ""}, False),
    ],
)
def test_lines_are_json_on_lambda_or_where_it_is_asked_for(
    tmp_path: Path, environ: dict[str, str], json_lines: bool
) -> None:
    driven = drive({**environ, "REPORTS_DATA": str(tmp_path)})
    assert bool(driven.stdout) == json_lines
    assert driven.stderr == ""
    found = [json.loads(line) for line in driven.stdout.splitlines()]
    if json_lines:
        assert [(line["status"], line["cold_start"]) for line in found] == [(200, True), (404, False)]
        assert {line["FunctionName"] for line in found} == {environ.get("AWS_LAMBDA_FUNCTION_NAME", "local")}
        assert [require_embedded(line).get("ColdStart") for line in found] == [1, None]


def test_an_unknown_kind_of_log_is_refused() -> None:
    with pytest.raises(ReportsError, match="REPORTS_LOG is 'xml'"):
        logs.configure({"REPORTS_LOG": "xml"})


# Lambda's runtime has a handler at the root logger before the function is imported.
DRIVE = """
import logging, sys
logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))
from tests.gateway import app, event
app(event("GET", "/v1/health"), None)
app(event("GET", "/v1/reports/1-1"), None)
"""


def drive(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("REPORTS_LOG", "AWS_LAMBDA_FUNCTION_NAME")}
    return subprocess.run(
        [sys.executable, "-c", DRIVE],
        env={**clean, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=True,
    )


# The lines themselves.


def test_what_is_noted_stays_with_its_thread_and_its_context(lines: Lines) -> None:
    def other() -> None:
        with logs.context(request_id="other"):
            logging.getLogger("x").warning("from the other")

    with logs.context(request_id="outer"):
        with logs.context(upload_id="u"):
            logs.note(report_id="r")
            logging.getLogger("x").warning("inner")
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        logging.getLogger("x").warning("outer")
    logs.note(report_id="nowhere")
    logging.getLogger("x").warning("after")
    context = {"request_id": None, "upload_id": None, "report_id": None}
    assert [tuple(part(line, context).values()) for line in lines()] == [
        ("outer", "u", "r"),
        ("other", None, None),
        ("outer", None, None),
        (None, None, None),
    ]


@pytest.mark.parametrize(
    "message",
    ["two\nlines", "a\u2028b", "odd \udcff byte", "亭旁镇", "%s"],
    ids=["two lines", "line separator", "no Unicode text", "Chinese", "a format"],
)
def test_a_message_is_one_line_whatever_is_in_it(lines: Lines, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Past pytest's own handlers, which would send it from process to process as UTF-8.
    logger = logging.getLogger("x")
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(
        logger, "handlers", [h for h in logging.getLogger().handlers if "pytest" not in type(h).__module__]
    )
    logger.warning(message)
    (line,) = lines()
    assert line["message"] == message


def test_a_traceback_has_its_causes_first_and_stops_at_a_circle() -> None:
    first, second = KeyError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    told = logs.describe_exception(first)
    assert told == {"exception": "KeyError", "traceback": "ValueError: b\n\nKeyError: 'a'\n"}
