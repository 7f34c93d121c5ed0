"""Every row of the rules does what its example shows, through the public functions, and spares its counter-example."""

from __future__ import annotations

import csv
import re
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from chalicelib.reading.concepts import with_concepts
from chalicelib.reading.lexicon import units
from chalicelib.reading.model import Indicator
from tests.reading_cases import read

RULES = Path(__file__).resolve().parent.parent / "chalicelib" / "rules"
# Rows that do not do yet what their example shows; a mended one must be taken out.
GAPS: dict[str, str] = {}


def rows(name: str) -> list[dict[str, str]]:
    with (RULES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def lists(name: str) -> dict[str, dict[str, Any]]:
    with (RULES / name).open("rb") as file:
        return tomllib.load(file)


def known(label: str, *values: object) -> Any:
    """One row as a parameter; a strict xfail where it is among the gaps."""
    marks = [pytest.mark.xfail(reason=GAPS[label], strict=True)] if label in GAPS else []
    return pytest.param(*values, id=label, marks=marks)


def words(name: str, key: str) -> list[Any]:
    return [known(f"{key} {word}", word) for word in lists(name)[key]["words"]]


def names_in(text: str) -> list[str]:
    return [i.name for i in read({"text": f"{text}。"})]


# --- units.csv


@pytest.mark.parametrize("row", [known(f"units {row['spelled']}", row) for row in rows("units.csv")])
def test_a_measure_word_is_read(row: dict[str, str]) -> None:
    (found,) = read({"text": f"{row['example']}。"})
    number = re.search(r"\d+", row["example"])
    assert number
    assert found.value == Decimal(number[0])
    # A measure word with an alternative in brackets stays as it is printed.
    assert found.unit == (row["spelled"] if "(" in row["spelled"] else row["unit"])


@pytest.mark.parametrize("row", [r for r in rows("units.csv") if r["factor"]], ids=lambda r: r["spelled"])
def test_a_measure_word_converts_exactly(row: dict[str, str]) -> None:
    found = read({"text": f"{row['example'].replace('12', '30')}。"})
    value, standard = found[0].standard or (Decimal(0), "")
    assert (Fraction(value), standard) == (30 * Fraction(row["factor"]), row["standard"])


def test_spellings_of_one_unit_convert_alike() -> None:
    factors: dict[str, set[tuple[str, str, str]]] = {}
    for row in rows("units.csv"):
        factors.setdefault(row["unit"], set()).add((row["dimension"], row["standard"], row["factor"]))
    assert {unit: kinds for unit, kinds in factors.items() if len(kinds) > 1} == {}


# --- excluded.csv


@pytest.mark.parametrize("row", rows("excluded.csv"), ids=lambda r: r["rule"])
def test_a_number_that_is_none_is_refused(row: dict[str, str]) -> None:
    assert names_in(row["example"]) == []


@pytest.mark.parametrize("row", rows("excluded.csv"), ids=lambda r: r["rule"])
def test_what_looks_like_it_is_read(row: dict[str, str]) -> None:
    assert len(names_in(row["counter"])) >= 1


@pytest.mark.parametrize("row", rows("excluded.csv"), ids=lambda r: r["rule"])
def test_a_refusing_pattern_finds_its_example_and_spares_its_counter(row: dict[str, str]) -> None:
    assert row["begins"] in ("digits", "numerals", "number", "word")
    assert bool(row["initials"]) == (row["begins"] == "word")
    assert re.search(row["pattern"], row["example"])
    assert row["example"] != row["counter"]


# --- concepts.csv


def concept_of(name: str, standard: str) -> str | None:
    unit = next(spelled for spelled, unit in units().items() if unit.standard == standard)
    indicator = Indicator(name, Decimal(1), unit, "=", None, 2022, None, "actual", None, None, 0, 9, 0, 1)
    (found,) = with_concepts([indicator])
    return found.concept


def shown(column: str, label: str) -> list[Any]:
    return [
        known(f"{label} {row['id']} {name}", row, name)
        for row in rows("concepts.csv")
        for name in row[column].split("|")
    ]


@pytest.mark.parametrize(("row", "name"), shown("examples", "example"))
def test_a_concept_knows_its_names(row: dict[str, str], name: str) -> None:
    assert concept_of(name, row["unit"]) == row["id"]


@pytest.mark.parametrize(("row", "name"), shown("counters", "counter"))
def test_a_concept_spares_what_is_narrower_or_other(row: dict[str, str], name: str) -> None:
    assert concept_of(name, row["unit"]) != row["id"]


# --- names.toml


EXAMPLES = [(name, row) for name, row in lists("names.toml").items() if "example" in row]


@pytest.mark.parametrize("row", [known(f"names {name}", row) for name, row in EXAMPLES])
def test_a_list_of_words_gives_the_name_of_its_example(row: dict[str, str]) -> None:
    assert row["name"] in names_in(row["example"])


# 全域 and the office are told from the subject by what follows them, 每年 from a habit, the others end names as well.
ELSEWHERE = {"全域", "街道办事处", "每年", "以上", "新", "达标"}


@pytest.mark.parametrize("word", words("names.toml", "lead"))
def test_words_before_the_noun_phrase_go(word: str) -> None:
    if word not in ELSEWHERE:
        assert names_in(f"{word}发放耕地地力补贴100万元") == ["发放耕地地力补贴"]


@pytest.mark.parametrize("word", words("names.toml", "light"))
def test_light_verbs_go(word: str) -> None:
    assert names_in(f"{word}耕地地力补贴100万元") == ["耕地地力补贴"]


@pytest.mark.parametrize("word", words("names.toml", "tail"))
def test_what_links_a_name_to_its_figure_goes(word: str) -> None:
    if word not in ELSEWHERE:
        assert names_in(f"耕地地力补贴{word}100万元") == ["耕地地力补贴"]


@pytest.mark.parametrize("word", words("names.toml", "generic"))
def test_a_general_measure_takes_its_subject(word: str) -> None:
    _, name = names_in(f"种植香菇36亩，{word}100万元")
    assert "香菇" in name
    assert name.endswith(word[-2:])


@pytest.mark.parametrize("word", words("names.toml", "takings"))
def test_takings_are_those_of_firms_or_of_the_place(word: str) -> None:
    assert names_in(f"引进企业3家，{word}100万元") == ["引进企业", f"引进企业{word}"]
    assert names_in(f"种植香菇36亩，{word}100万元") == ["种植香菇", word]


# 已 and 完成 say only that it was done.
DONE = re.compile(r"^(?:已|完成|成功)+(?=..)")


@pytest.mark.parametrize("word", [p for p in words("names.toml", "bare") if p.values[0] not in {"已完成", "通过"}])
def test_a_bare_verb_takes_its_object(word: str) -> None:
    _, name = names_in(f"受理矛盾纠纷36件，{word}30件")
    assert "矛盾纠纷" in name
    assert DONE.sub("", word) in name


@pytest.mark.parametrize("word", words("names.toml", "target"))
def test_a_word_of_targets_makes_one(word: str) -> None:
    found = [*read({"text": f"{word}完成税收100万元。"}), *read({"text": f"税收{word}100万元。"})]
    assert "target" in {i.status for i in found}


@pytest.mark.parametrize("word", words("names.toml", "estimate"))
def test_a_word_of_estimates_makes_one(word: str) -> None:
    assert [i.status for i in read({"text": f"{word}完成税收100万元。"})] == ["estimate"]


# --- nouns.toml


@pytest.mark.parametrize("row", lists("nouns.toml").values(), ids=list(lists("nouns.toml")))
def test_a_list_of_nouns_refuses_its_example_alone(row: dict[str, str]) -> None:
    assert names_in(row["example"]) == []
    assert len(names_in(row["counter"])) == 1


@pytest.mark.parametrize("word", words("nouns.toml", "not_measured"))
def test_a_longer_word_is_not_cut_to_a_measure_word(word: str) -> None:
    assert names_in(f"共有3{word}") == []


@pytest.mark.parametrize(
    "counted",
    [
        "家电商企业",
        "家园区企业",
        "个体育场馆",
        "个人民调解室",
        "户主动搬迁",
        "项目标任务书",
        "支队伍",
        "座位于镇区的桥",
        "台风力发电机",
        "处分散安置点",
        "本科普读物",
    ],
)
def test_a_measure_word_before_a_word_that_goes_on_is_read(counted: str) -> None:
    (found,) = read({"text": f"新建3{counted}。"})
    assert found.value == Decimal(3)
    assert found.unit == counted[0]


@pytest.mark.parametrize("word", words("nouns.toml", "abstract"))
def test_a_part_of_a_programme_is_not_counted(word: str) -> None:
    assert names_in(f"落实三项{word}") == []
