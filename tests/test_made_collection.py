"""The made collection: the same bytes for the same report, and reports that are read as the real ones are."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import re
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench import load_collection, made_collection, made_figures, scale_requests
from bench.made_collection import YEARS, report_text
from bench.name_townships import township_codes
from chalicelib.ingestion import identity
from chalicelib.reading.parse import parse_upload
from chalicelib.records import Parsed
from chalicelib.storage import local
from tests.gateway import get

TINGPANG = "331022103"
SAMPLE = random.Random(4).sample(township_codes(), 60)
CASES = [(code, YEARS[at % len(YEARS)]) for at, code in enumerate(SAMPLE)]
# The figures of `always`: the reports of every year state them.
HEADLINES = {
    "fiscal_revenue": "fiscal_revenue",
    "fixed_asset_investment": "investment",
    "income_per_capita_rural": "rural_income",
    "grain_output": "grain_output",
}


def read(code: str, year: int) -> Parsed:
    return parse_upload(report_text(code, year).encode(), made_collection.filename(code, year), None)


@pytest.fixture(scope="module")
def sample() -> list[Parsed]:
    return [read(code, year) for code, year in CASES]


def digest(cases: list[tuple[str, int]]) -> dict[str, str]:
    return {f"{code}-{year}": hashlib.sha256(report_text(code, year).encode()).hexdigest() for code, year in cases}


def test_a_collection_is_every_township_in_ten_years() -> None:
    every = list(made_collection.reports())
    assert len(every) == len(set(every)) == 413_520
    assert every == sorted(every)
    assert list(made_collection.reports("46")) == [case for case in every if case[0].startswith("46")]


def test_the_same_report_has_the_same_bytes_in_any_order_and_process() -> None:
    cases = CASES[:20]
    first = digest(cases)
    assert digest(cases[::-1]) == first
    command = f"from tests.test_made_collection import *; print(sorted(digest({cases[5:15]!r}).items()))"
    # Another seed of the hashes: nothing may hang on the order of a set.
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    folder = Path(made_collection.__file__).resolve().parent.parent
    ran = [sys.executable, "-c", command]
    found = subprocess.run(ran, capture_output=True, text=True, check=True, cwd=folder, env=environment)
    assert found.stdout.strip() == str(sorted(list(first.items())[5:15]))


def test_the_bytes_are_those_that_every_machine_makes() -> None:
    """A change of sentences or figures is a new collection: what was measured was measured on this one."""
    found = hashlib.sha256("".join(report_text(*case) for case in CASES).encode()).hexdigest()
    assert found[:16] == "3734d7d458a24497"


def test_reports_are_read_as_those_of_their_township_and_year(sample: list[Parsed]) -> None:
    assert [parsed.record["id"] for parsed in sample] == [f"{code}-{year}" for code, year in CASES]


def test_what_is_read_is_as_much_as_of_the_seeds(sample: list[Parsed]) -> None:
    """The five seeds have 25 to 104 figures, of which 27 % have a concept, in 8 to 19 entries of a concept and year."""
    figures = [len(parsed.record["indicators"]) for parsed in sample]
    concepts = [[each for each in parsed.record["indicators"] if each["concept"]] for parsed in sample]
    entries = [len({(each["concept"], each["year"]) for each in found}) for found in concepts]
    assert 57 <= statistics.mean(figures) <= 63
    assert min(figures) >= 35
    assert max(figures) <= 85
    assert 0.24 <= sum(map(len, concepts)) / sum(figures) <= 0.29
    assert 15 <= statistics.mean(entries) <= 18


def test_every_quote_is_the_text_it_points_at(sample: list[Parsed]) -> None:
    for parsed in sample:
        for evidence in (each["evidence"] for each in parsed.record["indicators"]):
            assert parsed.text[evidence["start"] : evidence["end"]] == evidence["quote"]


def test_nothing_in_a_report_contradicts_itself(sample: list[Parsed]) -> None:
    assert [check for parsed in sample for check in parsed.record["checks"]] == []


def test_every_number_that_is_printed_is_read(sample: list[Parsed]) -> None:
    for parsed, case in zip(sample, CASES, strict=True):
        numbers = {each["evidence"]["number"] for each in parsed.record["indicators"]}
        printed = set(re.findall(r"[\d.]+(?:万|亿)?(?:元|亩|吨|户|公里|平方米|人次|件|家|座)", parsed.text))
        assert printed <= numbers, case


@pytest.mark.parametrize("code", ["331022103", "150102001", "110101001"])
def test_growth_is_that_on_the_report_of_the_year_before(code: str) -> None:
    for before, now in itertools.pairwise(_headlines(code, year) for year in YEARS):
        for concept, indicator in now.items():
            if indicator["yoy"] is not None:
                grown = 100 * (indicator["value"] / before[concept]["value"] - 1)
                assert float(grown) == pytest.approx(float(indicator["yoy"]), abs=0.051), (concept, indicator)


def _headlines(code: str, year: int) -> dict[str, Any]:
    of_year = [each for each in read(code, year).record["indicators"] if each["year"] == year]
    found = {each["concept"]: each for each in of_year if each["concept"] in HEADLINES}
    assert found.keys() == HEADLINES.keys()
    return found


def test_targets_are_of_the_next_year_and_near_the_value(sample: list[Parsed]) -> None:
    for parsed, (code, year) in zip(sample, CASES, strict=True):
        targets = {each["concept"]: each for each in parsed.record["indicators"] if each["status"] == "target"}
        goal = targets["fiscal_revenue"]
        assert goal["year"] == year + 1
        assert 1.0 <= goal["value"] / (made_figures.value(code, "fiscal_revenue", year) * 10_000) <= 1.15


def test_townships_and_years_differ_but_share_the_genre(sample: list[Parsed]) -> None:
    texts = [parsed.text for parsed in sample]
    assert len(set(texts)) == len(texts)
    pairs = itertools.islice(itertools.combinations(texts, 2), 0, None, 71)
    assert max(identity.similarity(*pair) for pair in pairs) < identity.SAME_DOCUMENT


@pytest.mark.parametrize(
    ("key", "number", "printed"),
    [
        ("gdp", 137_000, "13.7亿元"),
        ("gdp", 9_999, "9999万元"),
        ("relief", 46, "46万元"),
        ("rural_income", 23_800, "23800元"),
        ("grain_area", 48_900, "4.89万亩"),
        ("crop_base", 681, "681亩"),
        ("insured", 981, "98.1%"),
    ],
)
def test_a_figure_is_printed(key: str, number: int, printed: str) -> None:
    assert made_figures.show(made_figures.figure(key), number) == printed


def test_a_place_that_is_none_has_no_report() -> None:
    with pytest.raises(KeyError):
        report_text("999999999", 2020)


def test_a_collection_is_loaded_as_ingestion_loads_it_and_goes_on_where_it_ended(tmp_path: Path) -> None:
    opener = partial(local.open_storage, tmp_path / "small")
    cases = load_collection.first_cases(20)
    first = load_collection.load(opener, cases[:10], quick=True)
    second = load_collection.load(opener, cases, quick=True)
    assert (first.new, second.new) == (10, 10)
    load_collection.copy_folder(tmp_path / "small", tmp_path / "copy")
    assert load_collection.check_same(tmp_path / "copy", cases[::5]) > 50
    report = tmp_path / "copy" / "records" / f"{cases[0][0]}-{cases[0][1]}" / "1.json"
    report.unlink()
    report.write_bytes(b"{}")
    with pytest.raises(RuntimeError, match="differs"):
        load_collection.check_same(tmp_path / "copy", cases[:1])
    assert local.open_storage(tmp_path / "small").objects.get(f"records/{report.parent.name}/1.json") != b"{}"


@pytest.mark.parametrize("size", [0, 15, 500_000])
def test_a_collection_is_whole_townships(size: int) -> None:
    with pytest.raises(ValueError, match="no number of whole townships"):
        load_collection.first_cases(size)


def test_every_get_of_the_measurement_is_a_request_that_the_api_takes(folder: Path) -> None:
    """On two townships, so that lists are shorter than in a collection of a thousand reports."""
    cases = load_collection.first_cases(20)
    with load_collection.without_waiting():
        storage = local.open_storage(folder)
        for case in cases:
            load_collection.receive(storage, case)
    keys = scale_requests.Keys([cases[0][0], cases[10][0]], random.Random(1))
    keys.__dict__["provinces"] = ["11"]
    for kind, address in scale_requests.KINDS.items():
        assert get(storage, address(keys)).status in (200, 307), kind
