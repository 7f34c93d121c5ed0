"""Bytes to text: charset, format, and the visible text of a page. What a file is, its content says, not its name."""

from __future__ import annotations

from chalicelib.decode.charset import decode_bytes
from chalicelib.decode.magic import refuse_binary
from chalicelib.decode.text import is_html, regular_lines
from chalicelib.errors import ReportError
from chalicelib.reading.model import Document


def decode(data: bytes, filename: str = "") -> Document:
    """All text of an upload in reading order, page furniture included, with its format, charset and metadata.

    `filename` appears in messages only. Raises ReportError `empty`, `not_text` or `unknown_charset`.
    """
    name = f" {filename}" if filename else ""
    if not data.strip():
        raise ReportError("empty", f"The file{name} is empty.", "Upload the file with the report's text.")
    refuse_binary(data)
    decoded = decode_bytes(data)
    text = regular_lines(decoded.text)
    if is_html(text):
        from chalicelib.decode.html import read_html

        return _checked(read_html(text, decoded.encoding), name)
    return _checked(Document(text, "text", decoded.encoding), name)


def _checked(document: Document, name: str) -> Document:
    if not document.text.strip():
        raise ReportError("empty", f"The file{name} holds no visible text.", "Upload the file with the report's text.")
    return document
