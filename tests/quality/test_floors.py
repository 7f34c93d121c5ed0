"""The reader does not get worse on the reports than `floors.json` says, and the measure measures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from chalicelib.reading.lexicon import read_rows
from tests.agreement import letters, pair_up, similarity
from tests.quality import score
from tests.quality.tally import (
    GOLD,
    HERE,
    MEASURES,
    NOTHING_READ,
    PLACE,
    Score,
    Tally,
    gold_concepts,
    score_documents,
)

FLOORS: dict[str, Any] = json.loads(score.FLOORS.read_bytes())


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    return score_documents()


def test_no_measure_of_a_document_falls(scores: dict[str, Score]) -> None:
    assert score.list_falls(scores, FLOORS) == []


def test_every_document_has_its_floors(scores: dict[str, Score]) -> None:
    assert set(FLOORS["documents"]) == set(scores)


def test_the_floors_are_those_reached(scores: dict[str, Score]) -> None:
    """A floor below what is reached would hold nothing: accept the figures with the change that earns them."""
    assert score.floors_of(scores) == FLOORS


# --- gains and losses


def errors_and_floors(scores: dict[str, Score]) -> tuple[dict[str, Any], str, Score]:
    """Floors as they are reached, a document with an error, and its score."""
    doc, one = next((doc, one) for doc, one in scores.items() if one.errors)
    return score.floors_of(scores), doc, one


def test_an_error_that_is_gone_is_a_gain(scores: dict[str, Score], capsys: pytest.CaptureFixture[str]) -> None:
    floors, doc, _ = errors_and_floors(scores)
    floors["documents"][doc]["errors"].append("missed: 茶园面积 5 亩")
    score.print_changes(scores, floors)
    assert capsys.readouterr().out.splitlines() == [
        f"{doc}: 1 gained, 0 lost",
        "  + missed: 茶园面积 5 亩",
        "1 gained, 0 lost since the floors were accepted",
    ]


def test_a_new_error_is_a_loss_and_a_lower_measure_a_fall(
    scores: dict[str, Score], capsys: pytest.CaptureFixture[str]
) -> None:
    floors, doc, one = errors_and_floors(scores)
    error = floors["documents"][doc]["errors"].pop()
    right, gold, read = floors["documents"][doc]["tallies"]["full"]
    floors["documents"][doc]["tallies"]["full"] = [right + 1, gold, read]
    score.print_changes(scores, floors)
    assert f"  - {error}" in capsys.readouterr().out.splitlines()
    (fall,) = score.list_falls(scores, floors)
    assert fall.startswith(f"{doc}, full: {one.tallies['full'].f1:.4f} after ")


def test_a_fall_is_accepted_with_the_flag_alone(
    scores: dict[str, Score], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    floors = score.floors_of(scores)
    floors["all"]["named"][0] += 5
    kept = tmp_path / "floors.json"
    kept.write_text(json.dumps(floors), encoding="utf-8")
    monkeypatch.setattr(score, "FLOORS", kept)
    monkeypatch.setattr(score, "score_documents", lambda _: scores)
    assert score.main(["--accept"]) == 1
    assert json.loads(kept.read_bytes()) == floors
    assert score.main(["--accept", "--lower"]) == 0
    assert json.loads(kept.read_bytes()) == score.floors_of(scores)
    assert score.main([]) == 0
    assert "fell: all documents, named" in capsys.readouterr().out


def test_other_documents_are_scored_without_floors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = HERE / "gold" / "gansu_siqiao_2014.json"
    (tmp_path / gold.name).write_bytes(gold.read_bytes())
    assert score.main(["--docs", str(HERE / "docs"), "--gold", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 documents, all\n")
    assert "gansu_siqiao_2014.txt" in out


def test_gold_of_others_may_leave_fields_out_and_use_concepts_of_its_own(tmp_path: Path) -> None:
    row = next(r for r in read_rows("concepts.csv") if r["id"] not in gold_concepts() and r["unit"] == "CNY")
    name = row["examples"].split("|")[0]
    body = f"全年{name}500万元。财政总收入600万元。" + "我们坚持以项目建设为抓手，各项工作取得新的成绩。" * 6
    (tmp_path / "a.txt").write_text(f"亭旁镇2022年度工作总结\n{body}", encoding="utf-8")
    item = {"names": [name], "value": 5000000, "unit": "元", "year": 2022, "concept": row["id"]}
    gold = {"doc": "a.txt", "indicators": [item, {**item, "names": ["财政总收入"], "value": 6000000, "concept": None}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(gold), encoding="utf-8")
    (tmp_path / "a.excluded.json").write_text("[]", encoding="utf-8")
    assert score.main(["--docs", str(tmp_path), "--gold", str(tmp_path)]) == 0
    found = score_documents([path], tmp_path)["a.txt"]
    assert (found.tallies["full"], found.tallies["report"]) == (Tally(2, 2, 2), Tally())
    assert found.tallies["concept"] == Tally(1, 1, 2), "its concept counts, and 财政总收入 is known of old"


def test_a_concept_that_no_gold_has_counts_if_asked_for() -> None:
    item = {"value": 5, "unit": "个", "yoy": None, "year": 2022, "months": None, "status": "actual"}
    gold = {"indicators": [{**item, "names": ["公园"], "concept": None}]}
    found = {**NOTHING_READ, "indicators": [{**item, "name": "公园", "concept": "parks"}]}
    for known, said, errors in ((frozenset({"toilets"}), 0, 0), (None, 1, 1)):
        one = Score(known=known)
        one.add_document(gold, found)
        assert (one.tallies["concept"], len(one.errors)) == (Tally(0, 0, said), errors)


# --- the measure


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        ("规上工业产值", "规上工业产值", 1.0),
        ("“专精特新”企业", "专精特新企业", 1.0),
        ("ＧＤＰ", "gdp", 1.0),
        ("规上工业总产值", "工业总产值", 0.8),
        ("税收", "税收占财政总收入比重", 2 / 10),
        ("工业投资", "农业产值", 0.0),
        ("工业投资", "农业投资", 4 / 6),
        ("", "税收", 0.0),
    ],
)
def test_similarity(a: str, b: str, alike: float) -> None:
    assert similarity(a, b) == similarity(b, a) == pytest.approx(alike)


def gold_record(path: Path) -> dict[str, Any]:
    """A record that says just what the gold says."""
    gold = json.loads(path.read_text(encoding="utf-8"))
    report = gold["report"]
    township = {of: report[key] for key, of in PLACE.items()}
    indicators = [{**item, "name": item["names"][0]} for item in gold["indicators"]]
    return {**report, "township": township, "sections": gold["sections"], "indicators": indicators}


@pytest.fixture
def gold() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLD[0].read_text(encoding="utf-8"))
    return found


@pytest.fixture
def perfect() -> dict[str, Any]:
    return gold_record(GOLD[0])


def f1(gold: dict[str, Any], record: Mapping[str, Any]) -> dict[str, float]:
    one = Score()
    one.add_document(gold, record)
    return {measure: tally.f1 for measure, tally in one.tallies.items()}


def test_the_gold_itself_is_perfect(gold: dict[str, Any], perfect: dict[str, Any]) -> None:
    assert f1(gold, perfect) == dict.fromkeys(MEASURES, 1.0)


def test_nothing_read_is_nothing_right(gold: dict[str, Any], perfect: dict[str, Any]) -> None:
    read = f1(gold, {**perfect, "sections": [], "indicators": []})
    assert read == {**dict.fromkeys(MEASURES, 0.0), "report": 1.0}
    assert f1(gold, NOTHING_READ) == dict.fromkeys(MEASURES, 0.0)


@pytest.mark.parametrize(
    ("change", "fallen"),
    [
        ({"value": 7}, {"quantity", "named", "full", "concept"}),
        ({"unit": "头"}, {"quantity", "named", "full", "concept"}),
        ({"name": "香蕉"}, {"named", "full"}),
        ({"year": 1999}, {"full"}),
        ({"months": [2, 3]}, {"full"}),
        ({"status": "estimate"}, {"full"}),
        ({"concept": "bananas"}, {"concept"}),
        ({"bound": "~"}, set()),
    ],
)
def test_a_wrong_field_lowers_its_measures(
    gold: dict[str, Any], perfect: dict[str, Any], change: dict[str, Any], fallen: set[str]
) -> None:
    place = next(n for n, i in enumerate(perfect["indicators"]) if i["concept"] and not i.get("optional"))
    wrong = deepcopy(perfect)
    wrong["indicators"][place].update(change)
    assert {measure for measure, value in f1(gold, wrong).items() if value < 1} == fallen


def test_what_is_optional_neither_counts_nor_costs() -> None:
    path = next(p for p in GOLD if any(i.get("optional") for i in json.loads(p.read_text())["indicators"]))
    gold, record = json.loads(path.read_text(encoding="utf-8")), gold_record(path)
    without = {**record, "indicators": [i for i in record["indicators"] if not i.get("optional")]}
    assert f1(gold, without) == dict.fromkeys(MEASURES, 1.0)


def test_each_indicator_is_paired_once() -> None:
    item = {"value": 5, "unit": "个", "yoy": None, "year": 2022, "months": None, "status": "actual"}
    gold = [{**item, "names": ["公园"]}, {**item, "names": ["公厕"]}]
    found = [{**item, "name": "公厕"}, {**item, "name": "公园"}, {**item, "name": "公园"}]
    assert [(g, f) for g, f, _ in pair_up(gold, found)] == [(0, 1), (1, 0)]


def test_letters_alone_tell_a_name() -> None:
    assert letters("“１＋３＋Ｎ” (Ⅱ) 模式") == "13nii模式"
