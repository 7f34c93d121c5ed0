"""What each report gained and lost since the figures of `floors.json` were accepted.

python -m tests.quality.score                      # the table, gains and losses; exit 1 if a measure of a document fell
python -m tests.quality.score --verbose            # every error as well
python -m tests.quality.score --accept [--lower]   # take the figures as the new floors; --lower where one falls
python -m tests.quality.score --docs DIR --gold DIR   # other documents, with every error and without floors
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.quality.tally import GOLD, HERE, MEASURES, Score, Tally, compare_errors, score_documents, total

FLOORS = HERE / "floors.json"

Floors = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Print the table and what changed; 1 if a measure of a document fell and was not accepted."""
    ask = argparse.ArgumentParser(prog="python -m tests.quality.score", description=(__doc__ or "").split("\n", 1)[0])
    ask.add_argument("--docs", type=Path, help="folder of other documents")
    ask.add_argument("--gold", type=Path, help="folder of their gold")
    ask.add_argument("--verbose", action="store_true", help="print every error")
    ask.add_argument("--accept", action="store_true", help="write the figures to floors.json")
    ask.add_argument("--lower", action="store_true", help="with --accept: also where a measure of a document falls")
    ask.add_argument("--every-concept", action="store_true", help="a concept that no gold has is a false alarm too")
    args = ask.parse_args(arguments)
    if bool(args.docs) != bool(args.gold):
        ask.error("--docs and --gold go together")
    if args.docs:
        gold = [path for path in sorted(args.gold.glob("*.json")) if not path.name.endswith(".excluded.json")]
        scores = score_documents(gold, args.docs, every_concept=args.every_concept)
        print_table(scores)
        print_documents(scores, {})
        print_errors(scores)
        return 0
    scores = score_documents(GOLD)
    floors: Floors = json.loads(FLOORS.read_bytes())
    seeds = {doc: one for doc, one in scores.items() if doc.startswith("seeds/")}
    for group in ({doc: one for doc, one in scores.items() if doc not in seeds}, seeds, scores):
        print_table(group, "seeds" if group is seeds else "all" if group is scores else "made")
    print_documents(scores, floors["documents"])
    print_changes(scores, floors)
    if args.verbose:
        print_errors(scores)
    fallen = list_falls(scores, floors)
    for fall in fallen:
        print(f"fell: {fall}")
    if args.accept and (args.lower or not fallen):
        FLOORS.write_text(json.dumps(floors_of(scores), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        print(f"accepted: {len(scores)} documents")
        return 0
    if args.accept:
        print("not accepted: say --lower to lower a floor")
    return 1 if fallen else 0


def print_table(scores: Mapping[str, Score], group: str = "all") -> None:
    """A row a measure, over the documents of a group."""
    print(f"{len(scores)} documents, {group}")
    print(f"{'measure':9} {'precision':>9} {'recall':>7} {'F1':>6} {'right':>6} {'gold':>6} {'read':>6}")
    for measure, tally in total(scores).tallies.items():
        rates = f"{tally.precision:9.3f} {tally.recall:7.3f} {tally.f1:6.3f}"
        print(f"{measure:9} {rates} {tally.hit:6} {tally.gold:6} {tally.found:6}")


def print_documents(scores: Mapping[str, Score], floors: Mapping[str, Any]) -> None:
    """F1 of each document; + and - where it is above and below its floor."""
    wide = max(map(len, scores), default=0) + 1
    print(" " * wide + "".join(f"{measure:>10}" for measure in MEASURES))
    for doc, score in scores.items():
        cells = ""
        for measure in MEASURES:
            f1 = score.tallies[measure].f1
            floor = Tally(*floors[doc]["tallies"][measure]).f1 if doc in floors else f1
            cells += f"{f1:9.3f}{'+' if f1 > floor else '-' if f1 < floor else ' '}"
        print(f"{doc:{wide}}{cells}".rstrip())


def print_changes(scores: Mapping[str, Score], floors: Floors) -> None:
    """What each document gained (+, an error that is gone) and lost (-, a new one), item by item."""
    gains = losses = 0
    for doc, score in scores.items():
        gone, new = compare_errors(floors["documents"].get(doc, {}).get("errors", []), score.errors)
        gains, losses = gains + len(gone), losses + len(new)
        if gone or new:
            print(f"{doc}: {len(gone)} gained, {len(new)} lost")
            print(*[f"  + {error}" for error in gone], *[f"  - {error}" for error in new], sep="\n")
    print(f"{gains} gained, {losses} lost since the floors were accepted")


def print_errors(scores: Mapping[str, Score]) -> None:
    """Every error, document by document."""
    for doc, score in scores.items():
        print(doc, *[f"  {error}" for error in score.errors], sep="\n")


def list_falls(scores: Mapping[str, Score], floors: Floors) -> list[str]:
    """The measures that are lower than accepted, of a document or of all together."""
    rows = [("all documents", floors["all"], total(scores))]
    rows += [(doc, floors["documents"][doc]["tallies"], s) for doc, s in scores.items() if doc in floors["documents"]]
    return [
        f"{doc}, {measure}: {score.tallies[measure].f1:.4f} after {Tally(*before[measure]).f1:.4f}"
        for doc, before, score in rows
        for measure in MEASURES
        if score.tallies[measure].f1 < Tally(*before[measure]).f1
    ]


def floors_of(scores: Mapping[str, Score]) -> Floors:
    """The figures as `floors.json` keeps them: right, gold and read of each measure, and each document's errors."""
    return {
        "all": _tallies(total(scores)),
        "documents": {doc: {"tallies": _tallies(s), "errors": sorted(s.errors)} for doc, s in sorted(scores.items())},
    }


def _tallies(score: Score) -> dict[str, list[int]]:
    return {measure: [tally.hit, tally.gold, tally.found] for measure, tally in score.tallies.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
