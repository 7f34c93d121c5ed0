"""What only real engines can show of the storage on AWS: signatures, versions, lost answers, and what they refuse."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session

from chalicelib.errors import StorageError
from chalicelib.storage import Delete, Entry, Put, Storage, UploadAddress, aws
from tests.engines import Engines

pytestmark = pytest.mark.engines

KEY = "incoming/亭旁镇 2022+1.txt"
MB = 1024 * 1024


def remote(storage: Storage) -> tuple[aws.Clients, str]:
    """The storage's clients, and the name of its bucket and its table."""
    assert isinstance(storage.index, aws.DynamoIndex)
    path = urlsplit(storage.objects.upload_address("raw/x", 60, 1).url).path
    return storage.index.clients, path.split("/")[1]


# --- addresses -------------------------------------------------------------------------------------------------------


def put(address: UploadAddress, **changes: Any) -> int:
    """The status of a PUT to the address, with `url` or `headers` changed."""
    asked = {"url": address.url, "headers": address.headers, "data": b"body", **changes}
    return requests.put(timeout=10, **asked).status_code


FORGED_UPLOADS: dict[str, Callable[[UploadAddress], dict[str, Any]]] = {
    "another key": lambda address: {"url": address.url.replace("1.txt", "2.txt")},
    "later expiry": lambda address: {"url": address.url.replace("Expires=600", "Expires=601")},
    "foreign signature": lambda address: {"url": address.url[:-4] + "0000"},
    "no signature": lambda address: {"url": address.url.partition("?")[0]},
    "no condition, which would let it replace": lambda _: {"headers": {"Content-Type": "text/plain"}},
    "another condition": lambda address: {"headers": {**address.headers, "If-None-Match": '"etag"'}},
    "another type": lambda address: {"headers": {**address.headers, "Content-Type": "text/html"}},
    "no type": lambda address: {"headers": {"If-None-Match": "*"}},
    "a greater size": lambda _: {"data": b"bodies"},
    "a smaller size": lambda _: {"data": b"bod"},
    "no size": lambda _: {"data": iter([b"body"])},
}


@pytest.mark.parametrize("forge", FORGED_UPLOADS.values(), ids=FORGED_UPLOADS)
def test_a_forged_upload_address_lets_nothing_in(
    engines_storage: Storage, forge: Callable[[UploadAddress], dict[str, Any]]
) -> None:
    address = engines_storage.objects.upload_address(KEY, 600, 4, "text/plain")
    assert put(address, **forge(address)) == 403
    assert list(engines_storage.objects.keys("")) == []
    assert put(address) == 200


def test_an_upload_address_is_used_up_by_its_file_and_good_again_when_that_is_taken(engines_storage: Storage) -> None:
    address = engines_storage.objects.upload_address(KEY, 600, 4, "text/plain")
    assert [put(address), put(address)] == [200, 412]
    engines_storage.objects.delete(KEY)
    assert put(address) == 200


def test_addresses_expire(engines_storage: Storage) -> None:
    upload = engines_storage.objects.upload_address(KEY, 1, 4)
    engines_storage.objects.put("raw/x", b"body")
    download = engines_storage.objects.download_address("raw/x", 1, "x", "text/plain")
    assert requests.get(download, timeout=10).content == b"body"
    time.sleep(2.1)
    assert put(upload) == 403
    assert requests.get(download, timeout=10).status_code == 403
    assert list(engines_storage.objects.keys("")) == ["raw/x"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("raw/x", "raw/y"), ("text%2Fplain", "text%2Fhtml"), ("report.txt", "another.txt"), ("Expires=60", "Expires=61")],
)
def test_a_forged_download_address_lets_nothing_out(engines_storage: Storage, old: str, new: str) -> None:
    for name in ("x", "y"):
        engines_storage.objects.put(f"raw/{name}", b"body")
    address = engines_storage.objects.download_address("raw/x", 60, "report.txt", "text/plain")
    assert old in address
    assert requests.get(address, timeout=10).status_code == 200
    assert requests.get(address.replace(old, new), timeout=10).status_code == 403


def test_an_upload_address_lets_in_nothing_but_a_put_and_a_download_address_nothing_but_a_get(
    engines_storage: Storage,
) -> None:
    engines_storage.objects.put(KEY, b"body")
    upload = engines_storage.objects.upload_address(KEY, 60, 1000)
    download = engines_storage.objects.download_address(KEY, 60, "x", "text/plain")
    assert requests.get(upload.url, headers=upload.headers, timeout=10).status_code == 403
    for method in ("PUT", "DELETE"):
        assert requests.request(method, download, timeout=10).status_code == 403
    assert engines_storage.objects.get(KEY) == b"body"


# --- objects ---------------------------------------------------------------------------------------------------------


def test_a_big_file_is_sent_in_parts(engines_storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789abcdef" * (20 * MB // 16))
    engines_storage.objects.put_file("bulk/x", tmp_path / "file")
    assert engines_storage.objects.stat("bulk/x").etag.endswith("-3")  # S3's mark: three parts of 8 MB


def test_what_is_replaced_or_deleted_stays_as_a_version(engines_storage: Storage) -> None:
    clients, bucket = remote(engines_storage)
    for body in (b"one", b"two"):
        engines_storage.objects.put("raw/x", body)
    engines_storage.objects.delete("raw/x")
    assert list(engines_storage.objects.keys("")) == []
    kept = clients.s3.list_object_versions(Bucket=bucket, Prefix="raw/x")
    bodies = [
        clients.s3.get_object(Bucket=bucket, Key="raw/x", VersionId=version["VersionId"])["Body"].read()
        for version in kept["Versions"]
    ]
    assert bodies == [b"two", b"one"]
    assert [mark["IsLatest"] for mark in kept["DeleteMarkers"]] == [True]


# --- index -----------------------------------------------------------------------------------------------------------


class NoBody:
    def stream(self, **_: Any) -> list[bytes]:
        return [b"{}"]


def lose_first_answer(client: Any, operation: str) -> list[bytes]:
    """Let the engine do what it is asked, and answer 500 in its place the first time. The bodies that were sent."""
    sent: list[bytes] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        sent.append(request.body)
        if len(sent) > 1:
            return None
        assert URLLib3Session().send(request).status_code == 200
        return AWSResponse(request.url, 500, HTTPHeaders(), NoBody())

    client.meta.events.register_first(f"before-send.dynamodb.{operation}", answer)
    return sent


def test_a_transaction_whose_answer_was_lost_is_made_once(engines_storage: Storage) -> None:
    clients, _ = remote(engines_storage)
    sent = lose_first_answer(clients.dynamodb, "TransactWriteItems")
    engines_storage.index.commit([Put("p", "a", b"", 0), Put("p", "b", b"")])
    assert len(sent) == 2
    assert engines_storage.index.query("p") == [Entry("p", "a", b"", 1), Entry("p", "b", b"", 1)]


CALLS: dict[str, Callable[[Storage], object]] = {
    "put": lambda storage: storage.objects.put("raw/x", b""),
    "put_new": lambda storage: storage.objects.put_new("raw/x", b""),
    "get": lambda storage: storage.objects.get("raw/x"),
    "keys": lambda storage: list(storage.objects.keys("raw/")),
    "get entry": lambda storage: storage.index.get("p", "s"),
    "query": lambda storage: storage.index.query("p"),
    "commit one": lambda storage: storage.index.commit([Put("p", "s", b"", 0)]),
    "commit two": lambda storage: storage.index.commit([Put("p", "s", b""), Delete("p", "t")]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_missing_bucket_or_table_is_a_storage_error(
    engines: Engines, engines_session: boto3.Session, call: Callable[[Storage], object]
) -> None:
    with engines.session():
        storage = aws.open_storage("never-made", "never-made", engines_session)
        with pytest.raises(StorageError, match="storage_failed"):
            call(storage)
