"""The report's text as HTML, with its headings and all numbers marked in place."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.explain.escape import show, show_plain
from chalicelib.explain.model import Explanation, Mark
from chalicelib.explain.reasons import reasons

# One letter a kind of mark: there may be thousands of them.
CLASSES = {"indicator": "i", "growth": "g", "refused": "r", "date": "t", "word": "w", "label": "l"}


def class_of(mark: Mark) -> str:
    """What the mark looks like: `i` an indicator, `g` its growth, `l` a heading's number, `t` a date or period, `w` a numeral
    that is part of a word, `r` any other that is refused."""
    return CLASSES[reasons()[mark.rule].about if mark.kind == "refused" else mark.kind]


def render_body(explanation: Explanation) -> Iterator[str]:
    """A block a line of the clean text; `n12` is the place of its thirteenth number, `t-s1` that of section s1."""
    return _Body(explanation).lines()


class _Body:
    """Goes through the lines, the headings and the marks side by side, each once."""

    def __init__(self, explanation: Explanation) -> None:
        self.text, self.marks = explanation.text, explanation.marks
        self.body_start = explanation.body_start
        self.headings = explanation.record["sections"]
        self.section_at = {s["start"]: s["id"] for s in self.headings}
        self.remarked = {check["indicator"] for check in explanation.record["checks"]}
        self.heading = self.mark = 0

    def lines(self) -> Iterator[str]:
        start = 0
        for line in self.text.split("\n"):
            end = start + len(line)
            if line.strip():
                yield self._line(start, end)
            start = end + 1

    def _line(self, start: int, end: int) -> str:
        pieces, at, alone = [], start, 0
        while self.heading < len(self.headings) and self.headings[self.heading]["start"] < end:
            heading = self.headings[self.heading]
            first, last = max(at, heading["start"]), min(end, heading["title_end"])
            pieces.append(self._marked(at, first))
            pieces.append(f'<b class="h" id="t-{heading["id"]}">{self._marked(first, last)}</b>')
            alone = heading["level"] if first == start and not self.text[last:end].strip(" 。.：:") else 0
            at, self.heading = last, self.heading + 1
        pieces.append(self._marked(at, end))
        return _block("".join(pieces), alone, in_title=start < self.body_start, row=" | " in self.text[start:end])

    def _marked(self, start: int, end: int) -> str:
        """A stretch of a line; a mark that goes beyond its end goes on in the next stretch."""
        pieces, at = [], start
        while self.mark < len(self.marks) and self.marks[self.mark].start < end:
            mark = self.marks[self.mark]
            first, last = max(at, mark.start), min(end, mark.end)
            pieces += [show(self.text[at:first]), self._anchor(mark, first, last)]
            at = last
            if mark.end > end:
                break
            self.mark += 1
        pieces.append(show(self.text[at:end]))
        return "".join(pieces)

    def _anchor(self, mark: Mark, start: int, end: int) -> str:
        ids = [f"i{n + 1}" for n in mark.indicators]
        look = class_of(mark) + ("" if self.remarked.isdisjoint(ids) else " c")
        number = f' id="n{self.mark}"' if start == mark.start else ""
        many = f' data-i="{" ".join(ids)}"' if len(ids) > 1 else ""
        return f'<a class="{look}"{number} href="#{self._target(mark)}"{many}>{show(self.text[start:end])}</a>'

    def _target(self, mark: Mark) -> str:
        if mark.indicators:
            return f"i{mark.indicators[0] + 1}"
        return show_plain(self.section_at.get(mark.start, "") if mark.kind == "label" else f"rule-{mark.rule}")


def _block(inner: str, level: int, *, in_title: bool, row: bool) -> str:
    if in_title:
        return f'<p class="title">{inner}</p>'
    if level:
        rank = min(6, 2 + level)
        return f"<h{rank}>{inner}</h{rank}>"
    return f'<p class="row">{inner}</p>' if row else f"<p>{inner}</p>"
