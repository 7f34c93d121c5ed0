"""The section tree: every heading of the body, on a line of its own or run in at the start of a paragraph."""

from __future__ import annotations

import re

from chalicelib.reading.fold import fold
from chalicelib.reading.headings import Heading, find_numbered
from chalicelib.reading.model import Identity, Page, Section
from chalicelib.reading.sequence import in_sequence
from chalicelib.reading.unnumbered import with_unnumbered

PLANNED = re.compile(
    r"工作(?:计划|思路|打算|安排|谋划|部署|展望|设想|要点|举措|目标)|下一?步|下一?阶段|明年|来年|今后|下半年|目标任务$|(?:主要|重点|奋斗)(?:任务|目标)|未来|展望|(?:总体|发展)(?:思路|要求|目标)|计划$|思路$|打算$|安排$"
)
REVIEWED = re.compile(r"总结|回顾|完成情况|开展情况|落实情况|工作情况|成效|成绩|过去|一年来|五年来|以来|上半年|存在")


def outline(page: Page, identity: Identity) -> tuple[Section, ...]:
    """The headings of `page` in reading order, with their nesting and whether their part is a plan."""
    folded = fold(page.text)
    found = in_sequence(find_numbered(folded, page.body_start), folded)
    found = with_unnumbered(found, folded, page.body_start)
    return _tree(found, page.text, folded, identity)


def _tree(headings: list[Heading], text: str, folded: str, identity: Identity) -> tuple[Section, ...]:
    sections: list[Section] = []
    stack: list[tuple[float, Section]] = []
    for n, heading in enumerate(headings):
        while stack and stack[-1][0] >= heading.rank:
            stack.pop()
        parent = stack[-1][1] if stack else None
        title = text[heading.title_start : heading.title_end]
        section = Section(
            id=f"s{n + 1}",
            parent=parent.id if parent else None,
            level=len(stack) + 1,
            label=text[heading.start : heading.title_start] and heading.label,
            title=title,
            start=heading.start,
            end=_end(headings, n, len(text)),
            title_start=heading.title_start,
            title_end=heading.title_end,
            plan=_is_plan(folded[heading.title_start : heading.title_end], parent, identity),
        )
        sections.append(section)
        stack.append((heading.rank, section))
    return tuple(sections)


def _end(headings: list[Heading], n: int, length: int) -> int:
    return next((h.start for h in headings[n + 1 :] if h.rank <= headings[n].rank), length)


def _is_plan(title: str, parent: Section | None, identity: Identity) -> bool:
    if parent is not None and parent.plan:
        return True
    if identity.kind == "plan":
        return not REVIEWED.search(title)
    if REVIEWED.search(title) and not re.search(r"明年|下一?步|下半年|下一?阶段", title):
        return False
    year = str(identity.plan_year) if identity.plan_year and identity.plan_year != identity.review_year else None
    if year is not None and year in title:
        return True
    return bool(PLANNED.search(title)) and (parent is None or "下" in title or "明年" in title)
