"""Bytes to characters: the one charset that fits, or a refusal that says at which byte none does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.errors import ReportError

# BOM, Python's name of the charset. UTF-32 first: its little-endian BOM begins with UTF-16's.
MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
SAMPLE = 65536
TAIL = 4  # bytes of one character at most: a file cut in the middle may end inside one

_DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w.:-]{1,40})", re.I)
_XML = re.compile(rb"^\s{0,99}<\?xml[^>]{0,99}encoding=[\"']([\w.:-]{1,40})", re.I)
_USUAL = re.compile(
    "[\t\n\r -~\u00a0\u00b7\u2010-\u2027\u2030-\u203b\u2460-\u249b\u25a0-\u25cf\u3000-\u3011\u4e00-\u9fff\uff01-\uff5e]"
)
_WIDE = re.compile("[\u3000-\u9fff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    encoding: str


def decode_bytes(data: bytes) -> Decoded:
    """The characters of `data` and the charset's Python name.

    A byte order mark decides; then UTF-16 by its zero bytes; then UTF-8 where every byte fits; then GB18030 where every
    byte fits and the result reads as Chinese. A last character that is cut off is dropped. What a page declares
    counts only where the bytes leave a doubt. Raises ReportError `unknown_charset`.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return _marked(data, mark, encoding)
    if 0 in data[:SAMPLE]:
        return _utf16(data)
    text, utf8_fails = _strict(data, "utf-8")
    if text is not None and not _is_gb_in_disguise(data, text):
        return Decoded(text, "utf-8")
    chinese, gb_fails = _strict(data, "gb18030")
    if chinese is not None and _reads_chinese(data, declared_charset(data)):
        return Decoded(chinese, "gb18030")
    if text is not None:
        return Decoded(text, "utf-8")
    raise _unknown(data, utf8_fails, gb_fails)


def declared_charset(data: bytes) -> str:
    """The charset that the page names in its first 4 KB, in lower case; '' where it names none."""
    found = _XML.search(data[:4096]) or _DECLARED.search(data[:4096])
    return found.group(1).decode("ascii").lower() if found else ""


def _marked(data: bytes, mark: bytes, encoding: str) -> Decoded:
    text, fails = _strict(data[len(mark) :], encoding)
    if text is None:
        at = fails + len(mark)
        raise ReportError(
            "unknown_charset",
            f"The file begins with the mark of {encoding.upper()}, but byte {at} does not fit it.",
            "Save the text again as UTF-8.",
            place=f"byte {at}",
        )
    return Decoded(text, encoding)


def _strict(data: bytes, encoding: str) -> tuple[str | None, int]:
    """The text and -1, or None and the offset of the first byte that does not fit."""
    try:
        return data.decode(encoding), -1
    except UnicodeDecodeError as error:
        if error.start < max(1, len(data) - TAIL + 1) or not _is_cut(data[error.start :], encoding):
            return None, error.start
        return data[: error.start].decode(encoding), -1


def _is_cut(rest: bytes, encoding: str) -> bool:
    """Whether `rest` is the beginning of one character whose end is missing."""
    try:
        rest.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start == 0 and (
            "unexpected end" in error.reason or "truncated" in error.reason or "incomplete" in error.reason
        )
    return False


def _utf16(data: bytes) -> Decoded:
    """UTF-16 without a mark: one byte order reads as usual characters throughout, the other does not."""
    even = data[: len(data) & ~1]
    fits = []
    for encoding in ("utf-16-le", "utf-16-be"):
        text, _ = _strict(even, encoding)
        if text is not None and _usual_share(text) > 0.95:
            fits.append(Decoded(text, encoding))
    if len(fits) != 1:
        at = data.index(0)
        raise ReportError(
            "not_text",
            f"The file is not text: byte {at} is zero.",
            "Upload the report as a text file or an HTML page.",
            place=f"byte {at}",
        )
    return fits[0]


def _usual_share(text: str) -> float:
    sample = text[:SAMPLE]
    return len(_USUAL.findall(sample)) / len(sample) if sample else 0.0


def _is_gb_in_disguise(data: bytes, text: str) -> bool:
    """Short GBK text such as `联通` is valid UTF-8 too, but then all its characters are Latin, Greek or Cyrillic."""
    if text.isascii() or _WIDE.search(text):
        return False
    return _reads_chinese(data, "gbk")


def _reads_chinese(data: bytes, declared: str) -> bool:
    """Whether most two-byte characters are of GB 2312's symbols and common ideographs, as in all modern text.

    Big5, Shift JIS and Latin-1 fit GB18030 as well, but spread over the rare rows. A page that declares a GB charset
    may use more rare characters.
    """
    pairs = common = at = 0
    sample = data[:SAMPLE]
    last = len(sample) - 1
    while at < last:
        lead = sample[at]
        if lead < 0x80:
            at += 1
            continue
        second = sample[at + 1]
        pairs += 1
        common += second >= 0xA1 and (0xA1 <= lead <= 0xA3 or 0xB0 <= lead <= 0xD7)
        at += 4 if 0x30 <= second <= 0x39 else 2
    return pairs > 0 and common / pairs > (0.6 if declared.startswith("gb") else 0.8)


def _unknown(data: bytes, utf8_fails: int, gb_fails: int) -> ReportError:
    place = max(utf8_fails, gb_fails)
    where = f"byte {utf8_fails} does not fit UTF-8" + (
        f", byte {gb_fails} does not fit GB18030." if gb_fails >= 0 else ", and as GB18030 it is not Chinese."
    )
    big5, _ = _strict(data[:SAMPLE], "big5")
    guess = " It may be Big5." if big5 is not None and not big5.isascii() and _usual_share(big5) > 0.98 else ""
    return ReportError(
        "unknown_charset",
        f"The text is in no charset that is certain: {where}{guess}",
        "Save the text again as UTF-8.",
        place=f"byte {place}",
    )
