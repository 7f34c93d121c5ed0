"""The whole of reading: the one function that knows the order of its stages."""

from __future__ import annotations

from chalicelib.decode import decode
from chalicelib.reading.checks import check_indicators
from chalicelib.reading.concepts import with_concepts
from chalicelib.reading.identify import identify
from chalicelib.reading.indicators import read_indicators
from chalicelib.reading.outline import outline
from chalicelib.reading.page import clean_page
from chalicelib.records import Parsed, Source, assemble


def parse(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
    """Read a report from the bytes of a file. `township` is a 9-digit code that settles whose report it is.

    Pure: the same arguments give the same record. Raises ReportError for what is no report.
    """
    document = decode(data, filename)
    page = clean_page(document)
    identity = identify(page, township)
    sections = outline(page, identity)
    indicators = with_concepts(read_indicators(page, identity, sections))
    checks = check_indicators(indicators)
    return Parsed(assemble(Source(data, filename, document), page, identity, sections, indicators, checks), page.text)
