"""The trigger's envelope: what is built locally is read back, and what S3 sends beside it does no harm."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.ingestion import events

NOW = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)


def body_of(key: str) -> str:
    return str(events.upload_event([key], NOW)["Records"][0]["body"])


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda name: not name.endswith("/")))
def test_every_key_survives_the_envelope(name: str) -> None:
    assert events.uploaded_keys(body_of("incoming/" + name)) == ["incoming/" + name]


def test_keys_travel_as_s3_writes_them() -> None:
    notice = orjson.loads(body_of("incoming/亭旁镇 2022+1.txt"))
    assert notice["Records"][0]["s3"]["object"]["key"] == "incoming/%E4%BA%AD%E6%97%81%E9%95%87+2022%2B1.txt"


def test_a_file_name_in_another_charset_comes_back_as_the_same_bytes() -> None:
    key = "incoming/" + "报告.txt".encode("gb18030").decode("utf-8", "surrogateescape")
    assert events.uploaded_keys(body_of(key)) == [key]


def test_each_record_of_an_event_has_its_own_message_id() -> None:
    event = events.upload_event(["incoming/a", "incoming/b", "incoming/a"], NOW)
    assert len({record["messageId"] for record in event["Records"]}) == 3


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        pytest.param({"Event": "s3:TestEvent", "Bucket": "b"}, [], id="test event"),
        pytest.param({"Records": []}, [], id="no records"),
        pytest.param(
            {"Records": [{"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": "incoming/a"}}}]},
            [],
            id="removal",
        ),
        pytest.param(
            {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "raw/a"}}}]},
            [],
            id="another prefix",
        ),
        pytest.param(
            {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "incoming/folder/"}}}]},
            [],
            id="folder mark",
        ),
        pytest.param(
            {
                "Records": [
                    {
                        "eventName": "s3:ObjectCreated:CompleteMultipartUpload",
                        "s3": {"object": {"key": "incoming/a%2Bb+c"}},
                    }
                ]
            },
            ["incoming/a+b c"],
            id="multipart, encoded",
        ),
    ],
)
def test_reads_only_creations_under_incoming(body: dict[str, object], keys: list[str]) -> None:
    assert events.uploaded_keys(orjson.dumps(body).decode()) == keys


@pytest.mark.parametrize("body", ["", "no json", "[]", "3", '{"Records": [{}]}', '{"a": 1}', '{"Records": 1}'])
def test_anything_else_is_refused(body: str) -> None:
    with pytest.raises(BadRequest) as caught:
        events.uploaded_keys(body)
    assert caught.value.code == "bad_event"
