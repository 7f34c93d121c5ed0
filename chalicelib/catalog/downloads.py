"""Whole files at short-lived addresses of the object store: uploaded originals, and the bulk files of the manifest."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from typing import Any

from chalicelib.bulk import export
from chalicelib.catalog import layout, one_report
from chalicelib.errors import NotFound
from chalicelib.storage import Storage

ADDRESS_SECONDS = 300


def source_address(storage: Storage, report: str, revision: int | None = None) -> str:
    """Where the uploaded file of a revision can be had, under the name that it came with. Raises NotFound."""
    line = one_report.revision_line(storage.index, report, revision)
    name = line["filename"]
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return storage.objects.download_address(layout.raw_object(line["source_sha256"]), ADDRESS_SECONDS, name, kind)


def manifest(storage: Storage, url: Callable[[str], str]) -> dict[str, Any]:
    """The manifest of the bulk files with absolute addresses. Raises NotFound `no_export` before the first export."""
    found = export.read_manifest(storage.objects)
    if found is None:
        raise NotFound("no_export", "The bulk files have not been written yet.", "Ask again in some minutes.")
    return {**found, "files": [{**file, "url": url(file["url"])} for file in found["files"]]}


def bulk_address(storage: Storage, file: str) -> str:
    """Where a file of the manifest can be had, by its name or by the last part of its address. Raises NotFound."""
    files = manifest(storage, str)["files"]
    for each in files:
        stored = each["url"].rpartition("/")[2]
        if file in (each["name"], stored):
            key = export.FOLDER + stored
            return storage.objects.download_address(key, ADDRESS_SECONDS, each["name"], "application/gzip")
    way_out = f"The manifest /v1/bulk has {', '.join(each['name'] for each in files)}."
    raise NotFound("unknown_file", f"The manifest has no file {file!r}.", way_out)
