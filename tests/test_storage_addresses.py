"""The signed addresses of one machine: what they let in, what they refuse, and the secret behind them."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from chalicelib.errors import Conflict, Forbidden, StorageError, TooLarge
from chalicelib.storage import local
from chalicelib.storage.local import LocalObjects

KEY = "incoming/亭旁镇 2022+1.txt"
TYPE = "application/octet-stream"
NOW = 1_700_000_000.0


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses are given out at NOW."""
    monkeypatch.setattr(time, "time", lambda: NOW)


def files(folder: Path) -> list[str]:
    """The objects in the folder, and what writes left in `.tmp`."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if "/" in name and not name.startswith(".used/"))


def asked(url: str) -> tuple[str, dict[str, str]]:
    """The key and the query as a server hands them over."""
    parts = urlsplit(url)
    assert parts.path.startswith("/objects/")
    assert url.isascii()
    return unquote(parts.path.removeprefix("/objects/")), dict(parse_qsl(parts.query, keep_blank_values=True))


@pytest.mark.usefixtures("at_noon")
def test_an_upload_address_lets_in_one_file(objects: LocalObjects) -> None:
    address = objects.upload_address(KEY, 60, 1000)
    key, query = asked(address.url)
    assert (address.method, address.headers, key) == ("PUT", {"Content-Type": TYPE}, KEY)
    assert objects.verify_upload(key, query, NOW + 59) == (1000, TYPE)
    objects.put_stream(key, [b"ab", b"", b"c"], 3)
    assert objects.get(key) == b"abc"
    for _ in range(2):
        with pytest.raises(Conflict) as caught:
            objects.verify_upload(key, query, NOW)
        assert caught.value.code == "upload_address_used"
        with pytest.raises(Conflict, match="upload_address_used"):
            objects.put_stream(key, [b"other"], 10)
        # Ingestion removes the object: the address stays spent.
        objects.delete(key)
    assert list(objects.keys("")) == []


@pytest.mark.usefixtures("at_noon")
def test_an_address_is_used_up_by_a_file_dropped_there(objects: LocalObjects) -> None:
    key, query = asked(objects.upload_address(KEY, 60, 1000).url)
    objects.put(key, b"dropped")
    with pytest.raises(Conflict, match="upload_address_used"):
        objects.verify_upload(key, query, NOW)
    with pytest.raises(Conflict, match="upload_address_used"):
        objects.put_stream(key, [b"other"], 10)
    assert objects.get(key) == b"dropped"


FORGERIES: dict[str, dict[str, str | None]] = {
    "greater size": {"bytes": "1001"},
    "smaller size": {"bytes": "999"},
    "another type": {"type": "text/plain"},
    "no type": {"type": None},
    "later expiry": {"expires": "1700000061"},
    "no signature": {"signature": None},
    "empty signature": {"signature": ""},
    "foreign signature": {"signature": "0" * 64},
    "signature beyond ASCII": {"signature": "签名"},
    "no expiry": {"expires": None},
    "no size": {"bytes": None},
    "expiry that is no number": {"expires": "soon"},
}


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize("changes", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_upload_address_is_forbidden(objects: LocalObjects, changes: dict[str, str | None]) -> None:
    key, query = asked(objects.upload_address(KEY, 60, 1000).url)
    forged = {name: value for name, value in {**query, **changes}.items() if value is not None}
    with pytest.raises(Forbidden) as caught:
        objects.verify_upload(key, forged, NOW)
    assert caught.value.code == "address_forged"


@pytest.mark.usefixtures("at_noon")
def test_an_address_serves_one_key_one_method_one_server_and_one_time(tmp_path: Path, objects: LocalObjects) -> None:
    key, upload = asked(objects.upload_address(KEY, 60, 1000).url)
    _, download = asked(objects.download_address(KEY, 60, "x", "text/plain"))
    foreign = LocalObjects(tmp_path / "other")
    for verify in (
        lambda: objects.verify_upload("incoming/other", upload, NOW),
        lambda: objects.verify_download(key, upload, NOW),
        lambda: objects.verify_upload(key, download, NOW),
        lambda: foreign.verify_upload(key, upload, NOW),
    ):
        with pytest.raises(Forbidden, match="address_forged"):
            verify()
    with pytest.raises(Forbidden, match="address_expired"):
        objects.verify_upload(key, upload, NOW + 60)
    with pytest.raises(Forbidden, match="address_expired"):
        objects.verify_download(key, download, NOW + 60)


@pytest.mark.usefixtures("at_noon")
@pytest.mark.parametrize("name", ["亭旁镇2022年 (终稿).html", 'a"b&c=d+e%20.txt', ""])
def test_a_download_address_says_name_and_type(objects: LocalObjects, name: str) -> None:
    url = objects.download_address(KEY, 60, name, "text/html; charset=gb18030")
    key, query = asked(url)
    assert key == KEY
    assert objects.verify_download(key, query, NOW) == (name, "text/html; charset=gb18030")
    for changed in ({"filename": "another"}, {"type": "text/plain"}):
        with pytest.raises(Forbidden, match="address_forged"):
            objects.verify_download(key, {**query, **changed}, NOW)


@pytest.mark.usefixtures("at_noon")
def test_a_download_of_a_name_that_is_no_unicode_text_has_an_address(objects: LocalObjects) -> None:
    key, query = asked(objects.download_address(KEY, 60, "\udcb1\udca8.txt", "text/plain"))
    assert objects.verify_download(key, query, NOW) == ("??.txt", "text/plain")


def test_a_stream_beyond_its_bound_stores_nothing_and_may_be_sent_again(folder: Path, objects: LocalObjects) -> None:
    with pytest.raises(TooLarge) as caught:
        objects.put_stream(KEY, iter([b"x" * 60, b"x" * 41]), 100)
    assert caught.value.code == "upload_too_large"
    assert files(folder) == []
    objects.put_stream(KEY, iter([b"x" * 60, b"x" * 40]), 100)
    assert objects.stat(KEY).size == 100


def test_a_client_that_goes_away_stores_nothing(folder: Path, objects: LocalObjects) -> None:
    def broken() -> Iterator[bytes]:
        yield b"first"
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        objects.put_stream(KEY, broken(), 100)
    assert files(folder) == []
    objects.put_stream(KEY, [b"whole"], 100)


def test_of_16_uploads_to_one_address_one_gets_in(objects: LocalObjects) -> None:
    barrier = threading.Barrier(16)

    def upload(n: int) -> int | None:
        barrier.wait()
        try:
            objects.put_stream(KEY, [b"%d" % n], 10)
        except Conflict:
            return None
        return n

    with ThreadPoolExecutor(16) as pool:
        winners = [n for n in pool.map(upload, range(16)) if n is not None]
    assert len(winners) == 1
    assert objects.get(KEY) == b"%d" % winners[0]


class KilledError(BaseException):
    """Stands for the end of the process: nothing that it would still have done is done."""


@pytest.mark.parametrize("call", ["link", "fsync"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_leaves_the_address_good_or_the_bytes_kept(
    objects: LocalObjects, monkeypatch: pytest.MonkeyPatch, call: str, after: bool
) -> None:
    key, query = asked(objects.upload_address(KEY, 60, 1000).url)
    done = getattr(os, call)

    def killed(*arguments: Any) -> None:
        if after:
            done(*arguments)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(os, call, killed)
        patched.setattr(Path, "unlink", lambda *_, **__: None)  # no clearing up either
        with pytest.raises(KilledError):
            objects.put_stream(key, [b"first"], 10)
    kept = [objects.get(each) for each in objects.keys("incoming/")]
    if kept:
        assert kept == [b"first"]
    else:
        assert objects.verify_upload(key, query, time.time()) == (1000, TYPE)
        objects.put_stream(key, [b"again"], 10)
        assert objects.get(key) == b"again"


def test_the_secret_is_private_and_lasts(folder: Path, objects: LocalObjects) -> None:
    key, query = asked(objects.upload_address(KEY, 60, 1000).url)
    assert stat.S_IMODE((folder / "secret").stat().st_mode) == 0o600
    again = local.open_storage(folder).objects
    assert isinstance(again, LocalObjects)
    assert again.verify_upload(key, query, time.time()) == (1000, TYPE)


def test_a_damaged_secret_is_a_clear_error(folder: Path, objects: LocalObjects) -> None:
    (folder / "secret").write_bytes(b"")
    with pytest.raises(StorageError, match="secret_damaged"):
        objects.upload_address(KEY, 60, 1000)
