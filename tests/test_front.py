"""The front page in a browser, against the real server over the seeds and one report made to do harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests import browser
from tests.browser import Visit
from tests.running_server import ROOT, Server, run_server

pytestmark = pytest.mark.browser

TINGPANG, WITHDRAWN, SECOND = "331022103-2022", "331022103-2019", "331022103-2022-2"
SEEDS = ("331022103-2022", "331082113-2023", "331024106-2023", "330603109-2023", "331083106-2020")
OTHER_REPORT = """三门县亭旁镇2022年政府工作报告

一、过去一年的工作
过去一年,在县委、县政府的坚强领导下,全镇上下团结一心,攻坚克难,较好地完成了年初确定的各项任务。全镇完成规上工业产值5.1亿元,同比增长12.5%。新建农村公路8公里,培训农民1200人次。
二、存在的问题
我们也清醒地看到,工作中还有不少困难和问题:基础设施还不完善,人才比较缺乏,产业层次有待提升,少数干部的作风还需要进一步改进。
"""
HARM = "<img src=x onerror=alert(1)><script>alert(2)</script>"
EMOJI = "\U0001f600\U0001f680"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the seeds; a report of the year before with markup and characters beyond UTF-16's first plane; another one of the
    same year; and one that was withdrawn."""
    folder = tmp_path_factory.mktemp("front")
    seed = (ROOT / "seeds" / "亭旁镇-2022.txt").read_text()
    harmful = seed.replace("2022", "2021").replace("全年完成规上工业产值", f"{HARM}{EMOJI}。全年完成规上工业产值", 1)
    with run_server(folder / "data") as started:
        uploads = [(path.name, path.read_bytes()) for path in sorted((ROOT / "seeds").glob("*.txt"))]
        uploads += [("harm-2021.txt", harmful.encode()), ("other-2022.txt", OTHER_REPORT.encode())]
        for name, data in [*uploads, ("gone-2019.txt", seed.replace("2022", "2019").encode())]:
            upload = started.ask_address(name, len(data))
            assert started.put(upload, data).ok
            assert started.outcome(upload)["state"] == "published"
        gone = f"{started.url}/v1/reports/{WITHDRAWN}?reason=by%20mistake"
        assert requests.delete(gone, headers=started.key, timeout=30).ok
        started.until("/v1/bulk", lambda found: found["reports"] == len(uploads) + 1)
        yield started


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser.running() as started:
        yield started


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    with browser.visit(chromium) as visiting:
        yield visiting


def open_report(visit: Visit, server: Server, report: str = TINGPANG, more: str = "", query: str = "") -> Any:
    visit.page.goto(f"{server.url}/{query}#report={report}{more}")
    visit.page.wait_for_selector(".text .mark")
    return visit.page


def marked(page: Any) -> dict[str, str]:
    """What is marked for each indicator."""
    found: dict[str, str] = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.mark')].flatMap(m => m.dataset.ids.split(' ').map(i => [i, m.textContent])))"
    )
    return found


def test_a_report_is_chosen_step_by_step_and_the_address_holds_the_choice(visit: Visit, server: Server) -> None:
    page = visit.page
    page.goto(server.url + "/")
    page.select_option("#province", "浙江省")
    page.select_option("#county", label="三门县")
    page.select_option("#township", label="亭旁镇")
    visit.shoot("choose")
    years = page.eval_on_selector_all("#year option", "all => all.map(each => each.textContent).slice(1)")
    assert [each[:4] for each in years] == ["2022", "2022", "2021"]
    assert "政府工作报告" in years[1]
    assert years[2] == "2021"
    page.select_option("#year", TINGPANG)
    page.wait_for_selector(".text .mark")
    assert page.url.endswith(f"#report={TINGPANG}")
    visit.shoot("report")
    assert visit.hosts == {urlsplit(server.url).netloc}


@pytest.mark.parametrize("words", ["亭旁", "tingpang"])
def test_a_township_is_found_by_name_and_by_pinyin(visit: Visit, server: Server, words: str) -> None:
    visit.page.goto(server.url + "/")
    visit.page.fill("#find", words)
    visit.page.click("#found button")
    visit.page.wait_for_selector(".text .mark")
    assert f"report={TINGPANG}" in visit.page.url


def test_a_township_without_a_report_is_told(visit: Visit, server: Server) -> None:
    visit.page.goto(server.url + "/?lang=en")
    visit.page.fill("#find", "太平镇")
    visit.page.click("#found button")
    visit.page.wait_for_selector("text=This township has no report yet")


@pytest.mark.parametrize("report", [*SEEDS, "331022103-2021"])
def test_each_mark_is_the_number_that_its_indicator_was_read_from(visit: Visit, server: Server, report: str) -> None:
    page = open_report(visit, server, report)
    shown, indicators = marked(page), server.get(f"/v1/reports/{report}").json()["indicators"]
    text = server.get(f"/v1/reports/{report}/text").text
    assert set(shown) == {each["id"] for each in indicators}
    spans = {}
    for each in indicators:
        start = each["evidence"]["number_start"]
        spans[each["id"]] = (start, start + len(each["evidence"]["number"]))
    for name, span in spans.items():
        start, end = grown(span, list(spans.values()))
        assert shown[name] == text[start:end], name


def grown(span: tuple[int, int], every: list[tuple[int, int]]) -> tuple[int, int]:
    """Numbers that overlap are one mark: from the first of them to the last."""
    touching = [each for each in every if each[0] < span[1] and span[0] < each[1]]
    wider = (min(a for a, _ in touching), max(b for _, b in touching))
    return span if wider == span else grown(wider, every)


def test_what_a_report_says_is_never_markup(visit: Visit, server: Server) -> None:
    page = open_report(visit, server, "331022103-2021")
    assert HARM + EMOJI in page.inner_text(".text")
    assert page.query_selector_all("main img, main script") == []


def test_a_mark_tells_its_indicator_and_goes_back(visit: Visit, server: Server) -> None:
    page = open_report(visit, server)
    page.focus(".mark")
    page.keyboard.press("Enter")
    page.wait_for_selector("#detail:not([hidden])")
    told = page.inner_text("#detail")
    assert "454,780,000 元" in told
    assert "34.15 %" in told
    assert f"{TINGPANG}, revision 1, i1" in told
    visit.shoot("indicator")
    page.go_back()
    page.wait_for_selector("#detail", state="hidden")


def test_the_language_is_switched_and_remembered(visit: Visit, server: Server) -> None:
    page = open_report(visit, server)
    assert page.get_attribute("html", "lang") == "zh-Hans"
    page.click("#language")
    page.wait_for_selector("text=Skip to the report", state="attached")
    open_again = open_report(visit, server, query="")
    assert open_again.get_attribute("html", "lang") == "en"
    assert open_again.title() == "Township reports"


def test_a_series_is_a_chart_and_a_table(visit: Visit, server: Server) -> None:
    page = open_report(visit, server, more="&concept=industrial_output_above_scale")
    page.wait_for_selector("#series svg circle")
    assert page.locator("#series svg circle").count() == 3
    assert page.locator("#series table").count() == 2
    page.locator("#series").scroll_into_view_if_needed()
    visit.shoot("series")


def test_what_is_shown_can_be_downloaded(visit: Visit, server: Server) -> None:
    page = open_report(visit, server)
    addresses = page.eval_on_selector_all(".downloads a", "links => links.map(each => each.href)")
    media = [server.get(urlsplit(a)._replace(scheme="", netloc="").geturl()).headers["Content-Type"] for a in addresses]
    assert [each.partition(";")[0] for each in media][:3] == ["application/json", "text/plain", "text/csv"]
    assert len(media) == 4


def test_years_with_several_values_show_all_of_them(visit: Visit, server: Server) -> None:
    page = open_report(visit, server, more="&concept=industrial_output_above_scale&lang=en", query="?lang=en")
    page.wait_for_selector("#series svg circle")
    dots = page.eval_on_selector_all("#series svg circle title", "all => all.map(each => each.textContent)")
    assert sorted(dots) == ["2021 Actual 454780000", "2022 Actual 454780000", "2022 Actual 510000000"]
    assert page.locator("#series svg path").count() == 0, "no line to a year with two values"
    assert "several values" in page.inner_text("#series")
    links = page.eval_on_selector_all("#series table:first-of-type a", "all => all.map(each => each.textContent)")
    assert {TINGPANG, SECOND, "331022103-2021"} <= set(links)
    page.click(f"#series a >> text={SECOND}")
    page.wait_for_selector("text=5.1亿元 >> visible=true")
    assert f"report={SECOND}&indicator=i1" in page.url


def test_a_link_to_a_figure_shows_it(visit: Visit, server: Server) -> None:
    last = server.get(f"/v1/reports/{SEEDS[2]}").json()["indicators"][-1]["id"]
    page = open_report(visit, server, SEEDS[2], more=f"&indicator={last}")
    page.wait_for_selector("#detail:not([hidden])")
    box = page.locator(".mark[aria-current]").first.bounding_box()
    assert 0 <= box["y"] <= page.viewport_size["height"]
    assert page.evaluate("scrollY") > 0


def test_what_is_typed_meanwhile_does_not_stop_a_report(visit: Visit, server: Server) -> None:
    page = visit.page
    page.route("**/text?**", lambda route: (page.wait_for_timeout(600), route.continue_()))
    page.goto(f"{server.url}/#report={TINGPANG}")
    page.fill("#find", "下各")
    page.wait_for_selector("#found button")
    page.wait_for_selector(".text .mark")


def test_a_withdrawn_report_is_told_and_not_offered(chromium: Any, server: Server) -> None:
    context = chromium.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{server.url}/#report={WITHDRAWN}")
    page.wait_for_selector("#error:not(:empty)")
    assert "这份报告已由发布者撤回" in page.inner_text("#error")
    assert "by mistake" in page.inner_text("#error")
    page.select_option("#province", "浙江省")
    page.select_option("#county", label="三门县")
    page.select_option("#township", label="亭旁镇")
    values = page.eval_on_selector_all("#year option", "all => all.map(each => each.value)")
    assert WITHDRAWN not in values
    assert TINGPANG in values
    context.close()


def test_choosing_asks_little_however_much_there_is(visit: Visit, server: Server) -> None:
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url) if "/v1/" in request.url else None)
    visit.page.route(
        "**/v1/reports?group_by=province",
        lambda route: route.fulfill(
            json={"data": [{"province_code": "33", "province": "浙江省", "count": 20_000}], "next": None, "count": 1}
        ),
    )
    visit.page.goto(server.url + "/")
    visit.page.select_option("#province", "浙江省")
    visit.page.wait_for_selector("#county option:nth-child(90)", state="attached")
    visit.page.select_option("#county", label="三门县")
    visit.page.select_option("#township", label="亭旁镇")
    assert len(asked) <= 5, asked
    assert not any("/v1/reports?province" in each for each in asked)


def test_the_documentation_and_the_addresses_are_linked_in_both_languages(visit: Visit, server: Server) -> None:
    for query, words in (("", ["接口文档", "接口与上传"]), ("?lang=en", ["Documentation", "Addresses and upload"])):
        visit.page.goto(f"{server.url}/{query}")
        visit.page.wait_for_function("document.documentElement.lang")
        links = visit.page.eval_on_selector_all("footer a", "all => all.map(each => [each.textContent, each.href])")
        told = {href.removeprefix(server.url): text for text, href in links}
        assert [told["/docs"], told["/developers"]] == words


def test_a_report_that_is_not_there_is_a_sentence(chromium: Any, server: Server) -> None:
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{server.url}/#report=331022103-1999")
    page.wait_for_selector("#error:not(:empty)")
    assert page.inner_text("#error").endswith(".")
    context.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("phone", {"viewport": {"width": 375, "height": 700}}),
        ("dark", {"color_scheme": "dark", "locale": "en-GB"}),
    ],
)
def test_it_fits_a_phone_and_the_dark(chromium: Any, server: Server, name: str, options: dict[str, Any]) -> None:
    with browser.visit(chromium, **options) as visit:
        page = open_report(visit, server, more="&indicator=i1")
        page.wait_for_selector("#detail:not([hidden])")
        visit.shoot(name)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_every_control_has_a_name_and_every_id_is_one(visit: Visit, server: Server) -> None:
    page = open_report(visit, server, more="&indicator=i1")
    unnamed = "[...document.querySelectorAll('select, input')].filter(each => !each.labels[0]?.textContent.trim())"
    assert page.evaluate(f"{unnamed}.length") == 0
    assert (
        page.evaluate("[...document.querySelectorAll('a, button')].filter(each => !each.textContent.trim()).length")
        == 0
    )
    ids = page.eval_on_selector_all("[id]", "all => all.map(each => each.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("h1").count() == 1


def test_parts_are_kept_for_ever_under_the_name_of_their_content(server: Server) -> None:
    page = server.get("/")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    script = page.text.partition('type="module" src="')[2].partition('"')[0]
    answer = server.get(f"/{script}")
    assert answer.headers["Cache-Control"].endswith("immutable")
    assert answer.headers["ETag"]
    assert answer.headers["Content-Type"].startswith("text/javascript")
    for absent in ("/assets/older/front.js", "/assets/latest/front.html", "/assets/latest/..%2Ffront.html"):
        assert server.get(absent).status_code == 404
