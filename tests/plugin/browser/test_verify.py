"""Checking a file in a real browser: chosen or dropped, with JavaScript and without, just after it was downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from datasette_program_export.demo import ANNA
from tests.support.sites.browser import drop
from tests.support.sites.server import Server, make_datasette, served


@pytest.fixture(scope="module")
def site(demo_file: Path) -> Iterator[Server]:
    with served(make_datasette(demo_file)) as running:
        yield running


def downloaded(page, site: Server, folder: Path) -> Path:
    """Anna's file, as her export page's button gives it."""
    page.goto(f"{site.url}/practice/clients/{ANNA}/-/program-export")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download").click()
    kept = folder / caught.value.suggested_filename
    caught.value.save_as(kept)
    return kept


@pytest.mark.parametrize("way", ["chosen", "dropped"])
def test_a_file_is_checked_from_the_page_that_made_it(page, site: Server, tmp_path: Path, way: str) -> None:
    kept = downloaded(page, site, tmp_path)
    page.get_by_role("link", name="Verify an export").click()
    if way == "chosen":
        page.get_by_label("Choose the file").set_input_files(kept)
    else:
        drop(page, kept)
    page.get_by_role("button", name="Verify the file").click()
    assert page.locator("h1").inner_text() == kept.name
    assert "Complete and unchanged" in page.locator(".verdict").inner_text()
    assert "session_notes" in page.locator("table.facts").inner_text()
    kept.write_bytes(kept.read_bytes()[:-400])  # as when a download breaks off
    page.get_by_label("Choose the file").set_input_files(kept)
    page.get_by_role("button", name="Verify the file").click()
    page.locator(".verdict.cut").wait_for()
    assert "its end is missing" in page.locator(".verdict").inner_text()


def test_another_sites_page_can_send_nothing_here(browser, site: Server, tmp_path: Path) -> None:
    """Seen from ``localhost``, the server at ``127.0.0.1`` is another site; cookies or none."""
    page = browser.new_page()
    page.goto(site.url.replace("127.0.0.1", "localhost") + "/-/program-export/verify")
    page.evaluate(f"document.querySelector('form.core').action = '{site.url}/-/program-export/verify'")
    file = {"name": "a.json", "mimeType": "application/json", "buffer": b"{}"}
    page.get_by_label("Choose the file").set_input_files(file)
    with page.expect_response("**/-/program-export/verify") as answer:
        page.get_by_role("button", name="Verify the file").click()
    assert answer.value.status == 403
    page.close()
