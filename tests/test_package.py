"""The zip of the functions as deployed: what is in it, that equal content makes equal bytes, and that it works."""

from __future__ import annotations

import importlib.util
import json
import marshal
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from chalicelib.ingestion import events
from deploy import artifact, package
from tests import gateway

pytestmark = pytest.mark.skipif(sys.version_info[:2] != package.RUNTIME, reason="the functions run on Python 3.11")
runs_here = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="the zip holds modules for Linux on x86_64"
)

SEED = sorted(Path(package.ROOT, "seeds").glob("*2022*"))[0]


@pytest.fixture(scope="module")
def unpacked(package_dev: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with ZipFile(package_dev / package.ARTIFACT) as zipped:
        zipped.extractall(folder)
    return folder


# The zip.


def test_the_zip_holds_the_code_and_what_it_reads(unpacked: Path) -> None:
    for folder in ("chalicelib", "schemas"):
        files = {path.relative_to(package.ROOT) for path in (package.ROOT / folder).rglob("*") if path.is_file()}
        wanted = {path for path in files if "__pycache__" not in path.parts}
        assert {path for path in wanted if not (unpacked / path).is_file()} == set()
    assert (unpacked / "app.py").is_file()
    assert list((unpacked / "chalicelib" / "rules").iterdir())


def test_every_module_comes_compiled_and_is_not_compared_with_its_source(unpacked: Path) -> None:
    compiled = set(unpacked.rglob("*.pyc"))
    assert {path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc" for path in unpacked.rglob("*.py")} == compiled
    for path in compiled:
        head = path.read_bytes()[:8]
        assert head == importlib.util.MAGIC_NUMBER + b"\1\0\0\0", path  # a hash that nobody checks (PEP 552)


def test_a_compiled_module_names_its_place_in_lambda(unpacked: Path) -> None:
    code = marshal.loads((unpacked / "__pycache__" / "app.cpython-311.pyc").read_bytes()[16:])
    assert code.co_filename == "/var/task/app.py"


def test_equal_content_makes_equal_bytes(package_dev: Path, tmp_path: Path) -> None:
    # Another order, other times, another compression than before.
    shuffled = tmp_path / "shuffled.zip"
    with ZipFile(package_dev / package.ARTIFACT) as zipped, ZipFile(shuffled, "w") as other:
        for entry in reversed(zipped.infolist()):
            if not entry.filename.endswith(".pyc"):
                other.writestr(entry.filename, zipped.read(entry))
    assert artifact.finish(shuffled, tmp_path / "again.zip") == ""
    assert (tmp_path / "again.zip").read_bytes() == (package_dev / package.ARTIFACT).read_bytes()


def test_a_module_that_does_not_compile_is_told(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "made.zip", "w") as zipped:
        zipped.writestr("app.py", "def")
    assert "app.py" in artifact.finish(tmp_path / "made.zip", tmp_path / "out.zip")


def test_the_zip_is_far_from_the_limits(package_dev: Path) -> None:
    size = (package_dev / package.ARTIFACT).stat().st_size
    with ZipFile(package_dev / package.ARTIFACT) as zipped:
        unzipped = sum(entry.file_size for entry in zipped.infolist())
    assert size < 15_000_000
    assert unzipped < 60_000_000


def test_both_stages_run_the_same_code(package_dev: Path, package_prod: Path) -> None:
    assert (package_dev / package.ARTIFACT).read_bytes() == (package_prod / package.ARTIFACT).read_bytes()


def test_the_zip_holds_every_requirement_and_not_what_the_command_line_needs(package_dev: Path) -> None:
    pins = package.function_pins(package.ROOT)
    assert {"jsonschema", "orjson", "selectolax", "rpds-py"} <= {pin.partition("==")[0] for pin in pins}
    assert package.missing_pins(package_dev / package.ARTIFACT, pins) == []
    assert package.missing_pins(package_dev / package.ARTIFACT, ["botocore==1.44.5"]) == ["botocore==1.44.5"]


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
from types import SimpleNamespace
import app
answers = []
for handler, event in json.load(sys.stdin):
    answers.append(getattr(app, handler)(event, SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)))
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
def test_the_unpacked_zip_publishes_an_upload_and_exports_it(unpacked: Path, tmp_path: Path) -> None:
    incoming = tmp_path / "data" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "report").write_bytes(SEED.read_bytes())
    notice = events.upload_event(["incoming/report"], datetime.now(UTC))
    scheduled: dict[str, Any] = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
    calls = [
        ("ingest_upload", notice),
        ("app", gateway.event("GET", "/v1/reports")),
        ("export_bulk", scheduled),
        ("app", gateway.event("GET", "/v1/bulk")),
    ]
    outcome, reports, exported, bulk = drive(unpacked, tmp_path, calls)["answers"]
    assert outcome == {"batchItemFailures": []}
    assert len(json.loads(reports["body"])["data"]) == 1
    assert exported["reports"] == 1
    assert [file["sha256"] for file in json.loads(bulk["body"])["files"]] == [f["sha256"] for f in exported["files"]]
