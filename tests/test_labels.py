"""Names of concepts in the language that is asked for, and what a record includes on request."""

from __future__ import annotations

import orjson
import pytest

from chalicelib.catalog import layout
from chalicelib.catalog.concepts import load_concepts
from chalicelib.storage import Storage
from chalicelib.web import labels
from tests.gateway import get
from tests.published import TEXT, TINGPANG, indicator, publish, record
from tests.test_formats import read_csv

REPORT = f"/v1/reports/{TINGPANG}-2022"
FIGURES = (f"/v1/townships/{TINGPANG}/indicators", f"{REPORT}/indicators", "/v1/indicators?concept=gdp")


@pytest.fixture
def filled(storage: Storage) -> Storage:
    publish(storage, record(indicators=[indicator(1, "gdp"), indicator(2, None)]))
    return storage


@pytest.mark.parametrize("url", FIGURES)
def test_figures_have_the_name_of_their_concept(filled: Storage, url: str) -> None:
    sign = "&" if "?" in url else "?"
    plain = get(filled, url)
    assert "concept_label" not in plain.json["data"][0]
    for lang, languages in (("en", "zh, en"), ("zh", "zh")):
        answer = get(filled, f"{url}{sign}lang={lang}")
        names = {"gdp": load_concepts()["gdp"][lang], None: None}
        assert answer.json["data"] == [{**row, "concept_label": names[row["concept"]]} for row in plain.json["data"]]
        assert answer.headers["content-language"] == languages
        lines = read_csv(get(filled, f"{url}{sign}lang={lang}&format=csv&fields=concept_label,concept").body)
        assert lines[0] == {"concept_label": names["gdp"], "concept": "gdp"}
    short = get(filled, f"{url}{sign}lang=en&fields=concept_label&limit=1").json
    assert short["data"] == [{"concept_label": load_concepts()["gdp"]["en"]}]
    assert get(filled, f"{url}{sign}lang=fr").status == 400


def test_concepts_have_a_label(filled: Storage) -> None:
    for lang in ("zh", "en"):
        listed, one = get(filled, f"/v1/concepts?q=gdp&lang={lang}"), get(filled, f"/v1/concepts/gdp?lang={lang}")
        assert one.json["label"] == load_concepts()["gdp"][lang]
        assert all(row["label"] == row[lang] for row in listed.json["data"])
        assert listed.headers["content-language"] == one.headers["content-language"] == lang
    assert "label" not in get(filled, "/v1/concepts/gdp").json
    assert get(filled, "/v1/indicators?group_by=concept&lang=en").json["parameter"] == "lang"


def test_rows_are_parsed_for_labels_alone(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(labels, "label_rows")
    assert all(get(filled, url).status == 200 for url in FIGURES)


def test_a_record_includes_its_text_and_revisions(filled: Storage) -> None:
    old = record(indicators=[indicator(1, "gdp"), indicator(2, None)])
    publish(filled, record(revision=2), old, "新")
    for query, text in (("", "新"), ("&revision=1", TEXT), ("&revision=2", "新")):
        whole = get(filled, f"{REPORT}?{query[1:]}").json
        revisions = get(filled, f"{REPORT}/revisions").json["data"]
        assert get(filled, f"{REPORT}?include=text{query}").json == {**whole, "text": text}
        assert get(filled, f"{REPORT}?include=revisions{query}").json == {**whole, "revisions": revisions}
        both = get(filled, f"{REPORT}?include=revisions,text{query}").json
        assert both == {**whole, "text": text, "revisions": revisions}


def test_only_what_never_changes_is_kept_for_ever(filled: Storage) -> None:
    for include, kept in (("text", True), ("revisions", False), ("text,revisions", False)):
        headers = get(filled, f"{REPORT}?revision=1&include={include}").headers
        assert ("immutable" in headers["cache-control"], "last-modified" in headers) == (kept, kept)


@pytest.mark.parametrize("value", ["", "txt", "text,", "sections"])
def test_what_cannot_be_included_is_named(filled: Storage, value: str) -> None:
    answer = get(filled, f"{REPORT}?include={value}")
    assert (answer.status, answer.json["parameter"]) == (400, "include")
    assert orjson.dumps(answer.json).count(b"revisions")


def test_what_is_too_much_for_an_answer_is_refused(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "SERVABLE", 1000)
    answer = get(filled, f"{REPORT}?include=text")
    assert (answer.status, answer.json["code"]) == (413, "answer_too_large")
