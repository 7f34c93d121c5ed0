"""Bulk files: what is in them, that they fit their schemas, and that a reader never meets half an export."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from chalicelib.bulk import export, rows
from chalicelib.errors import StorageError
from chalicelib.storage import Storage
from tests.made_reports import NOW, OTHER_WORDS, REPORT, TOWN, WORDS, drop, read_report, report

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
NAMES = ["reports.ndjson.gz", "sections.ndjson.gz", "indicators.ndjson.gz"]


pytestmark = pytest.mark.usefixtures("made_up_reports")


def read_rows(data: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in gzip.decompress(data).splitlines()]


def stored(storage: Storage, file: dict[str, Any]) -> bytes:
    return storage.objects.get("bulk/" + file["url"].rpartition("/")[2])


def test_the_files_hold_every_current_revision_and_the_manifest_describes_them(storage: Storage) -> None:
    drop(storage, "a", report())
    drop(storage, "b", report(WORDS + "更正"))
    drop(storage, "c", report(OTHER_WORDS))
    drop(storage, "d", report(town="331022104", year=2021))
    manifest = export.publish_files(storage, NOW)
    assert (manifest["reports"], manifest["generated"]) == (3, "2024-03-01T08:30:00Z")
    assert [file["name"] for file in manifest["files"]] == NAMES
    for file in manifest["files"]:
        data = stored(storage, file)
        assert (file["rows"], file["bytes"], file["sha256"]) == (
            len(read_rows(data)),
            len(data),
            hashlib.sha256(data).hexdigest(),
        )
        assert file["url"] == f"/v1/bulk/{file['sha256'][:16]}-{file['name']}"
    reports, sections, indicators = (read_rows(stored(storage, file)) for file in manifest["files"])
    assert [(r["report"], r["revision"]) for r in reports] == [
        ("331022104-2021", 1),
        (REPORT, 2),
        (f"{REPORT}-2", 1),
    ]
    assert len(indicators) == 6
    assert sections[1]["text"].endswith("更正")
    assert export.read_manifest(storage.objects) == manifest


@pytest.mark.parametrize("name", ["report", "section", "indicator"])
def test_rows_fit_their_schema_and_all_of_it_is_described(local_storage: Storage, name: str, tmp_path: Path) -> None:
    drop(local_storage, "a", report(index="A/1"))
    export.write_folder(local_storage, tmp_path)
    schema = json.loads((SCHEMAS / f"bulk-{name}.schema.json").read_bytes())
    Draft202012Validator.check_schema(schema)
    found = read_rows((tmp_path / f"{name}s.ndjson.gz").read_bytes())
    assert found
    for row in found:
        Draft202012Validator(schema).validate(row)
        assert list(row) == list(schema["properties"])
    assert all(each.get("description") for each in schema["properties"].values())
    assert schema["additionalProperties"] is False


def test_a_number_keeps_its_digits() -> None:
    parsed = read_report(report())
    parsed.record["indicators"][0] |= {"value": 0.1, "yoy": -6.33, "standard": None, "months": [1, 9]}
    row = next(rows.indicator_rows(parsed.record))
    assert orjson.dumps([row["value"], row["yoy"], row["standard_value"], row["month_to"]]) == b"[0.1,-6.33,null,9]"


def test_a_section_holds_its_own_words_and_its_path() -> None:
    text = "标题\n\n一、甲\n子文\n(一)乙\n乙文\n二、丙\n"
    first, second, third = (text.index(label) for label in ("一、", "(一)", "二、"))
    places = [("s1", None, first, third, "甲"), ("s2", "s1", second, third, "乙")]
    sections = [
        {"id": i, "parent": p, "level": 1, "label": None, "title": t, "start": s, "end": e} for i, p, s, e, t in places
    ]
    record = read_report(report()).record | {"sections": sections}
    assert [(r["section_path"], r["text"]) for r in rows.section_rows(record, text)] == [
        ("甲", "一、甲\n子文"),
        ("甲 > 乙", "(一)乙\n乙文"),
    ]


def test_equal_data_give_equal_bytes_and_leave_the_manifest_alone(storage: Storage) -> None:
    drop(storage, "a", report())
    first = export.publish_files(storage, NOW)
    assert export.publish_files(storage, NOW + timedelta(days=1)) == first
    assert len(list(storage.objects.keys("bulk/"))) == len(NAMES) + 2


def test_an_empty_storage_gives_empty_files(storage: Storage) -> None:
    manifest = export.publish_files(storage, NOW)
    assert manifest["reports"] == 0
    assert [read_rows(stored(storage, file)) for file in manifest["files"]] == [[], [], []]


def test_replaced_files_stay_for_who_read_the_old_manifest_and_go_after_the_grace(storage: Storage) -> None:
    drop(storage, "a", report())
    first = export.publish_files(storage, NOW)
    drop(storage, "b", report(OTHER_WORDS))
    second = export.publish_files(storage, NOW + timedelta(hours=9))
    assert [len(read_rows(stored(storage, file))) for file in (*first["files"], *second["files"])] == [1, 1, 2, 2, 2, 4]
    drop(storage, "c", report("丙" * 400))
    export.publish_files(storage, NOW + timedelta(hours=9, minutes=59))
    assert stored(storage, first["files"][0])
    drop(storage, "d", report("丁" * 400))
    last = export.publish_files(storage, NOW + timedelta(hours=10))
    left = {key.rpartition("/")[2] for key in storage.objects.keys("bulk/")}
    assert first["files"][0]["url"].rpartition("/")[2] not in left
    assert {file["url"].rpartition("/")[2] for file in (*second["files"], *last["files"])} <= left


def test_a_failure_before_the_manifest_leaves_the_old_files_in_force(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(local_storage, "a", report())
    first = export.publish_files(local_storage, NOW)
    drop(local_storage, "b", report(OTHER_WORDS))
    real, calls = local_storage.objects.put_file, list[str]()

    def full(key: str, path: Path, content_type: str = "") -> None:
        calls.append(key)
        if len(calls) == 2:
            raise StorageError("disk_full", "The disk is full.")
        real(key, path, content_type)

    with monkeypatch.context() as patched:
        patched.setattr(local_storage.objects, "put_file", full)
        with pytest.raises(StorageError):
            export.publish_files(local_storage, NOW)
    assert export.read_manifest(local_storage.objects) == first
    assert all(stored(local_storage, file) for file in first["files"])
    assert export.publish_files(local_storage, NOW)["reports"] == 2


def test_a_folder_gets_the_same_bytes_under_plain_names(storage: Storage, tmp_path: Path) -> None:
    drop(storage, "a", report())
    served = export.publish_files(storage, NOW)
    folder = tmp_path / "made" / "here"
    written = export.write_folder(storage, folder, NOW)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*NAMES, "manifest.json"])
    assert orjson.loads((folder / "manifest.json").read_bytes()) == written
    for file, twin in zip(written["files"], served["files"], strict=True):
        assert (folder / file["url"]).read_bytes() == stored(storage, twin)


def test_reports_are_found_beyond_one_page_of_the_index(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    for number in range(5):
        drop(local_storage, "a", report(town=f"{331022100 + number}"))
    assert export.publish_files(local_storage, NOW)["reports"] == 5
    assert TOWN in gzip.decompress(stored(local_storage, export.publish_files(local_storage, NOW)["files"][2])).decode()
