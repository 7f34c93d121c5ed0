"""The front page in a browser, against the real server over the seeds and one report made to do harm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests import browser
from tests.browser import Visit
from tests.running_server import ROOT, Server, run_server

pytestmark = pytest.mark.browser

TINGPANG = "331022103-2022"
HARM = "<img src=x onerror=alert(1)><script>alert(2)</script>"
EMOJI = "\U0001f600\U0001f680"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the seeds, and a report of the year after that has markup and characters beyond UTF-16's first plane."""
    folder = tmp_path_factory.mktemp("front")
    seed = (ROOT / "seeds" / "亭旁镇-2022.txt").read_text()
    harmful = seed.replace("2022", "2021").replace("全年完成规上工业产值", f"{HARM}{EMOJI}。全年完成规上工业产值", 1)
    with run_server(folder / "data") as started:
        uploads = [(path.name, path.read_bytes()) for path in sorted((ROOT / "seeds").glob("*.txt"))]
        for name, data in [*uploads, ("harm-2021.txt", harmful.encode())]:
            upload = started.ask_address(name, len(data))
            assert started.put(upload, data).ok
            assert started.outcome(upload)["state"] == "published"
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
    page.select_option("#report", TINGPANG)
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


@pytest.mark.parametrize("report", [TINGPANG, "331022103-2021"])
def test_each_mark_is_the_number_that_its_indicator_was_read_from(visit: Visit, server: Server, report: str) -> None:
    page = open_report(visit, server, report)
    shown, indicators = marked(page), server.get(f"/v1/reports/{report}").json()["indicators"]
    assert set(shown) == {each["id"] for each in indicators}
    assert [each["id"] for each in indicators if each["evidence"]["number"] not in shown[each["id"]]] == []


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
    assert page.locator("#series svg circle").count() == 2
    assert page.locator("#series table").count() == 2
    page.locator("#series").scroll_into_view_if_needed()
    visit.shoot("series")


def test_what_is_shown_can_be_downloaded(visit: Visit, server: Server) -> None:
    page = open_report(visit, server)
    addresses = page.eval_on_selector_all(".downloads a", "links => links.map(each => each.href)")
    media = [server.get(urlsplit(a)._replace(scheme="", netloc="").geturl()).headers["Content-Type"] for a in addresses]
    assert [each.partition(";")[0] for each in media][:3] == ["application/json", "text/plain", "text/csv"]
    assert len(media) == 4


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
