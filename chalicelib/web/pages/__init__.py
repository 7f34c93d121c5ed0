"""What the API serves as it lies in the house: the front page and the contract."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTRACT = HERE.parent.parent.parent / "schemas" / "openapi.json"


def front_page(base: str) -> bytes:
    """The front page, whose links begin at `base`, the service's own address."""
    return _read(HERE / "front.html").replace(b"{{base}}", escape(base).encode())


def openapi() -> bytes:
    """The contract of the API: OpenAPI 3.1 as JSON."""
    return _read(CONTRACT)


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()
