"""The reader does not get worse on the held-out reports than `floors.json` says, and the measure measures."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.agreement import letters, pair_up, similarity
from tests.quality.tally import GOLD, MEASURES, PLACE, Score, score_all

FLOORS: dict[str, float] = json.loads((Path(__file__).parent / "floors.json").read_bytes())


@pytest.fixture(scope="module")
def scores() -> dict[str, float]:
    return score_all()


@pytest.mark.parametrize("measure", MEASURES)
def test_no_measure_falls_below_its_floor(measure: str, scores: dict[str, float]) -> None:
    assert scores[measure] >= FLOORS[measure]


def test_every_measure_has_a_floor_close_to_what_is_reached(scores: dict[str, float]) -> None:
    """A floor left far below what is reached would hold nothing: raise it with the change that earns it."""
    assert set(FLOORS) == set(MEASURES)
    assert {m: s for m, s in scores.items() if s - FLOORS[m] > 0.05} == {}


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


def f1(gold: dict[str, Any], record: dict[str, Any]) -> dict[str, float]:
    score = Score()
    score.add_document(gold, record)
    return {measure: tally.f1 for measure, tally in score.tallies.items()}


def test_the_gold_itself_is_perfect(gold: dict[str, Any], perfect: dict[str, Any]) -> None:
    assert f1(gold, perfect) == dict.fromkeys(MEASURES, 1.0)


def test_nothing_read_is_nothing_right(gold: dict[str, Any], perfect: dict[str, Any]) -> None:
    read = f1(gold, {**perfect, "sections": [], "indicators": []})
    assert read == {**dict.fromkeys(MEASURES, 0.0), "report": 1.0}


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
