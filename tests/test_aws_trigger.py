"""The trigger on AWS: what S3 tells the queue, handed to the app's handler as Lambda would, publishes the report.

S3, SQS and DynamoDB are moto's, with its own delivery of bucket notifications.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import orjson
import pytest
import requests

from app import app, ingest_upload
from chalicelib.catalog import layout
from chalicelib.errors import StorageError
from chalicelib.ingestion import uploads
from chalicelib.storage import Storage, aws
from tests.made_reports import read_report, report
from tests.resources import create_resources, properties
from tests.soundness import assert_sound

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sqs import SQSClient

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
TINGPANG = (SEEDS / "亭旁镇-2022.txt").read_bytes()
REPORT = "331022103-2022"
NOW = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)
TRIES = properties("IncomingQueue")["RedrivePolicy"]["maxReceiveCount"]

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Stack:
    """A bucket that notifies a queue, with its dead-letter queue, and the storage over bucket and table."""

    storage: Storage
    sqs: SQSClient
    queue: str
    dead: str

    def deliver(self) -> list[str]:
        """One round of Lambda's: hand a batch to the handler, delete all but what it reports as failed; those ids."""
        messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        batch = messages.get("Messages", [])
        answer = ingest_upload({"Records": [_record(message) for message in batch]}, None)
        failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        for message in batch:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return failed

    def deliver_each(self) -> list[str]:
        """Lambda's as deployed, until nothing is visible: a message at a time, one that failed hidden until the end.

        The ids of those that failed, whether the function said so or died.
        """
        failed: dict[str, str] = {}
        while batch := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=1, VisibilityTimeout=900).get(
            "Messages"
        ):
            message, handle = batch[0], {"QueueUrl": self.queue, "ReceiptHandle": batch[0]["ReceiptHandle"]}
            try:
                answer = ingest_upload({"Records": [_record(message)]}, None)
            except SystemExit:  # the end of a process: nothing is answered
                answer = {"batchItemFailures": [{"itemIdentifier": message["MessageId"]}]}
            if answer["batchItemFailures"]:
                failed[message["MessageId"]] = message["ReceiptHandle"]
            else:
                self.sqs.delete_message(**handle)
        for receipt in failed.values():
            self.sqs.change_message_visibility(QueueUrl=self.queue, ReceiptHandle=receipt, VisibilityTimeout=0)
        while self.waiting(self.queue) < len(failed):
            time.sleep(0.001)
        return list(failed)

    def waiting(self, queue: str) -> int:
        asked = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])


def _record(message: Any) -> dict[str, Any]:
    """A message as Lambda's event source mapping hands it on."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:uploads",
        "awsRegion": "eu-west-1",
    }


@pytest.fixture
def stack(aws_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Stack:
    name = f"trigger-{next(_numbers)}"
    create_resources(aws_session, name, name)
    sqs = aws_session.client("sqs")
    dead = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    redrive = {"deadLetterTargetArn": _arn(sqs, dead), "maxReceiveCount": str(TRIES)}
    queue = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": orjson.dumps(redrive).decode()})["QueueUrl"]
    aws_session.client("s3").put_bucket_notification_configuration(
        Bucket=name,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": _arn(sqs, queue),
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "incoming/"}]}},
                }
            ]
        },
    )
    storage = aws.open_storage(name, name, aws_session)
    monkeypatch.setitem(vars(app), "storage", storage)
    return Stack(storage, sqs, queue, dead)


def _arn(sqs: SQSClient, queue: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def summary(storage: Storage) -> dict[str, Any]:
    entry = storage.index.get(*layout.head(REPORT))
    assert entry is not None
    return dict(orjson.loads(layout.read_head(entry.body).summary))


@pytest.mark.parametrize("key", ["incoming/亭旁镇 2022+.txt", "incoming/三门县/亭旁镇/a.txt"])
def test_an_object_put_under_incoming_is_published(stack: Stack, key: str) -> None:
    stack.storage.objects.put(key, TINGPANG)
    assert stack.deliver() == []
    assert summary(stack.storage)["filename"] == key.rpartition("/")[2]
    record = orjson.loads(stack.storage.objects.get(layout.record_object(REPORT, 1)))
    text = stack.storage.objects.get(layout.text_object(REPORT, 1)).decode()
    assert record["indicators"]
    assert all(
        text[i["evidence"]["start"] : i["evidence"]["end"]] == i["evidence"]["quote"] for i in record["indicators"]
    )
    assert list(stack.storage.objects.keys("incoming/")) == []
    assert stack.waiting(stack.queue) == 0


def test_a_file_put_at_an_upload_address_is_published_and_its_state_says_so(stack: Stack) -> None:
    state, address = uploads.create(stack.storage, uploads.Announced("报告.txt", len(TINGPANG)), NOW)
    answer = requests.request(address.method, address.url, data=TINGPANG, headers=dict(address.headers), timeout=10)
    assert answer.status_code == 200
    assert stack.deliver() == []
    found = uploads.read(stack.storage, state["id"])
    assert (found["state"], found["report"]) == ("published", {"id": REPORT, "revision": 1})
    assert summary(stack.storage)["filename"] == "报告.txt"


def test_what_ingestion_itself_writes_triggers_nothing(stack: Stack) -> None:
    stack.storage.objects.put("incoming/a.txt", TINGPANG)
    stack.deliver()
    assert stack.waiting(stack.queue) == 0


def test_a_message_delivered_twice_publishes_once(stack: Stack) -> None:
    stack.storage.objects.put("incoming/a.txt", TINGPANG)
    message = stack.sqs.receive_message(QueueUrl=stack.queue, MaxNumberOfMessages=10)["Messages"][-1]
    for _ in range(2):
        assert ingest_upload({"Records": [_record(message)]}, None) == {"batchItemFailures": []}
    pk, prefix = layout.revisions(REPORT)
    assert len(stack.storage.index.query(pk, prefix=prefix)) == 1


def test_of_a_batch_only_the_failed_messages_come_again_and_end_as_dead_letters(stack: Stack) -> None:
    stack.deliver()  # what S3 sends when notifications are set up
    bad = stack.sqs.send_message(QueueUrl=stack.queue, MessageBody="no notification")["MessageId"]
    stack.storage.objects.put("incoming/a.txt", TINGPANG)
    for _ in range(TRIES):
        assert stack.deliver() == [bad]
    assert summary(stack.storage)["revision"] == 1
    assert stack.deliver() == []
    assert stack.waiting(stack.dead) == 1


def test_a_storage_failure_leaves_the_object_for_the_next_delivery(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def throttled(*_: Any) -> None:
        raise StorageError("throttled", "Slow down.")

    stack.deliver()
    stack.storage.objects.put("incoming/a.txt", TINGPANG)
    with monkeypatch.context() as patched:
        patched.setattr(type(stack.storage.index), "commit", throttled)
        assert len(stack.deliver()) == 1
    assert list(stack.storage.objects.keys("incoming/")) == ["incoming/a.txt"]
    assert stack.deliver() == []
    assert summary(stack.storage)["revision"] == 1


def test_a_refused_file_is_no_failed_message(stack: Stack) -> None:
    stack.storage.objects.put("incoming/a.png", b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert stack.deliver() == []
    assert len(list(stack.storage.objects.keys("rejected/"))) == 1


def kill_the_process(*_: object) -> NoReturn:
    raise SystemExit(137)  # as the kernel does to a process out of memory


@pytest.mark.repair
def test_a_poison_file_goes_to_the_dead_letters_and_holds_no_other(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(data: bytes, *more: Any) -> Any:
        return kill_the_process() if b"poison" in data else read_report(data, *more)

    stack.deliver_each()  # what S3 sends when notifications are set up
    monkeypatch.setattr("chalicelib.reading.parse.parse", parse)
    bad = report("poison", town="331083106")
    stack.storage.objects.put("incoming/0-poison", bad)
    no_notification = stack.sqs.send_message(QueueUrl=stack.queue, MessageBody="no notification")["MessageId"]
    for number in range(3):
        stack.storage.objects.put(f"incoming/{number}", report(f"{number}", year=2020 + number))
    for _ in range(TRIES):
        failed = stack.deliver_each()
        assert len(failed) == 2
        assert no_notification in failed
        assert list(stack.storage.objects.keys("incoming/")) == ["incoming/0-poison"], "the others are held"
    assert stack.deliver_each() == []
    assert (stack.waiting(stack.queue), stack.waiting(stack.dead)) == (0, 2)
    assert stack.storage.objects.get(layout.raw_object(hashlib.sha256(bad).hexdigest())) == bad
    # When what it died of is mended, the dead letter is sent again.
    monkeypatch.setattr("chalicelib.reading.parse.parse", read_report)
    for message in stack.sqs.receive_message(QueueUrl=stack.dead, MaxNumberOfMessages=10)["Messages"]:
        stack.sqs.send_message(QueueUrl=stack.queue, MessageBody=message["Body"])
    assert len(stack.deliver_each()) == 1
    sent = {"0-poison": bad, **{f"{number}": report(f"{number}", year=2020 + number) for number in range(3)}}
    reports = ["331083106-2022", *(f"331022103-{2020 + number}" for number in range(3))]
    assert_sound(stack.storage, sent, reports, datetime.now(UTC))


def test_a_file_that_the_parser_fails_on_is_refused_at_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr("chalicelib.reading.parse.parse", parse)
    stack.deliver_each()
    stack.storage.objects.put("incoming/a.txt", report())
    assert stack.deliver_each() == []
    assert stack.waiting(stack.queue) == 0
    (refusal,) = stack.storage.objects.keys("rejected/")
    assert orjson.loads(stack.storage.objects.get(refusal))["reasons"][0]["code"] == "parser_failed"
