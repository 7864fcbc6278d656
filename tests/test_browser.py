"""The astrologer's way, in a real browser: find a client, see what will be in the file, download it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from datasette_program_export.demo import ANNA, C1
from datasette_program_export.plugin.host import V1

from .conftest import Server, chromium, make_datasette, served

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium here (make browser installs one)")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync"]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def page(browser) -> Iterator[object]:
    context = browser.new_context(accept_downloads=True)
    errors: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []


@pytest.fixture(scope="module")
def site(demo_file: Path) -> Iterator[Server]:
    with served(make_datasette(demo_file)) as running:
        yield running


def press_export(page) -> None:
    """From a row's page to its export page: a menu entry on 1.0, a button on 0.x."""
    if V1:
        page.locator("summary").filter(has_text="Row actions").click()
        page.get_by_role("menuitem", name="Export this record").click()
    else:
        page.get_by_role("link", name="Export this record").click()


def download(page) -> tuple[str, bytes]:
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download").click()
    assert caught.value.failure() is None
    return caught.value.suggested_filename, Path(caught.value.path()).read_bytes()


CLIENTS = [
    ("O'B", "Se", "Seán O'Brien"),
    ("小", "李", "李 小龙"),
    ("Müll", "Jü", "Jürgen Müller"),
    ("Garc", "Jos", "José García"),
]


@pytest.mark.parametrize(("last", "first", "name"), CLIENTS)
def test_journey_2_find_a_client_export_download(page, site: Server, demo_file: Path, last, first, name) -> None:
    query = {"last_name__contains": last, "first_name__startswith": first}
    page.goto(f"{site.url}/practice/clients?{urlencode(query)}")
    page.locator("td.col-id a").first.click()
    press_export(page)
    assert page.locator("h1").inner_text() == f"Export client: {name}"
    belongs = page.locator("ul.tree").first.inner_text()
    file, content = download(page)
    found = json.loads(content)
    assert file.startswith("practice_clients_") and file.endswith(".json")
    client = found["tables"]["clients"][0]
    assert f"{client['first_name']} {client['last_name']}" == name
    with closing(sqlite3.connect(demo_file)) as connection:
        notes = connection.execute(
            "SELECT count(*) FROM session_notes WHERE client_id = ?", (client["id"],)
        ).fetchone()[0]
    assert len(found["tables"]["session_notes"]) == notes
    assert f"{notes} session note" in belongs and f"{len(found['tables']['charts'])} chart" in belongs
    assert found["integrity"]["complete"] is True


def test_two_clients_of_one_name_can_be_told_apart(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/clients?last_name=Silva")
    mails = page.locator("td.col-email").all_inner_texts()
    assert len(mails) == 2 and mails[0] != mails[1]


def test_notes_are_left_out_by_a_switch_and_the_file_says_so(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/clients/{ANNA}")
    press_export(page)
    page.get_by_label("leave out session_notes").check()
    page.get_by_role("button", name="Show the changed choice").click()
    assert "_export_without=session_notes" in page.url  # the choice is in the address: to be kept and sent
    assert "session note" not in page.locator("ul.tree").first.inner_text()
    assert page.get_by_label("leave out session_notes").is_checked()
    _, content = download(page)
    found = json.loads(content)
    assert "session_notes" not in found["tables"]
    assert found["coverage"]["left_out"] == [{"table": "session_notes"}]


def test_csv_in_a_zip(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/charts/{C1}/-/program-export")
    page.locator("input[value=csv]").check()
    file, content = download(page)
    assert file.endswith(".zip")
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    rows = list(csv.DictReader(io.StringIO(archive.read("charts.csv").decode(), newline="")))
    assert [row["id"] for row in rows] == [C1] and json.loads(rows[0]["chart_data"])


def test_without_javascript(browser, site: Server) -> None:
    context = browser.new_context(java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{site.url}/practice/clients/{ANNA}/-/program-export")
    page.get_by_label("spread out, easier to read by eye").check()
    _, content = download(page)
    assert b'\n        "first_name": "Anna"' in content
    context.close()


def test_what_does_not_exist_is_a_page_with_a_sentence(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/clients/nobody/-/program-export")
    assert "There is no row nobody in clients (rows are named by id)." in page.locator("body").inner_text()


def test_journey_6_a_visitor_meets_a_closed_door(page, demo_file: Path) -> None:
    with served(make_datasette(demo_file, metadata={"allow": {"id": "owner"}})) as running:
        page.goto(f"{running.url}/practice/clients/{ANNA}/-/program-export")
        assert "You may not see this; perhaps after signing in." in page.locator("body").inner_text()
        assert page.get_by_role("button", name="Download").count() == 0


def test_real_databases(page, real_data: Path) -> None:
    """An artist, an employee who reports to himself or nobody, a compound key: no preset, the same page."""
    with served(make_datasette(real_data / "chinook.db", real_data / "northwind_small.db")) as running:
        for path, title, table, rows in (
            ("/chinook/Artist/1", "AC/DC", "Track", 18),
            ("/chinook/Employee/2", "Nancy Edwards", "Employee", 4),
            ("/northwind_small/Order+Details/10248,11", "10248,11", "Order Details", 1),
        ):
            page.goto(running.url + path.replace("+", "~20"))
            press_export(page)
            assert title in page.locator("h1").inner_text()
            _, content = download(page)
            found = json.loads(content)
            assert len(found["tables"][table]) == rows and found["integrity"]["complete"] is True
