"""What reprocessing came to: for one report or upload, and for all of a run together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

REPORT, UPLOAD = "report", "upload"
# What becomes of a report, and of an upload that was not published, in the order in which the table lists them.
UNCHANGED, REVISED, MOVED, REFUSED, SKIPPED, FAILED = "unchanged", "revised", "moved", "refused", "skipped", "failed"
PUBLISHED, NEEDS_TOWNSHIP, REJECTED = "published", "needs_township", "rejected"
STATUSES = {
    REPORT: {
        UNCHANGED: "read as before",
        REVISED: "read otherwise: a new revision",
        MOVED: "would be another report now: left as it is",
        REFUSED: "would be refused now: left as it is",
        SKIPPED: "withdrawn, or not chosen by --where",
        FAILED: "not read, see above",
    },
    UPLOAD: {
        UNCHANGED: "as before",
        PUBLISHED: "published now",
        NEEDS_TOWNSHIP: "needs another township, or one at all",
        REJECTED: "rejected for another reason",
        FAILED: "not read, see above",
    },
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`kind` is REPORT or UPLOAD, `id` whose; `report` and `revision` are what is current now, where there is one.

    `differences` is that of `differences.compare`, for REVISED alone.
    """

    kind: str
    id: str
    status: str
    detail: str = ""
    report: str | None = None
    revision: int | None = None
    differences: dict[str, Any] | None = None


def describe(outcome: Outcome) -> str:
    """One line."""
    whose = f"{outcome.kind} {outcome.id}: {outcome.status.replace('_', ' ')}"
    if outcome.differences is not None:
        return f"{whose}, revision {outcome.revision}: {_brief(outcome.differences)}"
    if outcome.status == PUBLISHED:
        return f"{whose} as {outcome.report} revision {outcome.revision}"
    return f"{whose}: {outcome.detail}" if outcome.detail else whose


def is_told(outcome: Outcome) -> bool:
    """Whether an outcome has a line of its own: where anything differs, or ought to be looked at."""
    return outcome.status not in (UNCHANGED, SKIPPED)


@dataclass(slots=True)
class Totals:
    """The sums of a run; it holds counts, no outcomes."""

    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    indicators: Counter[str] = field(default_factory=Counter)
    indicator_fields: Counter[str] = field(default_factory=Counter)
    sections: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    report_fields: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.statuses[outcome.kind, outcome.status] += 1
        found = outcome.differences
        if found is None:
            return
        for name in ("gained", "lost", "changed"):
            self.indicators[name] += len(found[name])
        for name in ("gained", "lost"):
            self.sections[name] += len(found[f"sections_{name}"])
            self.checks[name] += len(found[f"checks_{name}"])
        self.indicator_fields.update(name for each in found["changed"] for name in each["fields"])
        self.report_fields.update(found["fields"].keys())
        self.report_fields.update(["text"] * found["text"])

    def count(self, kind: str, status: str | None = None) -> int:
        return sum(n for (k, s), n in self.statuses.items() if k == kind and status in (None, s))


def write_table(totals: Totals, dry_run: bool) -> str:
    """The sums as lines: what became of reports and uploads, then gains and losses."""
    lines = ["dry run: nothing was written"] if dry_run else []
    for kind, statuses in STATUSES.items():
        if all_of_them := totals.count(kind):
            lines.append(_line(f"{kind}s", all_of_them))
            lines += [
                _line(f"  {s.replace('_', ' ')}", n, m) for s, m in statuses.items() if (n := totals.count(kind, s))
            ]
    if totals.count(REPORT, REVISED):
        lines += _gains(totals)
    return "\n".join(lines) or "nothing to read"


def _gains(totals: Totals) -> Iterator[str]:
    yield _line("indicators gained", totals.indicators["gained"])
    yield _line("indicators lost", totals.indicators["lost"])
    yield _line("indicators changed", totals.indicators["changed"], _fields(totals.indicator_fields))
    for name, counted in (("sections", totals.sections), ("checks", totals.checks)):
        yield from (_line(f"{name} {way}", counted[way]) for way in ("gained", "lost") if counted[way])
    if totals.report_fields:
        yield _line("fields of reports", totals.report_fields.total(), _fields(totals.report_fields))


def _line(name: str, count: int, remark: str = "") -> str:
    return f"{name:<20}{count:>9,}  {remark}".rstrip()


def _brief(found: dict[str, Any]) -> str:
    """`indicators +2 -1 ~3 (year 2, name 1); sections +1 -0; title`, without what there is none of."""
    parts = []
    if found["gained"] or found["lost"] or found["changed"]:
        counted = Counter(name for each in found["changed"] for name in each["fields"])
        parts.append(f"indicators +{len(found['gained'])} -{len(found['lost'])} ~{len(found['changed'])}")
        parts[-1] += f" ({_fields(counted)})" if counted else ""
    for name in ("sections", "checks"):
        gained, lost = len(found[f"{name}_gained"]), len(found[f"{name}_lost"])
        parts += [f"{name} +{gained} -{lost}"] if gained or lost else []
    parts += [*found["fields"], *(["text"] if found["text"] else [])]
    return "; ".join(parts) or "positions and ids alone"


def _fields(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in sorted(counted.items(), key=lambda item: (-item[1], item[0])))
