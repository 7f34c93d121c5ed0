"""Events as AWS hands them to functions: a request of API Gateway's REST API, and SQS messages with S3's notices."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlsplit

ACCOUNT, API, STAGE = "123456789012", "a1b2c3d4e5", "api"

Event = dict[str, Any]


def host(region: str) -> str:
    """The API's own host name."""
    return f"{API}.execute-api.{region}.amazonaws.com"


def request_event(
    resource: str,
    captured: Mapping[str, str],
    method: str,
    url: str,
    region: str,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Event:
    """A request for `url` (path and query, percent-encoded) below the stage, in the payload format 1.0.

    Path and path parameters come as they were sent, query values decoded.
    """
    parts, now, request = urlsplit(url), datetime.now(UTC), str(uuid.uuid4())
    sent = {**_client_headers(region), **(headers or {})}
    query = parse_qs(parts.query, keep_blank_values=True)
    return {
        "resource": resource,
        "path": parts.path,
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(captured) or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "x7y8z9",
            "resourcePath": resource,
            "httpMethod": method,
            "extendedRequestId": "JKJaXmPLvHcESHA=",
            "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(now.timestamp() * 1000),
            "path": f"/{STAGE}{parts.path}",
            "accountId": ACCOUNT,
            "protocol": "HTTP/1.1",
            "stage": STAGE,
            "domainPrefix": API,
            "domainName": host(region),
            "requestId": request,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": sent["User-Agent"], "accountId": None, "caller": None}
            | ({"apiKeyId": "a1b2c3"} if "x-api-key" in {name.lower() for name in sent} else {}),
            "apiId": API,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def _client_headers(region: str) -> dict[str, str]:
    return {
        "Accept": "*/*",
        "Host": host(region),
        "User-Agent": "curl/8.5.0",
        "X-Amzn-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }


def creation_notice(bucket: str, key: str, size: int, etag: str, region: str) -> str:
    """The body of the message by which S3 tells its queue of an object that was put."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AIDAINPONIXQXHT3IKHL2"},
        "requestParameters": {"sourceIPAddress": "203.0.113.7"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "b1d3a5e7-uploads",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": size,
                "eTag": etag,
                "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
                "sequencer": f"{time.time_ns():018X}",
            },
        },
    }
    return json.dumps({"Records": [record]})


def queue_event(bodies: Iterable[str], queue: str, region: str, received: int = 1) -> Event:
    """One batch of the queue with the ARN `queue`, delivered for the `received`th time; each message has its own id."""
    return {"Records": [_message(body, queue, region, received) for body in bodies]}


def _message(body: str, queue: str, region: str, received: int) -> Event:
    now = int(time.time() * 1000)
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": str(received),
            "SentTimestamp": str(now),
            "SenderId": "AIDAJQR6QDGQ7PATMSYEY",
            "ApproximateFirstReceiveTimestamp": str(now + 12),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": region,
    }


def schedule_event(region: str) -> Event:
    """What EventBridge hands to a scheduled function."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": [f"arn:aws:events:{region}:{ACCOUNT}:rule/reports-dev-ExportBulkScheduled"],
        "detail": {},
    }
