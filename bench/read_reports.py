"""How long reading takes: text to record for each seed, beside one search for digits with a unit over the same text.

    .venv/bin/python -m bench.read_reports [FILE…]

The start of the process is excluded, and so is the first reading, which loads the rules. What is kept of a text from one
reading to the next is forgotten before each, so that every round reads as if for the first time. Prints milliseconds of
processor time (median of the rounds) and the ratios to two searches, which are what any reader of figures has to pay: for
digits with one of all the measure words of `rules/units.csv`, and with one of the thirteen commonest.
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

from chalicelib.reading.anchors import find_anchored
from chalicelib.reading.concepts import _matched
from chalicelib.reading.evidence import host_names
from chalicelib.reading.fold import fold
from chalicelib.reading.lexicon import units
from chalicelib.reading.memory import subject_of
from chalicelib.reading.parse import parse

ROUNDS = 41
KEPT = (fold, _matched, find_anchored, host_names, subject_of)
SEEDS = Path(__file__).resolve().parent.parent / "seeds"
# Digits with any measure word that the reader knows, and with the thirteen commonest.
SEARCH = re.compile(
    r"\d+(?:\.\d+)?\s*[十百千万亿]*" + f"(?:{'|'.join(map(re.escape, sorted(units(), key=len, reverse=True)))})"
)
COMMONEST = re.compile(r"\d+(?:\.\d+)?\s*(?:万|亿)?(?:元|%|亩|个|家|人|户|次|件|公里|平方米|处|项|场)")


def main(arguments: list[str]) -> int:
    """Print a row a file and the medians over all of them."""
    files = [Path(a) for a in arguments] or sorted(SEEDS.glob("*.txt"))
    print(f"Python {platform.python_version()}, {platform.machine()}, {processor()}")
    print(
        f"{'characters':>10} {'figures':>8} {'reading ms':>11} {'all units ms':>12} {'ratio':>6} {'13 ms':>6} {'ratio':>6}  file"
    )
    rows = []
    for file in files:
        data = file.read_bytes()
        parsed = parse(data, file.name)
        text = parsed.text
        figures = len(parsed.record["indicators"])
        reading = milliseconds(partial(parse, data, file.name))
        all_, few = (milliseconds(partial(search.findall, text)) for search in (SEARCH, COMMONEST))
        rows.append((reading, reading / all_, reading / few))
        times = f"{reading:11.2f} {all_:12.3f} {reading / all_:6.1f} {few:6.3f} {reading / few:6.1f}"
        print(f"{len(text):10} {figures:8} {times}  {file.name}")
    reading, of_all, of_few = (statistics.median(column) for column in zip(*rows, strict=True))
    print(
        f"median {reading:.2f} ms a report, {of_all:.1f} times the search for all units, {of_few:.1f} times that for 13"
    )
    return 0


def milliseconds(work: Callable[[], object]) -> float:
    """The median duration of the rounds in milliseconds, after one that is not counted."""
    work()
    durations = []
    for _ in range(ROUNDS):
        for kept in KEPT:
            kept.cache_clear()
        start = time.process_time()
        work()
        durations.append(time.process_time() - start)
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
