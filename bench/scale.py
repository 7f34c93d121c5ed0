"""Whether a GET takes longer, or reads more of the table, the larger the collection is.

    .venv/bin/python -m bench.scale --sizes 1000,10000,100000 --engine-sizes 1000,5000 --out build/scale --plot bench/scale.svg

Loads made reports (made_collection.py) into a collection of each size: files and SQLite, and for `--engine-sizes`
DynamoDB Local with SeaweedFS. Then the app is called with the events of a gateway, one request at a time and of each kind
as many for every size, by turns, so that what else the machine does strikes all alike. Prints tables in Markdown
and writes them to OUT/scale.md; exit 1 where a GET misses the goal. OUT keeps the collections: the same command again goes
on where it was stopped. DynamoDB Local syncs every write: with `--engine-folder` in memory (/dev/shm) it loads sooner.
The plot needs `pip install -r requirements-bench.txt`, the engines `make engines`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import platform
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from app import app
from bench.consumed import Meter
from bench.load_collection import Loaded, check_same, copy_folder, first_cases, load
from bench.read_reports import processor
from bench.scale_report import Measured, Table, draw, ratio, write_times, write_units
from bench.scale_requests import KINDS, Keys
from chalicelib.storage import Storage, local
from tests.gateway import event

GOAL = 1.2  # p50 in the largest collection by p50 in the smallest
WARM = 20  # requests before those that count
CHECKED = 25  # reports that are received once more as the service does, and compared


@dataclass(frozen=True, slots=True)
class Collection:
    """An open collection; `meter` counts what its table is asked for, where there is one."""

    size: int
    storage: Storage
    keys: Keys
    meter: Meter | None = None


def measure(collections: Sequence[Collection], requests: int) -> Table:
    """Each kind of GET, so many times in each collection, by turns."""
    table: Table = {}
    for kind, address in KINDS.items():
        table[kind] = {each.size: Measured() for each in collections}
        gc.collect()
        for number in range(-WARM, requests):
            turn = number % len(collections)
            for each in (*collections[turn:], *collections[:turn]):
                _ask(each, address(each.keys), table[kind][each.size] if number >= 0 else Measured())
        print(f"{kind}: {table[kind][collections[-1].size].p50:.2f} ms", file=sys.stderr, flush=True)
    return table


def _ask(collection: Collection, address: str, into: Measured) -> None:
    app.__dict__["storage"] = collection.storage
    # Asked once before: what is measured is the work for an answer, and not whether the files lay in memory, where those of
    # a small collection always are.
    app(event("GET", address), None)
    request = event("GET", address)
    with collection.meter.counting() if collection.meter else contextlib.nullcontext() as consumed:
        start = time.perf_counter()
        answer = app(request, None)
        into.times.append((time.perf_counter() - start) * 1e3)
    if answer["statusCode"] not in (200, 307):
        raise RuntimeError(f"{address} answered {answer['statusCode']}: {answer['body'][:300]}")
    into.units.append(consumed.read_units if consumed else 0.0)
    into.rows.append(_rows(answer["body"]))
    into.sizes.append(len(answer["body"].encode()))


def _rows(body: str) -> int:
    try:
        found = json.loads(body)
    except ValueError:
        return 0  # a text or a redirect
    return len(found["data"]) if isinstance(found.get("data"), list) else 1


# The collections.


def local_collections(folder: Path, sizes: Sequence[int]) -> list[Collection]:
    """A collection of each size under `folder`, the larger one grown from a copy of the smaller."""
    loads, last = _kept(folder), None
    for size in sizes:
        path = folder / f"local-{size}"
        if last is not None and not path.exists():
            copy_folder(last, path)
        if path.name not in loads:
            path.mkdir(parents=True, exist_ok=True)
            loads[path.name] = load(partial(local.open_storage, path), first_cases(size), True, path.name)
            chosen = random.Random(size).sample(first_cases(size), CHECKED)
            print(f"{path.name}: {check_same(path, chosen)} objects and entries are as received", file=sys.stderr)
            _keep(folder, loads)
        last = path
    return [_collection(size, local.open_storage(folder / f"local-{size}")) for size in sizes]


@contextlib.contextmanager
def engine_collections(folder: Path, sizes: Sequence[int]) -> Iterator[list[Collection]]:
    """A bucket and a table for each size in engines that run meanwhile, with their data under `folder`."""
    from bench import scale_engines

    loads = _kept(folder)
    with scale_engines.engine_session(folder) as session:
        found = []
        for size in sizes:
            name = f"engines-{size}"
            scale_engines.make_resources(session, name)
            opener = scale_engines.opener(name)
            if name not in loads:
                loads[name] = load(opener, first_cases(size), False, name)
                _keep(folder, loads)
            storage = opener()
            found.append(_collection(size, storage, Meter(storage)))
        yield found


def _collection(size: int, storage: Storage, meter: Meter | None = None) -> Collection:
    townships = list(dict.fromkeys(code for code, _ in first_cases(size)))
    return Collection(size, storage, Keys(townships, random.Random(size)), meter)


def _keep(folder: Path, loads: Mapping[str, Loaded]) -> None:
    """Note which collections are whole, with what loading took."""
    (folder / "loads.json").write_text(json.dumps({name: asdict(each) for name, each in loads.items()}, indent=1))


def _kept(folder: Path) -> dict[str, Loaded]:
    path = folder / "loads.json"
    return {name: Loaded(**each) for name, each in json.loads(path.read_text()).items()} if path.exists() else {}


def main(arguments: Sequence[str]) -> int:
    """Load what is missing, measure, print."""
    asked = _read_arguments(arguments)
    folder: Path = asked.out
    engines: Path = asked.engine_folder or folder / "engines"
    times, units = measure(local_collections(folder, asked.sizes), asked.requests), None
    lines = [_machine(), "", *write_times(times, "Files and SQLite")]
    if asked.engine_sizes:
        with engine_collections(engines, asked.engine_sizes) as collections:
            units = measure(collections, asked.engine_requests)
        lines += [*write_times(units, "DynamoDB Local and SeaweedFS"), *write_units(units)]
    loads = {**_kept(folder), **(_kept(engines) if units else {})}
    lines += [f"- {name}: {each.new:,} reports loaded in {each.seconds:,.0f} s" for name, each in loads.items()]
    slower = [kind for kind, by_size in times.items() if ratio(by_size) > GOAL]
    lines += ["", f"p50 above {GOAL} times: {', '.join(slower) or 'none'}"]
    (folder / "scale.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    if asked.plot:
        draw(times, units, asked.plot)
    return 1 if slower else 0


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"Python {platform.python_version()}, {platform.machine()}, {processor()}, {os.cpu_count()} CPUs, {memory:.0f} GB"


def _read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    def sizes(text: str) -> list[int]:
        found = sorted({int(each) for each in text.split(",") if each})
        for size in found:
            first_cases(size)
        if found and found[0] < 1000:
            raise ValueError(text)  # no province has a hundred townships in it, so that its lists are not full
        return found

    parser = argparse.ArgumentParser(prog="python -m bench.scale")
    parser.add_argument("--sizes", type=sizes, default=[1_000, 10_000, 100_000])
    parser.add_argument("--engine-sizes", type=sizes, default=[])
    parser.add_argument("--requests", type=int, default=500, help="of a kind to a collection of files and SQLite")
    parser.add_argument("--engine-requests", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("build/scale"))
    parser.add_argument("--engine-folder", type=Path, help="of the engines' data; OUT/engines by default")
    parser.add_argument("--plot", type=Path)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
