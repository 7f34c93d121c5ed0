"""HTML to lines: the visible text of a page in reading order, one line a block, one line a table row."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from chalicelib.decode.whole import refuse_cut_off
from chalicelib.errors import ReportError
from chalicelib.reading.model import Document

RULES = Path(__file__).resolve().parent.parent / "rules" / "furniture_html.toml"
DEEPEST = 2000  # open containers: far beyond any page, and the HTML parser's time grows with the square of the depth
MAIN_PROSE = 150  # ideographs that a main content holds at least
LABEL_CELL = 60  # characters: a cell of several short lines is still one cell of a data table

# Private characters that bracket the main content while lines are made; no decoded text keeps them.
OPEN, CLOSE = "\ue0f0", "\ue0f1"

_BLANKS = re.compile("[ \t\n\r\f\u00a0]+")
_WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u201c\u201d\u2018\u2019]")
_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
_CONTAINER = re.compile(
    r"<(/?)(?:div|ul|ol|dl|section|article|blockquote|center|form|fieldset|main|aside|nav|details|menu|figure)\b", re.I
)
_HIDDEN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.I)


@cache
def elements(kind: str) -> frozenset[str]:
    """The elements or selectors of one kind in `rules/furniture_html.toml`: `blocks`, `unseen` or `main`."""
    return frozenset(tomllib.loads(RULES.read_text("utf-8"))[kind])


def read_html(source: str, encoding: str) -> Document:
    """The page's visible text; `meta` holds its `<meta>` names in lower case, `title` and a canonical `url`;
    `main` the span of the article where the page marks it. Raises ReportError `not_text` for endless nesting and
    `cut_off` for a page whose end is missing.
    """
    _refuse_depths(source)
    refuse_cut_off(source)
    source = source.replace(OPEN, "").replace(CLOSE, "")
    tree = LexborHTMLParser(source)
    root = tree.body or tree.root
    if root is None:
        return Document("", "html", encoding)
    lines = Lines(_main_node(tree))
    lines.read(root)
    text, main = _unbracket("\n".join(lines.done()))
    return Document(text, "html", encoding, _metadata(tree), main)


def _refuse_depths(source: str) -> None:
    depth = 0
    for tag in _CONTAINER.finditer(source):
        depth = max(0, depth - 1) if tag.group(1) else depth + 1
        if depth > DEEPEST:
            raise ReportError(
                "not_text",
                f"The page nests more than {DEEPEST} elements in one another.",
                "Upload the report as a text file or a page that a browser shows.",
                place=f"character {tag.start()}",
            )


def _metadata(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.css("meta"):
        name, content = node.attributes.get("name"), node.attributes.get("content")
        if name and content and content.strip():
            found.setdefault(name.strip().lower(), _one_line(content))
    title = tree.css_first("title")
    if title is not None and title.text().strip():
        found["title"] = _one_line(title.text())
    link = tree.css_first("link[rel=canonical]")
    if link is not None and link.attributes.get("href"):
        found.setdefault("url", str(link.attributes["href"]))
    return found


def _main_node(tree: LexborHTMLParser) -> int | None:
    """The identity of the innermost known container that holds half of the page's ideographs."""
    body = tree.body
    if body is None:
        return None
    matches = [(node, _ideographs(node)) for node in tree.css(", ".join(sorted(elements("main"))))[:50]]
    most = max((count for _, count in matches), default=0)
    if most < MAIN_PROSE:
        return None
    node = min((m for m in matches if m[1] >= 0.8 * most), key=lambda m: m[1])[0]
    return node.mem_id


def _ideographs(node: LexborNode) -> int:
    return len(_IDEOGRAPH.findall(node.text(deep=True, skip_empty=True)))


class Lines:
    """Collects lines during one walk over the tree. A table row collects its cells before it is printed."""

    def __init__(self, main: int | None) -> None:
        self.main = main
        self.blocks, self.unseen = elements("blocks"), elements("unseen")
        self.out: list[str] = []
        self.inline: list[str] = []
        self.rows: list[tuple[list[str], list[list[str]]]] = []
        self.pre = 0

    def read(self, root: LexborNode) -> None:
        """Walk without recursion: pages nest thousands of elements deep."""
        node: LexborNode | None = root
        while node is not None:
            if self.enter(node) and (child := node.child) is not None:
                node = child
                continue
            while node is not None and node.mem_id != root.mem_id and node.next is None:
                self.leave(node)
                node = node.parent
            if node is None or node.mem_id == root.mem_id:
                break
            self.leave(node)
            node = node.next
        self.leave(root)

    def done(self) -> Iterator[str]:
        self.flush()
        while self.rows:
            self.end_row()
        return iter(self.out)

    def enter(self, node: LexborNode) -> bool:
        """Begin the element; whether its children are to be read."""
        tag = node.tag or ""
        if tag == "-text":
            self.write(node.text_content or "")
            return False
        if (tag.startswith("-") and tag != "-document") or tag in self.unseen or _hidden(node):
            return False
        if tag == "br":
            self.flush()
        elif tag in self.blocks:
            self.flush()
            self.open_block(tag)
        if node.mem_id == self.main:
            self.flush()
            self.out.append(OPEN)
        return True

    def leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in self.unseen or tag.startswith("-"):
            return
        if node.mem_id == self.main:
            self.flush()
            self.out.append(CLOSE)
        if tag in self.blocks and not _hidden(node):
            self.flush()
            self.close_block(tag)

    def open_block(self, tag: str) -> None:
        if tag == "tr":
            self.rows.append((self.out, []))
            self.out = []
        elif tag in {"td", "th"} and self.rows:
            self.out = []
            self.rows[-1][1].append(self.out)
        elif tag == "pre":
            self.pre += 1

    def close_block(self, tag: str) -> None:
        if tag == "tr" and self.rows:
            self.end_row()
        elif tag in {"td", "th"} and self.rows:
            self.out = []
        elif tag == "pre":
            self.pre -= 1

    def end_row(self) -> None:
        outer, cells = self.rows.pop()
        outer.extend(_row_lines(cells))
        self.out = outer

    def write(self, text: str) -> None:
        if self.pre and "\n" in text:
            first, *others = text.split("\n")
            self.inline.append(first)
            for line in others:
                self.flush()
                self.inline.append(line)
        elif text:
            self.inline.append(text)

    def flush(self) -> None:
        if self.inline:
            line = _one_line("".join(self.inline))
            self.inline.clear()
            if line:
                self.out.append(line)


def _hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    style = attributes.get("style")
    return "hidden" in attributes or bool(style and _HIDDEN.search(style))


def _one_line(text: str) -> str:
    """Runs of blanks become one; a line break of the source between two wide characters none, as browsers do."""
    return _BLANKS.sub(_blank, text).strip(" \u3000")


def _blank(run: re.Match[str]) -> str:
    if "\n" not in run.group():
        return " "
    before, after = run.string[run.start() - 1 : run.start()], run.string[run.end() : run.end() + 1]
    return "" if _WIDE.match(before) and _WIDE.match(after) else " "


def _row_lines(cells: list[list[str]]) -> list[str]:
    """One line ` | ` between cells; the cells' own lines where the table only lays the page out."""
    filled = [cell for cell in cells if cell]
    if len(filled) < 2 or not all(map(_is_data, filled)):
        return [line for cell in cells for line in cell]
    return [" | ".join("".join(cell) for cell in cells)]


def _is_data(cell: list[str]) -> bool:
    return len(cell) == 1 or (sum(map(len, cell)) <= LABEL_CELL and OPEN not in cell)


def _unbracket(text: str) -> tuple[str, tuple[int, int] | None]:
    """The text without the two private characters, and the span that they enclosed."""
    before, opened, rest = text.partition(OPEN)
    inside, closed, after = rest.partition(CLOSE)
    if not opened or not closed:
        return text.replace(OPEN, "").replace(CLOSE, ""), None
    return before + inside + after, (len(before), len(before) + len(inside))
