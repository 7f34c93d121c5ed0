"""What Lambda's Python runtime does around a function, as a script of its own: a JSON line in for each event, one out.

`tests.lambda_function` runs it with `python -I -S`, so that nothing can be imported but Python's own library, what lies
in LAMBDA_TASK_ROOT (the unpacked zip), and what lies in LAMBDA_RUNTIME_DIR (boto3). Nothing can be made or changed but
below TMPDIR, which stands for Lambda's /tmp.

In: `{"event": …, "request": id}`, or `{"modules": true}`. Out: `{"answer": …}` or `{"error": …}`, each with `calls`, those
of AWS since the last line; or `{"modules": […]}`, the names of what is imported. Standard output is the function's log.
"""

from __future__ import annotations

import errno
import importlib
import json
import logging
import os
import runpy
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> None:
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    sys.path.append(os.environ["LAMBDA_RUNTIME_DIR"])
    calls: list[Any] = []
    runpy.run_path(str(Path(__file__).with_name("recorded_calls.py")))["record_into"](calls)
    _make_read_only(os.environ["TMPDIR"])
    logging.getLogger().addHandler(logging.StreamHandler())
    module, _, name = os.environ["_HANDLER"].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    for line in sys.stdin:
        asked = json.loads(line)
        told = {"modules": sorted(sys.modules)} if "modules" in asked else _invoke(handler, asked, calls)
        channel.write(json.dumps(told) + "\n")
        channel.flush()


def _invoke(handler: Any, asked: Any, calls: list[Any]) -> dict[str, Any]:
    try:
        # Lambda puts the answer into JSON itself, so that what cannot be is a failure of the function.
        told = {"answer": json.loads(json.dumps(handler(asked["event"], _context(asked["request"]))))}
    except Exception:
        told = {"error": traceback.format_exc()}
    told["calls"], calls[:] = calls[:], []
    return told


def _context(request: str) -> Any:
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    return SimpleNamespace(
        aws_request_id=request,
        function_name=name,
        function_version="$LATEST",
        invoked_function_arn=f"arn:aws:lambda:{os.environ['AWS_REGION']}:000000000000:function:{name}",
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        identity=None,
        client_context=None,
        get_remaining_time_in_millis=lambda: 900_000,
    )


def _make_read_only(scratch: str) -> None:
    """Refuse what would make or change a file elsewhere, as the file system of Lambda does."""
    free = os.path.realpath(scratch)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, writes = arguments[0], bool(arguments[2] & _WRITES)
        elif event in ("os.mkdir", "os.rename"):
            path, writes = arguments[event == "os.rename"], True
        else:
            return
        if not writes or isinstance(path, int):
            return
        meant = os.path.realpath(os.fsdecode(path))
        if meant not in (free, os.devnull) and not meant.startswith(free + os.sep):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), meant)

    sys.addaudithook(refuse)


if __name__ == "__main__":
    main()
