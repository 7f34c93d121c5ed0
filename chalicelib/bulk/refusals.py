"""How many files were refused, by the province of the township that was named with them: each is looked up once."""

from __future__ import annotations

from collections import Counter

import orjson

from chalicelib.bulk.parts import NOTES
from chalicelib.catalog import layout
from chalicelib.storage import Storage
from chalicelib.storage.json_objects import read_json

REJECTED = "rejected/"
NOTE = f"{NOTES}rejected.json"
UPLOAD = 32  # characters of an upload's id, with which the names begin


def count_refused(storage: Storage) -> dict[str, int]:
    """Files by the province's code; "" for those that came without a township."""
    noted = read_json(storage.objects, NOTE) or {}
    found = {
        key: noted[key] if key in noted else _province(storage, key.removeprefix(REJECTED)[:UPLOAD])
        for key in storage.objects.keys(REJECTED)
    }
    if found != noted:
        storage.objects.put(NOTE, orjson.dumps(found), "application/json")
    return dict(sorted(Counter(found.values()).items()))


def _province(storage: Storage, upload_id: str) -> str:
    entry = storage.index.get(*layout.upload(upload_id))
    return ((entry and orjson.loads(entry.body)["township"]) or "")[:2]
