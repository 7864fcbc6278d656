"""A job's page in a real browser: it tells how far it is, also by keyboard and by voice, in the reader's spelling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from datasette_program_export import verify
from tests.support.sites.jobs import Gate, gate, gated, keeping, sent
from tests.support.sites.permissions import house
from tests.support.sites.server import Server, served


@pytest.fixture
def held() -> Iterator[Gate]:
    with gate(20_000) as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, held: Gate) -> Iterator[Server]:
    with keeping(tmp_path / "jobs", house(tmp_path)) as ds, served(ds) as running:
        yield running


@pytest.fixture
def page(browser) -> Iterator[object]:
    context = browser.new_context(locale="de-DE", timezone_id="Europe/Berlin", accept_downloads=True)
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


def opened(page, site: Server, rows: int = 30_000) -> None:
    """The page of a job of nobody, which is held at row 20,000."""
    made = page.request.post(f"{site.url}/house/-/program-export/job?sql={gated(rows)}", headers={"accept": "*/*"})
    assert made.status == 202
    page.goto(site.url + made.json()["links"]["page"])


def test_the_page_follows_its_job_without_being_loaded_again(page, site: Server, held: Gate) -> None:
    opened(page, site)
    page.get_by_role("heading", name="Wird geschrieben").wait_for()
    page.evaluate("window.same = true")
    page.locator('[data-field="rows"]', has_text="19.").wait_for()  # as Germans spell thousands
    bar = page.get_by_role("progressbar", name="Geschriebene Einträge")
    assert bar.get_attribute("max") == "30000" and 0.6 < bar.evaluate("bar => bar.position") < 0.7
    news = page.get_by_role("status")
    news.filter(has_text="von 30.000 Einträgen geschrieben").wait_for()
    assert news.get_attribute("aria-live") == "polite"
    held.opened.set()
    page.get_by_role("heading", name="Fertig").wait_for()
    assert page.evaluate("window.same") and page.title().startswith("Fertig")
    news.filter(has_text="Fertig").wait_for()
    with page.expect_download() as caught:
        page.get_by_role("link", name="Herunterladen house_query").click()
    assert Path(caught.value.path()).read_bytes().count(b'{"x":') == 30_000
    until = page.locator("time").first
    assert until.get_attribute("datetime").endswith("Z") and "." in until.inner_text()


def test_it_is_cancelled_with_the_keyboard_alone(page, site: Server, held: Gate) -> None:
    opened(page, site)
    page.get_by_role("heading", name="Wird geschrieben").wait_for()
    cancel = page.get_by_role("button", name="Abbrechen")
    for _ in range(20):
        page.keyboard.press("Tab")
        if cancel.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Abgebrochen").wait_for()
    assert page.get_by_role("button", name="Neu starten").is_visible()


def test_who_was_on_a_button_that_is_gone_is_led_to_the_heading(page, site: Server, held: Gate) -> None:
    opened(page, site)
    page.get_by_role("button", name="Abbrechen").focus()
    held.opened.set()
    ready = page.get_by_role("heading", name="Fertig")
    ready.wait_for()
    page.wait_for_function("document.activeElement.textContent === 'Fertig'")


def test_a_job_that_somebody_removed_leads_to_a_sentence(page, site: Server, held: Gate) -> None:
    opened(page, site)
    page.get_by_role("heading", name="Wird geschrieben").wait_for()
    assert sent(page.url, "DELETE", None)[0] == 200
    page.get_by_role("heading", name="Der Export kann nicht gezeigt werden").wait_for()
    assert "Diesen Export gibt es nicht" in page.content()


def test_without_script_the_page_refreshes_itself(browser, site: Server, held: Gate) -> None:
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    opened(plain, site)
    plain.get_by_role("heading", name="Being written").wait_for()
    held.opened.set()
    plain.get_by_role("heading", name="Ready").wait_for()
    context.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_runs_out_of_a_narrow_page(page, site: Server, held: Gate, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    opened(page, site)
    held.opened.set()
    page.get_by_role("heading", name="Fertig").wait_for()
    part = page.locator("#program-export-job")
    assert part.evaluate("part => part.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_the_export_page_s_button_prepares_the_very_file(browser, site: Server, tmp_path: Path, scripts: bool) -> None:
    """From the choice on the page to a file that verifies; what the form says beyond the choice means nothing."""
    context = browser.new_context(accept_downloads=True, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{site.url}/house/artists/1/-/program-export")
    page.get_by_role("button", name="Prepare on the server").click()
    page.wait_for_url("**/-/program-export/jobs/*")
    page.get_by_role("heading", name="Ready").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "file.zip")
    report = verify(tmp_path / "file.zip")
    assert report.status == "complete" and report.tables["artists"].rows == 1
    context.close()
