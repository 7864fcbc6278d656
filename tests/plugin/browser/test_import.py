"""A file goes in, in a real browser: dropped or chosen, looked at, imported; with JavaScript and without."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export.demo import ANNA
from tests.support.sites.browser import drop
from tests.support.sites.jobs import keeping
from tests.support.sites.server import Server, served, wait_until

FORM = "/practice/-/program-import"


@pytest.fixture
def site(demo: Path, tmp_path: Path) -> Iterator[Server]:
    with keeping(tmp_path / "jobs", demo, root=True) as ds, served(ds) as running:
        yield running


def sign_in(page, site: Server) -> None:
    cookie = site.datasette.sign({"a": {"id": "root"}}, "actor")
    page.context.add_cookies([{"name": "ds_actor", "value": cookie, "url": site.url}])


def value(demo: Path) -> str:
    with closing(sqlite3.connect(demo)) as connection:
        return connection.execute("SELECT first_name FROM clients WHERE id = ?", (ANNA,)).fetchone()[0]


def test_from_the_database_to_the_row(page, site: Server, demo: Path, tmp_path: Path) -> None:
    sign_in(page, site)
    page.goto(f"{site.url}{FORM}")
    file = tmp_path / "clients.csv"
    file.write_text(f"id,first_name\n{ANNA},Annerl\n")
    drop(page, file)
    wait_until(lambda: page.locator("input[type=file]").input_value(), "the file to be there")
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("heading", name="What would happen").wait_for()
    assert page.get_by_text("is there already, with other values").first.is_visible()
    cells = page.get_by_role("region", name="clients: rows with other values").locator("tbody td").all_inner_texts()
    assert cells == ["first_name", "Anna", "Annerl"]
    assert page.get_by_role("button", name="Import 1 row").count() == 0

    page.get_by_role("radio", name="update").check()
    page.get_by_role("button", name="Look again").first.click()
    page.get_by_role("button", name="Import 1 row").wait_for()
    assert value(demo) == "Anna"
    page.get_by_role("button", name="Import 1 row").click()
    page.get_by_role("heading", name="Imported", exact=True).wait_for()
    assert value(demo) == "Annerl"
    assert page.get_by_text("datasette program-export restore").is_visible()
    page.get_by_role("link", name=ANNA).click()
    assert page.get_by_text("Annerl").first.is_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_who_changes_a_choice_and_imports_at_once_is_told_to_look_again(
    browser, site: Server, demo: Path, tmp_path: Path, scripts: bool
) -> None:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    sign_in(page, site)
    file = tmp_path / "clients.csv"
    file.write_text(f"id,first_name\n{ANNA},Annerl\nnew,New\n")
    page.goto(f"{site.url}{FORM}")
    page.get_by_label("Choose the file, or drop it here").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("radio", name="update").check()
    page.get_by_role("button", name="Look again").first.click()
    page.get_by_role("button", name="Import 2 rows").wait_for()
    assert page.get_by_text("You changed a choice").count() == 0
    page.get_by_role("radio", name="skip").check()
    page.get_by_role("button", name="Import 2 rows").click()
    page.get_by_role("button", name="Import 1 row").wait_for()
    said = page.get_by_role("status").filter(has_text="You changed a choice, so nothing was imported yet.")
    assert said.is_visible() and "Check the new preview, then import." in said.inner_text()
    assert value(demo) == "Anna"
    page.get_by_role("button", name="Import 1 row").click()
    page.get_by_role("heading", name="Imported", exact=True).wait_for()
    assert page.get_by_text("You changed a choice").count() == 0 and value(demo) == "Anna"
    page.context.close()


def test_a_record_goes_back_as_it_was_downloaded(page, site: Server, demo: Path, tmp_path: Path) -> None:
    sign_in(page, site)
    page.goto(f"{site.url}/practice/clients/{ANNA}/-/program-export")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download").click()
    kept = tmp_path / caught.value.suggested_filename
    caught.value.save_as(kept)
    with closing(sqlite3.connect(demo)) as connection:
        connection.execute("DELETE FROM session_notes WHERE client_id = ?", (ANNA,))
        connection.commit()
    page.goto(f"{site.url}/practice")
    assert page.locator(f"a[href='{FORM}']").count() == 1
    page.goto(f"{site.url}{FORM}")
    page.get_by_label("Choose the file, or drop it here").set_input_files(kept)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_text("Complete and unchanged").wait_for()
    page.get_by_role("button", name="Import 3 rows").click()
    page.get_by_role("heading", name="Imported", exact=True).wait_for()
    with closing(sqlite3.connect(demo)) as connection:
        assert connection.execute("SELECT count(*) FROM session_notes WHERE client_id = ?", (ANNA,)).fetchone() == (3,)
    page.get_by_role("button", name="Remove from the list").click()
    page.get_by_role("heading", name="Import a file into practice").wait_for()
