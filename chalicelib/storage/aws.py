"""S3 and DynamoDB: the storage on AWS. The only module that makes clients of boto3; `queue_aws` takes its own from here.

The bucket and the table (keys `pk` and `sk`, both strings) are made by the deployment template. Reading an object that
is missing answers 404 only with `s3:ListBucket`: without that permission S3 says 403, which is a StorageError here.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from chalicelib.errors import StorageError
from chalicelib.storage import Delete, Entry, ObjectInfo, Put, Storage, UploadAddress
from chalicelib.storage.aws_failures import (
    BEYOND,
    COLLISION,
    EXPECTATION_FAILED,
    MISSING,
    RACING_PUT,
    TAKEN,
    culprit,
    failures,
    pause,
    repeated,
)
from chalicelib.storage.contract import (
    check_free_writes,
    check_key,
    check_seconds,
    check_writes,
    content_disposition,
    entry_changed,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_BATCH = 25  # requests that one BatchWriteItem takes
_BATCH_ATTEMPTS = 8
_PART_BYTES = 16 * 1024 * 1024  # S3 takes 10,000 parts: 160 GB
_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 4})


def open_storage(bucket: str, table: str, session: boto3.Session | None = None) -> Storage:
    """The storage in `bucket` and `table`. Nothing is asked of AWS before the first use."""
    clients = Clients(session)
    return Storage(S3Objects(bucket, clients), DynamoIndex(table, clients))


class Clients:
    """The clients of S3, DynamoDB and SQS, each made at its first use: that costs a good part of a cold start."""

    def __init__(self, session: boto3.Session | None = None) -> None:
        self._session = session
        self._lock = threading.RLock()  # clients are safe for threads, the session that makes them is not
        self._s3: S3Client | None = None
        self._dynamodb: DynamoDBClient | None = None
        self._sqs: SQSClient | None = None

    @property
    def session(self) -> boto3.Session:
        with self._lock:
            self._session = self._session or boto3.Session()
            return self._session

    @property
    def s3(self) -> S3Client:
        with self._lock:
            if self._s3 is None:
                with _collector_paused():
                    self._s3 = self.session.client("s3", config=_s3_config())
            return self._s3

    @property
    def dynamodb(self) -> DynamoDBClient:
        with self._lock:
            if self._dynamodb is None:
                config = _PATIENT.merge(Config(connect_timeout=2, read_timeout=5))
                with _collector_paused():
                    self._dynamodb = self.session.client("dynamodb", config=config)
            return self._dynamodb

    @property
    def sqs(self) -> SQSClient:
        with self._lock:
            config = _PATIENT.merge(Config(connect_timeout=2, read_timeout=10))
            self._sqs = self._sqs or self.session.client("sqs", config=config)
            return self._sqs


class S3Objects:
    def __init__(self, bucket: str, clients: Clients) -> None:
        self._bucket, self.clients = bucket, clients

    def put(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        check_key(key)
        with failures():
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)

    def put_new(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> bool:
        check_key(key)

        def send() -> None:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")

        with failures():
            return repeated(send, RACING_PUT, TAKEN) is None

    def put_file(self, key: str, path: Path, content_type: str = "application/octet-stream") -> None:
        check_key(key)
        with failures():
            self._s3.upload_file(str(path), self._bucket, key, ExtraArgs={"ContentType": content_type})

    def put_blocks(self, key: str, blocks: Iterable[bytes], content_type: str = "application/octet-stream") -> None:
        from boto3.s3.transfer import TransferConfig  # here, since only the bulk files need it

        check_key(key)
        few = TransferConfig(multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=2)
        with failures():
            more = {"ContentType": content_type}
            self._s3.upload_fileobj(cast(BinaryIO, _Blocks(blocks)), self._bucket, key, ExtraArgs=more, Config=few)

    def get(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    def get_range(self, key: str, start: int, length: int) -> bytes:
        wanted = f"bytes={start}-{start + length - 1}"
        with failures(key):
            try:
                body = self._s3.get_object(Bucket=self._bucket, Key=key, Range=wanted)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] in BEYOND:
                    return b""
                raise
        with contextlib.closing(body), failures():
            return body.read()

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        with failures(key):
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"]
        with contextlib.closing(body), failures():
            yield cast(BinaryIO, body)

    def stat(self, key: str) -> ObjectInfo:
        with failures(key):
            found = self._s3.head_object(Bucket=self._bucket, Key=key)
        return ObjectInfo(key, found["ContentLength"], found["LastModified"].timestamp(), found["ETag"].strip('"'))

    def keys(self, prefix: str) -> Iterator[str]:
        with failures():
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for found in page.get("Contents", []):
                    if not found["Key"].endswith("/"):  # the mark of an empty folder that consoles make
                        yield found["Key"]

    def delete(self, key: str) -> None:
        with failures():
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def delete_unchanged(self, key: str, etag: str) -> None:
        def send() -> None:
            self._s3.delete_object(Bucket=self._bucket, Key=key, IfMatch=f'"{etag}"')

        with failures():
            repeated(send, set(), TAKEN | RACING_PUT | MISSING)  # refused where it changed, is changing or has gone

    def upload_address(
        self, key: str, seconds: int, size: int, content_type: str = "application/octet-stream"
    ) -> UploadAddress:
        """The address holds while there is no object `key`, and only with the headers given here and this Content-Length,
        which are signed. Once the object is deleted the address is good again until it expires.
        """
        check_key(key)
        check_seconds(seconds)
        what: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "IfNoneMatch": "*"}
        what |= {"ContentLength": size, "ContentType": content_type}
        with failures():
            url = self._s3.generate_presigned_url("put_object", Params=what, ExpiresIn=seconds)
        return UploadAddress(url, headers={"If-None-Match": "*", "Content-Type": content_type})

    def download_address(self, key: str, seconds: int, filename: str, content_type: str, *, head: bool = False) -> str:
        check_key(key)
        check_seconds(seconds)
        what = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": content_disposition(filename),
            "ResponseContentType": content_type,
        }
        with failures():
            operation = "head_object" if head else "get_object"
            return self._s3.generate_presigned_url(operation, Params=what, ExpiresIn=seconds)

    @property
    def _s3(self) -> S3Client:
        return self.clients.s3


class DynamoIndex:
    """Entries as items: `body` is binary, `version` a number. Reads are consistent, so that a writer sees its own."""

    def __init__(self, table: str, clients: Clients) -> None:
        self._table, self.clients = table, clients

    def get(self, pk: str, sk: str) -> Entry | None:
        with failures():
            answer = self._dynamodb.get_item(TableName=self._table, Key=_key(pk, sk), ConsistentRead=True)
        return _entry(answer["Item"]) if "Item" in answer else None

    def query(self, pk: str, *, prefix: str = "", after: str = "", limit: int = 100) -> list[Entry]:
        if limit < 1 or (after > prefix and not after.startswith(prefix)):
            return []
        entries: list[Entry] = []
        request = self._query(pk, prefix, after)
        with failures():
            while True:
                page = self._dynamodb.query(**request, Limit=limit - len(entries))
                entries += map(_entry, page["Items"])
                # A page also ends at 1 MB, so that only a missing key means the end.
                if len(entries) >= limit or not page.get("LastEvaluatedKey"):
                    return entries
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def commit(self, writes: Sequence[Put | Delete]) -> None:
        check_writes(writes)
        if not writes:
            return
        send = self._sender(writes)
        with failures():
            failed = repeated(send, COLLISION, EXPECTATION_FAILED)
        if failed is not None:
            raise entry_changed(culprit(writes, failed)) from failed

    def write(self, writes: Sequence[Put | Delete]) -> None:
        check_free_writes(writes)
        with failures():
            for start in range(0, len(writes), _BATCH):
                self._write_batch([_free_request(write) for write in writes[start : start + _BATCH]])

    def entries(self) -> Iterator[Entry]:
        with failures():
            for page in self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True):
                yield from map(_entry, page["Items"])

    def _write_batch(self, requests: list[Any]) -> None:
        for attempt in range(_BATCH_ATTEMPTS):
            # What the table was too busy for comes back; the answer is none the less a success.
            answer = self._dynamodb.batch_write_item(RequestItems={self._table: requests})
            requests = answer.get("UnprocessedItems", {}).get(self._table, [])
            if not requests:
                return
            pause(attempt)
        raise StorageError("storage_busy", "The table takes no more writes now.", "Try again later.")

    def _query(self, pk: str, prefix: str, after: str) -> dict[str, Any]:
        """The request without its Limit. A sort key takes one condition, so that `after` is given as a page's start."""
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if prefix:
            condition += " AND begins_with(sk, :prefix)"
            values[":prefix"] = {"S": prefix}
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        # A start outside the prefix is an error; one before it excludes nothing.
        if after and after.startswith(prefix):
            request["ExclusiveStartKey"] = _key(pk, after)
        return request

    def _sender(self, writes: Sequence[Put | Delete]) -> Callable[[], object]:
        client = self._dynamodb
        if len(writes) > 1:
            items: list[Any] = [self._request(write) for write in writes]
            # One token for all attempts: a transaction whose answer was lost is not made twice.
            token = str(uuid.uuid4())
            return lambda: client.transact_write_items(TransactItems=items, ClientRequestToken=token)
        # A single write alone costs half of what it costs in a transaction.
        ((kind, request),) = self._request(writes[0]).items()
        return lambda: client.delete_item(**request) if kind == "Delete" else client.update_item(**request)

    def _request(self, write: Put | Delete) -> dict[str, dict[str, Any]]:
        where = {"TableName": self._table, "Key": _key(write.pk, write.sk)}
        if isinstance(write, Delete):
            if write.expect is None:
                return {"Delete": where}
            expected = {":expected": {"N": str(write.expect)}}
            names = {"#version": "version"}
            condition = {"ConditionExpression": "#version = :expected", "ExpressionAttributeNames": names}
            return {"Delete": {**where, **condition, "ExpressionAttributeValues": expected}}
        request: dict[str, Any] = {
            **where,
            "UpdateExpression": "SET #body = :body ADD #version :one",
            "ExpressionAttributeNames": {"#body": "body", "#version": "version"},
            "ExpressionAttributeValues": {":body": {"B": write.body}, ":one": {"N": "1"}},
        }
        if write.expect:
            request["ConditionExpression"] = "#version = :expected"
            request["ExpressionAttributeValues"][":expected"] = {"N": str(write.expect)}
        elif write.expect == 0:
            request["ConditionExpression"] = "attribute_not_exists(pk)"
        return {"Update": request}

    @property
    def _dynamodb(self) -> DynamoDBClient:
        return self.clients.dynamodb


class _Blocks(io.RawIOBase):
    """Blocks as the stream that an upload reads from, a part at a time."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks, self._rest = iter(blocks), b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        found = bytearray(self._rest)
        while size < 0 or len(found) < size:
            block = next(self._blocks, None)
            if block is None:
                break
            found += block
        end = len(found) if size < 0 else size
        self._rest = bytes(found[end:])
        return bytes(found[:end])


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Garbage is not collected meanwhile.

    A new client reads its service's whole description into objects that stay. To walk them again and again while they
    come takes a tenth of a cold start.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _s3_config() -> Config:
    # Without s3v4 a presigned PUT is signed the old way, which leaves If-None-Match out: it could be used twice. Only
    # with "virtual" it names the bucket's region; otherwise S3 redirects there, and the signature no longer fits.
    # A server of one's own (AWS_ENDPOINT_URL) has no host name for each bucket.
    own_server = "AWS_ENDPOINT_URL_S3" in os.environ or "AWS_ENDPOINT_URL" in os.environ
    style: Literal["path", "virtual"] = "path" if own_server else "virtual"
    signed = Config(signature_version="s3v4", s3={"addressing_style": style})
    return _PATIENT.merge(signed).merge(Config(connect_timeout=2, read_timeout=20))


def _free_request(write: Put | Delete) -> dict[str, Any]:
    key = _key(write.pk, write.sk)
    if isinstance(write, Delete):
        return {"DeleteRequest": {"Key": key}}
    return {"PutRequest": {"Item": {**key, "body": {"B": write.body}, "version": {"N": "1"}}}}


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _entry(item: Mapping[str, Any]) -> Entry:
    return Entry(item["pk"]["S"], item["sk"]["S"], item["body"]["B"], int(item["version"]["N"]))
