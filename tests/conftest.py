"""Storages for tests: `storage` runs a test over all, `local_storage`, `aws_storage` and `engines_storage` over one.

The AWS one is moto in this process, the engines are DynamoDB Local and SeaweedFS, where they are installed. Each is
started once, since that and the first client cost most of the time; every test has its own bucket and table.
A Scan, which no question may need, fails the test that causes it, but for one that is marked as `repair`.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.storage import Storage, local
from deploy import package
from tests import browser, packaged
from tests.resources import create_resources

if TYPE_CHECKING:
    import boto3

    from tests.deployment import Deployment
    from tests.engines import Engines

pytest.register_assert_rewrite("tests.contract", "tests.deployment")
_numbers = itertools.count(1)

# What an engine does otherwise than AWS, by the test that it fails. A new version that mends it fails as XPASS.
_OTHERWISE = {
    "test_keys_come_by_prefix_in_ascending_order[engines-]": (
        "SeaweedFS sorts the keys of a versioned bucket percent-encoded, so that Chinese comes before ASCII"
    ),
}


def pytest_configure() -> None:
    """Every answer that a test gets by tests/gateway.py is held to the contract."""
    from tests import contract, gateway

    gateway.CHECKS.append(contract.check_answer)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if "engines" in item.keywords]
    lacks = _missing_engines() if marked else ""
    for item in marked:
        if lacks:
            item.add_marker(pytest.mark.skip(reason=f"missing: {lacks}"))
        elif item.name in _OTHERWISE:
            item.add_marker(pytest.mark.xfail(reason=_OTHERWISE[item.name]))

    lacks = browser.missing()
    for item in items:
        if lacks and "browser" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=f"missing: {lacks}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [report for report in terminalreporter.getreports("skipped") if "engines" in report.keywords]
    if skipped and _missing_engines():
        said = f"{len(skipped)} TESTS DID NOT RUN ON REAL ENGINES. Missing: {_missing_engines()}."
        terminalreporter.write_line(said, red=True, bold=True)
    skipped = [report for report in terminalreporter.getreports("skipped") if "browser" in report.keywords]
    if skipped and browser.missing():
        said = f"{len(skipped)} TESTS DID NOT RUN IN A BROWSER. Missing: {browser.missing()}."
        terminalreporter.write_line(said, red=True, bold=True)


def _missing_engines() -> str:
    from tests.engines import missing

    return missing()


@pytest.fixture(params=["local", "aws", pytest.param("engines", marks=pytest.mark.engines)])
def storage(request: pytest.FixtureRequest) -> Storage:
    found: Storage = request.getfixturevalue(f"{request.param}_storage")
    return found


@pytest.fixture(params=["aws", pytest.param("engines", marks=pytest.mark.engines)])
def remote_storage(request: pytest.FixtureRequest) -> Storage:
    """A storage on S3 and DynamoDB: imitated by moto, and on the engines."""
    found: Storage = request.getfixturevalue(f"{request.param}_storage")
    return found


@pytest.fixture
def made_up_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are in the notation of made_reports, and read by its reader; who loses against another writer waits shortly."""
    from chalicelib.ingestion import ingest
    from tests.made_reports import read_report

    monkeypatch.setattr("chalicelib.reading.parse.parse", read_report)
    monkeypatch.setattr(ingest, "FIRST_PAUSE", 0.001)


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
    with _without_scans(opened, request):
        yield opened


@pytest.fixture
def engines_storage(
    engines: Engines, engines_session: boto3.Session, request: pytest.FixtureRequest
) -> Iterator[Storage]:
    name = f"reports-{next(_numbers)}"
    with engines.storage(name, engines_session) as opened, _without_scans(opened, request):
        yield opened


@contextlib.contextmanager
def _without_scans(opened: Storage, request: pytest.FixtureRequest) -> Iterator[None]:
    from chalicelib.storage import aws

    assert isinstance(opened.index, aws.DynamoIndex)
    scans: list[Any] = []
    opened.index.clients.dynamodb.meta.events.register(
        "before-parameter-build.dynamodb.Scan", lambda **call: scans.append(call)
    )
    yield
    assert not scans or request.node.get_closest_marker("repair"), "a question was answered by a Scan"


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Both engines, for all tests of this process."""
    from tests.engines import running

    with running() as started:
        yield started


@pytest.fixture(scope="session")
def engines_session(engines: Engines) -> boto3.Session:
    with engines.session() as session:
        session.get_credentials()
        return session


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


@pytest.fixture(scope="session")
def deployment(
    package_dev: Path, engines: Engines, engines_session: boto3.Session, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The packaged functions over the engines, out of the unpacked zip; for all tests of this process."""
    from chalicelib.storage import aws
    from tests.deployment import Deployment

    name = f"reports-{next(_numbers)}"
    with engines.storage(name, engines_session) as storage:
        assert isinstance(storage.index, aws.DynamoIndex)
        # Made while the engines' addresses are set.
        assert storage.index.clients.s3
        assert storage.index.clients.dynamodb
    there = Deployment(package_dev, engines, storage, name, tmp_path_factory.mktemp("deployed"))
    yield there
    there.close()


@pytest.fixture(scope="session")
def told(deployment: Deployment) -> dict[str, Any]:
    """What each of `tests.stories` gave back; all of it has happened to the deployment."""
    from tests import stories

    return stories.tell_all(deployment)
