"""Which numbered candidates are headings: those whose ordinals run 1, 2, 3… inside their parent."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict

from chalicelib.reading.clauses import LONGEST
from chalicelib.reading.headings import LONG_TITLE, Heading


def in_sequence(candidates: list[Heading], folded: str) -> list[Heading]:
    """The candidates that are headings, each with the rank that its place in the outline gives it."""
    ahead = _Ahead(candidates)
    kept: list[Heading] = []
    stack: list[Heading] = []
    for position, heading in enumerate(candidates):
        run_in = heading.style == "run" or (heading.style == "arabic" and not heading.line_start)
        if run_in and not _opens_sentences(candidates, position, folded):
            continue
        depth = next((d for d, open_ in enumerate(stack) if open_.style == heading.style), None)
        last = stack[depth].number if depth is not None else 0
        if not _continues(heading, last) and not (heading.number == 1 and ahead.has_second(position)):
            continue
        if depth is not None and (heading.number == last + 1 or heading.number != 1):
            heading.rank = stack[depth].rank
            stack = stack[:depth]
        else:
            while stack and stack[-1].rank >= heading.rank and not ahead.goes_on(stack[-1], position):
                stack.pop()
            if stack:
                heading.rank = max(heading.rank, stack[-1].rank + 0.5)
        stack.append(heading)
        kept.append(heading)
    return kept


def _continues(heading: Heading, last: int) -> bool:
    """Whether the heading goes on in a run that stands at `last`.

    A misprinted or lost number is believed on a line of its own, at the upper ranks whatever it is.
    """
    if heading.number == last + 1 and last:
        return True
    skipped = 0 < last < heading.number <= last + 2
    return heading.line_start and ((skipped and heading.number != 1) or (heading.alone and heading.rank <= 5))


class _Ahead:
    """What comes behind a candidate in each style."""

    def __init__(self, candidates: list[Heading]) -> None:
        self.candidates = candidates
        self.positions: dict[str, list[int]] = defaultdict(list)
        for position, heading in enumerate(candidates):
            self.positions[heading.style].append(position)

    def _next(self, style: str, position: int) -> Heading | None:
        same = self.positions[style]
        at = bisect_right(same, position)
        return self.candidates[same[at]] if at < len(same) else None

    def has_second(self, position: int) -> bool:
        """Whether a 2 of the same style comes before the next 1 of it: a lone 1 is no numbering."""
        follower = self._next(self.candidates[position].style, position)
        return follower is not None and follower.number == 2

    def goes_on(self, open_: Heading, position: int) -> bool:
        """Whether the open run counts on behind the new candidate, which then stands inside it whatever its style."""
        follower = self._next(open_.style, position)
        return follower is not None and follower.number == open_.number + 1


def _opens_sentences(candidates: list[Heading], position: int, folded: str) -> bool:
    """Whether `一是…` opens a run of sentences rather than being one clause of a list (`一是…;二是…;三是…。`)."""
    heading = candidates[position]
    run = [h for h in candidates[max(0, position - 12) : position + 12] if h.style == heading.style]
    at = run.index(heading)
    first = at
    while first > 0 and run[first - 1].number == run[first].number - 1:
        first -= 1
    last = at
    while last + 1 < len(run) and run[last + 1].number == run[last].number + 1:
        last += 1
    members = run[first : last + 1]
    if members[0].number != 1 or len(members) < 2:
        return False
    opening = sum(
        _has_sentences(folded, m, members[k + 1].start if k + 1 < len(members) else None) for k, m in enumerate(members)
    )
    return opening * 2 >= len(members)


def _has_sentences(folded: str, heading: Heading, stop: int | None) -> bool:
    # A sentence's length is far enough to see the next one begin, however long the line.
    far = min(len(folded), heading.title_end + LONGEST)
    line = folded.find("\n", heading.title_end, far)
    line = far if line < 0 else line
    end = min(line, stop) if stop is not None else line
    if heading.line_start and heading.alone:
        return True
    closed = folded[heading.title_end : heading.title_end + 1]
    if closed == ";":
        return False
    rest = folded[heading.title_end + 1 : end].strip(" 。;")
    return (
        len(rest) >= 12
        and (closed in "。:!" or heading.title_end - heading.title_start <= LONG_TITLE)
        and (closed != "," or "。" in folded[heading.title_end : max(heading.title_end, end - 1)])
    )
