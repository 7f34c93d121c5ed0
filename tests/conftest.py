"""Storages for tests: `storage` runs a test over both, `local_storage` and `aws_storage` over one, `objects` is the local one's.

The AWS one is moto in this process. It is started once, since that and the first client cost most of the time; every
test has its own bucket and table. A Scan, which no question may need, fails the test that causes it, but for one that
is marked as `repair`.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.storage import Storage, local
from deploy import package
from tests import packaged

if TYPE_CHECKING:
    import boto3

_numbers = itertools.count(1)


@pytest.fixture(params=["local", "aws"])
def storage(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue(f"{request.param}_storage")
    return found


@pytest.fixture
def local_storage(tmp_path: Path) -> Storage:
    return local.open_storage(tmp_path / "data")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def objects(folder: Path) -> local.LocalObjects:
    opened = local.open_storage(folder).objects
    assert isinstance(opened, local.LocalObjects)
    return opened


@pytest.fixture
def aws_storage(aws_session: boto3.Session, request: pytest.FixtureRequest) -> Iterator[Storage]:
    from chalicelib.storage import aws

    name = f"reports-{next(_numbers)}"
    create_resources(aws_session, name, name)
    opened = aws.open_storage(name, name, aws_session)
    assert isinstance(opened.index, aws.DynamoIndex)
    scans: list[Any] = []
    opened.index.clients.dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.Scan", lambda **call: scans.append(call)
    )
    yield opened
    assert not scans or request.node.get_closest_marker("repair"), "a question was answered by a Scan"


@pytest.fixture(scope="session")
def aws_session() -> Iterator[boto3.Session]:
    """A session of moto's AWS, in a region that is not the default one."""
    import boto3
    from moto import mock_aws
    from moto.core.botocore_stubber import BotocoreStubber

    # moto looks and then writes without a lock: of several threads two would make the same new object.
    lock, process = threading.RLock(), BotocoreStubber.process_request

    def process_alone(self: BotocoreStubber, request: Any) -> Any:
        with lock:
            return process(self, request)

    with mock_aws(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(BotocoreStubber, "process_request", process_alone)
        yield boto3.Session(region_name="eu-west-1")


def create_resources(session: boto3.Session, bucket: str, table: str) -> None:
    """The bucket and the table as the deployment template makes them."""
    session.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    session.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture(scope="session", params=package.STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    """Runs a test for each stage of the deployment."""
    given: str = request.param
    return given


@pytest.fixture(scope="session")
def sam_template(stage: str, request: pytest.FixtureRequest) -> packaged.Template:
    """The template of the stage as packaged."""
    return packaged.read_template(request.getfixturevalue(f"package_{stage}"))


@pytest.fixture(scope="session")
def deployed(sam_template: packaged.Template) -> packaged.Template:
    """The template of the stage as AWS translates it."""
    return packaged.translate(sam_template)


@pytest.fixture(scope="session")
def package_dev(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the zip and the template of the stage dev, as packaged for AWS."""
    return packaged.package_once("dev", tmp_path_factory)


@pytest.fixture(scope="session")
def package_prod(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaged.package_once("prod", tmp_path_factory)
