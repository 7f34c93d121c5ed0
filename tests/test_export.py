"""Bulk files: what is in them, that they fit their schemas, and that a reader never meets half an export."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from chalicelib.bulk import export, parts, rows, sheets
from chalicelib.catalog import changes, layout, partitions
from chalicelib.catalog.partitions import Partition
from chalicelib.errors import StorageError
from chalicelib.moments import iso
from chalicelib.storage import Put, Storage
from tests.made_reports import NOW, OTHER_WORDS, REPORT, TOWN, WORDS, drop, read_report, report

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
KINDS = ["reports", "sections", "indicators"]
WHOLE = [f"{kind}.{form}.gz" for form in ("ndjson", "csv") for kind in KINDS]
GUANGDONG = "440605101"  # a township of another province


pytestmark = pytest.mark.usefixtures("made_up_reports")


def of_part(part: str) -> list[str]:
    return [f"{kind}-{part}.{form}.gz" for form in ("ndjson", "csv") for kind in KINDS]


def read_rows(data: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in gzip.decompress(data).splitlines()]


def read_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(gzip.decompress(data).decode("utf-8-sig"), newline="")))


def stored(storage: Storage, file: dict[str, Any]) -> bytes:
    return storage.objects.get("bulk/" + file["url"].rpartition("/")[2])


def by_name(storage: Storage, manifest: dict[str, Any]) -> dict[str, bytes]:
    return {file["name"]: stored(storage, file) for file in manifest["files"]}


def files_of(manifest: dict[str, Any], part: str) -> dict[str, str]:
    return {file["name"]: file["url"] for file in manifest["files"] if f"-{part}." in file["name"]}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were made, in order."""
    parts_made, make = list[str](), parts.make

    def noted(storage: Storage, shelf: Any, partition: Partition) -> parts.Note:
        parts_made.append(str(partition))
        return make(storage, shelf, partition)

    monkeypatch.setattr(parts, "make", noted)
    return parts_made


def test_the_files_hold_every_current_revision_and_the_manifest_describes_them(storage: Storage) -> None:
    drop(storage, "a", report())
    drop(storage, "b", report(WORDS + "更正"))
    drop(storage, "c", report(OTHER_WORDS))
    drop(storage, "d", report(town="331022104", year=2021))
    manifest = export.publish_files(storage, NOW)
    assert (manifest["reports"], manifest["generated"]) == (3, "2024-03-01T08:30:00Z")
    assert [file["name"] for file in manifest["files"]] == [*WHOLE, *of_part("2021-33"), *of_part("2022-33")]
    for file in manifest["files"]:
        data = stored(storage, file)
        rows = read_csv(data) if file["format"] == "csv" else read_rows(data)
        assert (file["rows"], file["bytes"], file["sha256"]) == (
            len(rows),
            len(data),
            hashlib.sha256(data).hexdigest(),
        )
        assert file["url"].startswith("/v1/bulk/")
        assert file["url"].endswith(f"-{file['name']}")
        part = (file["year"], file["province_code"])
        assert (file["name"] in WHOLE) == (part == (None, None))
        assert file["name"] in (*WHOLE, *of_part(f"{part[0]}-{part[1]}"))
    reports, sections, indicators = (read_rows(stored(storage, file)) for file in manifest["files"][:3])
    assert [(r["report"], r["revision"]) for r in reports] == [
        ("331022104-2021", 1),
        (REPORT, 2),
        (f"{REPORT}-2", 1),
    ]
    assert len(indicators) == 6
    assert sections[1]["text"].endswith("更正")
    assert export.read_manifest(storage.objects) == manifest


def test_a_whole_set_is_its_parts_in_order_of_years_and_provinces(storage: Storage) -> None:
    for town, year in ((GUANGDONG, 2022), (TOWN, 2022), (GUANGDONG, 2020), (TOWN, 2021)):
        drop(storage, "a", report(town=town, year=year))
    files = by_name(storage, export.publish_files(storage, NOW))
    order = ["2020-44", "2021-33", "2022-33", "2022-44"]
    for kind in KINDS:
        rows = [read_rows(files[f"{kind}-{part}.ndjson.gz"]) for part in order]
        assert read_rows(files[f"{kind}.ndjson.gz"]) == [row for part in rows for row in part]
        lines = [read_csv(files[f"{kind}-{part}.csv.gz"]) for part in order]
        assert read_csv(files[f"{kind}.csv.gz"]) == [line for part in lines for line in part]
        assert all(part for part in (*rows, *lines))


def test_csv_says_what_ndjson_says_under_the_same_names(local_storage: Storage) -> None:
    drop(local_storage, "a", report(index="A/1"))
    files = by_name(local_storage, export.publish_files(local_storage, NOW))
    for kind in KINDS:
        rows, lines = read_rows(files[f"{kind}.ndjson.gz"]), read_csv(files[f"{kind}.csv.gz"])
        assert [list(row) for row in rows] == [list(line) for line in lines]
        assert [[_printed(value) for value in row.values()] for row in rows] == [[*line.values()] for line in lines]
        assert gzip.decompress(files[f"{kind}.csv.gz"]).startswith("\ufeff".encode())


def _printed(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def test_only_parts_whose_reports_changed_are_made_anew(storage: Storage, made: list[str]) -> None:
    for town, year in ((TOWN, 2021), (TOWN, 2022), (GUANGDONG, 2022)):
        drop(storage, "a", report(town=town, year=year))
    first = export.publish_files(storage, NOW)
    assert made == ["2021-33", "2022-33", "2022-44"]
    drop(storage, "b", report(OTHER_WORDS))
    second = export.publish_files(storage, NOW)
    assert made[3:] == ["2022-33"]
    assert files_of(first, "2021-33") == files_of(second, "2021-33")
    assert files_of(first, "2022-33") != files_of(second, "2022-33")
    assert second["reports"] == 4


def test_new_columns_make_all_parts_anew(
    local_storage: Storage, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(local_storage, "a", report())
    export.publish_files(local_storage, NOW)
    monkeypatch.setattr(sheets, "columns", lambda: "others")
    export.publish_files(local_storage, NOW)
    assert made == ["2022-33", "2022-33"]


def test_a_pass_whose_time_is_over_leaves_the_old_files_and_is_gone_on_with(storage: Storage, made: list[str]) -> None:
    drop(storage, "a", report())
    first = export.publish_files(storage, NOW)
    for town in (TOWN, GUANGDONG):
        drop(storage, "b", report(OTHER_WORDS, town=town, year=2023))
    left = iter([900.0, 100.0])
    with pytest.raises(export.UnfinishedError, match="2023-44"):
        export.publish_files(storage, NOW, lambda: next(left))
    assert export.read_manifest(storage.objects) == first
    assert all(stored(storage, file) for file in first["files"])
    assert export.publish_files(storage, NOW, lambda: 900.0)["reports"] == 3
    assert made == ["2022-33", "2023-33", "2023-44"]


def test_the_manifest_says_until_when_it_is_complete(storage: Storage) -> None:
    drop(storage, "a", report())
    later = NOW + timedelta(hours=1)
    manifest = export.publish_files(storage, later)
    assert NOW < datetime.fromisoformat(manifest["complete_to"]) < later
    assert changes.changes(storage, manifest["complete_to"], None, 10, later + timedelta(hours=1)).data == []
    mark = layout.Mark(layout.Rows(1, "0" * 8), None, iso(NOW), position=layout.position(iso(NOW), "x", "000001"))
    storage.index.commit([Put(*layout.pending("331022103-2023", "0" * 8), layout.write_pending(mark))])
    assert export.publish_files(storage, later + timedelta(hours=1))["complete_to"] == manifest["complete_to"]


def test_an_older_pass_that_ends_later_does_not_replace_a_newer_one(local_storage: Storage) -> None:
    drop(local_storage, "a", report())
    newer = export.publish_files(local_storage, NOW + timedelta(hours=2))
    assert export.publish_files(local_storage, NOW + timedelta(hours=1)) == newer
    assert export.read_manifest(local_storage.objects) == newer


def test_a_part_that_is_cut_short_is_in_no_whole_set(local_storage: Storage) -> None:
    drop(local_storage, "a", report())
    manifest = export.publish_files(local_storage, NOW)
    (name,) = [
        url.rpartition("/")[2] for file, url in files_of(manifest, "2022-33").items() if "indicators-2022-33.n" in file
    ]
    local_storage.objects.put(f"bulk/{name}", stored(local_storage, {"url": name})[:-1])
    drop(local_storage, "b", report(year=2021))
    with pytest.raises(StorageError, match="object_damaged"):
        export.publish_files(local_storage, NOW)
    assert export.read_manifest(local_storage.objects) == manifest


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
    second = export.publish_files(storage, NOW + timedelta(days=1))
    assert {**second, "complete_to": ""} == {**first, "complete_to": ""}
    files = {f"bulk/{file['url'].rpartition('/')[2]}" for file in first["files"]}
    beside = {"bulk/manifest.json", "bulk/retired.json", "bulk/counts.ndjson", "bulk/notes/2022-33.json"}
    assert set(storage.objects.keys("bulk/")) == files | beside | {f"bulk/notes/{name}.json" for name in WHOLE}


def test_an_empty_storage_gives_empty_files(storage: Storage) -> None:
    manifest = export.publish_files(storage, NOW)
    assert manifest["reports"] == 0
    files = by_name(storage, manifest)
    assert list(files) == WHOLE
    assert [read_rows(files[name]) for name in WHOLE[:3]] == [[], [], []]
    assert [read_csv(files[name]) for name in WHOLE[3:]] == [[], [], []]


def test_replaced_files_stay_for_who_read_the_old_manifest_and_go_after_the_grace(storage: Storage) -> None:
    drop(storage, "a", report())
    first = export.publish_files(storage, NOW)
    drop(storage, "b", report(OTHER_WORDS))
    second = export.publish_files(storage, NOW + timedelta(hours=9))
    whole = (*first["files"][:3], *second["files"][:3])
    assert [len(read_rows(stored(storage, file))) for file in whole] == [1, 1, 2, 2, 2, 4]
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
    assert sorted(path.name for path in folder.iterdir()) == sorted([*WHOLE, *of_part("2022-33"), "manifest.json"])
    assert orjson.loads((folder / "manifest.json").read_bytes()) == written
    for file, twin in zip(written["files"], served["files"], strict=True):
        assert (folder / file["url"]).read_bytes() == stored(storage, twin)


def test_reports_are_found_beyond_one_page_of_the_index(
    local_storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "PAGE", 2)
    for number in range(5):
        drop(local_storage, "a", report(town=f"{331022100 + number}"))
    assert export.publish_files(local_storage, NOW)["reports"] == 5
    assert TOWN in gzip.decompress(stored(local_storage, export.publish_files(local_storage, NOW)["files"][2])).decode()
