"""What the storage on AWS promises besides: signed addresses, few requests, every failure as one of the family."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import requests
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
)
from botocore.response import StreamingBody

from chalicelib.errors import Conflict, NotFound, StorageError
from chalicelib.storage import Delete, Put, Storage, aws, open_storage
from chalicelib.storage.contract import content_disposition

ROOT = Path(__file__).parent.parent
KEY = "incoming/亭旁镇 2022+1.txt"


def clients(storage: Storage) -> aws.Clients:
    assert isinstance(storage.index, aws.DynamoIndex)
    return storage.index.clients


def bucket(storage: Storage) -> str:
    """The bucket's name, out of an address by path or by host."""
    parts = urlsplit(storage.objects.upload_address("raw/x", 60, 1).url)
    return parts.path.removesuffix("/raw/x").strip("/") or str(parts.hostname).split(".")[0]


class Requests:
    """Every request of the storage, as (operation, parameters); the first ones answered by `failures`, one each."""

    def __init__(self, storage: Storage, *failures: Exception | dict[str, Any]) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []
        self.failures = list(failures)
        for client in (clients(storage).s3, clients(storage).dynamodb):
            events: Any = client.meta.events
            events.register("provide-client-params", self.note)
            events.register("before-call", self.answer)

    def note(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self.made.append((model.name, params))

    def answer(self, **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        if not self.failures:
            return None
        failure = self.failures.pop(0)
        if isinstance(failure, Exception):
            raise failure
        return AWSResponse("", failure["ResponseMetadata"]["HTTPStatusCode"], HTTPHeaders(), None), failure

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.made]


def refusal(code: str, status: int = 400, *reasons: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    if reasons:
        answer["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return answer


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, noted and not made."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


# --- addresses -------------------------------------------------------------------------------------------------------


def test_an_upload_address_lets_in_one_file(remote_storage: Storage) -> None:
    address = remote_storage.objects.upload_address(KEY, 600, 3, "text/plain")
    assert (address.method, address.headers) == ("PUT", {"If-None-Match": "*", "Content-Type": "text/plain"})
    answers = [requests.put(address.url, data=body, headers=address.headers).status_code for body in (b"one", b"two")]
    assert answers == [200, 412]
    assert remote_storage.objects.get(KEY) == b"one"


def test_condition_size_and_type_of_an_upload_address_are_signed_for_the_buckets_region(aws_storage: Storage) -> None:
    parts = urlsplit(aws_storage.objects.upload_address(KEY, 600, 1000).url)
    query = parse_qs(parts.query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;content-type;host;if-none-match"]
    assert query["X-Amz-Expires"] == ["600"]
    assert not [name for name in query if "checksum" in name.lower()]
    assert (parts.hostname or "").endswith(".s3.eu-west-1.amazonaws.com")


def test_a_download_address_says_name_and_type(remote_storage: Storage) -> None:
    remote_storage.objects.put("raw/x", b"body")
    url = remote_storage.objects.download_address("raw/x", 600, "亭旁镇 2022.txt", "text/plain; charset=gb18030")
    answer = requests.get(url)
    assert answer.content == b"body"
    assert answer.headers["Content-Type"] == "text/plain; charset=gb18030"
    assert answer.headers["Content-Disposition"] == content_disposition("亭旁镇 2022.txt")


def test_a_server_of_ones_own_is_addressed_by_path(monkeypatch: pytest.MonkeyPatch, aws_session: boto3.Session) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:8333")
    storage = aws.open_storage("bucket", "table", aws_session)
    assert storage.objects.upload_address("raw/x", 600, 1).url.startswith("http://localhost:8333/bucket/raw/x?")


DISPOSITIONS = [
    ("report.txt", "attachment; filename=\"report.txt\"; filename*=UTF-8''report.txt"),
    (
        "亭旁镇 2022.txt",
        "attachment; filename=\"___ 2022.txt\"; filename*=UTF-8''%E4%BA%AD%E6%97%81%E9%95%87%202022.txt",
    ),
    ('a"b\\c/d%.txt', "attachment; filename=\"a_b_c_d_.txt\"; filename*=UTF-8''a%22b%5Cc%2Fd%25.txt"),
    ("a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a__Set-Cookie%3A%20x"),
    ("\udcb1.txt", "attachment; filename=\"?.txt\"; filename*=UTF-8''%3F.txt"),
]


@pytest.mark.parametrize(("filename", "header"), DISPOSITIONS)
def test_a_file_name_in_a_header(filename: str, header: str) -> None:
    assert content_disposition(filename) == header


def test_a_content_type_is_kept(remote_storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    remote_storage.objects.put("raw/put", b"", "text/plain")
    remote_storage.objects.put_new("raw/new", b"", "text/html")
    remote_storage.objects.put_file("raw/file", tmp_path / "file", "application/gzip")
    heads = [
        clients(remote_storage).s3.head_object(Bucket=bucket(remote_storage), Key=f"raw/{name}")
        for name in ("put", "new", "file")
    ]
    assert [head["ContentType"] for head in heads] == ["text/plain", "text/html", "application/gzip"]


def test_the_marks_of_empty_folders_are_no_keys(remote_storage: Storage) -> None:
    clients(remote_storage).s3.put_object(Bucket=bucket(remote_storage), Key="incoming/", Body=b"")
    remote_storage.objects.put("incoming/x", b"")
    assert list(remote_storage.objects.keys("incoming/")) == ["incoming/x"]


# --- cost ------------------------------------------------------------------------------------------------------------


def test_every_question_and_write_is_one_cheap_request(remote_storage: Storage) -> None:
    sent = Requests(remote_storage)
    remote_storage.index.commit([])
    remote_storage.index.commit([Put("p", "a", b"", 0)])
    remote_storage.index.commit([Put("p", "b", b""), Put("p", "c", b"")])
    remote_storage.index.get("p", "a")
    remote_storage.index.query("p", prefix="a", limit=1)
    remote_storage.index.query("p", prefix="a", after="b")
    remote_storage.index.commit([Delete("p", "a")])
    assert sent.operations == ["UpdateItem", "TransactWriteItems", "GetItem", "Query", "DeleteItem"]
    assert [parameters["ConsistentRead"] for name, parameters in sent.made if name in ("GetItem", "Query")] == [
        True,
        True,
    ]


def test_a_query_reads_no_further_than_its_limit(remote_storage: Storage) -> None:
    for start in (0, 6):
        remote_storage.index.commit([Put("p", f"{n:02}", b"x" * 300_000) for n in range(start, start + 6)])
    sent = Requests(remote_storage)
    assert len(remote_storage.index.query("p", limit=7)) == 7
    # moto ends a page at 1 MB, which is before or after its fourth entry.
    limits = [parameters["Limit"] for _, parameters in sent.made]
    assert limits[0] == 7
    assert limits == sorted(limits, reverse=True)
    assert 2 <= len(limits) <= 3


STARTS = [("", "", None), ("b", "", None), ("b", "a", None), ("b", "b", "b"), ("b", "b1", "b1"), ("", "a", "a")]


@pytest.mark.parametrize(("prefix", "after", "start"), STARTS)
def test_a_page_starts_inside_its_prefix(remote_storage: Storage, prefix: str, after: str, start: str | None) -> None:
    # DynamoDB refuses a start outside the condition, moto does not.
    sent = Requests(remote_storage)
    remote_storage.index.query("p", prefix=prefix, after=after)
    ((_, parameters),) = sent.made
    assert parameters.get("ExclusiveStartKey") == (start and {"pk": {"S": "p"}, "sk": {"S": start}})


def test_only_repair_walks_the_whole_table() -> None:
    sources = [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]
    scanning = {p.name for p in sources if ".scan(" in p.read_text() or '"scan"' in p.read_text()}
    walking = {p.parent.name for p in sources if "index.entries(" in p.read_text()}
    assert (scanning, walking - {"maintenance"}) == ({"aws.py"}, set())


BOTO3_IMPORTED = "import sys; print('boto3' in sys.modules or 'botocore' in sys.modules)"


def test_boto3_is_imported_only_for_aws(tmp_path: Path) -> None:
    script = (
        f"from chalicelib import storage; storage.open_storage({{'REPORTS_DATA': {str(tmp_path)!r}}}); {BOTO3_IMPORTED}"
    )
    assert subprocess.check_output([sys.executable, "-c", script], cwd=ROOT, text=True) == "False\n"


def test_clients_are_made_at_first_use(monkeypatch: pytest.MonkeyPatch, aws_session: boto3.Session) -> None:
    made: list[str] = []
    original = boto3.Session.client

    def client(self: boto3.Session, name: Any, **options: Any) -> Any:
        made.append(name)
        return original(self, name, **options)

    monkeypatch.setattr(boto3.Session, "client", client)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    storage = open_storage({"REPORTS_BUCKET": "bucket", "REPORTS_TABLE": "table"})
    assert made == []
    for _ in range(2):
        storage.objects.upload_address("raw/x", 60, 10)
        assert made == ["s3"]


# --- failures --------------------------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[Storage], object]] = {
    "put": lambda storage: storage.objects.put("raw/x", b""),
    "put_new": lambda storage: storage.objects.put_new("raw/x", b""),
    "put_file": lambda storage: storage.objects.put_file("raw/x", Path(__file__)),
    "put_blocks": lambda storage: storage.objects.put_blocks("raw/x", [b"x"]),
    "get": lambda storage: storage.objects.get("raw/x"),
    "stat": lambda storage: storage.objects.stat("raw/x"),
    "keys": lambda storage: list(storage.objects.keys("raw/")),
    "delete": lambda storage: storage.objects.delete("raw/x"),
    "get entry": lambda storage: storage.index.get("p", "s"),
    "query": lambda storage: storage.index.query("p"),
    "commit one": lambda storage: storage.index.commit([Put("p", "s", b"", 0)]),
    "commit two": lambda storage: storage.index.commit([Put("p", "s", b""), Delete("p", "t")]),
}
FAILURES: list[tuple[Exception | dict[str, Any], str]] = [
    (refusal("InternalError", 500), "storage_failed"),
    (refusal("ServiceUnavailable", 503), "storage_failed"),
    (refusal("SlowDown", 503), "storage_busy"),
    (refusal("ThrottlingException"), "storage_busy"),
    (refusal("ProvisionedThroughputExceededException"), "storage_busy"),
    (refusal("AccessDenied", 403), "storage_denied"),
    (refusal("NoSuchBucket", 404), "storage_failed"),
    (refusal("ResourceNotFoundException"), "storage_failed"),
    (refusal("ValidationException"), "storage_failed"),
    (ConnectTimeoutError(endpoint_url="https://x"), "storage_unreachable"),
    (ReadTimeoutError(endpoint_url="https://x"), "storage_unreachable"),
    (EndpointConnectionError(endpoint_url="https://x"), "storage_unreachable"),
    (NoCredentialsError(), "storage_unreachable"),
    (NoRegionError(), "storage_unreachable"),
]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_every_failure_is_a_storage_error(aws_storage: Storage, call: Callable[[Storage], object]) -> None:
    sent = Requests(aws_storage)
    for failure, code in FAILURES:
        sent.failures[:] = [failure]
        with pytest.raises(StorageError) as caught:
            call(aws_storage)
        uploading = isinstance(failure, dict) and call is CALLS["put_file"]
        assert caught.value.code == ("storage_unreachable" if uploading else code), failure
        assert sent.failures == []


def test_a_missing_bucket_or_table_is_no_missing_object(aws_session: boto3.Session) -> None:
    storage = aws.open_storage("never-made", "never-made", aws_session)
    for name in ("get", "put", "keys", "get entry", "query", "commit one", "commit two"):
        with pytest.raises(StorageError):
            CALLS[name](storage)


def test_a_stream_that_breaks_off_is_a_storage_error(aws_storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    aws_storage.objects.put("raw/x", b"body")

    def fail(*_: Any, **__: Any) -> bytes:
        raise ReadTimeoutError(endpoint_url="https://x")

    monkeypatch.setattr(StreamingBody, "read", fail)
    with pytest.raises(StorageError, match="storage_unreachable"):
        aws_storage.objects.get("raw/x")


COLLISIONS = {
    "transaction": (2, refusal("TransactionCanceledException", 400, "None", "TransactionConflict")),
    "transaction in progress": (2, refusal("TransactionInProgressException")),
    "transaction throttled": (2, refusal("TransactionCanceledException", 400, "ThrottlingError", "None")),
    "single write": (1, refusal("TransactionConflictException")),
}


@pytest.mark.parametrize(("size", "failure"), COLLISIONS.values(), ids=COLLISIONS)
def test_a_collision_is_tried_again(
    aws_storage: Storage, pauses: list[float], size: int, failure: dict[str, Any]
) -> None:
    sent = Requests(aws_storage, *[failure] * 4)
    aws_storage.index.commit([Put("p", str(n), b"", 0) for n in range(size)])
    assert len(aws_storage.index.query("p")) == size
    assert len(pauses) == 4
    tokens = [parameters.get("ClientRequestToken") for name, parameters in sent.made if name != "Query"]
    assert len(tokens) == 5
    assert len(set(tokens)) == 1
    sent.failures[:] = [failure] * 5
    with pytest.raises(StorageError, match="storage_busy"):
        aws_storage.index.commit([Put("p", str(n), b"new") for n in range(size)])
    assert [entry.body for entry in aws_storage.index.query("p")] == [b""] * size


def test_a_failed_expectation_beats_a_collision(aws_storage: Storage, pauses: list[float]) -> None:
    reasons = ("TransactionConflict", "ConditionalCheckFailed")
    Requests(aws_storage, refusal("TransactionCanceledException", 400, *reasons))
    with pytest.raises(Conflict, match="'second'"):
        aws_storage.index.commit([Put("p", "first", b"", 1), Put("p", "second", b"", 1)])
    assert pauses == []


class NoBody:
    def stream(self, **_: Any) -> list[bytes]:
        return [b"{}"]


def test_a_transaction_whose_answer_was_lost_is_sent_again_under_its_token(
    remote_storage: Storage, pauses: list[float]
) -> None:
    sent: list[bytes] = []

    def lose_the_first(request: Any, **_: Any) -> AWSResponse | None:
        sent.append(request.body)
        return AWSResponse(request.url, 500, HTTPHeaders(), NoBody()) if len(sent) == 1 else None

    events: Any = clients(remote_storage).dynamodb.meta.events
    events.register_first("before-send.dynamodb.TransactWriteItems", lose_the_first)
    remote_storage.index.commit([Put("p", "a", b""), Put("p", "b", b"")])
    # DynamoDB makes what has one token once; moto knows no tokens, so that the version cannot be asserted.
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert b"ClientRequestToken" in sent[0]


@pytest.mark.parametrize("taken", [True, False])
def test_racing_new_objects_are_tried_again(aws_storage: Storage, pauses: list[float], taken: bool) -> None:
    if taken:
        aws_storage.objects.put("raw/x", b"old")
    Requests(aws_storage, refusal("ConditionalRequestConflict", 409), refusal("ConditionalRequestConflict", 409))
    assert aws_storage.objects.put_new("raw/x", b"new") is not taken
    assert len(pauses) == 2
    assert aws_storage.objects.get("raw/x") == (b"old" if taken else b"new")


def test_a_denied_stat_is_no_missing_object(aws_storage: Storage) -> None:
    Requests(aws_storage, refusal("403", 403))
    with pytest.raises(StorageError, match="storage_denied"):
        aws_storage.objects.stat("raw/x")
    with pytest.raises(NotFound):
        aws_storage.objects.stat("raw/x")


@pytest.mark.parametrize("on", [True, False])
def test_a_new_client_leaves_the_garbage_collector_as_it_was(aws_session: boto3.Session, on: bool) -> None:
    was_on = gc.isenabled()
    try:
        (gc.enable if on else gc.disable)()
        made = aws.Clients(aws_session)
        assert (made.s3, made.dynamodb) == (made.s3, made.dynamodb)
        assert gc.isenabled() == on
    finally:
        (gc.enable if was_on else gc.disable)()
