"""Who may change what is published: on AWS the gateway asks for the key, on one machine this does."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from chalicelib.errors import Forbidden

KEY = "REPORTS_PUBLISHER_KEY"


def require_publisher(headers: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Raise Forbidden `invalid_api_key` unless the header X-API-Key has the key that the service was started with."""
    expected, given = environ.get(KEY, ""), headers.get("x-api-key", "")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        way_out = f"Send the key in the header X-API-Key; the server takes it from {KEY}."
        raise Forbidden("invalid_api_key", "This is for publishers, and needs a key that is valid.", way_out)
