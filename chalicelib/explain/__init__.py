"""Why a report was read as it was: every number with the rule that made it an indicator or refused it, as a page."""

from __future__ import annotations


def explain_page(data: bytes, filename: str = "", township: str | None = None) -> str:
    """The explanation of an upload as an HTML page. Pure; raises ReportError for what is no report, as `parse` does."""
    from chalicelib.explain.explain import explain
    from chalicelib.explain.page import render_page

    return render_page(explain(data, filename, township))
