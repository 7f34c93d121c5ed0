"""Ingestion under faults: a storage that fails at any write, events that come twice, and several uploads at once."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from chalicelib.catalog import indicators, layout, pending, stored_rows
from chalicelib.errors import StorageError
from chalicelib.ingestion import ingest, uploads
from chalicelib.storage import Storage, local
from tests.made_reports import (
    NOW,
    OTHER_WORDS,
    REPORT,
    TOWN,
    WORDS,
    drop,
    exists,
    head,
    report,
    revisions,
)
from tests.published import plain

pytestmark = pytest.mark.usefixtures("made_up_reports")


# Faults: a storage that fails at one of its writes, before or after it is made.

WRITES = ("put", "put_new", "put_file", "put_blocks", "delete", "delete_unchanged", "commit", "write")


class Failing:
    """One half of a storage whose writes count down to a failure, which `after` puts behind the write."""

    def __init__(self, inner: Any, countdown: Iterator[int], after: bool) -> None:
        self._inner, self._countdown, self._after = inner, countdown, after

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        return self._failing(inner) if name in WRITES else inner

    def _failing(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            fails = next(self._countdown) == 0
            if fails and not self._after:
                raise StorageError("disk_full", "No space left on device.")
            answer = write(*arguments)
            if fails:
                raise StorageError("disk_full", "No space left on device.")
            return answer

        return call


def failing(storage: Storage, at: int, after: bool) -> Storage:
    countdown = iter(range(at, -1000, -1))
    return Storage(Failing(storage.objects, countdown, after), Failing(storage.index, countdown, after))


def everything(storage: Storage, town: str, upload_id: str) -> dict[str, Any]:
    """All that is stored of a report of `town`, its code and its upload's id written as such."""
    partitions = [
        f"report#{town}-2022",
        f"township#{town}",
        f"upload#{upload_id}",
        "concept#fiscal_revenue",
        "year#2022",
    ]
    token = pending.current_token(storage.index, f"{town}-2022") or ""
    entries = [e for pk in partitions for e in storage.index.query(pk) if town in e.pk + e.sk or upload_id in e.pk]
    found: dict[str, Any] = {f"{e.pk} {e.sk}".replace(token, "TOKEN"): _plain(e.body, token) for e in entries}
    for prefix in (f"records/{town}", f"text/{town}", f"uploads/{upload_id}", "incoming/"):
        found |= {key: storage.objects.get(key).decode() for key in storage.objects.keys(prefix)}
    masked = orjson.dumps(found).replace(town.encode(), b"TOWN").replace(upload_id.encode(), b"UPLOAD")
    return dict(orjson.loads(masked))


def _plain(body: bytes, token: str) -> Any:
    if b"\n" in body:
        return stored_rows.read_rows(body)
    return orjson.loads(body.replace(token.encode(), b"TOKEN"))


def _visible(storage: Storage, town: str) -> list[bool]:
    def rows(pk: str) -> bool:
        return any(
            town in e.pk + e.sk for e in pending.visible(storage.index, storage.index.query(pk, prefix=runs[pk]))
        )

    runs = {f"township#{town}": "indicators#", "concept#fiscal_revenue": "2022#"}
    return [
        storage.index.get(*layout.head(f"{town}-2022")) is not None,
        any(town in e.sk for e in storage.index.query("year#2022")),
        *map(rows, runs),
    ]


def sweep_up(storage: Storage) -> None:
    """What a server does in the hours after a failure."""
    for hours in (2, 4):
        pending.sweep(storage, NOW + timedelta(hours=hours))
    assert list(pending.marks(storage.index)) == []


@pytest.mark.parametrize("after", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("revised", [False, True], ids=["first revision", "second revision"])
def test_a_failure_at_any_write_and_a_redelivery_end_in_the_same_state(
    storage: Storage, after: bool, revised: bool
) -> None:
    outcomes = []
    for at in range(40):
        town = f"3310{at:05d}"
        if revised:
            drop(storage, "first.txt", report(WORDS, town))
        data = report(WORDS + "后", town)
        upload_id = uploads.announce(storage, "a.txt", None, NOW)["id"]
        storage.objects.put(f"incoming/{upload_id}", data)
        try:
            ingest.receive(failing(storage, at, after), f"incoming/{upload_id}", NOW)
            failed = False
        except StorageError:
            failed = True
            assert len(set(_visible(storage, town))) == 1, f"half visible after write {at}"
        ingest.receive(storage, f"incoming/{upload_id}", NOW)
        assert revisions(storage, f"{town}-2022") == ([1, 2] if revised else [1])
        sweep_up(storage)
        outcomes.append(_comparable(everything(storage, town, upload_id)))
        if not failed:
            break
    assert len(outcomes) > 6
    assert all(outcome == outcomes[-1] for outcome in outcomes)


def _comparable(found: dict[str, Any]) -> dict[str, Any]:
    """Without what follows from the township's code: checksums, sizes and offsets of the bytes are equal by length."""
    text = orjson.dumps(found).decode()
    hashes = sorted(
        {word for word in text.replace("\\", "").split('"') if len(word) == 64 and word.isalnum()}, key=text.index
    )
    for number, digest in enumerate(hashes):
        text = text.replace(digest, f"SHA256-{number}")
    comparable: dict[str, Any] = orjson.loads(text)
    return comparable


def test_a_full_disk_leaves_the_upload_where_it_is_until_a_later_delivery(local_storage: Storage) -> None:
    upload_id = uploads.announce(local_storage, "a.txt", None, NOW)["id"]
    local_storage.objects.put(f"incoming/{upload_id}", report())
    with pytest.raises(StorageError):
        ingest.receive(failing(local_storage, 3, False), f"incoming/{upload_id}", NOW)
    assert exists(local_storage, f"incoming/{upload_id}")
    assert uploads.read(local_storage, upload_id)["state"] == "reading"
    state = ingest.receive(local_storage, f"incoming/{upload_id}", NOW)
    assert state is not None
    assert state["state"] == "published"


def test_a_file_too_large_for_memory_and_a_full_disk_is_a_storage_failure(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("REPORTS_MAX_BYTES", "10")
    monkeypatch.setattr("chalicelib.ingestion.intake.tempfile.NamedTemporaryFile", full)
    local_storage.objects.put("incoming/a.txt", report())
    with pytest.raises(StorageError):
        ingest.receive(local_storage, "incoming/a.txt", NOW)
    assert exists(local_storage, "incoming/a.txt")


# Several at once.


def at_once(storage: Storage, keys: list[str]) -> list[dict[str, Any]]:
    """Receive all keys in threads that start together; their states in the order of `keys`."""
    barrier, states, failures = threading.Barrier(len(keys)), dict[int, Any](), list[BaseException]()

    def work(number: int, key: str) -> None:
        barrier.wait()
        try:
            states[number] = ingest.receive(storage, key, NOW)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(keys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    return [states[number] for number in range(len(keys))]


def test_the_same_bytes_twice_at_once_are_published_once(storage: Storage) -> None:
    for name in ("a.txt", "b.txt"):
        storage.objects.put(f"incoming/{name}", report())
    states = at_once(storage, ["incoming/a.txt", "incoming/b.txt"])
    assert sorted(s["unchanged"] for s in states) == [False, True]
    assert revisions(storage, REPORT) == [1]


def test_one_event_delivered_twice_at_once_is_one_upload(storage: Storage) -> None:
    upload_id = uploads.announce(storage, "a.txt", None, NOW)["id"]
    storage.objects.put(f"incoming/{upload_id}", report())
    at_once(storage, [f"incoming/{upload_id}"] * 3)
    state = uploads.read(storage, upload_id)
    assert (state["state"], state["unchanged"]) == ("published", False)
    assert revisions(storage, REPORT) == [1]


def test_two_corrections_at_once_become_two_revisions_with_their_own_texts(storage: Storage) -> None:
    drop(storage, "first.txt", report())
    for name in "甲乙":
        storage.objects.put(f"incoming/{name}", report(WORDS + name))
    states = at_once(storage, ["incoming/甲", "incoming/乙"])
    assert sorted(s["report"]["revision"] for s in states) == [2, 3]
    for name, state in zip("甲乙", states, strict=True):
        number = state["report"]["revision"]
        assert storage.objects.get(layout.text_object(REPORT, number)).decode().endswith(name)
    line = head(storage, REPORT)
    assert line is not None
    body = storage.objects.get(layout.record_object(REPORT, 3))
    assert line["record_sha256"] == hashlib.sha256(body).hexdigest()


def test_two_different_documents_at_once_get_two_ids(storage: Storage) -> None:
    for name, words in (("a", WORDS), ("b", OTHER_WORDS)):
        storage.objects.put(f"incoming/{name}", report(words))
    states = at_once(storage, ["incoming/a", "incoming/b"])
    assert sorted(s["report"]["id"] for s in states) == [REPORT, f"{TOWN}-2022-2"]


def test_a_revision_number_left_by_a_dead_writer_is_passed_over(storage: Storage) -> None:
    drop(storage, "first.txt", report())
    storage.objects.put("incoming/dead.txt", report(WORDS + "死"))
    for at in range(9):
        try:
            ingest.receive(failing(storage, at, True), "incoming/dead.txt", NOW)
        except StorageError:
            if exists(storage, layout.record_object(REPORT, 2)):
                break
    assert drop(storage, "alive.txt", report(WORDS + "活"))["report"]["revision"] == 3
    state = ingest.receive(storage, "incoming/dead.txt", NOW)
    assert state is not None
    assert state["report"]["revision"] == 4
    assert storage.objects.get(layout.text_object(REPORT, 3)).decode().endswith("活")


def test_endless_contention_is_a_storage_failure_that_a_later_delivery_mends(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "ATTEMPTS", 3)
    local_storage.objects.put("incoming/a.txt", report())
    real = layout.shown_writes

    def outrun(summary: Any, token: str, *, expect: int, **rest: Any) -> Any:
        return real(summary, token, expect=expect + 1, **rest)

    with monkeypatch.context() as patched:
        patched.setattr(layout, "shown_writes", outrun)
        with pytest.raises(StorageError) as caught:
            ingest.receive(local_storage, "incoming/a.txt", NOW)
    assert caught.value.code == "contended"
    state = ingest.receive(local_storage, "incoming/a.txt", NOW)
    assert state is not None
    assert state["report"] == {"id": REPORT, "revision": 1}


# A report with more rows than one batch of writes holds.


def large(words: str, rows: range, value: int) -> bytes:
    return report("".join(f"名{n} large_{n} {value} 元\n" for n in rows) + words, index="A/1")


def shown(storage: Storage, most: int, monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """What every list tells of the report: revisions by the summaries, by its own rows, and by the rows of concepts."""
    concepts = [f"large_{n}" for n in range(most)]
    monkeypatch.setattr(indicators, "load_concepts", lambda: dict.fromkeys(concepts))
    monkeypatch.setattr(indicators, "find_concept", lambda concept: {"id": concept})
    pages = [plain(indicators.of_concepts(storage, concept=[c], cursor=None, limit=9)) for c in concepts]
    years = [indicators.concept(storage, c)["years"] for c in concepts]
    assert [bool(page) for page in pages] == [bool(each) for each in years]
    assert all(len(page) < 2 for page in pages), "two revisions at once"
    top = head(storage, REPORT)
    own = plain(indicators.of_township(storage, TOWN, cursor=None, limit=1000))
    rows = [row for page in pages for row in page]
    assert len(rows) == sum(row["concept"] in concepts for row in own), "not whole"
    return [{top["revision"]} if top else set(), {r["revision"] for r in own}, {r["revision"] for r in rows}]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (range(0), range(170)),
        (range(170), range(170)),
        (range(170), range(40)),
        (range(70), range(170)),
        (range(70), range(100, 160)),
    ],
    ids=["first", "large by large", "large by small", "small by large", "both small, together too many"],
)
def test_a_stop_after_any_write_shows_one_revision_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: range, after: range
) -> None:
    for at in range(40):
        storage = local.open_storage(tmp_path / str(at))
        if before:
            drop(storage, "a.txt", large(WORDS, before, 1))
        new = {2} if before else {1}
        storage.objects.put("incoming/b.txt", large(WORDS + "后", after, 2))
        try:
            ingest.receive(failing(storage, at, True), "incoming/b.txt", NOW)
            failed = False
        except StorageError:
            failed = True
        found = shown(storage, 170, monkeypatch)
        assert found in ([{1} if before else set()] * 3, [new] * 3), f"mixed after write {at}"
        ingest.receive(storage, "incoming/b.txt", NOW)
        assert shown(storage, 170, monkeypatch) == [new] * 3
        sweep_up(storage)
        if not failed:
            break
    else:
        raise AssertionError("it never came to an end")
    assert at >= 6
    left = [e.sk for n in range(170) for e in storage.index.query(f"concept#large_{n}")]
    assert len(left) == len(after), "rows of the replaced revision are left"


def test_rows_left_by_a_killed_writer_never_show_and_go_after_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = local.open_storage(tmp_path)
    drop(storage, "a.txt", large(WORDS, range(2), 1))
    storage.objects.put("incoming/b.txt", large(WORDS + "后", range(170), 2))
    for at in range(12):
        with contextlib.suppress(StorageError):
            ingest.receive(failing(storage, at, True), "incoming/b.txt", NOW)
        if storage.index.query("concept#large_169"):
            break
    assert shown(storage, 170, monkeypatch) == [{1}] * 3
    assert drop(storage, "c.txt", large(WORDS + "又", range(2), 3))["report"]["revision"] == 3
    assert shown(storage, 170, monkeypatch) == [{3}] * 3
    pending.sweep(storage, NOW + timedelta(minutes=59))
    assert storage.index.query("concept#large_169")
    sweep_up(storage)
    assert storage.index.query("concept#large_169") == []
    assert shown(storage, 170, monkeypatch) == [{3}] * 3


def test_a_writing_that_stood_still_until_it_was_swept_begins_anew(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(storage, "a.txt", report())
    storage.objects.put("incoming/b.txt", report(WORDS + "后"))
    real, slept = type(storage.index).commit, list[int]()

    def commit(self: Any, writes: Any) -> None:
        if not slept and any(w.sk.startswith("report#") for w in writes):
            slept.append(pending.sweep(storage, NOW + timedelta(hours=2)))
        real(self, writes)

    monkeypatch.setattr(type(storage.index), "commit", commit)
    state = ingest.receive(storage, "incoming/b.txt", NOW)
    assert state is not None
    assert (slept, state["report"]["revision"]) == ([1], 2)
    rows = plain(indicators.of_township(storage, TOWN, cursor=None, limit=9))
    assert {row["revision"] for row in rows} == {2}
    assert len(rows) == 2
    sweep_up(storage)
    assert len(storage.index.query("concept#fiscal_revenue")) == 1
