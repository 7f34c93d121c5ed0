"""The real deployment package: Chalice's template with the resources merged in, and the zip, unpacked and driven."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from jsonschema import Draft202012Validator

from chalicelib.ingestion import events
from chalicelib.web import problems, routes
from deploy import package
from tests import gateway

pytestmark = pytest.mark.skipif(sys.version_info[:2] != package.RUNTIME, reason="the functions run on Python 3.11")
runs_here = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the zip holds modules for Linux on x86_64"
)

SEED = sorted(Path(package.ROOT, "seeds").glob("*2022*"))[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the zip and the template of the stage dev."""
    return package.package_stage("dev", tmp_path_factory.mktemp("build") / "dev").parent


@pytest.fixture(scope="module")
def template(made: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made / package.TEMPLATE).read_text())
    return found


@pytest.fixture(scope="module")
def unpacked(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with ZipFile(made / package.ARTIFACT) as zipped:
        zipped.extractall(folder)
    return folder


# The template.


def find(template: dict[str, Any], path: str) -> Any:
    """The value at `Resource/Property/…` below a resource's Properties."""
    name, *steps = path.split("/")
    found = template["Resources"][name]["Properties"]
    for step in steps:
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


def test_no_placeholder_is_left(template: dict[str, Any]) -> None:
    assert not re.findall(r"placeholder|000000000000", json.dumps(template))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ReportsBucket/VersioningConfiguration/Status", "Enabled"),
        (
            "ReportsBucket/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault",
            {"SSEAlgorithm": "AES256"},
        ),
        (
            "ReportsBucket/PublicAccessBlockConfiguration",
            dict.fromkeys(
                ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"],
                True,
            ),
        ),
        (
            "ReportsBucketPolicy/PolicyDocument/Statement/0/Condition",
            {"Bool": {"aws:SecureTransport": "false"}},
        ),
        ("ReportsBucketPolicy/PolicyDocument/Statement/0/Effect", "Deny"),
        ("ReportsBucket/CorsConfiguration/CorsRules/0/AllowedMethods", ["PUT"]),
        ("ReportsTable/BillingMode", "PAY_PER_REQUEST"),
        (
            "ReportsTable/KeySchema",
            [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        ),
        ("ReportsTable/PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": True}),
        ("RestAPI/StageName", "api"),
        # Without it the translation of the template adds a second stage, named "Stage".
        ("RestAPI/OpenApiVersion", "2.0"),
    ],
)
def test_bucket_table_and_api_are_set_up(template: dict[str, Any], path: str, value: Any) -> None:
    assert find(template, path) == value


def test_the_browser_may_send_the_header_that_an_upload_address_is_signed_with(template: dict[str, Any]) -> None:
    assert "if-none-match" in find(template, "ReportsBucket/CorsConfiguration/CorsRules/0/AllowedHeaders")


def test_an_upload_goes_from_the_bucket_through_the_queue_to_the_function(template: dict[str, Any]) -> None:
    queue = {"Fn::GetAtt": ["IncomingQueue", "Arn"]}
    notice = find(template, "ReportsBucket/NotificationConfiguration/QueueConfigurations/0")
    assert notice["Queue"] == queue
    assert notice["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": events.PREFIX}]
    # S3 tries the queue when the notification is set up, so the permission has to be there before.
    assert template["Resources"]["ReportsBucket"]["DependsOn"] == "IncomingQueuePolicy"
    allowed = find(template, "IncomingQueuePolicy/PolicyDocument/Statement/0")
    assert (allowed["Principal"], allowed["Action"]) == ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")
    (source,) = find(template, "IngestUpload/Events").values()
    assert source["Type"] == "SQS"
    assert source["Properties"]["Queue"] == queue
    assert source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_message_is_hidden_six_timeouts_long_and_given_up_after_five_tries(template: dict[str, Any]) -> None:
    assert find(template, "IncomingQueue/VisibilityTimeout") == 6 * find(template, "IngestUpload/Timeout")
    dead = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert find(template, "IncomingQueue/RedrivePolicy") == {"deadLetterTargetArn": dead, "maxReceiveCount": 5}


@pytest.mark.parametrize("function", ["APIHandler", "IngestUpload"])
def test_a_function_knows_its_storage(template: dict[str, Any], function: str) -> None:
    storage = {"REPORTS_BUCKET": {"Ref": "ReportsBucket"}, "REPORTS_TABLE": {"Ref": "ReportsTable"}}
    assert find(template, f"{function}/Environment/Variables") == storage
    assert find(template, f"{function}/Runtime") == "python3.11"


@pytest.mark.parametrize(("role", "other"), [("ApiHandlerRole", "IngestUpload"), ("IngestUploadRole", "APIHandler")])
def test_a_role_names_what_it_may_do_and_with_what(template: dict[str, Any], role: str, other: str) -> None:
    statements = find(template, f"{role}/Policies/0/PolicyDocument/Statement")
    assert statements
    for statement in statements:
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        assert statement["Resource"] != "*"
    assert other not in json.dumps(statements), "the log of the other function"


def test_what_is_named_exists_and_nothing_waits_for_itself(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    known = resources.keys() | template["Parameters"].keys()
    assert not [name for name in set(references(template)) - known if not name.startswith("AWS::")]
    graph = {
        name: {*references(resource), resource.get("DependsOn", name)} & resources.keys() - {name}
        for name, resource in resources.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(resources)


def references(node: Any) -> Iterator[str]:
    """The names that intrinsic functions anywhere in `node` refer to."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref":
                yield value
            elif key == "Fn::GetAtt":
                yield value[0]
            elif key == "Fn::Sub":
                text, given = value if isinstance(value, list) else (value, {})
                yield from (n.partition(".")[0] for n in re.findall(r"\$\{([^}]+)\}", text) if n not in given)
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_gateway_has_every_route_and_its_preflight(template: dict[str, Any]) -> None:
    paths = find(template, "RestAPI/DefinitionBody/paths")
    for route in routes.BY_NAME.values():
        methods = {"get", "head"} if route.method == "GET" else {route.method.lower()}
        assert {*methods, "options"} <= paths[route.path].keys(), route.path


def test_errors_of_the_gateway_are_problem_documents_of_known_types(template: dict[str, Any]) -> None:
    schema = Draft202012Validator(json.loads((package.ROOT / "schemas" / "problem.schema.json").read_text()))
    answers = find(template, "RestAPI/GatewayResponses")
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "MISSING_AUTHENTICATION_TOKEN"} <= answers.keys()
    for answer in answers.values():
        assert answer["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json; charset=utf-8'"
        body = answer["ResponseTemplates"]["application/json"]
        document = json.loads(body.replace("$context.path", "/api/x").replace("$context.requestId", "1"))
        schema.validate(document)
        kind = problems.find_kind(document["code"].replace("_", "-"))
        assert {name: document[name] for name in ("type", "title", "status")} == {
            name: kind[name] for name in ("type", "title", "status")
        }
        assert answer["StatusCode"] == document["status"]


@pytest.mark.parametrize("stage", package.STAGES)
def test_the_template_knows_its_stage(tmp_path: Path, stage: str) -> None:
    package.copy_project(package.ROOT, tmp_path / "project", stage, [])
    resources = json.loads((tmp_path / "project" / "resources.json").read_text())
    assert resources["Parameters"]["Stage"]["Default"] == stage
    assert stage in json.loads((package.ROOT / ".chalice" / "config.json").read_text())["stages"]


# The zip.


def test_the_zip_holds_the_code_and_what_it_reads(unpacked: Path) -> None:
    for folder in ("chalicelib", "schemas"):
        files = {path.relative_to(package.ROOT) for path in (package.ROOT / folder).rglob("*") if path.is_file()}
        wanted = {path for path in files if "__pycache__" not in path.parts}
        assert {path for path in wanted if not (unpacked / path).is_file()} == set()
    assert (unpacked / "app.py").is_file()
    assert list((unpacked / "chalicelib" / "rules").iterdir())
    assert not list(unpacked.rglob("__pycache__"))


def test_the_zip_holds_every_requirement_and_not_what_the_command_line_needs(made: Path) -> None:
    pins = package.function_pins(package.ROOT)
    assert {"jsonschema", "orjson", "selectolax", "rpds-py"} <= {pin.partition("==")[0] for pin in pins}
    assert package.missing_pins(made / package.ARTIFACT, pins) == []
    assert package.missing_pins(made / package.ARTIFACT, ["botocore==1.44.5"]) == ["botocore==1.44.5"]


@pytest.mark.parametrize(
    ("inside", "missing"),
    [
        (["rpds_py-1.2.dist-info/METADATA"], []),
        (["Rpds.Py-1.2.dist-info/METADATA"], []),
        (["rpds_py-1.3.dist-info/METADATA"], ["rpds-py==1.2"]),
        (["rpds/__init__.py"], ["rpds-py==1.2"]),
        (["deep/rpds_py-1.2.dist-info/METADATA"], ["rpds-py==1.2"]),
    ],
)
def test_a_requirement_that_is_left_out_is_noticed(tmp_path: Path, inside: list[str], missing: list[str]) -> None:
    with ZipFile(tmp_path / "a.zip", "w") as zipped:
        for name in inside:
            zipped.writestr(name, "")
    assert package.missing_pins(tmp_path / "a.zip", ["rpds-py==1.2"]) == missing


def test_a_failure_of_chalice_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    root = tmp_path / "root"
    package.copy_project(package.ROOT, root, "dev", [])
    (root / "requirements.in").write_text("")
    (root / "app.py").write_text("raise RuntimeError('no app')")
    with pytest.raises(package.PackagingError, match="no app"):
        package.package_stage("dev", tmp_path / "out", root)
    assert not (tmp_path / "out").exists()


def test_a_requirement_has_to_be_pinned(tmp_path: Path) -> None:
    (tmp_path / "requirements.in").write_text("# run time\nchalice\norjson\njsonschema\n")
    (tmp_path / "requirements.txt").write_text("orjson==1.0\nchalice==1.0\n")
    with pytest.raises(package.PackagingError, match=r"pins no .*jsonschema"):
        package.function_pins(tmp_path)


# The zip at work: a fresh interpreter without site-packages, in an empty folder.

DRIVE = """
import json, sys
import app
answers = []
for handler, event in json.load(sys.stdin):
    answers.append(getattr(app, handler)(event, None))
    if handler == "app":
        answers[-1]["loaded"] = sorted(sys.modules)
json.dump({"file": app.__file__, "answers": answers}, sys.stdout)
"""


def drive(unpacked: Path, cwd: Path, calls: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Hand events to handlers of the unpacked zip, one after the other, over a storage under `cwd`."""
    environ = {"PYTHONPATH": str(unpacked), "REPORTS_DATA": str(cwd / "data"), "LANG": "C", "PATH": os.defpath}
    ran = subprocess.run(
        [sys.executable, "-S", "-B", "-c", DRIVE],
        input=json.dumps(calls).encode(),
        cwd=cwd,
        env=environ,
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr.decode()
    given: dict[str, Any] = json.loads(ran.stdout)
    assert Path(given["file"]) == unpacked / "app.py"
    return given


@runs_here
def test_the_unpacked_zip_answers_without_parser_validator_and_boto3(unpacked: Path, tmp_path: Path) -> None:
    calls = [("app", gateway.event("GET", url)) for url in ("/v1/health", "/v1/openapi.json", "/v1/townships?q=亭旁镇")]
    health, contract, townships = drive(unpacked, tmp_path, calls)["answers"]
    assert [answer["statusCode"] for answer in (health, contract, townships)] == [200, 200, 200]
    assert "status" in json.loads(health["body"])
    assert json.loads(contract["body"]) == json.loads((package.ROOT / "schemas" / "openapi.json").read_text())
    assert [found["code"] for found in json.loads(townships["body"])["data"]] == ["331022103"]
    unwanted = {"boto3", "jsonschema", "selectolax", "chalicelib.decode", "chalicelib.reading.parse"}
    unwanted |= {"chalicelib.bulk.export", "chalicelib.ingestion", "difflib", "tempfile"}
    assert unwanted & set(townships["loaded"]) == set()


@runs_here
def test_the_unpacked_zip_publishes_an_upload(unpacked: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "data" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "report").write_bytes(SEED.read_bytes())
    notice = events.upload_event(["incoming/report"], datetime.now(UTC))
    calls = [("ingest_upload", notice), ("app", gateway.event("GET", "/v1/reports"))]
    outcome, reports = drive(unpacked, tmp_path, calls)["answers"]
    assert outcome == {"batchItemFailures": []}
    assert len(json.loads(reports["body"])["data"]) == 1
