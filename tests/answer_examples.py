"""The examples of the contract: what the API answers over the seeds, shortened. `python -m tests.answer_examples` writes them."""

from __future__ import annotations

import itertools
import re
import secrets
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from app import app
from chalicelib.bulk import export
from chalicelib.catalog import pending
from chalicelib.ingestion import ingest
from chalicelib.moments import iso_precise
from chalicelib.records import SCHEMAS
from chalicelib.search import build
from chalicelib.storage import Storage, local
from chalicelib.web.formats import MEDIA
from chalicelib.web.route import Route
from chalicelib.web.routes import ROUTES
from tests.gateway import call

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
EXAMPLES = SCHEMAS / "examples.json"
NOW = datetime(2024, 3, 2, 8, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ROWS, LETTERS = 1, 300  # of what is shown of a long list or text
# What an address is signed with.
SIGNED = re.compile(r"expires=[0-9]+(&.*?signature=)[0-9a-f]+")
QUERIES = {
    "list_townships": "q=亭旁",
    "list_reports": "province=33&year=2022",
    "search_reports": "q=亭旁 工业",
    "list_indicators": "concept=fixed_asset_investment",
    "list_concepts": "q=财政",
    "list_report_indicators": "concept=fixed_asset_investment",
    "list_township_indicators": "concept=fixed_asset_investment",
}
PLACES = {"list_township_targets": {"township": "331083106"}}
# Pages, parts of pages and this document are their own examples.
WITHOUT = {
    "show_front_page",
    "show_developer_page",
    "show_documentation",
    "read_documentation_part",
    "read_asset",
    "read_openapi",
    "withdraw_report",
    "name_township",
}


def make() -> dict[str, dict[str, Any]]:
    """The bodies by route and media type."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(app, "clock", lambda: LATER)
        patched.setattr(pending, "iso_precise", lambda _: iso_precise(NOW))
        numbers = itertools.count(1)
        patched.setattr(secrets, "token_hex", lambda size: f"{next(numbers):0{2 * size}x}")
        storage = local.open_storage(Path(folder) / "data")
        for path in sorted(SEEDS.glob("*.txt")):
            storage.objects.put(f"incoming/{path.name}", path.read_bytes())
            ingest.receive(storage, f"incoming/{path.name}", NOW)
        export.publish_files(storage, NOW)
        build.refresh(storage, NOW)
        upload = _answer(storage, _named("create_upload"))
        address = orjson.loads(upload)["id"]
        return {
            route.name: {media: _shown(body, media) for media, body in _bodies(storage, route, upload, address).items()}
            for route in ROUTES
            if route.status != 307 and route.name not in WITHOUT
        }


def write() -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    EXAMPLES.write_bytes(orjson.dumps(make(), option=options))


def _named(name: str) -> Route:
    return next(route for route in ROUTES if route.name == name)


def _bodies(storage: Storage, route: Route, upload: str, address: str) -> dict[str, str]:
    if route.name == "create_upload":
        return {route.media: upload}
    if not route.formats:
        return {route.media: _answer(storage, route, address)}
    formats = route.formats[:1] if route.answer == "report" else route.formats  # its lines are whole records
    return {MEDIA[name].partition(";")[0]: _answer(storage, route, address, f"format={name}") for name in formats}


def _answer(storage: Storage, route: Route, upload: str = "", *more: str) -> str:
    from chalicelib.web.openapi import BODIES
    from chalicelib.web.parameters import PATH

    given = {
        **{name: str(parameter.example) for name, parameter in PATH.items()},
        "upload": upload,
        **PLACES.get(route.name, {}),
    }
    query = "&".join(filter(None, [QUERIES.get(route.name), *more, "limit=1" if route.listed else None]))
    path = route.path.format(**given) + (f"?{quote(query, safe='=&')}" if query else "")
    if route.body:
        answer = call(storage, "POST", path, orjson.dumps(BODIES[route.body]).decode(), content_type="application/json")
    else:
        answer = call(storage, route.method, path)
    assert answer.status == route.status, (path, answer.body)
    return answer.body


def _shown(body: str, media: str) -> Any:
    body = SIGNED.sub(rf"expires={LATER.timestamp():.0f}\g<1>{'0' * 16}", body)
    if media == "application/json":
        return _shortened(orjson.loads(body))
    lines = body.splitlines(keepends=True)
    return "".join(lines[:2]) if media in ("text/csv", "application/x-ndjson") else body[:LETTERS]


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    if isinstance(value, list) and len(value) > 2:
        return [_shortened(each) for each in value[:ROWS]]
    return [_shortened(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    write()
