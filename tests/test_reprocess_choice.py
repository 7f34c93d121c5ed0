"""Which reports and uploads `--where` means, and what two records of a report differ in."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import records
from chalicelib.errors import BadRequest
from chalicelib.maintenance.choice import read_choice
from chalicelib.maintenance.differences import Version, compare
from chalicelib.maintenance.listing import list_subjects
from chalicelib.maintenance.outcome import REPORT, REVISED, UPLOAD, Outcome, Totals, describe, write_table
from chalicelib.storage import Storage
from tests.made_reports import TOWN, WORDS, drop, read_report, report, write_report
from tests.published import TEXT, indicator, record

OTHER_TOWN = "331024106"  # of another county of the same prefecture

# Conditions, and whether they hold of 亭旁镇 2022 (read by version 0.0.0), a rejected upload, and one that waits for
# its township, which may be 亭旁镇.
WHERE = [
    ([], "report rejected waiting"),
    (["year=2022"], "report"),
    (["year=2021"], ""),
    (["year!=2021"], "report"),
    (["year=2022", "year=2021"], ""),
    (["province=浙江省"], "report waiting"),
    (["prefecture=台州市"], "report waiting"),
    (["county=三门县"], "report waiting"),
    (["county=331022"], "report waiting"),
    (["township=亭旁镇"], "report waiting"),
    (["county!=三门县"], ""),
    (["county!=仙居县"], "report"),  # the file that waits may be of 仙居县
    (["province=江苏省"], ""),
    (["report=331022103-2022"], "report"),
    (["report!=331022103-2022"], ""),
    (["state=published"], "report"),
    (["state=rejected"], "rejected"),
    (["state=needs_township", "county=三门县"], "waiting"),
    (["state!=published"], "rejected waiting"),
    (["state=rejected", "year=2022"], ""),
    (["parser=0.0.0"], "report"),
    (["parser!=0.0.0"], ""),
    (["parser=current"], ""),
    (["rules=0000"], "report"),
    (["rules!=current", "year=2022"], "report"),
]


def upload(state: str, **more: Any) -> dict[str, Any]:
    return {"id": "a" * 32, "state": state, "sha256": "0" * 64, "township": None, "candidates": [], **more}


@pytest.mark.parametrize(("texts", "holds"), WHERE)
def test_conditions(texts: list[str], holds: str) -> None:
    choice = read_choice(texts)
    found = {
        "report": choice.takes_record(record()),
        "rejected": choice.takes_upload(upload("rejected")),
        "waiting": choice.takes_upload(
            upload("needs_township", candidates=[{"code": "331022103"}, {"code": OTHER_TOWN}])
        ),
    }
    assert [name for name, taken in found.items() if taken] == holds.split()
    assert choice.takes_reports or not found["report"]
    assert choice.takes_uploads or not (found["rejected"] or found["waiting"])


def test_a_file_that_never_came_is_not_meant() -> None:
    assert not read_choice([]).takes_upload(upload("rejected", sha256=None))
    assert not read_choice([]).takes_upload(upload("published"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("year", "is no condition"),
        ("year=", "is no condition"),
        ("=2022", "nothing called ''"),
        ("yeer=2022", "nothing called 'yeer'"),
        ("year=22", "a year of four digits"),
        ("year=２０２２", "a year of four digits"),
        ("report=亭旁镇", "a report's id"),
        ("state=waiting", "Known: published"),
        ("rules=xyz", "hexadecimal"),
        ("county=无此县", "No county has the code or name"),
    ],
)
def test_a_condition_that_is_none_is_explained(text: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read_choice([text])
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([], ["331022103-2021", "331022103-2022", "331024106-2022", "rejected", "waiting"]),
        (["year=2022"], ["331022103-2022", "331024106-2022"]),
        (["county=三门县"], ["331022103-2021", "331022103-2022", "waiting"]),
        (["county=三门县", "province=浙江省", "year=2022"], ["331022103-2022"]),
        (["state!=published"], ["rejected", "waiting"]),
        (["parser=9"], ["331022103-2021", "331022103-2022", "331024106-2022"]),  # which their records tell
    ],
)
def test_what_is_listed(storage: Storage, monkeypatch: pytest.MonkeyPatch, texts: list[str], found: list[str]) -> None:
    monkeypatch.setattr("chalicelib.reading.parse.parse", read_report)
    monkeypatch.setattr("chalicelib.maintenance.listing.PAGE", 2)
    for name, data in {"a": report(), "b": report(year=2021), "c": report(town=OTHER_TOWN)}.items():
        drop(storage, name, data)
    names = {
        drop(storage, "d", b"no report")["id"]: "rejected",
        drop(storage, "e", write_report(WORDS, candidates=TOWN, year=2022))["id"]: "waiting",
    }
    subjects = list(list_subjects(storage, read_choice(texts)))
    assert sorted(names.get(each.id, each.id) for each in subjects) == found
    assert all((each.kind == UPLOAD) == (each.id in names) for each in subjects)


# Differences.


def at(number: int, start: int, **more: Any) -> dict[str, Any]:
    """An indicator whose number stands at `start`."""
    evidence = {"start": start, "end": start + 9, "quote": f"数{start}", "number": "1亿元", "number_start": start + 4}
    return {**indicator(number), "value": 100, "standard": None, "evidence": evidence, **more}


def differences(old: list[Any], new: list[Any], text: str = TEXT, **more: Any) -> dict[str, Any]:
    found = compare(Version(record(indicators=old), TEXT), Version(record(indicators=new, **more), text))
    return {key: value for key, value in found.items() if value}


def ids(found: dict[str, Any], key: str) -> list[str]:
    return [each["id"] for each in found.get(key, [])]


def test_equal_records_differ_in_nothing() -> None:
    assert differences([at(1, 0), at(2, 20)], [at(1, 0), at(2, 20)]) == {}


def test_an_indicator_more_shifts_the_ids_of_the_others_and_changes_none() -> None:
    found = differences([at(1, 0), at(2, 20)], [at(1, 0), at(2, 10), at(3, 20)])
    assert (ids(found, "gained"), list(found)) == (["i2"], ["gained"])


def test_an_indicator_less_is_lost() -> None:
    found = differences([at(1, 0), at(2, 20)], [at(1, 20)])
    assert (ids(found, "lost"), list(found)) == (["i1"], ["lost"])


def test_changed_fields_are_told_with_both_values() -> None:
    found = differences([at(1, 0)], [at(1, 0, year=2021, unit="万元")])
    assert found["changed"][0]["fields"] == {"unit": ["元", "万元"], "year": [2022, 2021]}


def test_a_quote_that_reaches_further_is_a_change() -> None:
    wider = at(1, 0)
    wider["evidence"] = {**wider["evidence"], "end": 12, "quote": "更长的引文"}
    assert list(differences([at(1, 0)], [wider])["changed"][0]["fields"]) == ["quote"]


def test_of_one_number_of_several_indicators_the_most_alike_go_together() -> None:
    found = differences([at(1, 0, name="甲"), at(2, 0, name="乙")], [at(1, 0, name="乙")])
    assert ([each["name"] for each in found["lost"]], list(found)) == (["甲"], ["lost"])


def test_in_another_text_the_quote_and_the_number_tell_which_is_which() -> None:
    moved = at(1, 0)
    moved["evidence"] = {**moved["evidence"], "start": 5, "end": 14, "number_start": 9}
    assert differences([at(1, 0)], [moved], text=" " + TEXT) == {"text": True}


def test_sections_are_told_by_their_headings_and_an_indicator_by_that_of_its_section() -> None:
    old = record()
    shifted = [{**s, "id": f"s{n + 1}"} for n, s in enumerate(old["sections"], 1)]
    new = record(sections=[{**old["sections"][0], "title": "序"}, *shifted], indicators=[indicator(1, section="s2")])
    found = {k: v for k, v in compare(Version(old, TEXT), Version(new, TEXT)).items() if v}
    assert found == {"sections_gained": ["# 一 序"]}


def test_what_the_report_says_of_itself() -> None:
    found = differences(
        [], [], title="新标题", plan_year=2023, checks=[{"rule": "r", "indicator": None, "message": "m"}]
    )
    assert found == {
        "fields": {"title": ["亭旁镇2022年工作总结", "新标题"], "plan_year": [None, 2023]},
        "checks_gained": ["r: m"],
    }


def test_the_table_and_the_lines() -> None:
    old = [at(1, 0), at(2, 20), at(3, 40)]
    new = [at(1, 0, year=2021), at(2, 20, year=2021, name="别"), at(3, 60), at(4, 80)]
    found = compare(Version(record(indicators=old), TEXT), Version(record(indicators=new, title="新"), TEXT))
    revised = Outcome(REPORT, "331022103-2022", REVISED, "", "331022103-2022", 2, found)
    published = Outcome(UPLOAD, "a" * 32, "published", "a.txt", "331022103-2022", 1)
    totals = Totals()
    for outcome in (revised, published, *[Outcome(REPORT, "331022103-2021", "unchanged")] * 1200):
        totals.add(outcome)
    told = "report 331022103-2022: revised, revision 2: indicators +2 -1 ~2 (year 2, name 1); title"
    assert describe(revised) == told
    assert describe(published) == f"upload {'a' * 32}: published as 331022103-2022 revision 1"
    assert write_table(totals, dry_run=False).splitlines() == [
        "reports                 1,201",
        "  unchanged             1,200  read as before",
        "  revised                   1  read otherwise: a new revision",
        "uploads                     1",
        "  published                 1  published now",
        "indicators gained           2",
        "indicators lost             1",
        "indicators changed          2  year 2, name 1",
        "fields of reports           1  title 1",
    ]
    assert write_table(Totals(), dry_run=True).splitlines() == ["dry run: nothing was written"]
    assert write_table(Totals(), dry_run=False) == "nothing to read"
    assert records.VERSION in read_choice(["parser=current"]).wanted("parser")
