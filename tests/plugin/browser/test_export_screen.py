"""The export page ends in Download on its first screen: places, words, presses and clicks are counted in Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from datasette_program_export import verify
from datasette_program_export.demo import ANNA, C1
from datasette_program_export.plugin.host import V1
from tests.support.databases.people import people_file
from tests.support.sites.server import Server, make_datasette, served

PAGES = {
    "client": f"/practice/clients/{ANNA}/-/program-export",
    "chart": f"/practice/charts/{C1}/-/program-export",
    "table": "/practice/clients/-/program-export",
    "filtered": "/practice/birth_data/-/program-export?country=Brazil",
    "database": "/practice/-/program-export",
    "query": "/practice/-/program-export?sql=select+*+from+charts",
    "guessed people": "/forum/users/1/-/program-export",
}
SCREENS = {(1280, 800): 800, (390, 844): 1266}  # and how far down the button may end
UNFOLDED_WORDS = """
    button => {
        const shown = document.createTreeWalker(button.closest(".program-export-page"), NodeFilter.SHOW_TEXT);
        let words = 0;
        while (shown.nextNode() && shown.currentNode.compareDocumentPosition(button) & 4) { // the button follows it
            const parent = shown.currentNode.parentElement;
            if (parent.checkVisibility() && !parent.closest(".unseen, script, style"))
                words += shown.currentNode.textContent.split(/\\s+/).filter(Boolean).length;
        }
        return words;
    }
"""
PROGRAMMERS = (
    "scope",
    "closure",
    "parents",
    "foreign key",
    "digest",
    "null",
    "schema",
    "cascade",
    "envelope",
    "dialect",
)


@pytest.fixture(scope="module")
def site(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(make_datasette(demo_file, people_file(tmp_path_factory.mktemp("people"), "forum"))) as running:
        yield running


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size[0]} wide")
@pytest.mark.parametrize("name", PAGES)
def test_the_button_is_on_the_first_screen_after_few_words_and_presses(browser, site: Server, name: str, size) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    try:
        page.goto(site.url + PAGES[name])
        button = page.get_by_role("button", name="Download")
        box = button.bounding_box()
        assert box["y"] + box["height"] <= SCREENS[size]
        assert button.evaluate(UNFOLDED_WORDS) <= 150
        told = page.locator(".program-export-page").inner_text().partition("For programs")[0].lower()
        assert [word for word in PROGRAMMERS if word in told] == []
        stops = 0
        for _ in range(30):
            page.keyboard.press("Tab")
            stops += page.locator(".program-export-page :focus").count()
            if button.evaluate("button => button === document.activeElement"):
                break
        assert 1 <= stops <= 8
    finally:
        page.close()


def test_a_filtered_table_is_in_a_spreadsheet_after_three_clicks(browser, site: Server, tmp_path: Path) -> None:
    page = browser.new_page(accept_downloads=True)
    try:
        page.add_init_script(
            "addEventListener('click', () => sessionStorage.clicks = 1 + Number(sessionStorage.clicks || 0), true)"
        )
        page.goto(f"{site.url}/practice/birth_data?country=Brazil")
        page.locator(".page-action-menu summary" if V1 else "details.actions-menu-links summary").first.click()
        page.locator("a").filter(has_text="Export these rows").click()
        with page.expect_download() as caught:
            page.get_by_role("button", name="Download").click()
        assert int(page.evaluate("sessionStorage.clicks")) == 3
        caught.value.save_as(tmp_path / "rows.xlsx")
        report = verify(tmp_path / "rows.xlsx")
        assert (report.status, report.format, report.tables["birth_data"].rows) == ("complete", "xlsx", 8)
    finally:
        page.close()


def test_a_change_is_shown_in_place(browser, site: Server) -> None:
    """The sentence changes; the focus, what is open and the place stay; the address says it; a reader hears of it."""
    page = browser.new_page(viewport={"width": 800, "height": 500})
    try:
        page.goto(site.url + PAGES["client"])
        page.locator("#tables summary").click()
        box = page.locator("#tables input[name=_export_with][value=charts]")
        box.scroll_into_view_if_needed()
        box.focus()
        before = page.evaluate("scrollY")
        page.evaluate("window.marked = true")
        page.keyboard.press("Space")
        page.wait_for_url("**_export_without=charts")
        assert page.evaluate("window.marked") and "chart" not in page.locator(".holds").inner_text()
        assert page.locator("#tables").evaluate("part => part.open")
        assert page.locator(":focus").get_attribute("value") == "charts" and not page.locator(":focus").is_checked()
        assert before > 0 and page.evaluate("scrollY") > 0
        assert page.locator("#program-export-news").inner_text() == page.locator(".holds").inner_text()
        page.keyboard.press("Space")
        page.wait_for_url(lambda url: "_export_without" not in url)
        assert "3 charts" in page.locator(".holds").inner_text()
    finally:
        page.close()


def test_an_update_takes_no_button_away_while_it_is_pressed(browser, site: Server) -> None:
    page = browser.new_page(accept_downloads=True)
    try:
        page.goto(site.url + PAGES["client"])
        button = page.get_by_role("button", name="Download").bounding_box()
        with page.expect_response(re.compile("_export_cascade=0")) as answered:
            page.get_by_label("With everything that belongs to it").uncheck()
            page.mouse.move(button["x"] + 5, button["y"] + 5)
            page.mouse.down()
        answered.value.finished()
        page.wait_for_timeout(200)  # the page has what it needs to update itself
        with page.expect_download() as caught:
            page.mouse.up()
        assert caught.value.failure() is None
        page.wait_for_url("**_export_cascade=0**")
    finally:
        page.close()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_page_stays_where_it_was(browser, site: Server, scripts: bool) -> None:
    context = browser.new_context(viewport={"width": 800, "height": 500}, java_script_enabled=scripts)
    page = context.new_page()
    try:
        page.goto(f"{site.url}/practice/charts/-/program-export")
        page.locator("#rows summary").click()
        page.get_by_role("button", name="Next").click()
        page.wait_for_url("**_export_page=2**")
        page.get_by_role("button", name="Previous").wait_for()
        assert page.locator("#rows").evaluate("part => part.open")
        assert page.locator("#rows").evaluate("part => part.getBoundingClientRect().top < innerHeight")
        assert page.evaluate("scrollY") > 0
    finally:
        context.close()


def test_our_styles_change_nothing_of_datasettes(browser, site: Server) -> None:
    page = browser.new_page()
    measure = """
        [...document.querySelectorAll('header, header *, footer, footer *')].map(part => {
            const { x, width, height } = part.getBoundingClientRect();
            return [part.tagName, x, width, height, getComputedStyle(part).color];
        })
    """
    try:
        for path in (PAGES["client"], "/-/program-export/verify", f"/practice/clients/{ANNA}"):
            page.goto(site.url + path)
            page.locator("details.nav-menu summary").click()
            with_ours = page.evaluate(measure)
            page.evaluate("document.querySelector('link[href*=program_export]').remove()")
            assert page.evaluate(measure) == with_ours
    finally:
        page.close()
