"""Who may change what is published: on AWS the gateway asks for a key and names it, on one machine this does."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from chalicelib.errors import Forbidden

KEY = "REPORTS_PUBLISHER_KEY"


def find_publisher(headers: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The name of the key that the header X-API-Key has, on one machine; empty where it has none that is valid."""
    expected, given = environ.get(KEY, ""), headers.get("x-api-key", "")
    return "local" if expected and hmac.compare_digest(expected.encode(), given.encode()) else ""


def require_publisher(publisher: str) -> None:
    """Raise Forbidden `invalid_api_key` where nobody named a key: whatever a template says, nothing is open by it."""
    if not publisher:
        way_out = f"Send a publisher's key in the header X-API-Key; one machine takes it from {KEY}."
        raise Forbidden("invalid_api_key", "This is for publishers, and needs a key that is valid.", way_out)
