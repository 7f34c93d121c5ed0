"""A function of the unpacked zip in a process of its own, as Lambda keeps one: warm from the first event on."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from tests.recorded_calls import Call

RUNTIME = Path(__file__).with_name("lambda_runtime.py")
ANSWER_BYTES = 6 * 1024 * 1024  # the most that Lambda takes back
# What Lambda's runtime has besides Python.
PROVIDED = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")


class FunctionError(Exception):
    """A function raised, died or took too long; the message has its traceback or the end of its log."""


def link_provided(folder: Path) -> Path:
    """`folder` with boto3 and what it needs, as installed here, and nothing else."""
    folder.mkdir()
    for name in PROVIDED:
        for top in {file.parts[0] for file in distribution(name).files or ()} - {"..", "__pycache__"}:
            (folder / top).symlink_to(distribution(name).locate_file(top))  # type: ignore[arg-type]
    return folder


@dataclass(frozen=True)
class Settings:
    """What a function runs with: its template's properties, and the variables of its environment beside Lambda's own."""

    name: str
    properties: Mapping[str, Any]
    variables: Mapping[str, str]
    task: Path
    provided: Path

    def environment(self, region: str, scratch: Path) -> dict[str, str]:
        return {
            "_HANDLER": self.properties["Handler"],
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.properties["MemorySize"]),
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2024/03/01/[$LATEST]0123456789abcdef",
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "LAMBDA_RUNTIME_DIR": str(self.provided),
            "LAMBDA_TASK_ROOT": str(self.task),
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "TZ": ":UTC",
            "TMPDIR": str(scratch),
            **self.variables,
        }


class Function:
    """A running function. `calls` are those of AWS that it has made, `log` is the file that it logs to."""

    def __init__(self, settings: Settings, region: str, folder: Path) -> None:
        self._settings, self.calls, self.log = settings, list[Call](), folder / "log"
        scratch, empty = folder / "tmp", folder / "empty"
        for made in (scratch, empty):
            made.mkdir(parents=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", "-X", "utf8", str(RUNTIME)],
                cwd=empty,
                env=settings.environment(region, scratch),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def invoke(self, event: Any) -> Any:
        """What the function gives back. Raises FunctionError."""
        told = self._ask({"event": event, "request": str(uuid.uuid4())})
        self.calls += told["calls"]
        if "error" in told:
            raise FunctionError(told["error"])
        if len(json.dumps(told["answer"])) > ANSWER_BYTES:
            raise FunctionError("the answer is larger than Lambda takes")
        return told["answer"]

    def modules(self) -> set[str]:
        """The names of the modules that are imported by now."""
        return set(self._ask({"modules": True})["modules"])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, and its log says why
            stdin.write(json.dumps(asked).encode() + b"\n")
            stdin.flush()
        answers, _, _ = select.select([stdout], [], [], self._settings.properties["Timeout"])
        if not answers:
            raise FunctionError("the function took too long")
        if not (line := stdout.readline()):
            raise FunctionError(f"the function ended:\n{self.log.read_text(errors='replace')[-3000:]}")
        told: dict[str, Any] = json.loads(line)
        return told
