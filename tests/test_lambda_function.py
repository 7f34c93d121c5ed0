"""What stands for Lambda in the tests refuses what Lambda refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lambda_function import Function, FunctionError, Settings, link_provided

PROBE = """
import importlib, os, sys, tempfile, time

def handle(event, context):
    kind, value = event
    if kind == "import":
        return importlib.import_module(value).__file__
    if kind == "write":
        with open(value, "w") as file:
            return file.write("x")
    if kind == "scratch":
        with tempfile.NamedTemporaryFile() as file:
            return os.path.dirname(file.name) == os.environ["TMPDIR"]
    if kind == "variable":
        return os.environ.get(value)
    if kind == "folder":
        return os.listdir()
    if kind == "context":
        return getattr(context, value)
    if kind == "die":
        print("last words", file=sys.stderr)
        os._exit(1)
    if kind == "sleep":
        time.sleep(value)
    return object()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    task = tmp_path / "task"
    task.mkdir()
    (task / "probe.py").write_text(PROBE)
    properties = {"Handler": "probe.handle", "MemorySize": 128, "Timeout": 30}
    return Settings("Probe", properties, {"OWN": "1"}, task, link_provided(tmp_path / "runtime"))


@pytest.fixture
def function(settings: Settings, tmp_path: Path) -> Iterator[Function]:
    found = Function(settings, "eu-west-1", tmp_path / "process")
    yield found
    found.close()


def test_it_imports_its_own_folder_and_boto3_alone(function: Function) -> None:
    assert function.invoke(["import", "probe"]).endswith("/task/probe.py")
    assert "/runtime/boto3/" in function.invoke(["import", "boto3"])
    for absent in ("chalice", "pytest", "orjson", "chalicelib", "tests.engines", "yaml"):
        with pytest.raises(FunctionError, match="ModuleNotFoundError"):
            function.invoke(["import", absent])


def test_it_writes_to_its_scratch_folder_alone(function: Function, tmp_path: Path) -> None:
    assert function.invoke(["scratch", None]) is True
    for path in ("here", str(tmp_path / "task" / "x"), str(tmp_path / "process" / "tmp-x"), "/tmp/x"):
        with pytest.raises(FunctionError, match="Read-only file system"):
            function.invoke(["write", path])
    assert function.invoke(["folder", None]) == []


def test_its_environment_is_lambdas(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    assert function.invoke(["variable", "OWN"]) == "1"
    assert function.invoke(["variable", "AWS_LAMBDA_FUNCTION_NAME"]) == "Probe"
    assert function.invoke(["variable", "AWS_REGION"]) == "eu-west-1"
    assert function.invoke(["variable", "HOME"]) is None
    ids = {function.invoke(["context", "aws_request_id"]) for _ in range(2)}
    assert len(ids) == 2


def test_a_failure_is_told_and_the_next_event_is_handled(function: Function) -> None:
    with pytest.raises(FunctionError, match="not JSON serializable"):
        function.invoke(["else", None])
    assert function.invoke(["variable", "OWN"]) == "1"


def test_a_function_that_dies_leaves_its_last_words(function: Function) -> None:
    with pytest.raises(FunctionError, match="last words"):
        function.invoke(["die", None])


def test_a_function_that_takes_too_long_is_a_failure(function: Function, settings: Settings) -> None:
    function.invoke(["variable", "OWN"])
    settings.properties["Timeout"] = 0.1  # type: ignore[index]
    with pytest.raises(FunctionError, match="too long"):
        function.invoke(["sleep", 60])
