"""The export page in a real browser: with the keyboard alone, without JavaScript, from choice to file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from datasette_program_export.demo import ANNA, BOB
from tests.support.sites.server import Server, make_datasette, served

CLIENTS = "/practice/clients/-/program-export"
ANNAS = f"/practice/clients/{ANNA}/-/program-export"


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(request, browser) -> Iterator[object]:
    context = browser.new_context(accept_downloads=True, java_script_enabled=request.param)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def site(demo_file: Path) -> Iterator[Server]:
    with served(make_datasette(demo_file)) as running:
        yield running


def as_programjson(page) -> None:
    page.get_by_role("radio", name="To load it again here").check()


def unfold(page, title: str) -> None:
    """Open a folded part."""
    summary = page.locator("summary").filter(has_text=title)
    if not summary.locator("..").evaluate("part => part.open"):
        summary.click()


def update(page, part: str) -> None:
    """Press the button of a part that shows what is chosen; a script has done so already."""
    page.locator(f"#{part} .update button").first.click()


def download(page, press) -> dict:
    with page.expect_download() as caught:
        press()
    assert caught.value.failure() is None
    return json.loads(Path(caught.value.path()).read_bytes())


def by_button(page) -> dict:
    as_programjson(page)
    return download(page, page.get_by_role("button", name="Download").click)


def tab_to(page, found: str) -> None:
    """Go on with the Tab key until the focus is there; it must be seen."""
    for _ in range(300):
        page.keyboard.press("Tab")
        if page.locator(f":focus:is({found})").count():
            return
    raise AssertionError(f"the Tab key does not lead to {found}")


def test_with_the_keyboard_alone(page, site: Server) -> None:
    page.goto(site.url + ANNAS)
    tab_to(page, "input[name=_export_kind]")  # what stands chosen; the others are reached with the arrows
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.locator("input[value=load]:focus").is_checked()
    tab_to(page, "input[value=session_notes]")
    page.keyboard.press("Space")
    tab_to(page, "#connections summary")
    page.keyboard.press("Enter")
    tab_to(page, ".picture")
    tab_to(page, "input[value='transit_events.chart_id'][type=checkbox]")
    page.keyboard.press("Space")
    tab_to(page, "#connections .update button")
    page.keyboard.press("Enter")
    page.wait_for_url("**_export_stop=transit_events.chart_id**")
    tab_to(page, "#kinds summary")
    page.keyboard.press("Enter")
    tab_to(page, "[id='choose-of.layout.load']")
    page.keyboard.press("ArrowDown")
    tab_to(page, "#kinds .update button")
    page.keyboard.press("Enter")
    page.wait_for_url("**_export_layout=pretty**")
    for choice in ("_export_without=session_notes", "_export_stop=transit_events.chart_id"):
        assert choice in page.url
    tab_to(page, "input[value=Download]")
    tables = download(page, lambda: page.keyboard.press("Enter"))["tables"]
    assert "charts" in tables and "session_notes" not in tables and "transit_events" not in tables


def test_where_the_focus_is_can_be_seen(browser, site: Server) -> None:
    page = browser.new_page()
    page.goto(f"{site.url}{CLIENTS}?_export_open=kinds")
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "(e => e.closest('.program-export-page') && [e.tagName, getComputedStyle(e).outlineStyle,"
            " parseFloat(getComputedStyle(e).outlineWidth)])(document.activeElement)"
        )
        if told:
            tag, style, width = told
            assert style == "solid" and width >= 2, (told, page.evaluate("document.activeElement.outerHTML"))
            seen.add(tag)
    page.close()
    assert {"A", "INPUT", "SELECT", "SUMMARY", "BUTTON"} <= seen


def test_the_enter_key_in_a_field_shows_the_choice_and_downloads_nothing(page, site: Server) -> None:
    page.goto(site.url + CLIENTS)
    unfold(page, "Choose rows")
    page.get_by_label("Search by name").fill("bicoastal")
    page.get_by_label("Search by name").press("Enter")
    page.wait_for_url("**_export_find=bicoastal**")
    page.locator(".offered").wait_for()
    assert page.locator(".offered input").count() == 1 and page.locator(".offered").is_visible()


def test_a_selection_survives_search_and_paging(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/charts/-/program-export")
    unfold(page, "Choose rows")
    page.locator(".offered input").first.check()
    page.get_by_role("button", name="Next").click()
    page.wait_for_url("**_export_page=2**")
    assert page.locator(".picked input").count() == 1
    page.locator(".offered input").last.check()
    if page.locator("#program-export.scripted").count():  # a tick updates the page, which stays where it is in the list
        page.locator(".picked li:nth-child(2)").wait_for()
        page.wait_for_url("**_export_page=2**")
    page.get_by_role("button", name="Previous").click()
    page.wait_for_url("**_export_page=1**")
    assert page.locator(".picked input").count() == 2
    page.get_by_label("Search by name").fill("no chart is called so")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**_export_find=no**")
    assert page.locator(".picked input").count() == 2 and page.locator(".offered input").count() == 0
    assert len(by_button(page)["tables"]["charts"]) == 2
    page.locator(".picked input").first.uncheck()
    assert len(by_button(page)["tables"]["charts"]) == 1


def test_a_new_search_begins_on_its_first_page(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/charts/-/program-export?_export_page=2")
    page.get_by_label("Search by name").fill("Kofi")
    page.get_by_label("Search by name").press("Enter")
    page.wait_for_url("**_export_find=Kofi**")
    page.locator(".offered input").first.wait_for()
    assert "_export_page" not in page.url


def test_the_columns_of_a_table_stay_shown(page, site: Server) -> None:
    page.goto(site.url + ANNAS)
    unfold(page, "Choose tables and columns")
    page.get_by_role("button", name=re.compile(r"columns session notes")).click()
    page.get_by_label("note_content").wait_for()
    as_programjson(page)
    update(page, "tables")
    page.wait_for_url("**programjson**")
    page.wait_for_load_state()
    assert page.get_by_label("note_content").is_visible()


def test_dates_are_chosen_and_kept_in_the_address(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/session_notes/-/program-export")
    every = by_button(page)["tables"]["session_notes"]
    unfold(page, "Choose rows")
    first = page.get_by_role("group", name="note_date")
    day = sorted(row["note_date"] for row in every)[len(every) // 2][:10]
    first.get_by_label("from").fill(day)
    first.get_by_label("until").fill(day)
    update(page, "rows")
    page.wait_for_url(f"**note_date__gte={day}**")
    assert "_export_from" not in page.url and "_export_form=" not in page.url
    kept = by_button(page)["tables"]["session_notes"]
    assert kept == [row for row in every if row["note_date"][:10] == day] != []
    page.goto(page.url)  # as from a bookmark
    unfold(page, "Choose rows")
    assert first.get_by_label("until").input_value() == day


def test_a_column_is_left_out_and_stays_so(page, site: Server) -> None:
    page.goto(site.url + ANNAS)
    unfold(page, "Choose tables and columns")
    page.get_by_role("button", name=re.compile(r"columns session notes")).click()
    page.get_by_label("note_content").uncheck()
    update(page, "tables")
    page.wait_for_url("**_export_without=session_notes.note_content**")
    unfold(page, "Choose tables and columns")
    assert not page.get_by_label("note_content").is_checked()  # shown without being asked for
    assert all("note_content" not in row for row in by_button(page)["tables"]["session_notes"])
    page.get_by_label("note_content").check()
    assert all("note_content" in row for row in by_button(page)["tables"]["session_notes"])


def test_how_the_file_begins_is_shown_on_demand(page, site: Server) -> None:
    page.goto(site.url + ANNAS)
    assert page.locator("#begins").count() == 0
    as_programjson(page)
    unfold(page, "More kinds of file")
    page.get_by_role("button", name="Preview the file").click()
    assert '"first_name":"Anna"' in page.locator("#begins pre").inner_text()
    page.wait_for_url("**_export_sample=1**")
    assert "_export_sample=1" in page.url
    assert by_button(page)["integrity"]["complete"] is True


def test_this_row_alone(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/clients/{BOB}/-/program-export")
    page.get_by_label("With everything that belongs to it").uncheck()
    page.get_by_role("button", name="Download").wait_for()
    if page.get_by_role("button", name="Update preview").first.is_visible():  # without scripts
        page.get_by_role("button", name="Update preview").first.click()
    page.wait_for_url("**_export_cascade=0**")
    assert list(by_button(page)["tables"]) == ["clients"]
