"""The trigger of ingestion: an SQS event whose bodies are S3 notifications. Built for local use, read for both."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import orjson

from chalicelib.errors import BadRequest

PREFIX = "incoming/"
REGION = "us-east-1"
# A local file name may hold bytes that are no UTF-8; Python spells those so, and they must come back as they were.
ODD_BYTES = "surrogateescape"

Event = dict[str, Any]


def upload_event(keys: Iterable[str], now: datetime, bucket: str = "local") -> Event:
    """The event that AWS would send for objects just put under `keys`: a record a key, each with its own messageId."""
    return {"Records": [_message(key, number, now, bucket) for number, key in enumerate(keys)]}


def uploaded_keys(body: str) -> list[str]:
    """The keys that one SQS record's body reports as created under `incoming/`, decoded, folder marks left out.

    Empty for S3's test event and for removals. Raises BadRequest `bad_event` for anything that is no notification.
    """
    try:
        notice = orjson.loads(body)
        if notice.get("Event") == "s3:TestEvent":
            return []
        keys = [
            unquote_plus(r["s3"]["object"]["key"], errors=ODD_BYTES)
            for r in notice["Records"]
            if _is_creation(r["eventName"])
        ]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise BadRequest("bad_event", f"The message is no S3 notification: {body[:200]!r}.") from error
    return [key for key in keys if key.startswith(PREFIX) and not key.endswith("/")]


def _is_creation(name: str) -> bool:
    return name.removeprefix("s3:").startswith("ObjectCreated:")


def _message(key: str, number: int, now: datetime, bucket: str) -> Event:
    moment = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = orjson.dumps({"Records": [_notice(key, moment, bucket)]}).decode()
    message_id = hashlib.sha256(f"{number}\n{moment}\n{key}".encode(errors=ODD_BYTES)).hexdigest()[:32]
    return {
        "messageId": message_id,
        "receiptHandle": message_id,
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(now.timestamp() * 1000))},
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:{bucket}",
        "awsRegion": REGION,
    }


def _notice(key: str, moment: str, bucket: str) -> Event:
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": moment,
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(key, safe="/", errors=ODD_BYTES)},
        },
    }
