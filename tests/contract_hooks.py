"""What schemathesis has to know besides the contract: refusals for what no JSON Schema of one parameter can say.

`positive_data_acceptance` stays on. A 400 to a request that fits the contract is a finding unless the problem names one
of the reasons below and the request has what the reason is about.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi import checks

from chalicelib.catalog.concepts import load_concepts, load_themes

Given = Mapping[str, Any]
_within_schema = checks.positive_data_acceptance
CHECKS.unregister("positive_data_acceptance")

# By code and parameter of the problem: whether the request can have been refused for it.
REASONS: dict[tuple[str, str | None], Callable[[Given], bool]] = {
    # A cursor is opaque: only one that the same list gave out is valid.
    ("bad_cursor", "cursor"): lambda given: "cursor" in given,
    # Names and ids that the tables of divisions and concepts do not have.
    ("unknown_division", "province"): lambda given: "province" in given,
    ("unknown_division", "prefecture"): lambda given: "prefecture" in given,
    ("unknown_division", "county"): lambda given: "county" in given,
    ("unknown_township", "township"): lambda given: "township" in given,
    ("ambiguous_township", "township"): lambda given: "township" in given,
    ("bad_parameter", "concept"): lambda given: not _listed(given.get("concept")) <= load_concepts().keys(),
    ("bad_parameter", "theme"): lambda given: not _listed(given.get("theme")) <= load_themes().keys(),
    # Words that are too short to be found, or too many.
    ("bad_parameter", "q"): lambda given: "q" in given,
    # A run that ends before it begins.
    ("bad_parameter", "year"): lambda given: ".." in str(given.get("year")),
    ("bad_parameter", "value"): lambda given: ".." in str(given.get("value")) or "group_by" in given,
    # One of two is needed.
    ("missing_parameter", "concept"): lambda given: not {"concept", "theme"} & given.keys(),
    # Two ways to name one thing.
    ("bad_parameter", "as_of"): lambda given: "as_of" in given,
    ("bad_parameter", "fields"): lambda given: "fields" in given and "group_by" in given,
    ("bad_parameter", "lang"): lambda given: "lang" in given and "group_by" in given,
    # What is not counted.
    **{
        ("bad_parameter", name): lambda given: "group_by" in given
        for name in ("township", "prefecture", "county", "kind", "issuer", "sort", "status")
    },
    ("repeated_parameter", "value"): lambda given: "value" in given and bool({"value>", "value<"} & given.keys()),
}

# What the seeds have, for the half of the requests that would otherwise name nothing that there is.
REAL: dict[str, tuple[Any, ...]] = {
    "province": ("33", "浙江省"),
    "prefecture": ("3310", "台州市"),
    "county": ("331022", "三门县"),
    "township": ("331022103", "331083106", "芦浦镇"),
    "concept": ("fixed_asset_investment", "general_public_budget_revenue"),
    "theme": ("industry", "finance"),
    "report": ("331022103-2022", "331083106-2020", "331024106-2023"),
    "section": ("s1", "s2"),
    "year": ("2019..2023", "2022"),
    "since": ("2024-03-01",),
    "q": ("工业", "亭旁"),
}

# The report that is withdrawn as long as others have to be read.
WITHDRAWN = "330603109-2023"


@schemathesis.hook
def before_call(_: Any, case: Any, __: Any) -> None:
    """Every other request that fits the contract asks for what is there, from a list's beginning."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    phase = case.meta.phase.name.value
    if phase != "fuzzing" and zlib.crc32(repr(case.query).encode()) % 2:
        (case.query or {}).pop("cursor", None)
    if phase != "stateful" and case.method == "DELETE":
        case.path_parameters["report"] = WITHDRAWN
    if phase not in ("fuzzing", "stateful"):
        return
    # What a link leads to stays.
    for place in (case.query, case.path_parameters) if phase == "fuzzing" else (case.query,):
        for name, value in list((place or {}).items()):
            chosen = zlib.crc32(repr(value).encode())
            if chosen % 2 and name == "cursor":
                del place[name]
            elif chosen % 2 and name in REAL and place.get(name):
                real = REAL[name][chosen % len(REAL[name])]
                if name != "year" or place is case.query:
                    place[name] = [real] if isinstance(value, list) else real


@schemathesis.check
def positive_data_acceptance(ctx: Any, response: Any, case: Any) -> bool | None:
    if response.status_code == 400 and _has_reason(response.content, case):
        return None
    return _within_schema(ctx, response, case)


def _has_reason(body: bytes, case: Any) -> bool:
    """A HEAD tells no reason; the same request as GET does."""
    given = {**(case.query or {}), **(case.body if isinstance(case.body, dict) else {})}
    if case.method == "HEAD":
        return any(holds(given) for holds in REASONS.values())
    problem = orjson.loads(body)
    holds = REASONS.get((problem["code"], problem.get("parameter")))
    return holds is not None and holds(given)


def _listed(values: Any) -> set[str]:
    """The values of a parameter that takes several, as the caller or the address has them."""
    given = values if isinstance(values, list) else [] if values is None else [values]
    return {part for value in given for part in str(value).split(",")}
