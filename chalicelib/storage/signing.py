"""Signed addresses of the local storage: what a query allows, and whether this server said so (HMAC-SHA256)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from chalicelib.errors import Forbidden

_UPLOAD = ("expires", "bytes", "type")
_DOWNLOAD = ("expires", "filename", "type")


def sign_upload(secret: bytes, key: str, expires: int, size: int, content_type: str) -> str:
    """The path and query under which `size` bytes of `content_type` may be PUT as `key` until `expires` (seconds since
    the epoch)."""
    return _address(secret, key, {"expires": str(expires), "bytes": str(size), "type": content_type})


def sign_download(secret: bytes, key: str, expires: int, filename: str, content_type: str) -> str:
    """The path and query under which `key` may be had until `expires`, as `filename` of `content_type`."""
    # A file dropped in may have a name that is no Unicode text (lone surrogates), which no URL can hold.
    name = filename.encode(errors="replace").decode()
    return _address(secret, key, {"expires": str(expires), "filename": name, "type": content_type})


def read_upload(secret: bytes, key: str, query: Mapping[str, str], now: float) -> tuple[int, str]:
    """The number of bytes and the content type that the address is for. Raises Forbidden when it is forged or expired."""
    values = _signed(secret, key, query, _UPLOAD, now)
    return int(values["bytes"]), values["type"]


def read_download(secret: bytes, key: str, query: Mapping[str, str], now: float) -> tuple[str, str]:
    """The file name and content type to send. Raises Forbidden when the address is forged or expired."""
    values = _signed(secret, key, query, _DOWNLOAD, now)
    return values["filename"], values["type"]


def _address(secret: bytes, key: str, values: Mapping[str, str]) -> str:
    query = urlencode({**values, "signature": _signature(secret, key, values)}, quote_via=quote)
    return f"/objects/{quote(key)}?{query}"


def _signature(secret: bytes, key: str, values: Mapping[str, str]) -> str:
    # JSON keeps the fields apart and names them: no upload and download, and no two of either, share one signed text.
    text = json.dumps([key, sorted(values.items())])
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _signed(secret: bytes, key: str, query: Mapping[str, str], names: tuple[str, ...], now: float) -> dict[str, str]:
    values = {name: query.get(name, "") for name in names}
    expected = _signature(secret, key, values)
    # Compared as bytes: compare_digest refuses str beyond ASCII, which a forged signature may hold.
    given = query.get("signature", "").encode(errors="replace")
    if not hmac.compare_digest(expected.encode(), given):
        raise Forbidden("address_forged", "This server did not give out this address.", "Ask for a new address.")
    if now >= int(values["expires"]):
        raise Forbidden("address_expired", "The address has expired.", "Ask for a new address.")
    return values
