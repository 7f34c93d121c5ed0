"""Backup and restore, on the engines and on one machine: what is lost comes back from what is kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest

from chalicelib.catalog import indicators, layout, lists, one_report
from chalicelib.maintenance.reindex import reindex
from chalicelib.maintenance.verify import verify
from chalicelib.storage import Put, Storage, aws, local
from tests.engines import Engines
from tests.made_reports import NOW, REPORT, TOWN, WORDS, drop, report
from tests.published import plain
from tests.resources import create_resources

if TYPE_CHECKING:
    import boto3

pytestmark = [pytest.mark.usefixtures("made_up_reports"), pytest.mark.repair]
engines_only = pytest.mark.engines


def answers(storage: Storage) -> list[object]:
    """What readers get: record, text, revisions, and the lists of the township and of a concept."""
    return [
        one_report.record(storage, REPORT),
        one_report.text(storage, REPORT),
        one_report.revisions(storage, REPORT, None, 9).data,
        lists.reports_of_township(storage, TOWN, None, 9).data,
        plain(indicators.of_township(storage, TOWN, cursor=None, limit=99)),
        plain(indicators.of_concepts(storage, concept=["fiscal_revenue"], cursor=None, limit=99)),
    ]


def contents(storage: Storage) -> list[bytes]:
    """The answers as bytes."""
    return [orjson.dumps(each.decode() if isinstance(each, bytes) else each) for each in answers(storage)]


def publish_two_revisions(storage: Storage) -> None:
    drop(storage, "first.txt", report())
    drop(storage, "second.txt", report(WORDS + "后"))


@engines_only
def test_a_lost_table_comes_back_as_a_new_one_beside_the_bucket(
    engines: Engines, engines_session: boto3.Session
) -> None:
    with engines.storage("restore-lost-table", engines_session) as storage:
        publish_two_revisions(storage)
        before = contents(storage)
        create_resources(engines_session, "restore-lost-table-2", "restore-lost-table-2")
        restored = aws.open_storage("restore-lost-table", "restore-lost-table-2", engines_session)
        _, after = reindex(restored, NOW)
        assert after.differences == []
        assert contents(restored) == before


@engines_only
def test_a_table_of_an_hour_ago_catches_up_with_the_bucket(engines: Engines, engines_session: boto3.Session) -> None:
    with engines.storage("restore-old-table", engines_session) as storage:
        drop(storage, "first.txt", report())
        hour_ago = list(storage.index.entries())
        drop(storage, "second.txt", report(WORDS + "后"))
        drop(storage, "other.txt", report(year=2021))
        before = contents(storage)
        create_resources(engines_session, "restore-old-table-2", "restore-old-table-2")
        restored = aws.open_storage("restore-old-table", "restore-old-table-2", engines_session)
        restored.index.write([Put(e.pk, e.sk, e.body) for e in hour_ago])
        _, after = reindex(restored, NOW)
        assert after.differences == []
        assert contents(restored) == before


@engines_only
@pytest.mark.parametrize("key", [layout.record_object(REPORT, 1), layout.text_object(REPORT, 2)])
def test_a_deleted_object_comes_back_from_its_version(
    engines: Engines, engines_session: boto3.Session, key: str
) -> None:
    bucket = f"restore-version-{key[:4]}"
    with engines.storage(bucket, engines_session) as storage:
        publish_two_revisions(storage)
        before = contents(storage)
        storage.objects.delete(key)
        assert [(each.kind, each.where) for each in verify(storage).differences] == [("missing object", key)]
        s3 = engines_session.client("s3")
        found = s3.list_object_versions(Bucket=bucket, Prefix=key)
        (marker,) = found["DeleteMarkers"]
        s3.delete_object(Bucket=bucket, Key=key, VersionId=marker["VersionId"])
        assert verify(storage).differences == []
        assert contents(storage) == before


@pytest.mark.parametrize("kept", ["objects alone", "objects and an older index"])
def test_a_copied_folder_is_a_backup(tmp_path: Path, kept: str) -> None:
    storage = local.open_storage(tmp_path / "data")
    drop(storage, "first.txt", report())
    if kept == "objects and an older index":
        for part in (tmp_path / "data").glob("index.sqlite*"):
            shutil.copy2(part, tmp_path / part.name)
    drop(storage, "second.txt", report(WORDS + "后"))
    before = contents(storage)
    shutil.copytree(tmp_path / "data", tmp_path / "copy", ignore=shutil.ignore_patterns("index.sqlite*"))
    for part in tmp_path.glob("index.sqlite*"):
        shutil.move(part, tmp_path / "copy" / part.name)
    restored = local.open_storage(tmp_path / "copy")
    _, after = reindex(restored, NOW)
    assert after.differences == []
    assert contents(restored) == before
