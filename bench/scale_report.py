"""What was measured of GETs over collections of several sizes: tables in Markdown, and a plot."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Measured:
    """The requests of one kind to one collection: milliseconds, read units, rows and bytes of each."""

    times: list[float] = field(default_factory=list)
    units: list[float] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def p50(self) -> float:
        return statistics.median(self.times)

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.times, n=100, method="inclusive")[98]


Table = dict[str, dict[int, Measured]]  # by kind, then size


def ratio(by_size: Mapping[int, Measured]) -> float:
    """p50 in the largest collection by p50 in the smallest."""
    return by_size[max(by_size)].p50 / by_size[min(by_size)].p50


def write_times(table: Table, title: str) -> list[str]:
    """A Markdown table of p50 and p99 in milliseconds, with rows and bytes of the answers in the smallest and largest."""
    sizes = list(next(iter(table.values())))
    heads = ["GET", "rows", "KB", *(f"p50 {size:,}" for size in sizes), *(f"p99 {size:,}" for size in sizes), "ratio"]
    lines = [f"{title}, ms", "", f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    for kind, by_size in table.items():
        ends = [by_size[sizes[0]], by_size[sizes[-1]]]
        rows = _both(f"{statistics.mean(each.rows):.1f}" for each in ends)
        kilobytes = _both(f"{statistics.mean(each.sizes) / 1000:.1f}" for each in ends)
        times = [f"{each.p50:.2f}" for each in by_size.values()] + [f"{each.p99:.2f}" for each in by_size.values()]
        lines.append(f"| {' | '.join([kind, rows, kilobytes, *times, f'{ratio(by_size):.2f}'])} |")
    return [*lines, ""]


def write_units(table: Table) -> list[str]:
    """A Markdown table of the mean read units of a GET in each collection."""
    sizes = list(next(iter(table.values())))
    lines = [
        "Read units, mean",
        "",
        f"| GET | {' | '.join(f'{size:,}' for size in sizes)} |",
        "|" + " --- |" * (1 + len(sizes)),
    ]
    for kind, by_size in table.items():
        lines.append(f"| {kind} | {' | '.join(f'{statistics.mean(each.units):.2f}' for each in by_size.values())} |")
    return [*lines, ""]


def _both(values: Iterator[str]) -> str:
    return " / ".join(dict.fromkeys(values))


def _p50(measured: Measured) -> float:
    return measured.p50


def _mean_units(measured: Measured) -> float:
    return statistics.mean(measured.units)


def draw(times: Table, units: Table | None, path: Path) -> None:
    """Milliseconds over the size of the collection, and beside it read units: level lines are what was to be shown."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.5), layout="constrained")
    panels = [(times, "p50 in milliseconds, files and SQLite", _p50)]
    if units:
        panels.append((units, "read units, DynamoDB Local", _mean_units))
    for at, (table, label, read) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), at, xscale="log", yscale="log", xlabel="reports", ylabel=label)
        for number, (kind, by_size) in enumerate(table.items()):
            line, values = "-" if number < 10 else "--", [read(each) for each in by_size.values()]
            axes.plot(list(by_size), values, color=f"C{number % 10}", linestyle=line, marker="o", label=kind)
        sizes = list(next(iter(table.values())))
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize="small")
    figure.savefig(path, metadata={"Date": None})
