"""Text of strangers as HTML: nothing in it is markup, and nothing in it is invisible."""

from __future__ import annotations

import html
import re

# Control characters, marks of direction, blanks without width, and halves of characters: they could hide or turn text.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def show(text: str) -> str:
    """The text for an element, an unseen character as its code point in a box."""
    return UNSEEN.sub(lambda m: f'<span class="u">{_code(m)}</span>', html.escape(text))


def show_plain(text: str) -> str:
    """The text for an attribute or a page's title, an unseen character as its code point."""
    return UNSEEN.sub(_code, html.escape(text))


def _code(match: re.Match[str]) -> str:
    return f"U+{ord(match[0]):04X}"
