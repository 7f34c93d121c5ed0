"""Whether index and objects agree: every kind of damage is named and mended, and the index comes back from the objects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from chalicelib.catalog import layout, pending
from chalicelib.catalog.layout import Mark, Rows
from chalicelib.ingestion import ingest, uploads
from chalicelib.maintenance.reindex import reindex
from chalicelib.maintenance.verify import verify
from chalicelib.moments import iso
from chalicelib.storage import Delete, Entry, Put, Storage, local
from tests.made_reports import NOW, OTHER_WORDS, REPORT, TOWN, WORDS, drop, report, write_report

ROOT = Path(__file__).resolve().parent.parent
LATER = NOW + timedelta(hours=3)
pytestmark = [pytest.mark.usefixtures("made_up_reports"), pytest.mark.repair]


@pytest.fixture
def filled(storage: Storage) -> Storage:
    """Two revisions of a report, another document, another township, an unchanged, a refused and a settled upload."""
    for name, data in {
        "first.txt": report(),
        "second.txt": report(WORDS + "后"),
        "again.txt": report(),
        "other.txt": report(OTHER_WORDS),
        "elsewhere.txt": report(town="331083106", year=2021),
        "refused.txt": b"no report",
    }.items():
        drop(storage, name, data)
    asked = drop(storage, "asked.txt", write_report(WORDS, candidates="331022103 331083106", year=2020))
    uploads.name_township(storage, asked["id"], "331083106", NOW)
    uploads.announce(storage, "waits.txt", None, NOW)
    return storage


def kinds(storage: Storage) -> list[tuple[str, str]]:
    return sorted((each.kind, each.where) for each in verify(storage).differences)


def everything(storage: Storage) -> dict[tuple[str, str], bytes]:
    """All entries by key, the tokens of writings left out but for changes, which keep theirs."""
    tokens = [layout.read_head(e.body).token for e in storage.index.entries() if e.sk.startswith("report#")]

    def plain(text: bytes) -> bytes:
        for token in tokens:
            text = text.replace(token.encode(), b"TOKEN")
        return text

    entries = list(storage.index.entries())
    changes = {(e.pk, e.sk): e.body for e in entries if e.pk.startswith("changes#")}
    return changes | {
        (e.pk, plain(e.sk.encode()).decode()): plain(e.body) for e in entries if (e.pk, e.sk) not in changes
    }


def test_a_sound_collection_has_no_difference(filled: Storage) -> None:
    found = verify(filled, read_raw=True)
    assert (found.differences, found.waiting, found.writing) == ([], [], 0)
    assert (found.reports, found.revisions, found.uploads) == (4, 5, 7)
    assert found.entries == len(list(filled.index.entries()))


HEAD = layout.head(REPORT)


def entry_like(storage: Storage, pk: str, beginning: str) -> Entry:
    return next(e for e in storage.index.query(pk) if e.sk.startswith(beginning))


def remove_row(storage: Storage) -> str:
    row = entry_like(storage, "concept#fiscal_revenue", f"2022#{TOWN}#{REPORT}#")
    storage.index.commit([Delete(row.pk, row.sk)])
    return f"{row.pk} {row.sk}"


def change(pk: str, sk: str) -> Callable[[Storage], str]:
    def damage(storage: Storage) -> str:
        storage.index.commit([Put(pk, sk, b'{"report":"x","revision":1}')])
        return f"{pk} {sk}"

    return damage


def remove(pk: str, sk: str) -> Callable[[Storage], str]:
    def damage(storage: Storage) -> str:
        storage.index.commit([Delete(pk, sk)])
        return f"{pk} {sk}"

    return damage


def lose_upload(storage: Storage) -> str:
    key = next(e for e in storage.index.entries() if e.pk.startswith("upload#") and b'"rejected"' in e.body)
    storage.index.commit([Delete(key.pk, key.sk)])
    return f"{key.pk} {key.sk}"


DAMAGES: dict[str, tuple[str, Callable[[Storage], str]]] = {
    "a row is gone": ("missing entry", remove_row),
    "a listed report is gone": ("missing entry", remove("year#2022", f"{TOWN}#{REPORT}")),
    "a revision is gone": ("missing entry", remove(f"report#{REPORT}", "revision#000001")),
    "a revision is another": ("wrong entry", change(f"report#{REPORT}", "revision#000001")),
    "an upload is gone": ("missing entry", lose_upload),
    "a row of nobody": ("stray entry", change("concept#gdp", f"2022#{TOWN}#{REPORT}#00000000")),
    "a report of nobody": ("stray entry", change("year#2022", f"{TOWN}#{TOWN}-2022-9")),
    "bytes known as nothing": ("stray entry", change("sha256#0", "-")),
    "an unknown kind": ("stray entry", change("elsewhere", "x")),
}


@pytest.mark.parametrize(("kind", "damage"), DAMAGES.values(), ids=DAMAGES)
def test_damage_of_the_index_is_named_and_mended(filled: Storage, kind: str, damage: Callable[[Storage], str]) -> None:
    sound = everything(filled)
    where = damage(filled)
    assert kinds(filled) == [(kind, where)]
    before, after = reindex(filled, NOW)
    assert (len(before.differences), after.differences) == (1, [])
    assert everything(filled) == sound


@pytest.mark.parametrize("lost", ["all", "heads", "rows", "uploads"])
def test_the_index_comes_back_from_the_objects_alone(filled: Storage, lost: str) -> None:
    sound = everything(filled)
    marks = {"all": "", "heads": " report#2", "rows": " indicators#", "uploads": "upload#"}
    gone = [e for e in filled.index.entries() if marks[lost] in f"{e.pk} {e.sk}"]
    filled.index.write([Delete(e.pk, e.sk) for e in gone])
    _, after = reindex(filled, NOW)
    assert after.differences == []
    back = everything(filled)
    # What waits for its file is known to the index alone, and that bytes were asked about only to the upload's own.
    untold = (
        {k for k in sound if k[0].startswith("upload#") and b'"waiting"' in sound[k]}
        if lost in ("all", "uploads")
        else set()
    )
    assert {k: v for k, v in sound.items() if k not in untold} == back


OBJECTS = {
    "record": (layout.record_object(REPORT, 1), None, "missing object"),
    "text": (layout.text_object(REPORT, 2), None, "missing object"),
    "record changed": (layout.record_object(REPORT, 1), b"{}", "damaged object"),
}


@pytest.mark.parametrize(("key", "body", "kind"), OBJECTS.values(), ids=OBJECTS)
def test_a_lost_or_changed_object_is_named_and_nothing_is_taken_away(
    filled: Storage, key: str, body: bytes | None, kind: str
) -> None:
    if body is None:
        filled.objects.delete(key)
    else:
        filled.objects.put(key, body)
    assert (kind, key) in kinds(filled)
    reindex(filled, NOW)
    assert filled.index.get(*HEAD)
    assert (kind, key) in kinds(filled)


def test_changed_bytes_of_an_upload_are_found_when_they_are_read(filled: Storage) -> None:
    raw = next(filled.objects.keys("raw/"))
    filled.objects.put(raw, b"other bytes")
    assert raw not in [where for _, where in kinds(filled)]
    assert ("damaged object", raw) in [(d.kind, d.where) for d in verify(filled, read_raw=True).differences]


def test_what_is_under_way_is_no_difference(filled: Storage) -> None:
    filled.objects.put("incoming/new.txt", report(year=2019))
    mark = Mark(Rows(1, "0000aaaa"), None, iso(NOW))
    filled.index.commit([Put(*layout.pending(f"{TOWN}-2018", "0000aaaa"), layout.write_pending(mark))])
    filled.index.write([Put("concept#gdp", f"2018#{TOWN}#{TOWN}-2018#0000aaaa", b"[]")])
    found = verify(filled)
    assert (found.differences, found.waiting, found.writing) == ([], ["incoming/new.txt"], 1)


def test_a_report_published_during_the_walk_is_no_difference(filled: Storage) -> None:
    def publish_between(items: object, unit: str) -> object:
        if unit == "entries":
            drop(filled, "meanwhile.txt", report(year=2018))
            drop(filled, "meanwhile-2.txt", report(WORDS + "又"))
        return items

    assert verify(filled, publish_between).differences == []  # type: ignore[arg-type]


def test_a_record_of_a_writer_that_died_is_not_published_by_reindexing(
    filled: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled.objects.put(layout.record_object(REPORT, 3), filled.objects.get(layout.record_object(REPORT, 2)))
    filled.index.write([Delete(e.pk, e.sk) for e in list(filled.index.entries())])
    reindex(filled, NOW)
    top = filled.index.get(*HEAD)
    assert top is not None
    assert layout.current_rows(top.body).number == 2


def test_data_of_before_revisions_were_told_come_back_whole(filled: Storage) -> None:
    for key in [*filled.objects.keys("shown/"), *filled.objects.keys("uploads/")]:
        filled.objects.delete(key)
    filled.index.write([Delete(e.pk, e.sk) for e in list(filled.index.entries())])
    _, after = reindex(filled, NOW)
    assert after.differences == []
    assert [e.sk for e in filled.index.query(f"report#{REPORT}")] == ["revision#000001", "revision#000002"]
    state = drop(filled, "once more.txt", report(WORDS + "后"))
    assert (state["state"], state["unchanged"]) == ("published", True)


def test_reindexing_beside_ingestion_loses_nothing(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    remove_row(filled)
    real, once = pending.replace_rows, list[int]()

    def outrun(*arguments: object) -> None:
        if not once:
            once.append(1)
            drop(filled, "third.txt", report(WORDS + "又"))
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pending, "replace_rows", outrun)
    _, after = reindex(filled, NOW)
    assert after.differences == []
    top = filled.index.get(*HEAD)
    assert top is not None
    assert layout.current_rows(top.body).number == 3


# The commands.


def run(data: Path, *arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "chalicelib", *arguments],
        cwd=ROOT,
        env={"REPORTS_DATA": str(data), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


@pytest.mark.parametrize("damage", ["gone", "of an older layout", "no database"])
def test_an_index_that_is_gone_or_unreadable_comes_back_by_the_command(tmp_path: Path, damage: str) -> None:
    storage = local.open_storage(tmp_path / "data")
    drop(storage, "first.txt", report())
    sound, path = everything(storage), tmp_path / "data" / "index.sqlite"
    del storage
    if damage == "of an older layout":
        import sqlite3

        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 1")
        connection.close()
    else:
        for part in tmp_path.glob("data/index.sqlite*"):
            part.unlink()
        if damage == "no database":
            path.write_bytes(b"x" * 5000)
    status, told = run(tmp_path / "data", "reindex")
    assert (status, told.splitlines()[-1][:9]) == (0, "1 reports")
    assert everything(local.open_storage(tmp_path / "data")) == sound
    assert run(tmp_path / "data", "verify") == (0, told.splitlines()[-1] + "\n")
    assert bool(list(tmp_path.glob("data/index.sqlite.aside-*"))) == (damage != "gone")


def test_verify_says_what_differs_and_fails(tmp_path: Path) -> None:
    storage = local.open_storage(tmp_path / "data")
    drop(storage, "first.txt", report())
    storage.objects.put("incoming/left.txt", b"x")
    where = remove_row(storage)
    status, told = run(tmp_path / "data", "verify")
    assert status == 1
    assert told.splitlines() == [
        f"missing entry: {where}",
        "waits to be read: incoming/left.txt",
        "1 reports, 1 revisions, 1 uploads, 10 entries: 1 difference",
    ]


def test_a_redelivery_rewrites_an_outcome_that_another_delivery_kept(storage: Storage) -> None:
    state = drop(storage, "a.txt", report())
    stale = {**state, "unchanged": True}
    storage.objects.put(layout.upload_object(state["id"]), orjson.dumps(stale))
    storage.objects.put("incoming/a.txt", report())
    assert ingest.receive(storage, "incoming/a.txt", LATER) == state
    assert verify(storage).differences == []
