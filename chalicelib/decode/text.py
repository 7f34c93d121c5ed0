"""What a decoded string is: an HTML page, or plain text whose line ends and control characters are made regular."""

from __future__ import annotations

import re

from chalicelib.errors import ReportError

_TAG = re.compile(
    r"<(?:!doctype|html|head|body|title|meta|link|script|style|div|span|p|br|table|tr|td|ul|ol|li|h[1-6]|section|article"
    r"|center|font|a|strong|b|img|form)\b",
    re.I,
)
_CLOSING = re.compile(r"</(?:p|div|td|tr|li|span|table|body|html|h[1-6])\s{0,9}>", re.I)
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f\x80-\x84\x86-\x9f\ufeff\ufffe\uffff]")
CONTROL_SHARE = 0.01


def is_html(text: str) -> bool:
    """Whether the string is HTML, judged by its tags: at the very beginning, or several closed ones early on."""
    head = text[:4096].lstrip("\ufeff \t\r\n")
    if head.startswith(("<!--", "<?xml", "<!DOCTYPE", "<!doctype")):
        return bool(_TAG.search(head))
    return bool(_TAG.match(head)) or len(_CLOSING.findall(text, 0, 65536)) >= 5


def regular_lines(text: str) -> str:
    """The text with `\\n` at line ends and no control characters; raises ReportError `not_text` where those abound."""
    text = "\n".join(f"{text}.".splitlines())[:-1]  # with a last character, so that a last line's end stays
    controls = _CONTROL.search(text)
    if controls is None:
        return text
    clean = _CONTROL.sub("", text)
    if len(text) - len(clean) > max(3, CONTROL_SHARE * len(text)):
        line = text.count("\n", 0, controls.start()) + 1
        raise ReportError(
            "not_text",
            f"The file is not text: control characters from line {line} on.",
            "Upload the report as a text file or an HTML page.",
            place=f"line {line}",
        )
    return clean
