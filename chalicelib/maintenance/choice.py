"""Which reports and uploads are meant: conditions `KEY=VALUE` and `KEY!=VALUE`, all of which hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from chalicelib.catalog import layout, places
from chalicelib.errors import BadRequest
from chalicelib.records import VERSION, rules_digest

Facts = Mapping[str, Sequence[str]]

PLACES = ("province", "prefecture", "county", "township")
STATES = ("published", "rejected", "needs_township")
# Of these only the record tells, which a list of reports does not read.
OF_THE_RECORD = ("parser", "rules")
PATTERNS = {
    "year": (r"\d{4}", "a year of four digits"),
    "report": (r"\d{2,9}-\d{4}[\w-]*", "a report's id, such as 331022103-2022"),
    "parser": (r"[\w.+-]+", "a version, such as 0.1.0, or current"),
    "rules": (r"[0-9a-f]{4,64}", "the first 4 or more hexadecimal digits of their SHA-256, or current"),
}
KEYS = ("year", *PLACES, "report", "state", *OF_THE_RECORD)


class Condition(NamedTuple):
    """Holds where a fact begins with one of `values` (is one of them for `whole`), or with `negated` where none does.

    It never holds of what has no such fact: a rejected file has no year.
    """

    key: str
    values: tuple[str, ...]
    negated: bool
    whole: bool
    text: str

    def holds(self, facts: Facts) -> bool:
        found = facts.get(self.key, ())
        matches = any(fact in self.values if self.whole else fact.startswith(self.values) for fact in found)
        return bool(found) and matches != self.negated


@dataclass(frozen=True, slots=True)
class Choice:
    conditions: tuple[Condition, ...] = ()

    @property
    def texts(self) -> list[str]:
        """The conditions as they were given."""
        return [condition.text for condition in self.conditions]

    def takes_summary(self, summary: Mapping[str, Any]) -> bool:
        """Whether a published report is meant, as far as its summary tells."""
        facts = _facts_of_report(summary)
        return all(c.holds(facts) for c in self.conditions if c.key not in OF_THE_RECORD)

    def takes_record(self, record: Mapping[str, Any]) -> bool:
        facts = {"parser": (record["parser"]["version"],), "rules": (record["parser"]["rules"],)}
        return self.takes_summary(record) and all(c.holds(facts) for c in self.conditions if c.key in OF_THE_RECORD)

    def takes_upload(self, state: Mapping[str, Any]) -> bool:
        """Whether an upload is meant that has a file and is not published. Where it may be of several places, one will do.

        A dry run never is: it asked what was, then.
        """
        if state["state"] not in ("rejected", "needs_township") or state["sha256"] is None or state.get("dry_run"):
            return False
        codes = [state["township"]] if state["township"] else [each["code"] for each in state["candidates"]]
        facts = {**dict.fromkeys(PLACES, codes), "state": (state["state"],)}
        return all(condition.holds(facts) for condition in self.conditions)

    @property
    def takes_reports(self) -> bool:
        """Whether any published report can be meant."""
        return all(c.holds({"state": ("published",)}) for c in self.conditions if c.key == "state")

    @property
    def takes_uploads(self) -> bool:
        """Whether any upload that is not published can be meant."""
        return all(
            c.key in PLACES or (c.key == "state" and any(c.holds({"state": (s,)}) for s in STATES[1:]))
            for c in self.conditions
        )

    def wanted(self, key: str) -> tuple[str, ...]:
        """The values of the first condition that asks for some of `key`, by which lists are cut short; () for none."""
        return next((c.values for c in self.conditions if c.key == key and not c.negated), ())


def read_choice(texts: Sequence[str]) -> Choice:
    """Raises BadRequest `bad_condition`, and `unknown_division` for a place that the table lacks."""
    return Choice(tuple(map(_read_condition, texts)))


def _read_condition(text: str) -> Condition:
    found = re.fullmatch(r"([^!=]*)(!?=)(.+)", text.strip())
    if found is None:
        raise BadRequest("bad_condition", f"{text!r} is no condition.", "Write KEY=VALUE or KEY!=VALUE.")
    key, sign, value = found[1].strip(), found[2], found[3].strip()
    if key not in KEYS:
        raise BadRequest("bad_condition", f"There is nothing called {key!r}.", f"Known: {', '.join(KEYS)}.")
    whole = key not in (*PLACES, "rules")
    return Condition(key, _read_values(key, value), sign == "!=", whole, text.strip())


def _read_values(key: str, value: str) -> tuple[str, ...]:
    if key in PLACES:
        return places.codes(key, value)
    if key == "state":
        if value not in STATES:
            raise BadRequest("bad_condition", f"{value!r} is no state.", f"Known: {', '.join(STATES)}.")
        return (value,)
    if key in OF_THE_RECORD and value == "current":
        return (VERSION if key == "parser" else rules_digest(),)
    pattern, meaning = PATTERNS[key]
    if re.fullmatch(pattern, value, re.ASCII) is None:
        raise BadRequest("bad_condition", f"{value!r} is no value of {key!r}.", f"Give {meaning}.")
    return (value,)


def _facts_of_report(summary: Mapping[str, Any]) -> Facts:
    code = (summary["township"]["code"],)
    year = layout.report_year(dict(summary))
    return {
        **dict.fromkeys(PLACES, code),
        "year": (str(year),),
        "report": (summary["id"],),
        "state": ("published",),
    }
