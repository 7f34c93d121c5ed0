"""How many GETs a second the server of one machine answers, beside Datasette over the same records.

    .venv/bin/python -m bench.against_datasette --datasette DATASETTE --folder build/against-datasette

Loads made reports (made_collection.py) into the local storage and into SQLite tables, starts `chalicelib serve` and
Datasette, and asks both the same questions by wrk: 16 keep-alive connections, by turns, the median of the runs. Datasette
answers by custom SQL over an index, its fastest way, and by its table page. A third server answers a constant body of
the size of ours. Then 16 clients ask at once for the largest list. Prints a table in Markdown; exit 1 where a goal is
missed. Needs wrk (Debian's package) and Datasette 0.65 (`pip install datasette` into an environment of its own);
FOLDER keeps what was loaded.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import requests

from bench.datasette_tables import make_tables
from bench.load_collection import first_cases, load
from bench.read_reports import processor
from bench.scale_requests import Keys
from chalicelib import divisions
from chalicelib.storage import local
from tests.running_server import ROOT, free_port, run_server

ADDRESSES = 5000  # drawn for each question
CONNECTIONS = 16
FASTER, OF_CONSTANT = 5.0, 0.5  # the goals
SQL_REPORT = "SELECT record FROM reports WHERE id = :id"
SQL_TOWNSHIP = "SELECT * FROM indicators WHERE township_code = :t AND year = :y ORDER BY rowid"
SQL_CONCEPT = (
    "SELECT * FROM indicators WHERE concept = :c AND year = :y AND province = :p ORDER BY township_code LIMIT 100"
)


@dataclass(frozen=True)
class Question:
    """The addresses that ask for the same at our server, by custom SQL, and at a table page."""

    name: str
    ours: str
    sql: str
    table: str


@dataclass(frozen=True, slots=True)
class Run:
    """What wrk measured: requests a second, milliseconds of latency, bytes of an answer, and answers that failed."""

    rate: float
    p50: float
    p99: float
    size: float
    failed: int


def report(keys: Keys) -> Question:
    code, year = keys.town, keys.year
    found = f"{code}-{year}"
    sql = _sql(SQL_REPORT, id=found)
    return Question("report by id", f"/v1/reports/{found}", sql, f"/data/reports/{found}.json?_shape=array")


def township(keys: Keys) -> Question:
    code, year = keys.town, keys.year
    table = urlencode({"township_code": code, "year": year, "_shape": "array", "_nofacet": 1, "_nocount": 1})
    return Question(
        "indicators of a township and year",
        f"/v1/townships/{code}/indicators?year={year}",
        _sql(SQL_TOWNSHIP, t=code, y=year),
        f"/data/indicators.json?{table}",
    )


def concept(keys: Keys) -> Question:
    name, year, code = keys.concept, keys.year, keys.province
    province = divisions.place(code)["province"]
    table = {"concept": name, "year": year, "province": province, "_sort": "township_code", "_shape": "array"}
    return Question(
        "one concept across a province and year",
        f"/v1/indicators?{urlencode({'concept': name, 'year': year, 'province': code})}",
        _sql(SQL_CONCEPT, c=name, y=year, p=province),
        f"/data/indicators.json?{urlencode({**table, '_nofacet': 1, '_nocount': 1})}",
    )


QUESTIONS: tuple[Callable[[Keys], Question], ...] = (report, township, concept)


def _sql(statement: str, **values: object) -> str:
    return f"/data.json?{urlencode({'sql': statement, **values, '_shape': 'array'})}"


def drive(url: str, paths: Path, seconds: int) -> Run:
    """One run of wrk. Raises RuntimeError for a single answer that failed: it would be fast."""
    command = [
        "wrk",
        "-t",
        "1",
        "-c",
        str(CONNECTIONS),
        "-d",
        f"{seconds}s",
        "-s",
        str(ROOT / "bench" / "wrk.lua"),
        url,
    ]
    done = subprocess.run(command, env={**os.environ, "PATHS": str(paths)}, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("FIGURES"))
    count, duration, failed, p50, p99, size = (int(each) for each in line.split()[1:])
    if failed or not count:
        raise RuntimeError(f"{failed} of {count} answers of {url} failed:\n{done.stdout}")
    return Run(count / duration * 1e6, p50 / 1000, p99 / 1000, size / count, failed)


def median(runs: Sequence[Run]) -> Run:
    """The run with the middle rate."""
    return sorted(runs, key=lambda run: run.rate)[len(runs) // 2]


@contextlib.contextmanager
def serving(command: Sequence[str], port: int, path: str, **environment: str) -> Iterator[str]:
    """A server that answers `path` once this context begins; its URL."""
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL) as process:
        try:
            _await(f"http://127.0.0.1:{port}{path}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _await(url: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=10).ok:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nothing answers {url}")


def serve_datasette(program: str, database: Path) -> contextlib.AbstractContextManager[str]:
    port = free_port()
    limits = ("--setting", "max_returned_rows", "1000", "--setting", "default_page_size", "100")
    command = [program, "serve", "--immutable", str(database), "--port", str(port), *limits]
    return serving(command, port, "/-/versions.json")


def serve_constant(size: int) -> contextlib.AbstractContextManager[str]:
    port = free_port()
    command = [sys.executable, "-m", "bench.constant_server", str(port)]
    return serving(command, port, "/", BYTES=str(size))


def draw(question: Callable[[Keys], Question], keys: Keys, folder: Path) -> dict[str, Path]:
    """Files of addresses, for us, custom SQL and the table page, that ask the same in the same order."""
    drawn, files = [question(keys) for _ in range(ADDRESSES)], {}
    for way in ("ours", "sql", "table"):
        files[way] = folder / f"{drawn[0].name.replace(' ', '-')}.{way}.txt"
        files[way].write_text("".join(getattr(each, way) + "\n" for each in drawn))
    return files


def largest_at_once(url: str) -> str:
    """16 clients ask at once for the largest list: how many got all of it."""
    path = "/v1/indicators?concept=fixed_asset_investment&limit=1000"
    whole = requests.get(url + path, timeout=60).content
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        answers = list(pool.map(lambda _: requests.get(url + path, timeout=120), range(CONNECTIONS)))
    good = sum(
        answer.ok and hashlib.sha256(answer.content).digest() == hashlib.sha256(whole).digest() for answer in answers
    )
    return f"{good} of {CONNECTIONS} clients that asked at once for `{path}` ({len(whole):,} bytes) got all of it."


def main() -> int:
    asked = _arguments()
    asked.folder.mkdir(parents=True, exist_ok=True)
    cases, data = first_cases(asked.reports), (asked.folder / f"data-{asked.reports}").resolve()
    load(partial(local.open_storage, data), cases, quick=True, told="loading")
    database = asked.folder / f"{asked.reports}" / "data.db"
    database.parent.mkdir(exist_ok=True)
    rows = make_tables(local.open_storage(data), cases, database)
    keys = Keys([code for code, _ in cases[:: len({year for _, year in cases})]], random.Random(5))
    print(
        f"{processor()}, {os.cpu_count()} CPUs, Python {platform.python_version()}, {asked.reports:,} reports, {rows:,} rows.\n"
    )
    missed = 0
    print(
        "| GET | server | requests/s | p50 ms | p99 ms | bytes | ours by it |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    with run_server(data) as ours, serve_datasette(asked.datasette, database) as datasette:
        _wait_for_export(ours.url, asked.reports)
        for question in QUESTIONS:
            missed += not _compare(question, keys, asked, ours.url, datasette)
        whole = largest_at_once(ours.url)
    print(f"\n{whole}")
    return 1 if missed or not whole.startswith(f"{CONNECTIONS} of") else 0


def _wait_for_export(url: str, reports: int) -> None:
    """Until nothing is prepared beside the answers any more."""
    while True:
        found = requests.get(f"{url}/v1/bulk", timeout=60)
        if found.ok and found.json()["reports"] == reports:
            return
        time.sleep(1)


def _compare(
    question: Callable[[Keys], Question], keys: Keys, asked: argparse.Namespace, ours: str, other: str
) -> bool:
    """Measure one question and print its rows; whether the goals are met."""
    files = draw(question, keys, asked.folder)
    size = _same_answers(ours, _some(files["ours"]), other, _some(files["sql"]), _some(files["table"]))
    with serve_constant(size) as constant:
        servers = {
            "ours": (ours, files["ours"]),
            "Datasette, custom SQL": (other, files["sql"]),
            "Datasette, table page": (other, files["table"]),
            "a constant body": (constant, files["ours"]),
        }
        runs: dict[str, list[Run]] = {name: [] for name in servers}
        for url, paths in servers.values():
            drive(url, paths, 1)  # warm
        for _ in range(asked.runs):
            for name, (url, paths) in servers.items():
                runs[name].append(drive(url, paths, asked.seconds))
    found = {name: median(each) for name, each in runs.items()}
    mine, best, bare = found["ours"], found["Datasette, custom SQL"], found["a constant body"]
    title = question(keys).name
    for name, run in found.items():
        ratio = f"{mine.rate / run.rate:.2f}" if name != "ours" else ""
        print(
            f"| {title} | {name} | {run.rate:,.0f} | {run.p50:.1f} | {run.p99:.1f} | {run.size:,.0f} | {ratio} |",
            flush=True,
        )
    return mine.rate >= FASTER * best.rate and mine.rate >= OF_CONSTANT * bare.rate and mine.p99 < best.p99


def _same_answers(ours: str, mine: Sequence[str], other: str, *theirs: Sequence[str]) -> int:
    """The mean size of our answers in bytes. Raises RuntimeError where another way gives not as many rows."""
    sizes = []
    for path, *paths in zip(mine, *theirs, strict=True):
        answer = requests.get(ours + path, timeout=60)
        rows = len(answer.json().get("data", [None]))  # a record is one row
        for each in paths:
            found = requests.get(other + each, timeout=60).json()
            if len(found) != rows or not rows:
                raise RuntimeError(f"{path} gives {rows} rows, {each} gives {len(found)}")
        sizes.append(len(answer.content))
    return round(statistics.mean(sizes))


def _some(paths: Path) -> list[str]:
    return paths.read_text().splitlines()[:20]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.against_datasette")
    parser.add_argument("--datasette", default="datasette", help="the program")
    parser.add_argument("--folder", type=Path, default=Path("build/against-datasette"))
    parser.add_argument("--reports", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
