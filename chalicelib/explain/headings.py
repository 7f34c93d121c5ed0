"""Which rule made each heading, and which numbers only looked like those of headings."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.reading.headings import Heading
from chalicelib.reading.model import Section
from chalicelib.reading.refusals import Refusal


def heading_rules(folded: str, sections: Sequence[Section], candidates: Sequence[Heading]) -> list[str]:
    """The rule of each section: the style of its number, or how it stands without one."""
    styles = {heading.start: heading.style for heading in candidates}
    return [f"heading_{styles.get(s.start) or _without_number(folded, s)}" for s in sections]


def _without_number(folded: str, section: Section) -> str:
    line = folded.find("\n", section.title_end)
    rest = folded[section.title_end : line if line >= 0 else len(folded)]
    return "lead_in" if rest.strip(" 。:") else "line"


def refused_headings(sections: Sequence[Section], candidates: Sequence[Heading]) -> list[Refusal]:
    """The numbers of what looked like headings and are none: their run does not count on, or it lists clauses."""
    kept = {section.start for section in sections}
    return [Refusal(h.start, h.title_start, "list_number") for h in candidates if h.start not in kept]
