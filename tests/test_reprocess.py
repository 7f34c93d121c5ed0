"""The command `reprocess`: by processes of this machine over a folder, and by a queue whose messages a function takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from app import app, reprocess_report
from chalicelib.__main__ import main
from chalicelib.catalog import layout
from chalicelib.errors import ReportsError, StorageError
from chalicelib.ingestion import ingest
from chalicelib.maintenance import outcome as told
from chalicelib.maintenance import pool, reprocess, task
from chalicelib.maintenance.listing import Subject
from chalicelib.maintenance.task import Run
from chalicelib.reading import parse as reading
from chalicelib.records import Parsed
from chalicelib.storage import Storage, aws, local, queue_aws
from tests.made_reports import NOW, REPORT, TOWN, drop, read_report, report, revisions
from tests.running_server import ROOT
from tests.test_reread import better, refusing

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sqs import SQSClient

SEEDS = ROOT / "seeds"
Captured = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


# On one machine.


def run(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chalicelib", "reprocess", *arguments]
    environment = {**os.environ, "REPORTS_DATA": str(data)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def worse(data: bytes, filename: str = "", township: str | None = None) -> Parsed:
    """The real reader, but it misses the first figure, takes the second one's year wrong, and refuses 芦浦镇."""
    if filename.startswith("芦浦镇"):
        return refusing(data)
    parsed = REAL(data, filename, township)
    _, second, *others = parsed.record["indicators"]
    read = [{**second, "year": 1999}, *others]
    indicators = [{**each, "id": f"i{n}"} for n, each in enumerate(read, 1)]
    return Parsed({**parsed.record, "indicators": indicators, "checks": []}, parsed.text)


REAL = reading.parse


@pytest.fixture
def seeded(tmp_path: Path, monkeypatch: Patch) -> Path:
    """A data folder with the seeds as an earlier reader read them."""
    storage = local.open_storage(tmp_path / "data")
    with monkeypatch.context() as patched:
        patched.setattr(reading, "parse", worse)
        for path in sorted(SEEDS.glob("*.txt")):
            drop(storage, path.name, path.read_bytes())
    return tmp_path / "data"


def test_everything_is_read_again_and_gains_and_losses_are_told(seeded: Path, tmp_path: Path) -> None:
    details = tmp_path / "details.ndjson"
    foreseen = run("--dry-run", data=seeded)
    done = run("--json", str(details), data=seeded)
    assert (done.returncode, foreseen.returncode) == (0, 0), done.stderr + foreseen.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("report 331022103-2022: revised, revision 2: indicators +1 -0 ~1 (year 1)")
    assert next(line for line in lines if line.startswith("upload")).endswith(
        ": published as 331083106-2020 revision 1"
    )
    table = dict(line.rsplit("  ", 1)[0].rsplit(None, 1) for line in lines if line.startswith("  "))
    assert {name.strip(): count for name, count in table.items()} == {"revised": "4", "published": "1"}
    assert [line for line in foreseen.stdout.splitlines() if line.startswith("indicators")] == [
        line for line in lines if line.startswith("indicators")
    ]
    outcomes = [json.loads(line) for line in details.read_text().splitlines()]
    assert sorted(each["report"] for each in outcomes) == sorted(
        ["331022103-2022", "330603109-2023", "331024106-2023", "331082113-2023", "331083106-2020"]
    )
    assert outcomes[0]["differences"]["changed"][0]["fields"]["year"][0] == 1999
    again = run(data=seeded)
    assert again.stdout.splitlines() == [
        "reports                     5",
        "  unchanged                 5  read as before",
    ]
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--where", "yeer=2022"], "nothing called 'yeer'"),
        (["--where", "county=无此县"], "No county has the code or name"),
        (["--no-wait"], "REPORTS_REPROCESS_QUEUE"),
        (["--run", "abc"], "There is no run 'abc'"),
        (["--run", "../x"], "There is no run '../x'"),
        (["--json", "/nowhere/x"], "/nowhere/x: No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    tmp_path: Path, monkeypatch: Patch, capfd: Captured, arguments: list[str], says: str
) -> None:
    monkeypatch.setenv("REPORTS_DATA", str(tmp_path))
    assert main(["reprocess", *arguments]) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n"), says in err) == ("", 1, True), err


def test_bytes_that_are_gone_are_a_failure_that_stops_nothing(seeded: Path) -> None:
    storage = local.open_storage(seeded)
    record = orjson.loads(storage.objects.get(layout.record_object("331022103-2022", 1)))
    storage.objects.delete(layout.raw_object(record["source"]["sha256"]))
    done = run("--where", "state=published", data=seeded)
    assert done.returncode == 1
    assert "report 331022103-2022: failed: object_missing: There is no object 'raw/" in done.stdout
    assert "  revised                   3  " in done.stdout


def test_no_more_tasks_are_handed_on_than_are_worked_on_soon(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("REPORTS_DATA", str(tmp_path))
    asked = []

    def subjects() -> Iterator[Subject]:
        for number in range(100):
            asked.append(number)
            yield Subject(told.REPORT, f"{TOWN}-{number:04d}")

    outcomes = pool.perform_all(Run("r"), subjects(), 1)
    assert next(outcomes).id == f"{TOWN}-0000"
    assert len(asked) <= pool.AHEAD
    outcomes.close()  # type: ignore[attr-defined]


def die(*_: object) -> None:
    os._exit(9)


def test_a_process_that_is_killed_is_told_in_a_line(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(pool, "_perform", die)
    with pytest.raises(ReportsError) as caught:
        list(pool.perform_all(Run("r"), [Subject(told.REPORT, REPORT)], 1))
    assert caught.value.code == "process_died"


# By queue.


class Stack:
    """A storage on S3 and DynamoDB, and the queue whose messages `deliver` hands to the function as Lambda does."""

    def __init__(self, storage: Storage, sqs: SQSClient, url: str) -> None:
        self.storage, self.sqs, self.url = storage, sqs, url

    def messages(self) -> list[dict[str, Any]]:
        found = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        return [
            {"messageId": each["MessageId"], "body": each["Body"], "receipt": each["ReceiptHandle"]} for each in found
        ]

    def deliver(self) -> list[str]:
        """Work on all that waits; the bodies that failed."""
        failed = []
        while batch := self.messages():
            answer = reprocess_report({"Records": batch}, None)
            again = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            failed += [each["body"] for each in batch if each["messageId"] in again]
            for each in batch:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=each["receipt"])
        return failed


@pytest.fixture
def stack(aws_storage: Storage, aws_session: boto3.Session, monkeypatch: Patch) -> Stack:
    sqs = aws_session.client("sqs")
    assert isinstance(aws_storage.objects, aws.S3Objects)
    url = sqs.create_queue(QueueName=f"reprocess-{id(aws_storage)}")["QueueUrl"]
    monkeypatch.setitem(vars(app), "storage", aws_storage)
    monkeypatch.setenv(reprocess.QUEUE, url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(reprocess, "open_storage", lambda _: aws_storage)
    monkeypatch.setattr("chalicelib.storage.open_storage", lambda _: aws_storage)
    monkeypatch.setattr(reading, "parse", read_report)
    monkeypatch.setattr(reprocess, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(ingest, "FIRST_PAUSE", 0.001)
    return Stack(aws_storage, sqs, url)


def test_messages_are_sent_worked_on_and_told(stack: Stack, monkeypatch: Patch, capfd: Captured) -> None:
    for year in range(2010, 2022):
        drop(stack.storage, f"{year}.txt", report(year=year))
    upload = drop(stack.storage, "a.txt", b"no report")["id"]
    monkeypatch.setattr(reading, "parse", better)
    assert main(["reprocess", "--no-wait", "--where", "year!=2010"]) == 0
    run_id = capfd.readouterr().out.strip()
    assert main(["reprocess", "--run", run_id]) == 1
    assert capfd.readouterr().out.splitlines()[-1].startswith("not done                   11  ")
    assert stack.deliver() == []
    assert main(["reprocess", "--run", run_id]) == 0
    out = capfd.readouterr().out.splitlines()
    assert out[0] == f"report {TOWN}-2011: revised, revision 2: indicators +0 -0 ~1 (name 1)"
    assert out[11:13] == [
        "reports                    11",
        "  revised                  11  read otherwise: a new revision",
    ]
    assert revisions(stack.storage, f"{TOWN}-2010") == [1]
    assert main(["reprocess", "--no-wait", "--where", "state=rejected"]) == 0
    run_id = capfd.readouterr().out.strip()
    stack.deliver()
    kept = task.read_outcome(stack.storage.objects.get(task.outcome_object(run_id, upload)))
    assert kept.status == told.UNCHANGED


def test_the_command_waits_for_the_last_outcome(stack: Stack, monkeypatch: Patch, capfd: Captured) -> None:
    drop(stack.storage, "a.txt", report())
    monkeypatch.setattr(reading, "parse", better)
    monkeypatch.setattr("time.sleep", lambda _: stack.deliver())
    assert main(["reprocess"]) == 0
    assert capfd.readouterr().out.startswith(f"report {REPORT}: revised, revision 2")


def test_it_waits_no_longer_than_anything_is_on_the_way(stack: Stack, monkeypatch: Patch, capfd: Captured) -> None:
    drop(stack.storage, "a.txt", report())
    monkeypatch.setattr(reprocess, "STILL_SECONDS", 0)
    monkeypatch.setattr("time.sleep", lambda _: stack.sqs.purge_queue(QueueUrl=stack.url))
    assert main(["reprocess"]) == 1
    assert "not done                    1" in capfd.readouterr().out


def test_a_dry_run_by_queue_writes_outcomes_alone(stack: Stack, monkeypatch: Patch, capfd: Captured) -> None:
    drop(stack.storage, "a.txt", report())
    monkeypatch.setattr(reading, "parse", better)
    main(["reprocess", "--dry-run", "--no-wait"])
    run_id = capfd.readouterr().out.strip()
    assert stack.deliver() == []
    assert main(["reprocess", "--run", run_id]) == 0
    out = capfd.readouterr().out
    assert "dry run: nothing was written" in out
    assert "revised, revision 2" in out
    assert revisions(stack.storage, REPORT) == [1]


def message(**asked: Any) -> dict[str, Any]:
    return {"messageId": "m", "body": json.dumps({"reprocess": asked})}


def outcome(storage: Storage) -> told.Outcome:
    return task.read_outcome(storage.objects.get(task.outcome_object("r", REPORT)))


def test_a_message_that_comes_twice_makes_one_revision_and_tells_it(stack: Stack, monkeypatch: Patch) -> None:
    drop(stack.storage, "a.txt", report())
    monkeypatch.setattr(reading, "parse", better)
    for _ in range(2):
        assert reprocess_report({"Records": [message(run="r", report=REPORT)]}, None) == {"batchItemFailures": []}
    assert revisions(stack.storage, REPORT) == [1, 2]
    assert (outcome(stack.storage).status, outcome(stack.storage).revision) == (told.REVISED, 2)


def test_what_was_told_before_it_broke_off_is_told_anew(stack: Stack, monkeypatch: Patch) -> None:
    """The function dies between its outcome and the transaction that shows; another reader's upload comes first."""
    drop(stack.storage, "a.txt", report())
    monkeypatch.setattr(reading, "parse", better)
    task.take_message(stack.storage, message(run="r", report=REPORT)["body"], NOW)
    task.keep_outcome(stack.storage, Run("r"), replace(outcome(stack.storage), revision=9))
    task.take_message(stack.storage, message(run="r", report=REPORT)["body"], NOW)
    assert outcome(stack.storage).status == told.UNCHANGED


@pytest.mark.parametrize("body", ["", "no json", "{}", "[]", '{"reprocess": {}}', '{"reprocess": {"run": "r"}}'])
def test_a_message_that_is_none_comes_again_and_holds_no_other(stack: Stack, body: str) -> None:
    drop(stack.storage, "a.txt", report())
    records = [{"messageId": "bad", "body": body}, message(run="r", report=REPORT)]
    answer = reprocess_report({"Records": records}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert outcome(stack.storage).status == told.UNCHANGED


def test_a_storage_failure_lets_the_message_come_again(stack: Stack, monkeypatch: Patch) -> None:
    def throttled(*_: Any) -> None:
        raise StorageError("throttled", "Slow down.")

    drop(stack.storage, "a.txt", report())
    monkeypatch.setattr(reading, "parse", better)
    with monkeypatch.context() as patched:
        patched.setattr(type(stack.storage.index), "commit", throttled)
        answer = reprocess_report({"Records": [message(run="r", report=REPORT)]}, None)
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m"}]}
    assert reprocess_report({"Records": [message(run="r", report=REPORT)]}, None) == {"batchItemFailures": []}
    assert revisions(stack.storage, REPORT) == [1, 2]


def test_what_the_queue_refuses_is_sent_again(stack: Stack, monkeypatch: Patch) -> None:
    queue = queue_aws.SqsQueue(stack.url)
    client = queue._clients.sqs
    send, refused = client.send_message_batch, [{"3", "7"}, {"7"}, set()]

    def busy(QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
        no = refused.pop(0)
        send(QueueUrl=QueueUrl, Entries=[each for each in Entries if each["Id"] not in no])
        return {"Failed": [{"Id": each} for each in no]}

    monkeypatch.setattr(client, "send_message_batch", busy)
    monkeypatch.setattr(queue_aws, "_PAUSE_SECONDS", 0.001)
    assert queue.send(f"body {n}" for n in range(10)) == 10
    assert sorted(each["body"] for each in stack.messages()) == [f"body {n}" for n in range(10)]
    monkeypatch.setattr(client, "send_message_batch", lambda **_: {"Failed": [{"Id": "0"}]})
    with pytest.raises(StorageError):
        queue.send(["body"])


def test_the_clock_of_a_run_is_of_utc(stack: Stack, capfd: Captured) -> None:
    main(["reprocess", "--no-wait"])
    about = orjson.loads(stack.storage.objects.get(f"reprocessed/{capfd.readouterr().out.strip()}.json"))
    assert abs(datetime.now(UTC) - datetime.fromisoformat(about["started"])).total_seconds() < 60
    assert about["subjects"] == 0
