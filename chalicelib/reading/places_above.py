"""The county that a page is of, or the prefecture or province: for its own report, or above a township."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chalicelib import divisions
from chalicelib.reading import gazetteer
from chalicelib.reading.evidence import Evidence
from chalicelib.reading.former_divisions import heirs, lies_in
from chalicelib.reading.gazetteer import Mention
from chalicelib.reading.model import Page, Township

NOBODY = Township(None, None, None, None, None)

_OWN_REPORT = re.compile(r"[)）\s]*(?:人民政府|政府|委|党委)?[)）\s]*(?:关于|(?:政府)?工作(?:报告|总结)|20|19|二|$)")
_GOVERNMENT = re.compile("政府工作报告")
_OWN_GOVERNMENT = re.compile("人民政府(?:办公室)?$")
_OWN_CONGRESS = re.compile("第.{1,4}[届次].{0,12}(?:代表大会|人大)")


def resolve_above(page: Page, evidence: Evidence) -> Township:
    """The county, city or province where the report is its own; else the names of the county that the page names."""
    upper = surest_upper(evidence)
    if upper is None:
        return NOBODY
    place = divisions.place(upper)
    owners = list(_owners(page, evidence))
    code = upper if any(upper in codes for codes in owners) else None
    return Township(code, None, place["county"], place["prefecture"], place["province"])


def _owners(page: Page, evidence: Evidence) -> Iterator[tuple[str, ...]]:
    """The divisions whose report the title says that it is; of a 政府工作报告 without a place, those whose congress heard
    it or whose government publishes it."""
    title = page.title
    named = list(gazetteer.find_uppers(title))
    for mention in named:
        if _OWN_REPORT.match(title, mention.end) and gazetteer.at_boundary(title, mention.start):
            yield mention.codes
    if not named and _GOVERNMENT.search(title):
        for kind, mention, behind in evidence.behind:
            if (kind == "subtitle" and _OWN_CONGRESS.match(behind)) or (
                kind == "issuer" and _OWN_GOVERNMENT.match(behind)
            ):
                yield mention.codes


def surest_upper(evidence: Evidence) -> str | None:
    """The code of the county (or what is above it) that the page names for certain; None where it names several."""
    uppers = surest_uppers(evidence)
    return uppers[0] if len(uppers) == 1 else None


def surest_uppers(evidence: Evidence) -> tuple[str, ...]:
    """The county, or what is above it, that the page names for certain: several codes where they share the name."""
    counties = [codes for codes in evidence.index.values() if len(codes[0]) == 6]
    if counties:
        return counties[0]
    mentions = [m for _, m in evidence.printed if m.exact]
    mentions += [Mention(0, 0, n, c, True) for (n, c), k in evidence.body.items() if k > 1 and not mentions]
    over_body = [m for kind, m in evidence.printed if m.exact and kind in ("title", "subtitle")]
    # Links to other places' reports contradict the title; the title is right.
    return _common(mentions, 6) or _common(over_body, 6) or _common(mentions, 2)


def _common(mentions: Sequence[Mention], digits: int) -> tuple[str, ...]:
    """The longest codes, of so many digits at least, that agree with all the mentions."""
    codes = {code for m in mentions for code in m.codes if len(code) >= digits}
    fits = [code for code in codes if all(_related(code, m.codes) for m in mentions)]
    longest = max(map(len, fits), default=0)
    return tuple(sorted(code for code in fits if len(code) == longest))


def lies_in_any(code: str, uppers: tuple[str, ...]) -> bool:
    """Whether the township lies in one of the divisions, or lay there before."""
    return any(lies_in(code, upper) for upper in uppers)


def now_in(uppers: tuple[str, ...]) -> tuple[str, ...]:
    """The divisions in which the townships of `uppers` lie now."""
    return tuple(dict.fromkeys(heir for upper in uppers for heir in heirs(upper)))


def _related(code: str, codes: tuple[str, ...]) -> bool:
    return any(code.startswith(other) or other.startswith(code) for other in codes)
