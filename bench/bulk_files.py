"""What the bulk files cost: seconds and peak memory of an export, by the size of the collection.

    .venv/bin/python -m bench.bulk_files --sizes 1000,5000,20000 --folder build/bulk-files

Loads made reports (made_collection.py) into the local storage, and exports them by a process of its own: everything, then
again when nothing changed, then when one report did. Beside it `gzip -6` packs the rows of the whole sets, which is the
least that they cost. Prints a table in Markdown; exit 1 where an export takes more than 256 MB. FOLDER keeps what was
loaded.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from bench.load_collection import first_cases, load
from bench.read_reports import processor
from chalicelib.bulk import export
from chalicelib.storage import Storage, local
from chalicelib.storage.local import LocalObjects
from tests.running_server import ROOT

MOST_MB = 256
EXPORT = """
import os
from chalicelib.bulk import export
from chalicelib.storage import open_storage
export.publish_files(open_storage(os.environ))
"""


def run_export(data: Path) -> tuple[float, float]:
    """Seconds of wall time and the peak of memory in MB."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", EXPORT], cwd=ROOT, env={**os.environ, "REPORTS_DATA": str(data)})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"the export ended with {process.returncode}")
    return time.perf_counter() - start, used.ru_maxrss / 1024


def change_one(storage: Storage) -> None:
    """Make the note of one part another one's, as if a report of it had changed."""
    note = next(key for key in storage.objects.keys("bulk/notes/20"))
    storage.objects.put(note, storage.objects.get(note).replace(b'"fingerprint":"', b'"fingerprint":"-', 1))


def pack_beside(storage: Storage, folder: Path) -> float:
    """Seconds that `gzip -6` takes for the rows of the whole sets."""
    plain = folder / "plain"
    manifest = export.read_manifest(storage.objects)
    assert manifest
    assert isinstance(storage.objects, LocalObjects)
    with plain.open("wb") as out:
        for file in manifest["files"]:
            if file["year"] is None:
                with (
                    storage.objects.open("bulk/" + file["url"].rpartition("/")[2]) as stream,
                    gzip.open(stream) as rows,
                ):
                    shutil.copyfileobj(rows, out, 1 << 20)
    start = time.perf_counter()
    subprocess.run(["gzip", "-6", "-c", str(plain)], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    plain.unlink()
    return seconds


def main() -> int:
    asked = _arguments()
    print(f"{processor()}, {os.cpu_count()} CPUs, Python {platform.python_version()}.\n")
    print("| reports | files | MB | export s | peak MB | gzip -6 alone s | ratio | nothing new s | one part new s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    most = 0.0
    for size in (int(each) for each in asked.sizes.split(",")):
        data = (asked.folder / f"data-{size}").resolve()
        load(partial(local.open_storage, data), first_cases(size), quick=True, told="loading")
        shutil.rmtree(data / "bulk", ignore_errors=True)
        storage = local.open_storage(data)
        seconds, peak = run_export(data)
        manifest = export.read_manifest(storage.objects)
        assert manifest
        megabytes = sum(file["bytes"] for file in manifest["files"]) / 1e6
        beside = pack_beside(storage, asked.folder)
        again, _ = run_export(data)
        change_one(storage)
        partly, _ = run_export(data)
        print(
            f"| {size:,} | {len(manifest['files'])} | {megabytes:,.0f} | {seconds:.1f} | {peak:.0f} | {beside:.1f} | "
            f"{seconds / beside:.2f} | {again:.1f} | {partly:.1f} |",
            flush=True,
        )
        most = max(most, peak)
    return 1 if most > MOST_MB else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.bulk_files")
    parser.add_argument("--sizes", default="1000,5000,20000")
    parser.add_argument("--folder", type=Path, default=Path("build/bulk-files"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
