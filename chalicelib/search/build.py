"""Keeps the segments of the search: makes those anew whose reports changed, one year and province at a time.

Segments have names made of their content and never change; the manifest names the current ones. It goes out after each
segment, so that a build that breaks off is gone on with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from chalicelib.catalog import layout
from chalicelib.catalog.concepts import load_concepts
from chalicelib.catalog.partitions import partitions
from chalicelib.moments import iso
from chalicelib.search import documents, segment
from chalicelib.storage import Entry, Objects, Storage
from chalicelib.storage.json_objects import read_json

FOLDER = "search/"
MANIFEST = FOLDER + "manifest.json"
# Who has read the old manifest may still be reading its segments.
GRACE = timedelta(hours=1)

Manifest = dict[str, Any]
Listed = tuple[str, int, str]  # a report's id, revision and the SHA-256 of its record


def refresh(storage: Storage, now: datetime | None = None) -> Manifest:
    """Bring the segments up to what is published; the manifest. Raises StorageError."""
    moment = now or datetime.now(UTC)
    previous = read_manifest(storage.objects) or {"segments": {}, "retired": {}, "indexed": None}
    there, current = dict(previous["segments"]), dict[str, Any]()
    aliases = documents.read_aliases(load_concepts())
    rules = orjson.dumps([segment.FORMAT, [tuple(alias) for alias in aliases]])
    for partition, entries in partitions(storage.index, newest_first=True):
        name, listed = str(partition), list(_listed(entries))
        fingerprint = hashlib.sha256(rules + orjson.dumps(listed)).hexdigest()
        if there.get(name, {}).get("fingerprint") != fingerprint:
            there[name] = _write_segment(storage.objects, name, listed, aliases) | {"fingerprint": fingerprint}
            _write_manifest(storage.objects, {**previous, "segments": there})
        current[name] = there[name]
    manifest = {
        "indexed": iso(moment),
        "segments": current,
        "retired": _retire(storage.objects, current, previous["retired"], moment),
    }
    _write_manifest(storage.objects, manifest)
    return manifest


def read_manifest(objects: Objects) -> Manifest | None:
    """The manifest of the segments; None before the first build."""
    return read_json(objects, MANIFEST)


def read_document(objects: Objects, report: str, revision: int) -> documents.Document:
    """A revision as the search holds it, made of its record and text. Raises NotFound."""
    record = orjson.loads(objects.get(layout.record_object(report, revision)))
    return documents.document(record, objects.get(layout.text_object(report, revision)).decode())


def _listed(entries: Iterable[Entry]) -> Iterator[Listed]:
    for summary in (orjson.loads(entry.body) for entry in entries):
        if "withdrawn" not in summary:
            yield summary["id"], summary["revision"], summary["record_sha256"]


def _write_segment(
    objects: Objects, name: str, listed: Sequence[Listed], aliases: Sequence[documents.Alias]
) -> dict[str, object]:
    writer = segment.Writer()
    for report, revision, _ in listed:
        found = read_document(objects, report, revision)
        writer.add(report, revision, found, documents.document_terms(found, aliases))
    data, top = writer.finish()
    key = f"{FOLDER}{name}-{hashlib.sha256(data).hexdigest()[:16]}"
    objects.put(key, data)
    return {"key": key, "reports": len(listed), "bytes": len(data), "top": top}


def _retire(objects: Objects, current: Mapping[str, Any], noted: Mapping[str, str], moment: datetime) -> dict[str, str]:
    """Since when segments are out of use; those that have been for longer than the grace are removed."""
    keep = {MANIFEST, *(each["key"] for each in current.values())}
    since = {key: noted.get(key, iso(moment)) for key in objects.keys(FOLDER) if key not in keep}
    expired = [key for key, out in since.items() if out <= iso(moment - GRACE)]
    for key in expired:
        objects.delete(key)
        del since[key]
    return since


def _write_manifest(objects: Objects, manifest: Manifest) -> None:
    objects.put(MANIFEST, orjson.dumps(manifest), "application/json")
