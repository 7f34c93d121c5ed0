"""What a cold start costs: import of the function and its first event, in fresh processes, from the unpacked zips.

    .venv/bin/python -m bench.cold_start [ROUNDS]

Each round runs every variant once, in turns from first to last and from last to first. The API and the upload function
stand beside a bare Chalice app (`bench/bare_app.py`) that reads one entry and one object, packaged in the same way; boto3
comes from a folder of its own, compiled, as Lambda's runtime has it. DynamoDB Local and SeaweedFS answer. The start of
Python itself, and what Lambda's runtime imports before the function, are not counted. Prints Markdown: milliseconds of
wall time and of processor time, medians of all rounds; a ratio is the median of those of each round, whose processes ran
within seconds of each other, so that what else the machine did counts little.
"""

from __future__ import annotations

import compileall
import json
import os
import platform
import py_compile
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from bench.read_reports import processor
from chalicelib.catalog import layout
from chalicelib.ingestion import events, ingest
from chalicelib.storage import Storage
from deploy import package
from tests import engines, gateway

ROUNDS = 15
SEED = package.ROOT / "seeds" / "亭旁镇-2022.txt"
REPORT = "331022103-2022"
BARE = Path(__file__).with_name("bare_app.py")
POWERTOOLS = "aws-lambda-powertools"

# What Lambda's runtime has done before it imports the function; then its import, and its first event.
PROBE = """
import concurrent.futures, datetime, decimal, enum, http.client, json, logging, sys, time, traceback
from types import SimpleNamespace
logging.getLogger().addHandler(logging.StreamHandler())
asked, known = json.load(sys.stdin), len(sys.modules)
def now():
    return time.perf_counter(), time.process_time()
before = now()
exec(asked["load"])
loaded = now()
exec(asked["call"])
after = now()
print()
print(json.dumps({
    "imported": 1000 * (loaded[0] - before[0]),
    "whole": 1000 * (after[0] - before[0]),
    "cpu": 1000 * (after[1] - before[1]),
    "modules": len(sys.modules) - known,
}))
"""
LOAD = "import app"
GET = (
    'answer = app.app(asked["event"], SimpleNamespace(aws_request_id="1")); assert answer["statusCode"] == 200, answer'
)
INGEST = """answer = app.ingest_upload(asked["event"], SimpleNamespace(aws_request_id="1"))
assert answer == {"batchItemFailures": []}, answer"""
# The same line and the same metrics, by both.
OWN = (
    "from chalicelib.telemetry import logs, metrics",
    """logs.configure({"REPORTS_LOG": "json"})
with logs.context(request_id="1"):
    metrics.tell_request("GET", "/v1/reports/{report}", 200, 1.0)""",
)
BY_POWERTOOLS = (
    "from aws_lambda_powertools import Logger, Metrics",
    """log = Logger(service="reports")
log.append_keys(request_id="1")
log.info("GET", extra={"route": "/v1/reports/{report}", "status": 200, "duration_ms": 1.0})
metrics = Metrics(namespace="TownshipReports", service="reports")
metrics.add_dimension(name="RouteClass", value="item")
metrics.add_metric(name="Latency", unit="Milliseconds", value=1.0)
metrics.flush_metrics()""",
)


@dataclass(frozen=True)
class Variant:
    """A process to time: `load` and `call` are statements, `path` what it imports from; `against` names its measure."""

    name: str
    path: tuple[Path, ...]
    load: str
    call: str
    against: str = ""
    event: Any = None
    uploads: bool = False


@dataclass(frozen=True)
class Timing:
    """Milliseconds of the import, of import and event together, processor time of both; how many modules came."""

    imported: float
    whole: float
    cpu: float
    modules: int


PARTS = tuple(each.name for each in fields(Timing))


# The folders that functions are imported from.


def unpack(artifact: Path, folder: Path, compiled: bool) -> Path:
    """The zip's files; every module with its .pyc, or none."""
    with ZipFile(artifact) as zipped:
        zipped.extractall(folder)
    for cache in [*folder.rglob("*.pyc")]:
        cache.unlink()
    if compiled:
        compile_all(folder)
    return folder


def compile_all(folder: Path) -> None:
    compileall.compile_dir(folder, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def package_bare(folder: Path) -> Path:
    """The bare app's zip, made by the same packaging."""
    root = folder / "root"
    for part in (".chalice", "chalicelib", "vendor"):
        (root / part).mkdir(parents=True)
    shutil.copy(BARE, root / "app.py")
    (root / ".chalice" / "config.json").write_text(
        json.dumps({"version": "2.0", "app_name": "bare", "stages": {"dev": {}}})
    )
    (root / "resources.json").write_text(json.dumps({"Parameters": {"Stage": {"Type": "String"}}}))
    for name in ("requirements.in", "requirements.txt"):
        (root / name).write_text("")
    return package.package_stage("dev", folder / "made", root)


def copy_distributions(names: set[str], folder: Path) -> Path:
    """The installed distributions alone, in a folder of their own."""
    for name in names:
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
    return folder


def megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


# Timing.


def run(variant: Variant, environ: Mapping[str, str], event: Any) -> Timing:
    """One fresh process."""
    path = os.pathsep.join(map(str, variant.path))
    ran = subprocess.run(
        [sys.executable, "-S", "-B", "-c", PROBE],
        input=json.dumps({"load": variant.load, "call": variant.call, "event": event}),
        cwd=variant.path[0],
        env={**environ, "PYTHONPATH": path, "LANG": "C.UTF-8", "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise RuntimeError(f"{variant.name}: {ran.stderr}")
    return Timing(**json.loads(ran.stdout.splitlines()[-1]))


def time_all(variants: list[Variant], started: engines.Engines, rounds: int) -> dict[str, list[Timing]]:
    """The timings of every variant by its name."""
    timings: dict[str, list[Timing]] = {variant.name: [] for variant in variants}
    with started.storage("cold-reads") as reads:
        publish(reads)
        for number in range(rounds + 1):
            for variant in variants if number % 2 else reversed(variants):
                with prepared(variant, started, number) as (name, event):
                    timing = run(variant, environment(started, name), event)
                if number:  # the first round fills the file cache
                    timings[variant.name].append(timing)
            print(f"round {number} of {rounds}", file=sys.stderr)
    return timings


@contextmanager
def prepared(variant: Variant, started: engines.Engines, number: int) -> Iterator[tuple[str, Any]]:
    """The storage's name and the event; an upload has a new storage, in which its report is the first."""
    if not variant.uploads:
        yield "cold-reads", variant.event
        return
    name = f"cold-{number}-{'c' if variant.path[0].name.startswith('compiled') else 's'}"
    with started.storage(name) as storage:
        storage.objects.put("incoming/report", SEED.read_bytes())
        yield name, events.upload_event(["incoming/report"], datetime.now(UTC), name)


def publish(storage: Storage) -> None:
    storage.objects.put("incoming/report", SEED.read_bytes())
    ingest.receive(storage, "incoming/report", datetime.now(UTC))


def environment(started: engines.Engines, storage: str) -> dict[str, str]:
    """A function's environment, as on Lambda."""
    pk, sk = layout.head(REPORT)
    return {
        **started.environment(),
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "REPORTS_BUCKET": storage,
        "REPORTS_TABLE": storage,
        **{"BARE_PK": pk, "BARE_SK": sk, "BARE_KEY": layout.record_object(REPORT, 1)},
    }


# What is timed, and the tables.


def make_variants(folder: Path) -> list[Variant]:
    ours, bare = package.package_stage("dev", folder / "ours"), package_bare(folder / "bare")
    runtime = copy_distributions(package._closure({"boto3"}), folder / "runtime")
    tools = copy_distributions({POWERTOOLS, "typing-extensions"}, folder / "tools")
    compile_all(runtime)
    record, health = (gateway.event("GET", path) for path in (f"/v1/reports/{REPORT}", "/v1/health"))
    found = []
    for kind, compiled in (("with .pyc", True), ("without .pyc", False)):
        prefix = "compiled" if compiled else "source"
        task, least = (
            unpack(ours, folder / f"{prefix}-ours", compiled),
            unpack(bare, folder / f"{prefix}-bare", compiled),
        )
        base = f"bare app, GET, {kind}"
        found += [
            Variant(base, (least, runtime), LOAD, GET, event=record),
            Variant(f"API, GET of a record, {kind}", (task, runtime), LOAD, GET, base, record),
            Variant(f"API, GET of /v1/health, {kind}", (task, runtime), LOAD, GET, base, health),
            Variant(f"upload function, first report, {kind}", (task, runtime), LOAD, INGEST, base, uploads=True),
        ]
        added = Path(shutil.copytree(tools, folder / f"{prefix}-tools"))
        if compiled:
            compile_all(added)
        own = f"own log line and metrics, {kind}"
        found += [
            Variant(own, (task, runtime), *OWN),
            Variant(f"the same by {POWERTOOLS}, {kind}", (added, runtime), *BY_POWERTOOLS, own),
        ]
    return found


def row(variant: Variant, timings: Mapping[str, list[Timing]]) -> str:
    figures = {part: [getattr(timing, part) for timing in timings[variant.name]] for part in PARTS}
    middles = {part: f"{statistics.median(values):.0f}" for part, values in figures.items()}
    ratios = {"whole": "", "cpu": ""}
    if variant.against:
        for part in ratios:
            others = [getattr(timing, part) for timing in timings[variant.against]]
            pairs = zip(figures[part], others, strict=True)
            ratios[part] = f"{statistics.median(own / other for own, other in pairs):.2f}"
    cells = [middles["imported"], middles["whole"], ratios["whole"], middles["cpu"], ratios["cpu"], middles["modules"]]
    return f"| {' | '.join([variant.name, *cells])} |"


def main(arguments: list[str]) -> int:
    """Print the table. Exits with a line where an engine is not installed."""
    if lacks := engines.missing() or (
        "" if find_spec("aws_lambda_powertools") else "pip install -r requirements-bench.txt"
    ):
        print(f"Needed: {lacks}", file=sys.stderr)
        return 1
    rounds = int(arguments[0]) if arguments else ROUNDS
    with tempfile.TemporaryDirectory(prefix="cold-") as name, engines.running() as started:
        variants = make_variants(Path(name))
        timings = time_all(variants, started, rounds)
        sizes = {
            part: megabytes(Path(name, part))
            for part in ("source-ours", "compiled-ours", "source-bare", "source-tools")
        }
    print(f"Python {platform.python_version()}, {processor()}, {os.cpu_count()} processors, {rounds} rounds\n")
    print("| | import ms | with first event ms | ratio | processor ms | ratio | modules |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for variant in variants:
        print(row(variant, timings))
    print("\nMB: " + ", ".join(f"{part} {size:.1f}" for part, size in sizes.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
