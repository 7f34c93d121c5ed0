"""Whether an HTML page is all there: half a page would give half a record."""

from __future__ import annotations

import re

from chalicelib.errors import ReportError

_OPENED = re.compile(r"<(?:html|body)\b", re.I)
_CLOSED = re.compile(r"</(?:html|body)\b", re.I)
_OPEN_TAG = re.compile(r"<[/!a-z][^<>]*$", re.I)
_CONTAINER = re.compile(r"<(/?)(?:div|table|td|tr|section|article|main)\b", re.I)
_LAST_BLOCK = re.compile(
    r"<(/?)(?:p|div|td|li|section|article|h[1-6])\b[^<>]*>[^<]*(?:<(?!/?(?:p|div|td|li|section|article|h[1-6])\b)[^<>]*>[^<]*)*$",
    re.I,
)
_IDEOGRAPH = re.compile("[\u4e00-\u9fff]")
SENTENCE_ENDS = "。！？!?；;：:”）)》>"
LAST_WORDS = 12
# Ideographs behind `</body>`: a real end has none or a credit line; the word in a script at the head has the page.
BEHIND_END = 60
REACH = 4000  # characters at the end within which a page's last block opens


def refuse_cut_off(source: str) -> None:
    """Raise ReportError `cut_off` for a page whose end is missing.

    The end of a whole page may be left out (HTML lets authors omit `</p>`, `</body>` and `</html>`), but not in the
    middle of a tag or of a sentence, nor with containers open that have to be closed.
    """
    if _ends(source):
        return
    end = source.rstrip()
    page = _OPENED.search(source) is not None
    inside_tag = _OPEN_TAG.search(end, max(0, len(end) - REACH)) is not None
    if inside_tag or _in_sentence(end, page=page) or (page and _left_open(source) > 0):
        words = re.sub(r"<[^<>]*>?|\s+", "", end[-400:])[-LAST_WORDS:]
        line = source.count("\n", 0, len(end)) + 1
        raise ReportError(
            "cut_off",
            f"The page breaks off in line {line}, behind “{words}”: its end is missing.",
            "Save the whole page again and upload that.",
            place=f"line {line}",
        )


def _ends(source: str) -> bool:
    """Whether the page's end is there: `</body>` or `</html>` with nothing to speak of behind it."""
    closings = list(_CLOSED.finditer(source))
    if not closings:
        return False
    last = closings[-1]
    return len(_IDEOGRAPH.findall(source, last.end())) < BEHIND_END and not _commented(source, last)


def _commented(source: str, match: re.Match[str]) -> bool:
    opened = source.rfind("<!--", 0, match.start())
    return opened >= 0 and source.find("-->", opened, match.start()) < 0


def _in_sentence(end: str, *, page: bool) -> bool:
    """Whether the text stops without a mark, behind a block that is still open (anywhere, in a whole page)."""
    if end[-1:] in SENTENCE_ENDS:
        return False
    block = _LAST_BLOCK.search(end, max(0, len(end) - REACH))
    return page or (block is not None and not block[1])


def _left_open(source: str) -> int:
    return sum(-1 if tag.group(1) else 1 for tag in _CONTAINER.finditer(source))
