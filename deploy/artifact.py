"""The functions' zip, finished: modules compiled beforehand, and equal bytes for equal content.

Lambda cannot keep what Python compiles, so that without it every cold start compiles all modules anew. With equal bytes
a deployment leaves functions alone whose code has not changed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

TASK = "/var/task"  # where Lambda unpacks the zip: what tracebacks name
_FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)  # the zip format knows no earlier one
_PLAIN_FILE = 0o100644 << 16


def finish(made: Path, out: Path) -> str:
    """Write the zip `made` to `out`, with a .pyc for every module; what the compiler said of modules that it refused."""
    with tempfile.TemporaryDirectory(prefix="artifact-") as name:
        folder = Path(name)
        with ZipFile(made) as zipped:
            zipped.extractall(folder)
        refused = _compile(folder)
        _pack(folder, out)
    return refused


def _compile(folder: Path) -> str:
    """Compile below `folder`; nobody checks a source against its .pyc there, so these hold neither time nor hash to check.

    A process of its own with a fixed hash seed, since the order of sets and shared strings show in the bytes.
    """
    options = ["-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", TASK]
    ran = subprocess.run(
        [sys.executable, "-I", "-m", "compileall", *options, str(folder)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return ran.stdout.decode(errors="replace").strip() if ran.returncode else ""


def _pack(folder: Path, out: Path) -> None:
    with ZipFile(out, "w", ZIP_DEFLATED, compresslevel=9) as zipped:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = ZipInfo(path.relative_to(folder).as_posix(), _FIRST_MOMENT)
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, _PLAIN_FILE
            zipped.writestr(entry, path.read_bytes(), compresslevel=9)
