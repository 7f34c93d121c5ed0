"""A record's bytes say exactly what was read, and no record that breaks the schema passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import records
from chalicelib.decode import decode
from chalicelib.errors import ReportError
from chalicelib.reading.identify import identify
from chalicelib.reading.page import clean_page
from chalicelib.reading.parse import parse
from chalicelib.records import base_id

PAGE = """某镇2022年工作总结

一年来，我镇在上级党委、政府的坚强领导下，坚持稳中求进工作总基调，团结带领广大干部群众，攻坚克难，真抓实干，经济社会保持平稳健康发展。
我们坚持把发展作为硬道理，持续优化营商环境，不断夯实产业基础；坚持以人民为中心，着力办好民生实事，群众的获得感和幸福感明显增强。
一、经济发展
全年完成规上工业总产值1.71亿元，同比增长0.1%。完成税收0.1亿元。
二、社会事业
新建公厕6座，受益群众2300余人。
""".encode()
TINGPANG = "331022103"


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return parse(PAGE, "report.txt", TINGPANG).record


def test_values_are_exact(record: dict[str, Any]) -> None:
    values = {i["name"]: i["value"] for i in record["indicators"]}
    assert values["规上工业总产值"] == Decimal("171000000")
    assert values["税收"] == Decimal(10000000)
    assert record["indicators"][0]["yoy"] == Decimal("0.1")


def test_bytes_are_the_same_for_the_same_record(record: dict[str, Any]) -> None:
    assert records.dump(record) == records.dump(parse(PAGE, "report.txt", TINGPANG).record)
    assert records.dump(record).endswith(b"}\n")


def test_chinese_is_not_escaped(record: dict[str, Any]) -> None:
    assert "规上工业总产值".encode() in records.dump(record)


def test_what_is_dumped_is_valid_and_complete(record: dict[str, Any]) -> None:
    back = json.loads(records.dump(record), parse_float=Decimal)
    records.validate(back)
    assert back == record


def test_the_schema_knows_every_key_in_order(record: dict[str, Any]) -> None:
    schema = json.loads((records.SCHEMAS / "report.schema.json").read_bytes())
    assert list(record) == list(schema["properties"])
    indicator = schema["properties"]["indicators"]["items"]
    assert list(record["indicators"][0]) == list(indicator["properties"])


def test_identity_is_township_and_year(record: dict[str, Any]) -> None:
    assert (record["id"], record["revision"]) == (f"{TINGPANG}-2022", 1)
    final = records.identified(record, f"{TINGPANG}-2022-2", 3)
    assert (final["id"], final["revision"]) == (f"{TINGPANG}-2022-2", 3)
    assert record["revision"] == 1


def test_a_report_of_nowhere_has_no_identity() -> None:
    assert parse(PAGE, "report.txt").record["id"] is None


Change = Callable[[dict[str, Any]], object]
BREAKS: list[tuple[str, str, Change]] = [
    ("a value in words", "/indicators/0/value", lambda r: r["indicators"][0].update(value="many")),
    ("an unknown bound", "/indicators/0/bound", lambda r: r["indicators"][0].update(bound=">")),
    ("an unknown status", "/indicators/0/status", lambda r: r["indicators"][0].update(status="hoped")),
    ("a month of thirteen", "/indicators/0/months", lambda r: r["indicators"][0].update(months=[1, 13])),
    ("no name", "/indicators/0", lambda r: r["indicators"][0].pop("name")),
    ("an unknown key", "/indicators/0", lambda r: r["indicators"][0].update(colour="red")),
    ("an unknown key on top", "", lambda r: r.update(colour="red")),
    ("a negative offset", "/sections/0/start", lambda r: r["sections"][0].update(start=-1)),
    ("a title of number", "/title", lambda r: r.update(title=7)),
    ("no township", "", lambda r: r.pop("township")),
    ("a code of eight digits", "/township/code", lambda r: r["township"].update(code="33102210")),
    ("a digest that is none", "/source/sha256", lambda r: r["source"].update(sha256="abc")),
]


@pytest.mark.parametrize(("pointer", "change"), [b[1:] for b in BREAKS], ids=[b[0] for b in BREAKS])
def test_a_broken_record_is_refused_with_its_place(record: dict[str, Any], pointer: str, change: Change) -> None:
    broken = deepcopy(record)
    change(broken)
    with pytest.raises(ReportError) as refused:
        records.validate(json.loads(records.dump(broken)))
    assert refused.value.code == "schema"
    assert pointer in {p["pointer"] for p in refused.value.extra["pointers"]}
    assert all(p["message"] for p in refused.value.extra["pointers"])


def test_a_ruined_record_names_at_most_twenty_places(record: dict[str, Any]) -> None:
    ruined = {**record, "indicators": [{} for _ in range(50)]}
    with pytest.raises(ReportError) as refused:
        records.validate(ruined)
    assert len(refused.value.extra["pointers"]) == 20


@given(st.integers(0, 10**15 - 1), st.integers(0, 15))
def test_numbers_of_15_digits_survive_json(digits: int, places: int) -> None:
    value = Decimal(digits).scaleb(-places)
    dumped = records.dump({"value": value, "other": -value})
    back = json.loads(dumped, parse_float=Decimal, parse_int=Decimal)
    assert (back["value"], back["other"]) == (value, -value)


def test_dump_refuses_what_has_no_place_in_json() -> None:
    with pytest.raises(TypeError):
        records.dump({"value": object()})


def test_the_digest_of_the_rules_is_one_of_their_bytes() -> None:
    digest = records.rules_digest()
    assert len(digest) == 64
    assert set(digest) <= set("0123456789abcdef")
    assert digest == records.rules_digest.__wrapped__()


@pytest.mark.parametrize(
    ("title", "suffix"),
    [
        ("2023年工作总结", ""),
        ("2023年上半年工作总结和下半年工作计划", "-h1"),
        ("2023年下半年工作总结", "-h2"),
        ("2023年第一季度工作总结", "-q1"),
        ("2023年四季度工作总结", "-q4"),
        ("2023年前三季度工作总结", "-m1to9"),
        ("2023年工作计划", "-plan"),
    ],
)
def test_an_id_tells_which_part_of_the_year_a_report_is_of(title: str, suffix: str) -> None:
    body = "全镇完成固定资产投资7132万元，同比增长46.87%，新增企业5家，改造公厕6座，调解矛盾纠纷86起。" * 5
    page = clean_page(decode(f"三门县亭旁镇{title}\n\n{body}".encode()))
    assert base_id(identify(page)) == f"331022103-2023{suffix}"
