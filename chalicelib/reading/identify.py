"""What report a page is: its kind, the year reviewed, the year planned, and the township."""

from __future__ import annotations

from chalicelib.reading.model import Identity, Page
from chalicelib.reading.townships import named_township, resolve_township
from chalicelib.reading.years import read_years


def identify(page: Page, township: str | None = None) -> Identity:
    """Kind, title, years and township; `township` is a code or name that settles the place.

    What the page does not say is None; a township that stays open comes with its candidates. Raises ReportError
    `unknown_township` or `ambiguous_township`.
    """
    years = read_years(page)
    place, candidates = (named_township(township), ()) if township is not None else resolve_township(page)
    return Identity(years.kind, page.title, place, candidates, years.review, years.plan, years.months)
