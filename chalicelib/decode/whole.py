"""Whether an HTML page is all there: half a page would give half a record."""

from __future__ import annotations

import re

from chalicelib.errors import ReportError

_OPENED = re.compile(r"<(?:html|body)\b", re.I)
_CLOSED = re.compile(r"</(?:html|body)\b", re.I)
_OPEN_TAG = re.compile(r"<[/!a-z][^<>]*$", re.I)
_CONTAINER = re.compile(r"<(/?)(?:div|table|td|tr|section|article|main)\b", re.I)
LAST_WORDS = 12


def refuse_cut_off(source: str) -> None:
    """Raise ReportError `cut_off` for a page whose end is missing.

    The end of a whole page may be left out (HTML lets authors omit `</body>` and `</html>`), but not in the middle of a
    tag or of a sentence, nor with containers open that have to be closed.
    """
    if _CLOSED.search(source):
        return
    end = source.rstrip()
    inside_tag = _OPEN_TAG.search(end, max(0, len(end) - 2000)) is not None
    if inside_tag or (_OPENED.search(source) and (not end.endswith(">") or _left_open(source) > 0)):
        words = re.sub(r"<[^<>]*>?|\s+", "", end[-400:])[-LAST_WORDS:]
        line = source.count("\n", 0, len(end)) + 1
        raise ReportError(
            "cut_off",
            f"The page breaks off in line {line}, behind “{words}”: its end is missing.",
            "Save the whole page again and upload that.",
            place=f"line {line}",
        )


def _left_open(source: str) -> int:
    return sum(-1 if tag.group(1) else 1 for tag in _CONTAINER.finditer(source))
