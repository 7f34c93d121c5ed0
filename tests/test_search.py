"""The search: what is found by what, where it stands, and that nothing is found that is not there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalog import layout, places, search
from chalicelib.catalog.concepts import load_concepts
from chalicelib.catalog.paging import Page
from chalicelib.errors import BadRequest, NotFound
from chalicelib.search import build, documents, query, segment, terms
from chalicelib.storage import Delete, Storage
from tests.made_reports import NOW
from tests.published import FANGCHENG, TEXT, TINGPANG, publish, record

ALIASES = documents.read_aliases(load_concepts())
CHINESE = st.text(st.sampled_from("工业产值一二镇村"), min_size=2, max_size=30)
MIXED = st.text(st.sampled_from("工业产值村ab19.,，。％ＡA \n"), min_size=1, max_size=40)


def made(text: str, title: str = "工作总结") -> documents.Document:
    return documents.document({**record(text=text), "title": title}, text)


def found(text: str, q: str) -> documents.Found | None:
    return documents.find_words(made(text), query.parse(q, load_concepts()))


def is_candidate(document: documents.Document, q: str) -> bool:
    """Whether the terms of the query lead to the document, by a segment's bytes."""
    writer = segment.Writer()
    writer.add("a", 1, document, documents.document_terms(document, ALIASES))
    data, start = writer.finish()
    top = segment.read_top(data[start:])

    def has(term: str) -> bool:
        block = top.block(term)
        return block is not None and segment.read_postings(data[slice(*top.blocks[block : block + 2])], term) == [0]

    return all(any(all(map(has, group)) for group in word.terms) for word in query.parse(q, load_concepts()))


def ask(storage: Storage, q: str, **more: Any) -> Page:
    return search.reports(storage, q=q, **{"cursor": None, "limit": 100, "now": NOW, **more})


def ids(page: Page) -> list[str]:
    return [row["report"]["id"] for row in page.data]


FOUND = {
    "two characters": ("完成投资1.5亿元。", "投资", ["投资"]),
    "a number with its unit": ("完成投资1.5亿元。", "1.5亿元", ["1.5亿元"]),
    "a number is no part of another": ("完成投资11.5亿元。", "1.5亿元", None),
    "wide letters are as narrow ones": ("发展ＡＩ产业，", "ai", ["ＡＩ"]),
    "a Latin word is no part of another": ("发展AIR产业", "ai", None),
    "all words are required": ("招商引资和工业", "招商 农业", None),
    "several words in any order": ("招商引资和工业", "工业 招商", ["工业", "招商"]),
    "a pair of characters on either side is no word": ("工业。业产值", "工业产值", None),
    "quotes hold a blank": ("红色 工业", '"红色 工业"', ["红色 工业"]),
    "quotes that do not end": ("红色 工业", "“红色 工业", ["红色 工业"]),
    "an English label of a concept": ("实现地区生产总值3亿元", "gross regional product", ["地区生产总值"]),
    "a label's case is left aside": ("实现GDP3亿元", "Gross Regional Product", ["GDP"]),
    "a label among other words": ("村里实现生产总值3亿元", "村里 gross regional product", ["村里", "生产总值"]),
    "a label whose concept is not named": ("实现农业总产值3亿元", "gross regional product", None),
}


@pytest.mark.parametrize(("text", "q", "words"), FOUND.values(), ids=FOUND)
def test_what_is_found(text: str, q: str, words: list[str] | None) -> None:
    result = found(text, q)
    assert (result and [text[hit["start"] : hit["end"]] for hit in result.hits]) == words
    if words:
        assert is_candidate(made(text), q)


NAMES = {
    "pinyin": ("Tingpang", "浙江省台州市三门县亭旁镇"),
    "pinyin in one word": ("tingpangzhen", "浙江省台州市三门县亭旁镇"),
    "pinyin with an English rank": ("Tingpang Town", "浙江省台州市三门县亭旁镇"),
    "pinyin with tones": ("Tíngpáng", "浙江省台州市三门县亭旁镇"),
    "a name with what is above it": ("三门县亭旁镇", "三门县亭旁镇"),
    "the county in pinyin": ("Sanmen xian", "浙江省台州市三门县亭旁镇"),
}


@pytest.mark.parametrize(("q", "shown"), NAMES.values(), ids=NAMES)
def test_a_report_is_found_by_the_names_of_its_place(q: str, shown: str) -> None:
    result = found("无", q)
    assert result
    assert {(hit["field"], made("")["place"][hit["start"] : hit["end"]]) for hit in result.hits} == {("place", shown)}
    assert result.matches == 0
    assert is_candidate(made("无"), q)


@pytest.mark.parametrize("q", ["镇", "工 业", "，。", '""', " ", "工业 a 镇", " ".join("甲乙" for _ in range(9))])
def test_what_cannot_be_searched_for_is_refused(q: str) -> None:
    with pytest.raises(BadRequest) as caught:
        query.parse(q, load_concepts())
    assert (caught.value.code, caught.value.extra["parameter"]) == ("bad_parameter", "q")


def test_a_hit_comes_in_its_context() -> None:
    result = found(TEXT, "企业")
    assert result
    (hit,) = result.hits
    assert hit == {
        "field": "text",
        "section": "s2",
        "section_title": "工业",
        "start": TEXT.index("企业"),
        "end": TEXT.index("企业") + 2,
        "snippet": "新增企业3家。",
        "snippet_start": TEXT.index("新增"),
    }


def test_hits_are_few_and_all_are_counted() -> None:
    result = found("工业好。" * 10 + "农业。", "工业 农业")
    assert result
    assert result.matches == 11
    assert [hit["snippet"] for hit in result.hits] == ["工业好。", "农业。", "工业好。"]


@given(CHINESE, st.data())
def test_every_part_of_two_characters_and_more_is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 2))
    end = data.draw(st.integers(start + 2, len(text)))
    result = found(text, text[start:end])
    assert result
    assert is_candidate(made(text), text[start:end])


@given(MIXED, MIXED)
def test_what_is_found_stands_there_and_leads_there(text: str, q: str) -> None:
    try:
        result = found(text, q)
    except BadRequest:
        return
    document = made(text)
    if result is None:
        return
    assert is_candidate(document, q)
    for hit in result.hits:
        whole = document[hit["field"]]
        first = hit["snippet_start"]
        assert whole[first : first + len(hit["snippet"])] == hit["snippet"]
        assert first <= hit["start"] < hit["end"] <= first + len(hit["snippet"])
        if hit["field"] == "text":
            needles = {needle for word in query.parse(q, load_concepts()) for needle in word.needles}
            assert terms.fold(text[hit["start"] : hit["end"]]) in needles


@given(st.lists(st.lists(st.integers(0, 40), max_size=9, unique=True), min_size=1, max_size=300))
def test_a_segment_gives_back_what_was_put_in(having: list[list[int]]) -> None:
    writer = segment.Writer()
    for number, words in enumerate(having):
        writer.add(f"r{number:04}", 1, {"text": str(number)}, [f"t{word}" for word in words])
    data, start = writer.finish()
    top = segment.read_top(data[start:])
    assert top.ids == [f"r{number:04}" for number in range(len(having))]
    for number in range(len(having)):
        assert segment.read_document(data[slice(*top.documents[number : number + 2])]) == {"text": str(number)}
    for word in range(41):
        block = top.block(f"t{word}")
        given_back = (
            [] if block is None else segment.read_postings(data[slice(*top.blocks[block : block + 2])], f"t{word}")
        )
        assert given_back == [number for number, words in enumerate(having) if word in words]


# Over the storages.

# A change after the segments were made, and a time at which it is told.
LATER, SOON = "2024-03-01T08:32:00.000Z", NOW + timedelta(minutes=5)


@pytest.fixture
def filled(storage: Storage) -> Storage:
    for code in (TINGPANG, FANGCHENG, "110101001"):
        for year in (2021, 2022):
            publish(storage, record(code, year))
    build.refresh(storage, NOW)
    return storage


ORDER = [f"{code}-{year}" for year in (2022, 2021) for code in ("110101001", TINGPANG, FANGCHENG)]


def test_reports_come_newest_first_and_by_code(filled: Storage) -> None:
    page = ask(filled, "新增企业")
    assert (ids(page), page.next) == (ORDER, None)


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_pages_visit_each_report_once(filled: Storage, limit: int) -> None:
    seen, cursor = list[str](), None
    for _ in range(20):
        page = ask(filled, "新增企业", cursor=cursor, limit=limit)
        assert len(page.data) <= limit
        seen += ids(page)
        if not (cursor := page.next):
            break
    assert seen == ORDER


def test_a_page_that_may_read_little_still_moves_on(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "READS", 1)
    monkeypatch.setattr(search, "CANDIDATES", 1)
    seen, cursor, pages = list[str](), None, 0
    while pages < 30:
        page = ask(filled, "新增企业", cursor=cursor)
        seen, cursor, pages = seen + ids(page), page.next, pages + 1
        if not cursor:
            break
    assert seen == ORDER
    assert pages > 5


def test_a_cursor_of_another_query_is_refused(filled: Storage) -> None:
    cursor = ask(filled, "新增企业", limit=1).next
    with pytest.raises(BadRequest) as caught:
        ask(filled, "完成投资", cursor=cursor)
    assert caught.value.code == "bad_cursor"


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"province": ["33"]}, [each for each in ORDER if each.startswith("33")]),
        ({"prefecture": ["1101"]}, []),
        ({"county": ["331022"]}, [f"{TINGPANG}-2022", f"{TINGPANG}-2021"]),
        ({"township": [FANGCHENG, "110101001"]}, [each for each in ORDER if not each.startswith(TINGPANG)]),
        ({"township": [FANGCHENG], "province": ["11"]}, []),
    ],
)
def test_filters_narrow_the_search(filled: Storage, chosen: dict[str, Any], expected: list[str]) -> None:
    if chosen == {"prefecture": ["1101"]}:
        expected = [each for each in ORDER if each.startswith("1101")]
    assert ids(ask(filled, "新增企业", **chosen)) == expected


def test_what_has_gone_since_is_not_shown(filled: Storage) -> None:
    gone = ORDER[1]
    filled.index.commit([Delete(*layout.head(gone)), Delete(*layout.listed_report(gone))])
    assert ids(ask(filled, "新增企业")) == [each for each in ORDER if each != gone]


def test_a_revision_is_searched_as_it_is_now(filled: Storage) -> None:
    old = record(TINGPANG, 2022)
    text = TEXT.replace("新增企业3家", "新增企业4家")
    publish(filled, record(TINGPANG, 2022, revision=2, text=text), old, text)
    assert f"{TINGPANG}-2022" not in ids(ask(filled, "新增企业3家"))
    shown = {row["report"]["id"]: row for row in ask(filled, "新增企业").data}[f"{TINGPANG}-2022"]
    assert (shown["report"]["revision"], shown["hits"][0]["snippet"]) == (2, "新增企业4家。")
    build.refresh(filled, NOW)
    assert ids(ask(filled, "新增企业4家")) == [f"{TINGPANG}-2022"]


def test_what_was_published_since_is_found_in_its_place(filled: Storage) -> None:
    build.refresh(filled, NOW + timedelta(minutes=1))
    text = TEXT + "招商引资"
    publish(filled, record(FANGCHENG, 2022, revision=2, text=text), record(FANGCHENG, 2022), text, LATER)
    publish(filled, record(TINGPANG, 2023, text=text), None, text, LATER)
    publish(filled, record("110101001", 2020, text=text), None, text, LATER)
    new = [f"{TINGPANG}-2023", f"{FANGCHENG}-2022", "110101001-2020"]
    assert ids(ask(filled, "招商引资", now=SOON)) == new
    assert ids(ask(filled, "招商引资", now=SOON, county=["331022"])) == new[:1]
    seen, cursor = list[str](), None
    for _ in range(20):
        page = ask(filled, "新增企业", now=SOON, limit=1, cursor=cursor)
        seen += ids(page)
        if not (cursor := page.next):
            break
    assert seen == [new[0], *ORDER, new[2]]


def test_what_was_withdrawn_since_is_not_found(filled: Storage) -> None:
    build.refresh(filled, NOW + timedelta(minutes=1))
    old, withdrawn = record(FANGCHENG, 2022), {"time": LATER, "reason": None}
    publish(filled, record(FANGCHENG, 2022, revision=2, withdrawn=withdrawn), old, moment=LATER)
    for now in (NOW, SOON):
        assert ids(ask(filled, "新增企业", now=now)) == [each for each in ORDER if each != f"{FANGCHENG}-2022"]


def test_too_many_changes_wait_for_the_next_build(filled: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    build.refresh(filled, NOW + timedelta(minutes=1))
    monkeypatch.setattr(search, "FRESH", 1)
    for year in (2019, 2020):
        publish(filled, record(TINGPANG, year), moment=LATER)
    assert ids(ask(filled, "新增企业", now=SOON)) == ORDER
    build.refresh(filled, SOON)
    assert ids(ask(filled, "新增企业", now=SOON)) == [*ORDER, f"{TINGPANG}-2020", f"{TINGPANG}-2019"]


def test_only_what_changed_is_prepared_anew_and_the_rest_goes_after_an_hour(filled: Storage) -> None:
    before = build.read_manifest(filled.objects)
    assert before
    text = TEXT + "招商引资"
    publish(filled, record(FANGCHENG, 2021, revision=2, text=text), record(FANGCHENG, 2021), text)
    after = build.refresh(filled, NOW + timedelta(minutes=1))
    changed = {name for name, part in after["segments"].items() if part != before["segments"][name]}
    assert changed == {"2021-33"}
    old = before["segments"]["2021-33"]["key"]
    assert list(after["retired"]) == [old]
    assert old in list(filled.objects.keys("search/"))
    build.refresh(filled, NOW + timedelta(hours=2))
    assert old not in list(filled.objects.keys("search/"))
    assert ids(ask(filled, "招商引资")) == [f"{FANGCHENG}-2021"]


def test_a_build_that_broke_off_is_gone_on_with(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(storage, record(TINGPANG, 2022))
    publish(storage, record(TINGPANG, 2021))
    made_names: list[str] = []
    write = build._write_segment

    def breaking(objects: Any, name: str, *more: Any) -> dict[str, object]:
        if made_names == ["2022-33"]:
            made_names.append("broken")
            raise Broken
        made_names.append(name)
        return write(objects, name, *more)

    monkeypatch.setattr(build, "_write_segment", breaking)
    with pytest.raises(Broken):
        build.refresh(storage, NOW)
    with pytest.raises(NotFound) as caught:
        ask(storage, "新增企业")
    assert caught.value.code == "no_search_index"
    build.refresh(storage, NOW)
    assert made_names == ["2022-33", "broken", "2021-33"]
    assert ids(ask(storage, "新增企业")) == [f"{TINGPANG}-2022", f"{TINGPANG}-2021"]


class Broken(Exception):
    pass


class Reads:
    """Objects that count what is read of them."""

    def __init__(self, objects: Any) -> None:
        self._objects, self.count = objects, 0

    def __getattr__(self, name: str) -> Any:
        self.count += name in ("get", "get_range")
        return getattr(self._objects, name)


def test_neighbours_are_read_together(local_storage: Storage) -> None:
    codes = places.search(None, ["3310"])[:50]
    for code in codes:
        publish(local_storage, record(code, 2022))
    build.refresh(local_storage, NOW)
    objects: Any = Reads(local_storage.objects)
    counted = Storage(objects, local_storage.index)
    assert ids(ask(counted, "新增企业", limit=50)) == [f"{code}-2022" for code in codes]
    # The manifest, the top, two blocks at most, and the documents by twenty.
    assert objects.count <= 7


@pytest.fixture
def asked(local_storage: Storage) -> Storage:
    publish(local_storage, record(TINGPANG, 2022))
    return local_storage


def test_the_search_over_http(asked: Storage) -> None:
    from chalicelib.web.routes import BY_NAME
    from tests.contract import check_problem, check_shape
    from tests.gateway import get

    address = f"/v1/search?q={quote('企业')}&year=2020..2022&province={quote('浙江省')}"
    early = get(asked, address)
    check_problem(early)
    assert (early.status, early.json["code"]) == (404, "no_search_index")
    build.refresh(asked, NOW)
    answer = get(asked, address)
    check_shape(BY_NAME["search_reports"], answer)
    assert answer.json["data"][0]["hits"][0]["snippet"] == "新增企业3家。"
    assert answer.headers["x-indexed"] == "2024-03-01T08:30:00Z"
    refused = get(asked, f"/v1/search?q={quote('镇')}")
    check_problem(refused)
    assert (refused.status, refused.json["parameter"]) == (400, "q")
