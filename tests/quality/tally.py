"""How well the reader does on reports with gold: precision and recall by measure, and every item that went wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib import records
from chalicelib.errors import ReportError
from chalicelib.reading.parse import parse
from tests.agreement import SAME_NAME, SAME_TITLE, differing, letters, pair_up, similarity

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GOLD = sorted((HERE / "gold").glob("*.json"))
MEASURES = ("report", "sections", "quantity", "named", "full", "concept")
META = ("title", "index_number", "issuer", "issued", "review_year", "plan_year")
# The gold calls the township's name `township`.
PLACE = {"township": "name", "county": "county", "prefecture": "prefecture", "province": "province"}
NOTHING_READ: Mapping[str, Any] = {
    **dict.fromkeys(META),
    "township": dict.fromkeys(PLACE.values()),
    "sections": [],
    "indicators": [],
}

# What an item of the gold may leave out, and what that means.
USUAL = {"value": None, "unit": None, "yoy": None, "months": None, "status": "actual", "concept": None}

Item = Mapping[str, Any]


@cache
def gold_concepts() -> frozenset[str]:
    """The concepts that the annotators knew; of concepts added since, the gold says nothing either way."""
    return used_concepts(load_gold(path) for path in GOLD)


def used_concepts(golds: Iterable[Item]) -> frozenset[str]:
    """The concepts that the annotators of these documents used."""
    return frozenset(i["concept"] for gold in golds for i in gold["indicators"] if i["concept"])


def load_gold(path: Path) -> dict[str, Any]:
    """A gold file with every field of its indicators; numbers as exact decimals."""
    gold: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return {**gold, "indicators": [{**USUAL, **item} for item in gold["indicators"]]}


@dataclass
class Tally:
    """Of one measure: how many agree, how many the gold has and how many were read."""

    hit: int = 0
    gold: int = 0
    found: int = 0

    def add(self, hit: int, gold: int, found: int) -> None:
        self.hit, self.gold, self.found = self.hit + hit, self.gold + gold, self.found + found

    @property
    def precision(self) -> float:
        return self.hit / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.hit / self.gold if self.gold else 1.0

    @property
    def f1(self) -> float:
        return 2 * self.hit / (self.gold + self.found) if self.gold + self.found else 1.0


@dataclass
class Score:
    """The tallies of all measures, and a line for each item that went wrong, `kind: item`.

    `known` are the concepts of which the gold says something; another one is no false alarm. None is all of them.
    """

    tallies: dict[str, Tally] = field(default_factory=lambda: {measure: Tally() for measure in MEASURES})
    errors: list[str] = field(default_factory=list)
    known: frozenset[str] | None = field(default_factory=gold_concepts)

    def add_document(self, gold: Item, found: Item) -> None:
        """Add what was read of one document."""
        self._add_report(gold.get("report", {}), found)
        if "sections" in gold:
            self._add_sections(gold["sections"], found["sections"])
        self._add_indicators(gold["indicators"], found["indicators"])

    def add(self, other: Score) -> None:
        """Add another score's tallies."""
        for measure, tally in other.tallies.items():
            self.tallies[measure].add(tally.hit, tally.gold, tally.found)

    def _add_report(self, gold: Item, found: Item) -> None:
        read = {key: found[key] for key in META} | {key: found["township"][of] for key, of in PLACE.items()}
        for key, value in read.items():
            if key not in gold or (gold[key] is None and value is None):
                continue
            same = letters(gold[key]) == letters(value)
            self.tallies["report"].add(same, 1, 1)
            if not same:
                self.errors.append(f"report: {key} is {gold[key]}, read {value}")

    def _add_sections(self, gold: Sequence[Item], found: Sequence[Item]) -> None:
        left = list(found)
        for wanted in gold:
            same = next((s for s in left if _same_section(wanted, s)), None)
            if same is None:
                self.errors.append(f"section missed: {_section(wanted)}")
            else:
                left.remove(same)
        self.errors += [f"section invented: {_section(section)}" for section in left]
        self.tallies["sections"].add(len(found) - len(left), len(gold), len(found))

    def _add_indicators(self, gold: Sequence[Item], found: Sequence[Item]) -> None:
        optional = {g for g, item in enumerate(gold) if item.get("optional")}
        pairs = pair_up(gold, found)
        dropped = {f for g, f, _ in pairs if g in optional}
        pairs = [pair for pair in pairs if pair[0] not in optional]
        named = [pair for pair in pairs if pair[2] >= SAME_NAME]
        full = [pair for pair in named if not differing(gold[pair[0]], found[pair[1]])]
        for measure, agreeing in (("quantity", pairs), ("named", named), ("full", full)):
            self.tallies[measure].add(len(agreeing), len(gold) - len(optional), len(found) - len(dropped))
        stated = sum(1 for g, item in enumerate(gold) if item["concept"] and g not in optional)
        said = sum(1 for f, item in enumerate(found) if self._told(item) and f not in dropped)
        right = sum(1 for g, f, _ in pairs if gold[g]["concept"] and gold[g]["concept"] == found[f]["concept"])
        self.tallies["concept"].add(right, stated, said)
        paired = {f for _, f, _ in pairs} | dropped
        missed = [item for g, item in enumerate(gold) if g not in {g for g, _, _ in pairs} | optional]
        self.errors += [f"missed: {item['names'][0]} {_amount(item)}" for item in missed]
        self.errors += [f"invented: {item['name']} {_amount(item)}" for f, item in enumerate(found) if f not in paired]
        for g, f, alike in pairs:
            self._add_differences(gold[g], found[f], alike)

    def _add_differences(self, gold: Item, found: Item, alike: float) -> None:
        name = f"{gold['names'][0]} {_amount(gold)}"
        if alike < SAME_NAME:
            self.errors.append(f"misnamed: {name}, read {found['name']}")
        for key in differing(gold, found):
            self.errors.append(f"wrong {key}: {name} is {gold[key]}, read {found[key]}")
        read = self._told(found)
        if gold["concept"] != read:
            self.errors.append(f"wrong concept: {name} is {gold['concept']}, read {read}")

    def _told(self, item: Item) -> str | None:
        """The item's concept, if the gold says something of it."""
        concept: str | None = item["concept"]
        return concept if self.known is None or concept in self.known else None


def _same_section(gold: Item, found: Item) -> bool:
    if gold["level"] != found["level"] or (gold["label"] or None) != (found["label"] or None):
        return False
    titles = [gold["title"], *gold.get("alt_titles", [])]
    return any(similarity(title, found["title"]) >= SAME_TITLE for title in titles)


def _section(item: Item) -> str:
    return f"{item['level']} {item['label'] or '-'} {item['title']}"


def _amount(item: Item) -> str:
    if item["value"] is None:
        return f"yoy {item['yoy']}"
    return f"{item['value']} {item['unit'] or '-'}"


def document(doc: str, folder: Path = HERE / "docs") -> Path:
    """Where a document lies: in the folder, or (`seeds/…`) among the seeds."""
    return ROOT / doc if doc.startswith("seeds/") else folder / doc


def read_document(doc: str, folder: Path = HERE / "docs") -> Item:
    """The record of a document as a reader of its JSON sees it; nothing at all of one that is refused."""
    try:
        parsed = parse(document(doc, folder).read_bytes(), Path(doc).name)
    except ReportError:
        return NOTHING_READ
    record: dict[str, Any] = json.loads(records.dump(parsed.record), parse_float=Decimal)
    return record


def score_documents(
    gold: Iterable[Path] = GOLD, folder: Path = HERE / "docs", *, every_concept: bool = False
) -> dict[str, Score]:
    """The score of each document, by its name. Of other documents the concepts count that their own gold uses, too."""
    golds = [load_gold(path) for path in gold]
    known = None if every_concept else gold_concepts() | used_concepts(golds)
    scores = {wanted["doc"]: Score(known=known) for wanted in golds}
    for wanted in golds:
        scores[wanted["doc"]].add_document(wanted, read_document(wanted["doc"], folder))
    return scores


def total(scores: Mapping[str, Score]) -> Score:
    """The tallies of all documents together."""
    whole = Score()
    for score in scores.values():
        whole.add(score)
    return whole


def compare_errors(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """The errors that are gone and those that are new; an error that stands twice counts twice."""
    old, new = Counter(before), Counter(after)
    return sorted((old - new).elements()), sorted((new - old).elements())
