"""Whole files at short-lived addresses of the object store: uploaded originals, and the bulk files of the manifest."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

import orjson

from chalicelib.catalog import layout, one_report
from chalicelib.errors import NotFound
from chalicelib.storage import Storage

ADDRESS_SECONDS = 300
MEDIA = {"html": "text/html", "text": "text/plain"}


def source_address(storage: Storage, report: str, revision: int | None = None, *, head: bool = False) -> str:
    """Where the uploaded file of a revision can be had, under the name that it came with. Raises NotFound."""
    source = orjson.loads(one_report.record(storage, report, revision))["source"]
    key = layout.raw_object(source["sha256"])
    return storage.objects.download_address(key, ADDRESS_SECONDS, source["filename"], media(source), head=head)


def media(source: dict[str, Any]) -> str:
    """The content type of an uploaded file by its record's `source`: what it was found to be, not how it is called."""
    return f"{MEDIA[source['format']]}; charset={codecs.lookup(source['encoding']).name}"


def manifest(storage: Storage, url: Callable[[str], str]) -> dict[str, Any]:
    """The manifest of the bulk files with absolute addresses. Raises NotFound `no_export` before the first export."""
    from chalicelib.bulk import export  # here, since no other answer needs what writes the files

    found = export.read_manifest(storage.objects)
    if found is None:
        raise NotFound("no_export", "The bulk files have not been written yet.", "Ask again in some minutes.")
    return {**found, "files": [{**file, "url": url(file["url"])} for file in found["files"]]}


def bulk_address(storage: Storage, file: str, *, head: bool = False) -> str:
    """Where a file of the manifest can be had, by its name or by the last part of its address. Raises NotFound."""
    from chalicelib.bulk.parts import FOLDER

    files = manifest(storage, str)["files"]
    for each in files:
        stored = each["url"].rpartition("/")[2]
        if file in (each["name"], stored):
            key = FOLDER + stored
            return storage.objects.download_address(key, ADDRESS_SECONDS, each["name"], "application/gzip", head=head)
    whole = [each["name"] for each in files if each["year"] is None]
    way_out = f"The manifest /v1/bulk has {', '.join(whole)}, and those of a year and province."
    raise NotFound("unknown_file", f"The manifest has no file {file!r}.", way_out)
