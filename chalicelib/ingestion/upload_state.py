"""What became of an upload: its one entry in the index, and the steps that it goes through."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from chalicelib.catalog import layout
from chalicelib.errors import NotFound, ReportError
from chalicelib.ingestion.events import PREFIX
from chalicelib.moments import iso
from chalicelib.storage import Index, Put, Storage

State = dict[str, Any]
# Longer names fail on common file systems; the end holds the extension, which says more than the beginning.
NAME_LIMIT = 200
ADDRESS_SECONDS = 900  # how long a new upload's address takes its file
# A file may still be on its way when its address expires.
LATE_SECONDS = 900
# The name of a dry run's file says what it is, as its state does: where the index is lost, it is never published all the same.
DRY_RUN = "dry-run-"


@dataclass(frozen=True, slots=True)
class Held:
    """An upload's state and the version of its entry (0: not stored yet), which guards the next write."""

    state: State
    version: int


def load(index: Index, upload_id: str) -> Held | None:
    """The upload's state as stored; None for an id that no upload has."""
    if not is_id(upload_id):
        return None
    entry = index.get(*layout.upload(upload_id))
    return None if entry is None else Held(orjson.loads(entry.body), entry.version)


def find(index: Index, upload_id: str) -> Held:
    """The upload's state as stored. Raises NotFound `unknown_upload`."""
    held = load(index, upload_id)
    if held is None:
        raise NotFound("unknown_upload", f"There is no upload {upload_id!r}.", "Ask for one at POST /v1/uploads.")
    return held


def put(held: Held) -> Put:
    """The write that stores a state, refused when another writer has changed the entry since it was loaded."""
    return Put(*layout.upload(held.state["id"]), orjson.dumps(held.state), held.version)


def keep(storage: Storage, upload_id: str) -> None:
    """Store the outcome that the index has as an object too: the index can be made anew of the objects alone.

    After the index: an outcome that lost against another one is never stored. The index is asked again, so that of
    several at once none leaves an older outcome in place of a newer one.
    """
    held = load(storage.index, upload_id)
    while held is not None and is_final(held):
        storage.objects.put(layout.upload_object(upload_id), orjson.dumps(held.state), "application/json")
        before, held = held, load(storage.index, upload_id)
        if held == before:
            return


def new(upload_id: str, filename: str, township: str | None, now: datetime, dry_run: bool = False) -> Held:
    """An upload that nothing has arrived for yet. With `dry_run` it will be read and checked, and not published."""
    return Held(
        {
            "id": upload_id,
            "state": "waiting",
            "filename": clean_filename(filename),
            "township": township,
            "received": iso(now),
            "updated": iso(now),
            "report": None,
            "candidates": [],
            "reasons": [],
            "sha256": None,
            "unchanged": False,
            **({"dry_run": True} if dry_run else {}),
        },
        0,
    )


def told(state: State, now: datetime) -> State:
    """The state as it is at `now`: an upload whose address expired without a file is rejected, `address_expired`.

    Nothing is stored: a file that comes later all the same is taken like any.
    """
    expired = datetime.fromisoformat(state["received"]) + timedelta(seconds=ADDRESS_SECONDS)
    if state["state"] != "waiting" or now < expired + timedelta(seconds=LATE_SECONDS):
        return state
    detail = f"No file arrived at the upload's address until it expired at {iso(expired)}."
    error = ReportError("address_expired", detail, "Ask for a new address at POST /v1/uploads.")
    return {**state, "state": "rejected", "updated": iso(expired), "reasons": [reason(error)]}


def step(held: Held, state: str, now: datetime, **changes: Any) -> Held:
    """The next state under the same version; candidates and reasons of an earlier step are dropped unless given."""
    changed = {"state": state, "updated": iso(now), "candidates": [], "reasons": [], **changes}
    return Held({**held.state, **changed}, held.version)


def is_id(name: str) -> bool:
    """Whether an upload can have this id: 32 hexadecimal digits."""
    return re.fullmatch(r"[0-9a-f]{32}", name) is not None


def is_final(held: Held) -> bool:
    """Whether the upload has its outcome (which a name for its township may still change)."""
    return held.state["state"] in ("published", "checked", "needs_township", "rejected")


def is_dry_run(state: State) -> bool:
    """Whether the upload asked for a preview alone."""
    return bool(state.get("dry_run"))


def reason(error: ReportError) -> dict[str, Any]:
    """Why an upload was refused, as a state lists it."""
    return {"code": error.code, "detail": error.detail, "way_out": error.way_out, **error.extra}


def object_key(upload_id: str, dry_run: bool = False) -> str:
    """Where the upload's bytes arrive."""
    return PREFIX + (DRY_RUN if dry_run else "") + upload_id


def id_of(name: str) -> str:
    """The id of the upload whose bytes arrive under this name; for any other name something that is no id."""
    return name.removeprefix(DRY_RUN)


def clean_filename(name: str) -> str:
    """The bare file name: no folders of either system, no control characters, valid Unicode, at most 200 characters.

    A slash that parts no folders becomes `_`.
    A name in bytes that are no UTF-8 (as Python spells them) is read as GB18030, which Chinese archives carry.
    """
    raw = name.encode(errors="surrogateescape") if _spells_bytes(name) else name.encode(errors="replace")
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = raw.decode("gb18030", errors="replace")
    name = re.split(r"[/\\]", name)[-1] if _looks_like_path(name) else re.sub(r"[/\\]", "_", name)
    name = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", "", name).strip()
    return name[-NAME_LIMIT:] if name.strip(".") else "upload"


def _looks_like_path(name: str) -> bool:
    """Whether slashes part folders: a path has a beginning that says so, or nothing that no file name has on Windows."""
    return re.match(r"\.{0,2}[/\\]|[A-Za-z]:[/\\]", name) is not None or not re.search(r'[<>:"|?*]', name)


def _spells_bytes(name: str) -> bool:
    return any("\udc80" <= c <= "\udcff" for c in name) and not any("\ud800" <= c < "\udc80" for c in name)
