"""Whether reading takes time in proportion to a text's length: reports up to 5 MB, and lines up to a million characters.

    .venv/bin/python -m bench.read_lengths [PLOT.svg]

Prints seconds of processor time and microseconds a character for each length; with a path, draws them (which needs
`pip install -r requirements-bench.txt`). The texts are the seeds' own sentences, again and again.
"""

from __future__ import annotations

import platform
import sys
import time
from pathlib import Path

from bench.read_reports import SEEDS, processor
from chalicelib.reading.parse import parse

LENGTHS = (10_000, 30_000, 100_000, 300_000, 1_000_000, 1_700_000)  # the last is 5 MB of UTF-8
TITLE = "2022年工作总结\n"


def main(arguments: list[str]) -> int:
    """Print a row a length for both shapes of text."""
    print(f"Python {platform.python_version()}, {platform.machine()}, {processor()}")
    print(f"{'shape':>9} {'characters':>10} {'megabytes':>9} {'figures':>8} {'seconds':>8} {'us/character':>12}")
    drawn: dict[str, list[tuple[int, float]]] = {"lines": [], "one line": []}
    parse(report("lines", LENGTHS[0]))
    for shape, points in drawn.items():
        for length in LENGTHS:
            data = report(shape, length)
            start = time.process_time()
            figures = len(parse(data).record["indicators"])
            seconds = time.process_time() - start
            points.append((length, seconds))
            row = f"{shape:>9} {length:10} {len(data) / 1e6:9.2f} {figures:8} {seconds:8.2f} {seconds / length * 1e6:12.2f}"
            print(row, flush=True)
    if arguments:
        draw(drawn, Path(arguments[0]))
    return 0


def report(shape: str, length: int) -> bytes:
    """A report of so many characters, with the seeds' line breaks or with none."""
    body = "".join(parse(file.read_bytes()).text.partition("\n\n")[2] + "\n" for file in sorted(SEEDS.glob("*.txt")))
    text = (body * (length // len(body) + 1))[:length]
    return (TITLE + (text if shape == "lines" else text.replace("\n", ""))).encode()


def draw(drawn: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """Seconds over characters, both in powers of ten: a straight line of slope one is time in proportion."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log", xlabel="characters", ylabel="seconds of processor time")
    for (shape, points), mark in zip(drawn.items(), "os", strict=True):
        axes.plot(*zip(*points, strict=True), marker=mark, label=shape)
    first, seconds = drawn["lines"][0]
    ends = (LENGTHS[0], LENGTHS[-1])
    axes.plot(ends, [seconds * end / first for end in ends], linestyle=":", color="grey", label="in proportion")
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
