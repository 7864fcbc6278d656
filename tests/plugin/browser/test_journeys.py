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

from datasette_program_export import verify
from datasette_program_export.demo import ANNA, C1
from datasette_program_export.plugin.host import V1
from tests.support.sites.server import Server, make_datasette, served


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
    """From a row's page to its export page."""
    page.get_by_role("link", name="Export this record").click()


def choose(page, menu: str, entry: str) -> None:
    """An entry of an action menu: named on 1.0, a cog on 0.x."""
    if V1:
        page.locator("summary").filter(has_text=menu).click()
        page.get_by_role("menuitem", name=entry).click()
    else:
        page.locator("details.actions-menu-links summary").click()
        page.get_by_role("link", name=entry).click()


def take(page, kind: str) -> None:
    """Choose a kind of file."""
    value = {"package": "keep", "programjson": "load", "xlsx": "spreadsheet"}.get(kind, f".{kind}")
    box = page.locator(f"input[name=_export_kind][value='{value}']").first
    if not box.is_visible():
        page.locator("summary").filter(has_text="More kinds of file").click()
    box.check()


def download(page, kind: str | None = None) -> tuple[str, bytes]:
    if kind is not None:
        take(page, kind)
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
def test_journey_2_find_a_client_export_download(
    page, site: Server, demo_file: Path, tmp_path: Path, last, first, name
) -> None:
    query = {"last_name__contains": last, "first_name__startswith": first}
    page.goto(f"{site.url}/practice/clients?{urlencode(query)}")
    page.locator("td.col-id a").first.click()
    press_export(page)
    assert page.locator("h1").inner_text() == f"Export client: {name}"
    belongs = page.locator(".holds").inner_text()
    file, content = download(page)  # what stands chosen: a package, to be given to somebody
    assert file.startswith("practice_clients_") and file.endswith(".zip")
    kept = tmp_path / file
    kept.write_bytes(content)
    report = verify(kept)
    assert report.complete and report.references_checked
    found = json.loads(download(page, "programjson")[1])
    for table, rows in found["tables"].items():
        assert report.tables[table].rows == len(rows)
    client = found["tables"]["clients"][0]
    assert f"{client['first_name']} {client['last_name']}" == name
    with closing(sqlite3.connect(demo_file)) as connection:
        notes = connection.execute(
            "SELECT count(*) FROM session_notes WHERE client_id = ?", (client["id"],)
        ).fetchone()[0]
    assert len(found["tables"]["session_notes"]) == notes
    assert f"{notes} session note" in belongs or (notes == 0 and "session note" not in belongs)
    assert f"{len(found['tables']['charts'])} chart" in belongs
    assert found["integrity"]["complete"] is True


def test_two_clients_of_one_name_can_be_told_apart(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/clients?last_name=Silva")
    mails = page.locator("td.col-email").all_inner_texts()
    assert len(mails) == 2 and mails[0] != mails[1]


def test_notes_are_left_out_by_a_switch_and_the_file_says_so(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/clients/{ANNA}")
    press_export(page)
    page.get_by_label("With session notes").uncheck()
    page.wait_for_url("**_export_without=session_notes**")  # the choice is in the address: to be kept and sent
    assert "session note" not in page.locator(".holds").inner_text()
    assert not page.get_by_label("With session notes").is_checked()
    _, content = download(page, "programjson")
    found = json.loads(content)
    assert "session_notes" not in found["tables"]
    assert found["coverage"]["left_out"] == [{"table": "session_notes"}]


def test_journey_1_all_my_work_in_one_file(page, site: Server, demo_file: Path) -> None:
    page.goto(f"{site.url}/practice")
    choose(page, "Database actions", "Export this database")
    page.evaluate("document.querySelectorAll('details.fold').forEach(part => part.open = true)")
    told = page.locator("body").inner_text()
    assert "location_cache: not included, a cache" in told and "app_config.password_hash: not included" in told
    file, content = download(page, "programjson")
    assert file.startswith("practice_database_") and file.endswith("Z.json") and b"$2b$" not in content
    found = json.loads(content)
    with closing(sqlite3.connect(demo_file)) as connection:
        for table, rows in found["tables"].items():
            (count,) = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()
            assert len(rows) == count == found["integrity"]["tables"][table]["rows"]
            assert f"{count:,} " in told
    _, archive = download(page, "package")
    members = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert members == [*(f"data/{table}.csv" for table in found["tables"]), "README.txt", "datapackage.json"]


def test_journey_4_the_rows_on_the_screen(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/birth_data?country=Brazil&_sort_desc=birth_date&_col=city&_col=birth_date&_size=2")
    choose(page, "Table actions", "Export these rows")
    assert 'where country = "Brazil" sorted by birth_date descending' in page.locator("body").inner_text()
    file, content = download(page, "csv")
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    dates = [row[rows[0].index("birth_date")] for row in rows[1:]]
    assert file.endswith(".csv") and dates == sorted(dates, reverse=True) and len(dates) > 2
    assert "country" not in rows[0]


def test_the_rows_of_a_query(page, site: Server) -> None:
    query = urlencode({"sql": "select chart_type, count(*) as n from charts group by 1"})
    page.goto(f"{site.url}/practice/-/query?{query}" if V1 else f"{site.url}/practice?{query}")
    if V1:
        choose(page, "Query actions", "Export all rows of this query")
    else:
        page.get_by_role("link", name="Export all rows of this query").click()
    assert "select chart_type, count(*) as n" in page.locator("pre.sql").inner_text()
    _, content = download(page, "programjson")
    assert sum(row["n"] for row in json.loads(content)["tables"]["query"]) == 97


def test_everything_that_belongs_to_some_rows(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/clients/-/program-export?last_name=Silva")
    page.get_by_label("With everything that belongs to them").check()
    page.wait_for_url("**_export_cascade=1**")
    assert "last_name=Silva" in page.url
    _, content = download(page, "programjson")
    found = json.loads(content)["tables"]
    assert len(found["clients"]) == 2 and len(found["charts"]) > 0
    assert {row["client_id"] for row in found["session_notes"]} <= {row["id"] for row in found["clients"]}


def test_journey_2_two_clients_at_once(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/clients/-/program-export?last_name=Silva")
    page.locator("summary").filter(has_text="Choose rows").click()
    boxes = page.locator(".picking input[type=checkbox]")
    assert boxes.count() == 2
    mails = page.locator(".picking li").all_inner_texts()
    assert len(set(mails)) == 2 and all("Maria Silva" in mail and "@" in mail for mail in mails)
    boxes.first.check()
    boxes.last.check()
    file, content = download(page, "programjson")  # at once
    page.locator(".holds").filter(has_text="2 clients").wait_for()
    assert json.loads(download(page)[1])["integrity"]["tables"] == json.loads(content)["integrity"]["tables"]
    found = json.loads(content)
    assert len(found["tables"]["clients"]) == 2 and "_2-records_" in file
    assert len({row["id"] for row in found["tables"]["charts"]}) == len(found["tables"]["charts"])


def test_csv_in_a_zip(page, site: Server) -> None:
    page.goto(f"{site.url}/practice/charts/{C1}/-/program-export")
    file, content = download(page, "csv")
    assert file.endswith(".zip")
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    rows = list(csv.DictReader(io.StringIO(archive.read("data/charts.csv").decode(), newline="")))
    assert [row["id"] for row in rows] == [C1] and json.loads(rows[0]["chart_data"])


def test_without_javascript(browser, site: Server) -> None:
    context = browser.new_context(java_script_enabled=False, accept_downloads=True)
    page = context.new_page()
    page.goto(f"{site.url}/practice/clients/{ANNA}/-/program-export")
    page.locator("summary").filter(has_text="More kinds of file").click()
    page.get_by_role("group", name="To load it again here").get_by_label("Layout").select_option("pretty")
    _, content = download(page, "programjson")
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
            ("/chinook/Employee/2", "Nancy Edwards", "Employee", 1),
            ("/northwind_small/Order+Details/10248,11", "10248,11", "Order Details", 1),
        ):
            page.goto(running.url + path.replace("+", "~20"))
            press_export(page)
            assert title in page.locator("h1").inner_text()
            _, content = download(page, "programjson")
            found = json.loads(content)
            assert len(found["tables"][table]) == rows and found["integrity"]["complete"] is True
        page.goto(running.url + "/chinook/Employee/2")
        press_export(page)
        page.get_by_role("link", name="Include them").click()  # those who report to her
        assert len(json.loads(download(page, "programjson")[1])["tables"]["Employee"]) == 4
        page.goto(running.url + "/chinook/Employee/2")
        press_export(page)
        page.locator("summary", has_text="Choose rows").click()
        page.get_by_label("Employee", exact=True).uncheck()
        page.get_by_text("Customer was taken for people, as was asked for").wait_for()


def test_a_client_s_file_is_two_clicks_from_her_page_and_one_where_the_default_is_fine(
    page, site: Server, tmp_path: Path
) -> None:
    """Counted by the page itself; a link to the document stands on Datasette's own page of a row."""
    page.add_init_script(
        "addEventListener('click', () => sessionStorage.clicks = 1 + Number(sessionStorage.clicks || 0), true)"
    )
    page.goto(f"{site.url}/practice/clients/{ANNA}")
    press_export(page)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download").click()
    assert int(page.evaluate("sessionStorage.clicks")) == 2
    caught.value.save_as(tmp_path / "three.zip")
    page.goto(f"{site.url}/practice/clients/{ANNA}")
    page.evaluate("sessionStorage.clicks = 0")
    with page.expect_download() as caught:
        page.get_by_role("link", name="programjson").click()
    assert page.evaluate("sessionStorage.clicks") == "1"
    caught.value.save_as(tmp_path / "one.json")
    three, one = verify(tmp_path / "three.zip"), verify(tmp_path / "one.json")
    assert three.complete and one.complete
    assert {n: t.sha256 for n, t in three.tables.items()} == {n: t.sha256 for n, t in one.tables.items()}
