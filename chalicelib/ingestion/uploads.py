"""What a publisher asks of uploads: an address to send a file to, what became of it, and to name its township."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime

from chalicelib.errors import BadRequest, Conflict, ReportError, TooLarge
from chalicelib.ingestion import deliveries, ingest, intake, upload_state
from chalicelib.ingestion.events import PREFIX
from chalicelib.ingestion.upload_state import State
from chalicelib.place_names import read_place
from chalicelib.storage import Storage, UploadAddress
from chalicelib.telemetry import logs

ADDRESS_SECONDS = upload_state.ADDRESS_SECONDS
# Without parameters: the charset is found in the bytes.
MEDIA = r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}"
ANY_MEDIA = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that is to come: its name, its size in bytes, its media type (none: bytes of any).

    `township` is the code or name that settles whose report it is.
    """

    filename: str
    size: int
    media: str | None = None
    township: str | None = None


def create(storage: Storage, file: Announced, now: datetime, dry_run: bool = False) -> tuple[State, UploadAddress]:
    """A new upload in the state `waiting`, and where to PUT exactly this file within a quarter of an hour.

    With `dry_run` it will be checked, and not published.

    Raises TooLarge `upload_too_large` for more than is read, BadRequest for a media type that is none, and as
    `read_township`; there is no upload then.
    """
    media = ANY_MEDIA if file.media is None else file.media
    if not re.fullmatch(MEDIA, media):
        way_out = "Give a media type without parameters, as text/plain or text/html, or leave it out."
        raise BadRequest("bad_parameter", "media is no media type.", way_out, parameter="media")
    code = None if file.township is None else read_township(file.township)
    limit = intake.max_bytes(os.environ)
    if file.size > limit:
        detail = f"The file has {file.size:,} bytes, and the limit is {limit:,}."
        raise TooLarge("upload_too_large", detail, "Upload the report alone, without pictures and attachments.")
    state = _announce(storage, file.filename, code, now, dry_run)
    key = upload_state.object_key(state["id"], dry_run)
    return state, storage.objects.upload_address(key, ADDRESS_SECONDS, file.size, media)


def announce(storage: Storage, filename: str, township: str | None, now: datetime) -> State:
    """A new upload without an address, for who writes its object directly. Raises BadRequest as `read_township`."""
    return _announce(storage, filename, None if township is None else read_township(township), now)


def _announce(storage: Storage, filename: str, code: str | None, now: datetime, dry_run: bool = False) -> State:
    held = upload_state.new(secrets.token_hex(16), filename, code, now, dry_run)
    storage.index.commit([upload_state.put(held)])
    return held.state


def read(storage: Storage, upload_id: str) -> State:
    """The upload's state. Raises NotFound `unknown_upload`."""
    return upload_state.find(storage.index, upload_id).state


def refuse_too_large(storage: Storage, key: str, size: int, limit: int, now: datetime) -> None:
    """Note that the upload's address of `key` refused a file of `size` bytes; a smaller one may still follow there.

    Only an upload that waits is changed: nothing happens to one that is unknown or has received a file.
    """
    upload_id = upload_state.id_of(key.removeprefix(PREFIX))
    held = upload_state.load(storage.index, upload_id)
    if held is None or held.state["state"] != "waiting":
        return
    detail = f"The file has {size:,} bytes, and {limit:,} were announced."
    error = ReportError("too_large", detail, "Upload the report alone, without pictures and attachments.")
    refused = upload_state.step(held, "rejected", now, reasons=[upload_state.reason(error)])
    with contextlib.suppress(Conflict):  # a file that arrived meanwhile
        storage.index.commit([upload_state.put(refused)])
        upload_state.keep(storage, upload_id)


def name_township(storage: Storage, upload_id: str, township: str, now: datetime) -> State:
    """Publish an upload that waits for its township as the report of this code or name; its state afterwards.

    Raises BadRequest as `read_township`, NotFound `unknown_upload`, Conflict `township_not_asked`.
    """
    start = time.perf_counter()
    with logs.context() as noted:
        state = ingest.settle(storage, upload_id, read_township(township), now)
        deliveries.tell_outcome(state, now, noted, start)
    return state


def read_township(named: str) -> str:
    """The code of the township, county, prefecture or province that is given by its code or name.

    Raises BadRequest `unknown_township` or `ambiguous_township`.
    """
    return read_place(named, BadRequest, parameter="township")
