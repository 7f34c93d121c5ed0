"""The template's functions at work over the engines, out of the unpacked zip, with what stands in front of them on AWS.

The gateway and the queue are played here, by what the template says of them; the object store and the table are real.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import orjson
import requests

from chalicelib.storage import Storage
from deploy import package
from tests import lambda_events as events
from tests.engines import REGION, Engines
from tests.gateway import Answer
from tests.intrinsics import Stack
from tests.lambda_function import Function, Settings, link_provided
from tests.packaged import find, read_template
from tests.recorded_calls import Call

BASE = f"https://{events.host(REGION)}/{events.STAGE}"
TABLES = f"arn:aws:dynamodb:{REGION}:{events.ACCOUNT}:table/"
QUEUE = f"arn:aws:sqs:{REGION}:{events.ACCOUNT}:reports-dev-incoming"
REPROCESS_QUEUE = f"arn:aws:sqs:{REGION}:{events.ACCOUNT}:reports-dev-reprocess"
API, INGEST, EXPORT, REPROCESS = "APIHandler", "IngestUpload", "ExportBulk", "ReprocessReport"
FUNCTIONS = (API, INGEST, EXPORT, REPROCESS)
_NAMES = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": events.ACCOUNT}
PATIENCE = 30  # seconds for the engines' answer to one request


@dataclass(frozen=True)
class Sent:
    """A file's way in: the answers to POST and PUT, the messages that failed, and the upload's state at the end."""

    created: Answer
    put: requests.Response
    failed: list[int]
    state: dict[str, Any]


class Deployment:
    """A stack made of the package in `packaged`, whose bucket and table are those of `storage`, both called `name`."""

    def __init__(self, packaged: Path, engines: Engines, storage: Storage, name: str, folder: Path) -> None:
        self.storage, self.name, self._engines, self._folder = storage, name, engines, folder
        self.template = read_template(packaged)
        self.stack = Stack(self.template, _NAMES | {"ReportsBucket": name, "ReportsTable": name}, self._attributes())
        self.answered: set[tuple[str, str]] = set()  # methods and resources that a function answered without an error
        self.calls: defaultdict[str, list[Call]] = defaultdict(list)
        self._warm: dict[str, Function] = {}
        self._numbers, self._open = itertools.count(1), ExitStack()
        self._task, self._provided = folder / "task", link_provided(folder / "runtime")
        with ZipFile(packaged / package.ARTIFACT) as zipped:
            zipped.extractall(self._task)

    def _attributes(self) -> dict[str, str]:
        return {
            "ReportsBucket.Arn": f"arn:aws:s3:::{self.name}",
            "ReportsTable.Arn": TABLES + self.name,
            "IncomingQueue.Arn": QUEUE,
            "ReprocessQueue.Arn": REPROCESS_QUEUE,
        }

    def close(self) -> None:
        self._open.close()

    # Functions.

    @contextlib.contextmanager
    def cold(self, name: str) -> Iterator[Function]:
        """Another process of a function, in which nothing has happened; its calls of AWS are recorded too."""
        properties = self.template["Resources"][name]["Properties"]
        variables = self._engines.environment() | self.stack.resolve(properties["Environment"]["Variables"])
        settings = Settings(name, properties, variables, self._task, self._provided)
        function = Function(settings, REGION, self._folder / f"{next(self._numbers)}-{name}")
        try:
            yield function
        finally:
            function.close()
            self.calls[name] += function.calls

    def function(self, name: str) -> Function:
        """The warm process of a function."""
        if name not in self._warm:
            self._warm[name] = self._open.enter_context(self.cold(name))
        return self._warm[name]

    def recorded(self, name: str) -> list[Call]:
        """All calls of AWS that processes of a function have made."""
        return self.calls[name] + (self._warm[name].calls if name in self._warm else [])

    # The gateway.

    def request(
        self, method: str, url: str, body: Any = None, function: Function | None = None, **headers: str
    ) -> Answer:
        """The gateway's answer, for a path or one of the service's own addresses."""
        path = url.removeprefix(BASE)
        sent = {name.replace("_", "-").title(): value for name, value in headers.items()}
        text = None if body is None else orjson.dumps(body).decode()
        resource, captured = self._match(path.partition("?")[0])
        operation = self._paths[resource][method.lower()]["x-amazon-apigateway-integration"]
        if operation["type"] == "mock":
            return _answer_of_the_gateway(operation)
        assert self.stack.resolve(operation["uri"]).endswith(f"functions/{{{API}.Arn}}/invocations")
        if text is not None:
            sent.setdefault("Content-Type", "application/json")
        event = events.request_event(resource, captured, method, path, REGION, text, sent)
        answer = _read_answer((function or self.function(API)).invoke(event))
        if answer.status < 400:
            self.answered.add((method, resource))
        return answer

    def get(self, url: str) -> Answer:
        return self.request("GET", url)

    @property
    def _paths(self) -> dict[str, Any]:
        found: dict[str, Any] = find(self.template, "RestAPI/DefinitionBody/paths")
        return found

    def _match(self, path: str) -> tuple[str, dict[str, str]]:
        for resource in self._paths:
            if found := re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", resource), path):
                return resource, found.groupdict()
        raise LookupError(f"the gateway has no resource for {path}")

    # The queue, the schedule, and whole ways.

    def notice(self, key: str) -> str:
        """What S3 tells of an object that lies there."""
        info = self.storage.objects.stat(key)
        return events.creation_notice(self.name, key, info.size, info.etag, REGION)

    def deliver(self, bodies: Sequence[str], function: Function | None = None) -> list[int]:
        """Hand a batch to the function; the places in the batch of the messages that come again."""
        return self._hand_over(bodies, QUEUE, function or self.function(INGEST))

    def reprocess(self, *tasks: Mapping[str, str]) -> list[int]:
        """Hand tasks of one run to the function that reads again, as one batch; the places of those that come again."""
        bodies = [orjson.dumps({"reprocess": {"run": "run-1", **task}}).decode() for task in tasks]
        return self._hand_over(bodies, REPROCESS_QUEUE, self.function(REPROCESS))

    def _hand_over(self, bodies: Sequence[str], queue: str, function: Function) -> list[int]:
        event = events.queue_event(bodies, queue, REGION)
        answer = function.invoke(event)
        assert answer.keys() == {"batchItemFailures"}
        ids = [message["messageId"] for message in event["Records"]]
        return [ids.index(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]]

    def export(self, function: Function | None = None) -> Any:
        """What the scheduled function gives back."""
        return (function or self.function(EXPORT)).invoke(events.schedule_event(REGION))

    def ask_address(self, filename: str, size: int, query: str = "", **more: str) -> Answer:
        return self.request(
            "POST", f"/v1/uploads{query}", {"filename": filename, "bytes": size, **more}, x_api_key="a key"
        )

    def put(self, created: Answer, data: bytes) -> requests.Response:
        """Send a file where and how the service said."""
        how = created.json["put"]
        return requests.request(how["method"], how["url"], data=data, headers=how["headers"], timeout=PATIENCE)

    def send(self, filename: str, data: bytes, **more: str) -> Sent:
        """A publisher's whole way: ask for an address, PUT the file, S3's notice, the upload's state."""
        created = self.ask_address(filename, len(data), **more)
        put = self.put(created, data)
        failed = self.deliver([self.notice(f"incoming/{created.json['id']}")])
        return Sent(created, put, failed, self.get(created.json["url"]).json)


def _answer_of_the_gateway(operation: dict[str, Any]) -> Answer:
    (response,) = operation["responses"].values()
    prefix = "method.response.header."
    headers = {n.removeprefix(prefix).lower(): v.strip("'") for n, v in response["responseParameters"].items()}
    return Answer(int(response["statusCode"]), headers, "")


def _read_answer(given: Any) -> Answer:
    """A function's answer, as far as the gateway takes it: a number, strings, no binary body."""
    assert given.keys() <= {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    assert isinstance(given["statusCode"], int)
    assert isinstance(given["body"], str)
    assert not given.get("isBase64Encoded")
    assert not given.get("multiValueHeaders")
    assert all(isinstance(value, str) for value in given["headers"].values())
    return Answer(given["statusCode"], {n.lower(): v for n, v in given["headers"].items()}, given["body"])
