"""What one record of a report has and another lacks: indicators by the number that they were read from, sections by
their headings, and what the report says of itself.

Records come as a JSON reader gives them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

Record = dict[str, Any]

REPORT_FIELDS = (
    "title",
    "kind",
    "township",
    "candidates",
    "review_year",
    "plan_year",
    "issuer",
    "issued",
    "published",
    "index_number",
    "source",
)
INDICATOR_FIELDS = (
    "name",
    "concept",
    "concept_rule",
    "value",
    "unit",
    "bound",
    "yoy",
    "standard",
    "year",
    "months",
    "status",
    "place",
)


@dataclass(frozen=True, slots=True)
class Version:
    """A record and the clean text that its offsets count in."""

    record: Record
    text: str


def compare(old: Version, new: Version) -> dict[str, Any]:
    """Gains and losses from `old` to `new`, ready for JSON.

    `gained` and `lost` list indicators in short, `changed` those in both with `{field: [old, new]}`; `sections_gained`
    and `sections_lost` list headings, `checks_gained` and `checks_lost` messages; `fields` tells what changed of the
    report itself, and `text` whether its clean text did.
    """
    same_text = old.text == new.text
    pairs = list(_pairs(_views(old.record), _views(new.record), same_text))
    fields = {f: [old.record[f], new.record[f]] for f in REPORT_FIELDS if old.record[f] != new.record[f]}
    return {
        "gained": [_short(after) for before, after in pairs if before is None and after is not None],
        "lost": [_short(before) for before, after in pairs if after is None and before is not None],
        "changed": list(_changed(pairs, same_text)),
        **_gains("sections", map(_heading, old.record["sections"]), map(_heading, new.record["sections"])),
        **_gains("checks", map(_remark, old.record["checks"]), map(_remark, new.record["checks"])),
        "fields": fields,
        "text": not same_text,
    }


View = Mapping[str, Any]
Pair = tuple[View | None, View | None]


def _views(record: Record) -> list[View]:
    """The indicators, each with the headings above it instead of its section's number, which other sections shift."""
    headings = {s["id"]: _heading(s) for s in record["sections"]}
    return [{**i, "section": headings.get(i["section"])} for i in record["indicators"]]


def _pairs(old: Sequence[View], new: Sequence[View], same_text: bool) -> Iterator[Pair]:
    """Each indicator with its counterpart, or None. A number may be that of several: the most alike go together."""
    groups = defaultdict[Hashable, tuple[list[int], list[int]]](lambda: ([], []))
    for side, views in enumerate((old, new)):
        for number, view in enumerate(views):
            groups[_evidence_key(view, same_text)][side].append(number)
    partners, paired = dict[int, int](), set[int]()
    for olds, news in groups.values():
        for before, after in sorted(product(olds, news), key=lambda pair: len(_differing(old[pair[0]], new[pair[1]]))):
            if before not in partners and after not in paired:
                partners[before] = after
                paired.add(after)
    yield from ((view, new[partners[n]] if n in partners else None) for n, view in enumerate(old))
    yield from ((None, view) for n, view in enumerate(new) if n not in paired)


def _evidence_key(indicator: View, same_text: bool) -> Hashable:
    evidence = indicator["evidence"]
    if same_text:
        return evidence["number_start"], evidence["number"]
    return evidence["quote"], evidence["number"], evidence["number_start"] - evidence["start"]


def _changed(pairs: Iterable[Pair], same_text: bool) -> Iterator[dict[str, Any]]:
    for before, after in pairs:
        if before is None or after is None:
            continue
        fields = {field: [before[field], after[field]] for field in _differing(before, after)}
        if same_text and (quotes := [side["evidence"]["quote"] for side in (before, after)])[0] != quotes[1]:
            fields["quote"] = quotes
        if fields:
            yield {**_short(after), "fields": fields}


def _differing(before: View, after: View) -> list[str]:
    return [field for field in (*INDICATOR_FIELDS, "section") if before[field] != after[field]]


def _short(indicator: View) -> dict[str, Any]:
    told = {field: indicator[field] for field in ("id", "name", "concept", "value", "unit", "yoy", "year", "status")}
    return {**told, "number": indicator["evidence"]["number"], "number_start": indicator["evidence"]["number_start"]}


def _heading(section: Record) -> str:
    return f"{'#' * section['level']} {section['label'] or ''} {section['title']}".replace("  ", " ")


def _remark(check: Record) -> str:
    return f"{check['rule']}: {check['message']}"


def _gains(name: str, old: Iterable[str], new: Iterable[str]) -> dict[str, list[str]]:
    before, after = Counter(old), Counter(new)
    return {f"{name}_gained": list((after - before).elements()), f"{name}_lost": list((before - after).elements())}
