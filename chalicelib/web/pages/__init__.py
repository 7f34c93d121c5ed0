"""What the API serves as it lies in the house: the pages with their parts, and the contract."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONTRACT = HERE.parent.parent.parent / "schemas" / "openapi.json"
ASSETS = HERE / "assets"
MEDIA = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}

# Which part is asked for without naming its content: the one that there is.
LATEST = "latest"


def front_page(base: str) -> bytes:
    """The front page, whose links begin at `base`, the service's own address."""
    return _read(HERE / "front.html").replace(b"{{assets}}", f"assets/{version()}".encode()).replace(*_base(base))


def policy(base: str) -> str:
    """The Content-Security-Policy of pages of which nothing is inline and nothing comes from elsewhere."""
    own = f"'self' {'/'.join(base.split('/')[:3])}"
    parts = (f"script-src {own}", f"style-src {own}", f"connect-src {own}", f"base-uri {own}", "img-src data:")
    return "; ".join(("default-src 'none'", *parts, "form-action 'none'", "frame-ancestors 'none'"))


def developer_page(base: str) -> bytes:
    """The page that lists every address with an example and takes uploads."""
    return _read(HERE / "developers.html").replace(*_base(base))


def documentation_page(base: str) -> bytes:
    """The page that shows the contract by Swagger UI."""
    parts = f"docs/{documentation_version()}".encode()
    return _read(HERE / "documentation.html").replace(b"{{parts}}", parts).replace(*_base(base))


def documentation_part(name: str) -> tuple[bytes, str] | None:
    """A part of that page with its media type, None where there is none of this name."""
    path = _documentation().get(name)
    return (_read(path), MEDIA[path.suffix]) if path else None


@cache
def documentation_version() -> str:
    return _named_by_content(_documentation())


def asset(name: str) -> tuple[bytes, str] | None:
    """A part of the front page with its media type, None where there is none of this name."""
    path = _assets().get(name)
    return (_read(path), MEDIA[path.suffix]) if path else None


@cache
def version() -> str:
    """Named by the content of all parts, since they import each other."""
    return _named_by_content(_assets())


def openapi() -> bytes:
    """The contract of the API: OpenAPI 3.1 as JSON."""
    return _read(CONTRACT)


@cache
def _assets() -> dict[str, Path]:
    return {path.name: path for path in ASSETS.iterdir() if path.suffix in MEDIA}


@cache
def _documentation() -> dict[str, Path]:
    """The page's own script, and what a package has of Swagger UI, which is found without being imported."""
    package = find_spec("openapi_ui_bundles")
    assert package
    assert package.origin
    vendor = Path(package.origin).parent / "swagger_ui" / "vendor"
    paths = (HERE / "documentation.js", vendor / "swagger-ui-bundle.js", vendor / "swagger-ui.css")
    return {path.name: path for path in paths}


def _named_by_content(parts: dict[str, Path]) -> str:
    digest = hashlib.sha256(b"".join(_read(path) for _, path in sorted(parts.items())))
    return base64.b32encode(digest.digest()[:10]).decode().lower()


def _base(base: str) -> tuple[bytes, bytes]:
    return b"{{base}}", escape(base).encode()


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()
