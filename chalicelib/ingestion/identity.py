"""Whether two texts of the same township, year and kind are one document, and under which ids further documents go."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

# A corrected upload shares nearly all of its text with the first one; two different reports of one township and year
# share slogans and little else (under 0.2). Half is far from both.
SAME_DOCUMENT = 0.5
# Five characters are two words: shorter runs are shared by all reports, longer ones lose too much to one correction.
SHINGLE = 5
# Texts beyond this many shingles are compared by a fixed sample, so that memory stays bounded.
SHINGLES_KEPT = 200_000


def ids(base: str) -> Iterator[str]:
    """`base`, `base-2`, `base-3`, … without end."""
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def is_of(report_id: str, base: str) -> bool:
    """Whether `report_id` is one of `ids(base)`."""
    lead, _, number = report_id.rpartition("-")
    return report_id == base or (lead == base and re.fullmatch("[1-9][0-9]*", number) is not None and number != "1")


def resemblance(index_number: str | None, text: str, other_index_number: str | None, other_text: str) -> float:
    """How much two documents are one, 0 to 1; an equal index number settles it as 1. From 0.5 on they are one."""
    if index_number is not None and index_number == other_index_number:
        return 1.0
    return similarity(text, other_text)


def similarity(text: str, other: str) -> float:
    """Shared runs of five characters by all such runs (Jaccard), blanks and line ends left out; 1 for equal texts."""
    bare, other_bare = "".join(text.split()), "".join(other.split())
    if bare == other_bare:
        return 1.0
    every = 1 + max(len(bare), len(other_bare)) // SHINGLES_KEPT
    mine, theirs = _shingles(bare, every), _shingles(other_bare, every)
    return len(mine & theirs) / max(1, len(mine | theirs))


def _shingles(bare: str, every: int) -> set[str]:
    """The text's runs; of a long text one checksum class in `every`, the same for all texts."""
    runs = (bare[i : i + SHINGLE] for i in range(max(1, len(bare) - SHINGLE + 1)))
    return set(runs) if every == 1 else {run for run in runs if zlib.crc32(run.encode()) % every == 0}
