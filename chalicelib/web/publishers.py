"""Who may publish, and change what is published: on AWS the gateway asks for a key and names it, on one machine this does."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from pathlib import Path

from chalicelib.errors import StorageError, Unauthorized
from chalicelib.storage.durable_files import make_once

KEY = "REPORTS_PUBLISHER_KEY"
FILE = "publisher-key"
KEY_BYTES = 24
# What a 401 asks for. API Gateway takes a key by its own header alone.
CHALLENGE, GATEWAY_CHALLENGE = 'Bearer realm="publishers"', 'ApiKey realm="publishers"'


def own_key(environ: Mapping[str, str]) -> str:
    """The key of one machine: `REPORTS_PUBLISHER_KEY`, else that of the file, which is made at first use.

    Raises StorageError where the file cannot be made or holds nothing.
    """
    if environ.get(KEY):
        return environ[KEY]
    path = key_file(environ)
    key = make_once(path, f"{secrets.token_urlsafe(KEY_BYTES)}\n".encode()).decode(errors="replace").strip()
    if not key:
        raise StorageError("key_missing", f"{path} holds no key.", "Remove it, and a new one is made.")
    return key


def key_file(environ: Mapping[str, str]) -> Path:
    """Where the key lies, for the owner of the data folder alone."""
    return Path(environ.get("REPORTS_DATA") or "data") / FILE


def tell_key(environ: Mapping[str, str]) -> str:
    """One line that says where the key is, and not the key."""
    return f"Publishers' key: {KEY}" if environ.get(KEY) else f"Publishers' key: {key_file(environ)}"


def find_publisher(headers: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """The name of the key that a request has, on one machine; empty where it has none that is valid."""
    expected = own_key(environ).encode()
    return "local" if any(hmac.compare_digest(expected, given.encode()) for given in _given(headers)) else ""


def require_publisher(publisher: str) -> None:
    """Raise Unauthorized `invalid_api_key` where nobody named a key: whatever a template says, nothing is open by it."""
    if not publisher:
        way_out = "Send a publisher's key in the header X-API-Key; on one machine `python -m chalicelib key` shows it."
        raise Unauthorized("invalid_api_key", "This is for publishers, and needs a key that is valid.", way_out)


def _given(headers: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key", ""), token.strip() if scheme.lower() == "bearer" else ""
