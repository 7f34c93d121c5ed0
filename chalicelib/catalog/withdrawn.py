"""What is told of a report that was taken back."""

from __future__ import annotations

from typing import Any

from chalicelib.errors import Gone


def gone(report_id: str, withdrawn: dict[str, Any]) -> Gone:
    """The failure that tells since when and why a report is not there any more."""
    why = f": {withdrawn['reason']}" if withdrawn["reason"] else "."
    detail = f"Report {report_id} was withdrawn at {withdrawn['time']}{why}"
    return Gone("withdrawn", detail, f"/v1/reports/{report_id}/revisions tells its history.", withdrawn=withdrawn)
