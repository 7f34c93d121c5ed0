"""How well the reader does on the held-out reports: precision and recall of what was read against their gold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib import records
from chalicelib.reading.parse import parse
from tests.agreement import SAME_NAME, SAME_TITLE, differing, letters, pair_up, similarity

HERE = Path(__file__).parent
GOLD = sorted((HERE / "gold").glob("*.json"))
MEASURES = ("report", "sections", "quantity", "named", "full", "concept")
META = ("title", "index_number", "issuer", "issued", "review_year", "plan_year")
# The gold calls the township's name `township`.
PLACE = {"township": "name", "county": "county", "prefecture": "prefecture", "province": "province"}

Item = dict[str, Any]


@cache
def gold_concepts() -> frozenset[str]:
    """The concepts that the annotators knew; of concepts added since, the gold says nothing either way."""
    documents = (json.loads(path.read_text(encoding="utf-8")) for path in GOLD)
    return frozenset(i["concept"] for document in documents for i in document["indicators"] if i["concept"])


@dataclass
class Tally:
    """Of one measure: how many agree, how many the gold has and how many were read."""

    hit: int = 0
    gold: int = 0
    found: int = 0

    def add(self, hit: int, gold: int, found: int) -> None:
        self.hit, self.gold, self.found = self.hit + hit, self.gold + gold, self.found + found

    @property
    def f1(self) -> float:
        return 2 * self.hit / (self.gold + self.found) if self.gold + self.found else 1.0


@dataclass
class Score:
    """The tallies of all measures."""

    tallies: dict[str, Tally] = field(default_factory=lambda: {measure: Tally() for measure in MEASURES})

    def add_document(self, gold: Item, found: Item) -> None:
        """Add what was read of one document."""
        self._add_report(gold["report"], found)
        self._add_sections(gold["sections"], found["sections"])
        self._add_indicators(gold["indicators"], found["indicators"])

    def _add_report(self, gold: Item, found: Item) -> None:
        read = {key: found[key] for key in META} | {key: found["township"][of] for key, of in PLACE.items()}
        for key, value in read.items():
            if gold[key] is not None or value is not None:
                self.tallies["report"].add(letters(gold[key]) == letters(value), 1, 1)

    def _add_sections(self, gold: Sequence[Item], found: Sequence[Item]) -> None:
        left = list(found)
        for wanted in gold:
            same = next((s for s in left if _same_section(wanted, s)), None)
            if same is not None:
                left.remove(same)
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
        said = sum(1 for f, item in enumerate(found) if item["concept"] in gold_concepts() and f not in dropped)
        right = sum(1 for g, f, _ in pairs if gold[g]["concept"] and gold[g]["concept"] == found[f]["concept"])
        self.tallies["concept"].add(right, stated, said)


def _same_section(gold: Item, found: Item) -> bool:
    if gold["level"] != found["level"] or (gold["label"] or None) != (found["label"] or None):
        return False
    titles = [gold["title"], *gold.get("alt_titles", [])]
    return any(similarity(title, found["title"]) >= SAME_TITLE for title in titles)


def read_document(doc: str) -> Item:
    """The record of a held-out document as a reader of its JSON sees it."""
    parsed = parse((HERE / "docs" / doc).read_bytes(), doc)
    record: Item = json.loads(records.dump(parsed.record), parse_float=Decimal)
    return record


def score_all() -> dict[str, float]:
    """F1 by measure over all held-out reports."""
    score = Score()
    for path in GOLD:
        gold = json.loads(path.read_text(encoding="utf-8"))
        score.add_document(gold, read_document(gold["doc"]))
    return {measure: tally.f1 for measure, tally in score.tallies.items()}
