"""A quantity is exactly one concept or none: by its words, its unit and whose it is."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalog.concepts import load_concepts
from chalicelib.reading.concepts import ANY, SYNTAX, find_concept, normal_name, with_concepts
from chalicelib.reading.lexicon import read_rows, to_standard, units
from chalicelib.reading.model import Indicator
from tests.reading_cases import Case, load, read


@pytest.mark.parametrize("case", load("concepts"))
def test_concept(case: Case) -> None:
    found = with_concepts(read(case))
    assert [(i.name, i.concept or "-") for i in found] == [
        (i.name, concept) for i, concept in zip(found, case["expect"], strict=True)
    ]


def test_only_the_concept_is_added() -> None:
    (before,) = read({"text": "完成固定资产投资3亿元，同比增长8%。"})
    (after,) = with_concepts([before])
    changed = {field.name for field in fields(before) if getattr(before, field.name) != getattr(after, field.name)}
    assert "concept" in changed
    assert changed <= {"concept", "concept_rule"}


def test_ids_are_unique_and_plain() -> None:
    ids = [row["id"] for row in read_rows("concepts.csv")]
    assert len(ids) == len(set(ids))
    assert all(i.replace("_", "").isalnum() and i == i.lower() and i.isascii() for i in ids)


@given(st.text(alphabet="规上工业总产值固定资产投资财政收入人均全镇村（）“”", max_size=14))
def test_any_name_is_one_concept_or_none(name: str) -> None:
    (indicator,) = read({"text": "完成税收100万元。"})
    (found,) = with_concepts([replace(indicator, name=name)])
    assert found.concept is None or found.concept in {row["id"] for row in read_rows("concepts.csv")}


@pytest.mark.parametrize(
    ("value", "spelled", "standard"),
    [
        ("1.71", "元", ("1.71", "CNY")),
        ("3", "亩", ("2000", "m2")),
        ("1", "亩", ("666.6667", "m2")),
        ("2.5", "公顷", ("25000", "m2")),
        ("78.5", "平方公里", ("78500000", "m2")),
        ("12.6", "公里", ("12600", "m")),
        ("8", "斤", ("4.0", "kg")),
        ("0.3", "吨", ("300", "kg")),
        ("5", "兆瓦", ("5000", "kW")),
        ("0.3", "亩", ("200", "m2")),
        ("-0.1", "亩", ("-66.6667", "m2")),
        ("1E+3", "亩", ("666666.6667", "m2")),
        ("3E+3", "亩", ("2000000", "m2")),
        ("1.71E+8", "元", ("171000000", "CNY")),
        ("2", "担", ("100", "kg")),
        ("0.37", "公斤", ("0.37", "kg")),
        ("15", "里", ("7500", "m")),
        ("1234567", "度", ("1234567", "kWh")),
        ("8.5", "吨标准煤", ("8.5", "tce")),
        ("200", "港元", ("200", "HKD")),
        ("200", "港币", ("200", "HKD")),
        ("12", "方", ("12", "m3")),
        ("300", "人次", ("300", "person")),
        ("40", "户次", ("40", "household")),
        ("32", "场次", ("32", "count")),
        ("96", "盏", ("96", "count")),
        ("700", "头(只)", ("700", "count")),
        ("36200", "头（只、匹）", ("36200", "count")),
        ("9", "件(起)", ("9", "count")),
        ("6", "‰", ("0.6", "percent")),
        ("7", "美元", ("7", "USD")),
    ],
)
def test_standard_values_are_exact(value: str, spelled: str, standard: tuple[str, str]) -> None:
    assert to_standard(Decimal(value), spelled) == (Decimal(standard[0]), standard[1])


@pytest.mark.parametrize(
    "spelled",
    [
        "公斤/亩",
        "元/平方米",
        "元/人",
        "亩次",
        "人日",
        "千伏",
        "千伏安",
        "个百分点",
        "对",
        "箩",
        "箩（筐）",
        "（只）",
        "",
    ],
)
def test_what_does_not_convert_has_no_standard(spelled: str) -> None:
    assert to_standard(Decimal(5), spelled) is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.sampled_from(sorted(units())))
def test_a_standard_value_is_the_quantity_times_its_factor(value: Decimal, spelled: str) -> None:
    found = to_standard(value, spelled)
    factor = units()[spelled].factor
    assert (found is None) == (factor is None)
    if found and factor:
        exact = Fraction(value) * Fraction(factor[0]) / factor[1]
        assert Fraction(found[0]) == exact if factor[1] == 1 else abs(Fraction(found[0]) - exact) <= Fraction(1, 20000)


def test_a_number_of_many_digits_loses_none() -> None:
    digits = "123456789" * 40
    assert to_standard(Decimal(digits), "吨") == (Decimal(digits + "000"), "kg")
    found = to_standard(Decimal(digits), "亩")
    assert found
    assert Fraction(found[0]) == Fraction(int(digits) * 2000, 3)


# --- the table

ROWS = read_rows("concepts.csv")
# Ids that were published never go, for figures are cited by them.
PUBLISHED = re.findall(
    r"\w+",
    """
gdp agricultural_output industrial_agricultural_output industrial_output industrial_output_above_scale
industrial_value_added_above_scale industrial_revenue_above_scale industrial_revenue_below_scale services_value_added
services_revenue_above_scale fixed_asset_investment industrial_investment manufacturing_investment high_tech_investment
services_investment private_investment retail_sales retail_sales_above_quota wholesale_sales_above_quota
accommodation_revenue_above_quota catering_revenue_above_quota exports imports_and_exports foreign_capital_used
outside_capital_received fiscal_revenue general_public_budget_revenue tax_revenue rd_expenditure income_per_capita
income_per_capita_urban income_per_capita_rural village_collective_income population_resident population_registered
households villages land_area enterprises_above_scale enterprises_above_scale_new high_tech_enterprises_new
tech_smes_new projects_signed projects_over_100m idle_land_revitalised land_requisitioned illegal_buildings_demolished
farmland_high_standard grain_area grain_output roads_built disputes_mediated petitions_handled households_relieved
relief_paid low_income_households minimum_living_allowance_recipients medical_insurance_coverage
common_prosperity_workshops service_requests_handled safety_hazards_found safety_hazard_rectification_rate
legal_aid_cases enforcement_cases npc_suggestions_handled
""",
)


def stated(name: str, unit: str | None, **more: Any) -> Indicator:
    value = None if unit is None else Decimal(1)
    return replace(Indicator(name, value, unit, "=", None, 2022, None, "actual", None, None, 0, 9, 0, 1), **more)


def units_of(row: dict[str, str]) -> list[str]:
    """One measure word of each dimension of the row."""
    spelled = {unit.dimension: word for word, unit in reversed(units().items()) if unit.factor is not None}
    return [spelled[dimension] for dimension in row["dimension"].split("|")]


def all_concepts_of(name: str) -> set[str]:
    """The concepts that a name can be of, in one measure word or another."""
    found = (find_concept(stated(name, unit)) for unit in ONE_UNIT_EACH)
    return {match.concept for match in found if match}


ONE_UNIT_EACH = list({unit.dimension: word for word, unit in reversed(units().items()) if unit.factor}.values())


def concepts_of(row: dict[str, str], name: str) -> set[str | None]:
    found = (find_concept(stated(name, unit)) for unit in units_of(row))
    return {match.concept if match else None for match in found}


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_row_knows_all_its_names_alone(row: dict[str, str]) -> None:
    names = [*row["examples"].split("|"), *row["aliases"].split("|")]
    assert {name: concepts_of(row, name) for name in names} == {name: {row["id"]} for name in names}


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_row_spares_its_counters(row: dict[str, str]) -> None:
    assert all(row["id"] not in concepts_of(row, name) for name in row["counters"].split("|"))


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_the_growth_of_a_name_is_of_its_row_or_of_none(row: dict[str, str]) -> None:
    """A growth has no measure word: a name that another row has in another one is of none, and so are rates."""
    for name in [*row["examples"].split("|"), *row["aliases"].split("|")]:
        match = find_concept(stated(name, None, yoy=Decimal(5)))
        if match is None:
            assert all_concepts_of(name) != {row["id"]} or {"share", "households"} & set(row["dimension"].split("|"))
        else:
            assert match.concept == row["id"] or "households" in row["dimension"]
    growths = (find_concept(stated(name, None, yoy=Decimal(5))) for name in row["counters"].split("|"))
    assert row["id"] not in {match.concept for match in growths if match}


def looked_up(name: str, dimension: str) -> str | None:
    """The concept by trying every row of the table in turn."""
    plain = normal_name(name)
    found = {
        row["id"]
        for row in ROWS
        if dimension in row["dimension"].split("|")
        and (plain in map(normal_name, row["aliases"].split("|")) or re.fullmatch(row["pattern"], plain))
    }
    return found.pop() if len(found) == 1 else None


@pytest.mark.parametrize("row", ROWS[::7], ids=[row["id"] for row in ROWS[::7]])
def test_no_row_is_passed_over(row: dict[str, str]) -> None:
    for name in [*row["examples"].split("|"), *row["counters"].split("|"), f"农村{row['zh']}", f"新增{row['zh']}"]:
        for unit in ONE_UNIT_EACH:
            match = find_concept(stated(name, unit))
            assert (match.concept if match else None) == looked_up(name, units()[unit].dimension)


# Words that make any quantity a part, a plan or a change of it, or say something about it.
NARROWER = (
    *(
        "其中",
        "部分",
        "东山村",
        "各村",
        "该项目",
        "某公司",
        "园区",
        "亩均",
        "户均",
        "年均",
        "精品",
        "优质",
        "示范",
        "特色",
    ),
    *("一期", "首批", "常规", "女", "残疾", "外资", "民营", "拟", "协议", "上半年", "第三季度"),
)
ABOUT_IT = (
    "增加",
    "增长",
    "净增",
    "占GDP比重",
    "完成率",
    "目标",
    "涉及",
    "受益",
    "协议签订",
    "签约",
    "(不含农户)",
    "其中",
    "先进个人",
)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_word_that_narrows_a_name_makes_it_none(row: dict[str, str]) -> None:
    names = row["aliases"].split("|")
    narrowed = [word + name for word in NARROWER for name in names] + [n + word for word in ABOUT_IT for n in names]
    found = [name for name in narrowed if concepts_of(row, name) & {row["id"]}]
    assert [name for name in found if normal_name(name) not in map(normal_name, names)] == []


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_pattern_keeps_to_the_syntax_of_the_table(row: dict[str, str]) -> None:
    """Groups, choices, repeats and words: by its characters alone a name is told to be none of the row."""
    literal = SYNTAX.sub("", row["pattern"].replace(ANY, ""))
    assert re.fullmatch(r"[\u4e00-\u9fffA-Z0-9&()、]*", literal)
    assert all(re.fullmatch(row["pattern"], c) is None for c in "。x,- ")


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_a_row_explains_itself(row: dict[str, str]) -> None:
    assert re.fullmatch(r"[A-Z][^|]{15,}[^.]\.", row["definition"])
    assert row["en"] == row["en"].strip() != ""
    assert row["zh"] in row["aliases"].split("|")
    assert all(len(set(row[column].split("|"))) >= 2 for column in ("examples", "counters"))
    assert row["unit"] in {
        unit.standard for unit in units().values() if unit.dimension == row["dimension"].split("|")[0]
    }
    assert all(count == 1 for count in Counter(row["aliases"].split("|")).values())


def test_published_ids_stay() -> None:
    ids = [row["id"] for row in ROWS]
    assert ids[: len(PUBLISHED)] == PUBLISHED
    assert len(ids) >= 500


@pytest.mark.parametrize("column", ["zh", "en"])
def test_labels_tell_concepts_apart(column: str) -> None:
    assert [label for label, count in Counter(row[column] for row in ROWS).items() if count > 1] == []


def test_every_theme_has_concepts() -> None:
    assert {row["theme"] for row in ROWS} == {row["id"] for row in read_rows("themes.csv")}


def test_the_catalog_lists_the_table() -> None:
    listed = load_concepts()
    assert list(listed) == [row["id"] for row in ROWS]
    assert listed["poverty_incidence"]["theme"]["en"] == "Poverty relief"
    assert listed["dilapidated_houses_renovated"]["dimension"] == ["count", "households"]
    assert "全社会固定资产投资" in listed["fixed_asset_investment"]["aliases"]
    assert all("pattern" not in concept for concept in listed.values())


# --- what the rule says

RULES: dict[str, tuple[str, str | None, str | None]] = {
    "a listed name": ("GDP", "元", "alias gdp: GDP"),
    "a listed name without the words of the whole place": (
        "全社会固定资产投资",
        "元",
        "alias fixed_asset_investment: 固定资产投资",
    ),
    "a listed name without quotes": ("“个转企”", "家", "alias individual_to_enterprise: 个转企"),
    "a spelling of it": (
        "规模以上工业企业增加值",
        "元",
        "pattern industrial_value_added_above_scale: 规上工业企业增加值",
    ),
    "a growth alone": ("技术改造投资", None, "alias technical_renovation_investment: 技术改造投资"),
    "a growth that two concepts fit": ("发放低保金", None, None),
    "a growth of a rate": ("森林覆盖率", None, None),
    "one name by its unit: households": ("脱贫", "户", "alias households_lifted: 脱贫"),
    "one name by its unit: people": ("脱贫", "人", "alias people_lifted: 脱贫"),
    "a unit of no dimension of it": ("脱贫", "元", None),
    "households that are firms": ("新增市场主体", "户", "alias market_entities_new: 新增市场主体"),
    "points of a rate": ("城镇化率", "个百分点", None),
    "the rate": ("城镇化率", "%", "alias urbanisation_rate: 城镇化率"),
    "per mille": ("人口出生率", "‰", "alias birth_rate: 人口出生率"),
    "a unit that is none": ("税收", "箩", None),
    "a narrower quantity": ("荒山造林", "亩", None),
    "a yearly average": ("粮食总产量年均", "吨", None),
}


@pytest.mark.parametrize("label", RULES)
def test_the_rule_names_the_row_and_the_words(label: str) -> None:
    name, unit, rule = RULES[label]
    (found,) = with_concepts([stated(name, unit)])
    assert found.concept_rule == rule
    assert found.concept == (rule and rule.split(" ")[1].rstrip(":"))


def test_what_is_of_a_place_is_none() -> None:
    (found,) = with_concepts([stated("税收", "元", place="东山村")])
    assert (found.concept, found.concept_rule) == (None, None)


# --- hostile names


REPEATED = [row for row in ROWS if re.search(r"\)[*+]", row["pattern"])]


@pytest.mark.parametrize("row", REPEATED, ids=[row["id"] for row in REPEATED])
def test_a_repeated_choice_reads_a_run_of_words_one_way_alone(row: dict[str, str]) -> None:
    """Two ways for one run would be tried in all their combinations."""
    for group in re.findall(r"\(\?:([^()]*)\)[*+]", row["pattern"]):
        words = group.split("|")
        others = {word: "|".join(re.escape(other) for other in words if other != word) for word in words}
        assert [word for word in words if others[word] and re.fullmatch(f"(?:{others[word]})+", word)] == []


@pytest.mark.parametrize("row", REPEATED, ids=[row["id"] for row in REPEATED])
def test_a_pattern_ends_on_runs_of_its_own_words(row: dict[str, str]) -> None:
    for word in set(re.findall(r"[\u4e00-\u9fff]+", row["pattern"])):
        assert re.fullmatch(row["pattern"], word * 400 + "。") is None


def test_an_endless_name_is_none() -> None:
    assert find_concept(stated("税收" * 100_000, "元")) is None
    assert normal_name("“" * 100_000) == ""
