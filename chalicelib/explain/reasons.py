"""The rules of `rules/reasons.csv`: what each of them says, in Chinese and in English."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from chalicelib.reading.lexicon import read_rows


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule's explanation. `about` is what it decides: `name`, `time`, `status`, `growth` or `heading`; or why a number is no
    quantity: it is `refused`, a `date`, or but part of a `word`."""

    rule: str
    about: str
    zh: str
    en: str


@cache
def reasons() -> dict[str, Reason]:
    """Every rule that a mark or a trace can bear, by its id."""
    return {r["rule"]: Reason(r["rule"], r["about"], r["zh"], r["en"]) for r in read_rows("reasons.csv")}
