"""How long reading takes: text to record for each seed, beside one search for digits with a unit over the same text.

    .venv/bin/python -m bench.read_reports [FILE…]

The start of the process is excluded, and so is the first reading, which loads the rules. Prints milliseconds (median of
the rounds) and the ratio to the search, which is what any reader of figures has to pay.
"""

from __future__ import annotations

import platform
import re
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from chalicelib.reading.parse import parse

ROUNDS = 21
SEEDS = Path(__file__).resolve().parent.parent / "seeds"
SEARCH = re.compile(r"\d+(?:\.\d+)?\s*(?:万|亿)?(?:元|%|亩|个|家|人|户|次|件|公里|平方米|处|项|场)")


def main(arguments: list[str]) -> int:
    """Print a row a file and the medians over all of them."""
    files = [Path(a) for a in arguments] or sorted(SEEDS.glob("*.txt"))
    print(f"Python {platform.python_version()}, {platform.machine()}, {processor()}")
    print(f"{'characters':>10} {'figures':>8} {'reading ms':>11} {'search ms':>10} {'ratio':>6}  file")
    readings, ratios = [], []
    for file in files:
        data = file.read_bytes()
        parsed = parse(data, file.name)
        text = parsed.text
        reading = milliseconds(partial(parse, data, file.name))
        search = milliseconds(partial(SEARCH.findall, text))
        readings.append(reading)
        ratios.append(reading / search)
        figures = len(parsed.record["indicators"])
        print(f"{len(text):10} {figures:8} {reading:11.2f} {search:10.3f} {reading / search:6.1f}  {file.name}")
    print(f"median {statistics.median(readings):.2f} ms a report, {statistics.median(ratios):.1f} times the search")
    return 0


def milliseconds(work: Callable[[], object]) -> float:
    """The median duration of the rounds in milliseconds, after one that is not counted."""
    work()
    durations = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        durations.append(time.perf_counter() - start)
    return statistics.median(durations) * 1000


def processor() -> str:
    """The processor's name as Linux tells it, or what the platform knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
