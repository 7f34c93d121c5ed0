"""The whole of reading: the one function that knows the order of its stages."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from chalicelib.decode import decode
from chalicelib.errors import ReportError
from chalicelib.reading.checks import check_indicators, check_township
from chalicelib.reading.concepts import with_concepts
from chalicelib.reading.fold import fold
from chalicelib.reading.identify import identify
from chalicelib.reading.indicators import read_indicators
from chalicelib.reading.model import Identity, Indicator, Page, Section
from chalicelib.reading.outline import outline
from chalicelib.reading.page import clean_page
from chalicelib.records import Parsed, Source, assemble

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the stages made of an upload, and the record that it came to."""

    page: Page
    identity: Identity
    sections: tuple[Section, ...]
    indicators: tuple[Indicator, ...]
    parsed: Parsed


def parse(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
    """Read a report from the bytes of a file. `township` is the code or name that settles whose report it is.

    Pure: the same arguments give the same record. Raises ReportError for what is no report.
    """
    return read_stages(data, filename, township).parsed


def read_stages(data: bytes, filename: str = "", township: str | None = None) -> Reading:
    """As `parse`, with what the stages made on the way."""
    document = decode(data, filename)
    page = clean_page(document)
    identity = identify(page, township)
    sections = outline(page, identity)
    indicators = with_concepts(read_indicators(page, identity, sections))
    checks = check_indicators(indicators, fold(page.text))
    if township is not None and identity.township.code is not None:
        checks += check_township(identity.township.code, identify(page).township.code)
    record = assemble(Source(data, filename, document), page, identity, sections, indicators, checks)
    return Reading(page, identity, sections, indicators, Parsed(record, page.text))


def parse_upload(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
    """As `parse`, for files of strangers: a fault of the parser itself is a refusal too.

    Reading is pure, so that a retry would fail alike. Raises ReportError `parser_failed`, and logs the fault.
    """
    try:
        return parse(data, filename, township)
    except ReportError:
        raise
    except Exception as error:
        log.exception("the parser failed on %s", filename)
        raise ReportError(
            "parser_failed",
            f"The parser failed on this file ({type(error).__name__}): the fault is its own, not the file's.",
            "The file is kept. Upload it as plain text, or again once a newer version runs.",
        ) from error
