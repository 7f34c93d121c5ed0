"""Files that are no text, told by their first bytes."""

from __future__ import annotations

from chalicelib.errors import ReportError

CONVERT = "Convert it to text or HTML, and upload that."
OPEN = "Open it, save the report as text or HTML, and upload that."
OTHER = "Upload the report as a text file or an HTML page."

# First bytes, what the file is, what to do.
KINDS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", CONVERT),
    (b"PK\x03\x04", "a zip archive or an Office document (docx, xlsx, wps)", OPEN),
    (b"PK\x05\x06", "an empty zip archive", OTHER),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (doc, xls, wps)", OPEN),
    (b"{\\rtf", "a rich text document (RTF)", OPEN),
    (b"Rar!\x1a\x07", "a RAR archive", OPEN),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", OPEN),
    (b"\x1f\x8b", "a gzip archive", OPEN),
    (b"BZh", "a bzip2 archive", OPEN),
    (b"\xfd7zXZ\x00", "an xz archive", OPEN),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", OPEN),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", CONVERT),
    (b"\xff\xd8\xff", "a JPEG picture", CONVERT),
    (b"GIF87a", "a GIF picture", CONVERT),
    (b"GIF89a", "a GIF picture", CONVERT),
    (b"II*\x00", "a TIFF picture", CONVERT),
    (b"MM\x00*", "a TIFF picture", CONVERT),
    (b"\x00\x00\x01\x00", "an icon", OTHER),
    (b"ID3", "a sound file", OTHER),
    (b"OggS", "a sound file", OTHER),
    (b"\x7fELF", "a program (ELF)", OTHER),
    (b"\xca\xfe\xba\xbe", "a program (Java or Mach-O)", OTHER),
    (b"\xcf\xfa\xed\xfe", "a program (Mach-O)", OTHER),
    (b"SQLite format 3\x00", "an SQLite database", OTHER),
    (b"AT&TFORM", "a DjVu document", CONVERT),
    (b"MIME-Version:", "a web archive (MHTML)", OPEN),
    (b"From: <Saved by", "a web archive (MHTML)", OPEN),
)
# The same, but the mark stands further in: offset, bytes, what.
INNER: tuple[tuple[int, bytes, str, str], ...] = (
    (8, b"WEBP", "a WebP picture", CONVERT),
    (8, b"WAVE", "a sound file", OTHER),
    (4, b"ftyp", "a film or a HEIC picture", OTHER),
    (257, b"ustar", "a tar archive", OPEN),
)


def refuse_binary(data: bytes) -> None:
    """Raise ReportError `not_text`, naming what the file is, where its first bytes are those of a known format."""
    head = data[:512]
    for mark, what, way_out in KINDS:
        if head.startswith(mark):
            raise _refusal(what, way_out)
    for offset, mark, what, way_out in INNER:
        if head.startswith(mark, offset):
            raise _refusal(what, way_out)
    if head.startswith(b"BM") and len(data) > 14 and 0 in head[2:14]:
        raise _refusal("a BMP picture", CONVERT)
    if head.startswith(b"MZ") and 0 in head:
        raise _refusal("a program (EXE)", OTHER)


def _refusal(what: str, way_out: str) -> ReportError:
    return ReportError("not_text", f"The file is not text, it is {what}.", way_out, place="byte 0")
