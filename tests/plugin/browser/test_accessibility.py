"""The export pages for everyone: axe-core finds nothing in what is ours, on wide screens and narrow ones.

Datasette's own header, menus and footer are around it on every page of a site; what axe says
of those is not ours to mend, so it looks at our part of the page only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from datasette_program_export.demo import ANNA, BOB, C1
from tests.support.databases.building import database
from tests.support.sites.browser import AXE, SCREENS, check
from tests.support.sites.jobs import keeping
from tests.support.sites.server import Server, make_datasette, served

pytestmark = pytest.mark.skipif(
    not AXE.exists(), reason="there is no axe-core here (make axe fetches it, where npm is)"
)
PAGES = {
    "record": f"/practice/clients/{ANNA}/-/program-export",
    "record with choices": f"/practice/charts/{C1}/-/program-export?"
    + urlencode({"_export_stop": "charts.client_id", "_export_without": "transit_events", "_export_format": "csv"}),
    "table": "/practice/clients/-/program-export",
    "table with rows picked": f"/practice/clients/-/program-export?_export_record={ANNA}&_export_record={BOB}"
    "&_export_find=a",
    "dates": "/practice/birth_data/-/program-export?birth_date__gte=1950-01-01",
    "query": "/practice/-/program-export?sql=select+*+from+charts&_export_sample=1",
    "database": "/practice/-/program-export?_export_sample=1",
    "circles": "/circle/a/1/-/program-export",
    "many tables": "/many/-/program-export",
    "checking a file": "/-/program-export/verify",
}


@pytest.fixture(scope="module")
def site(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("accessible")
    circle = (
        "CREATE TABLE a (id INTEGER PRIMARY KEY, boss REFERENCES a, b_id REFERENCES b)",
        "CREATE TABLE b (id INTEGER PRIMARY KEY, a_id REFERENCES a)",
        "INSERT INTO a VALUES (1, 1, 1)",
        "INSERT INTO b VALUES (1, 1)",
    )
    database(folder / "circle.db", *circle).close()
    many = [f"CREATE TABLE t{i} (id INTEGER PRIMARY KEY, p REFERENCES t{i // 3})" for i in range(60)]
    database(folder / "many.db", *many).close()
    with served(make_datasette(demo_file, folder / "circle.db", folder / "many.db")) as running:
        yield running


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, site: Server, name: str) -> None:
    """The page is loaded once, on the narrow screen, and made wide."""
    page = browser.new_page(viewport={"width": SCREENS["narrow"], "height": 800})
    try:
        page.goto(site.url + PAGES[name])
        check(page)
        page.set_viewport_size({"width": SCREENS["wide"], "height": 800})
        check(page)
    finally:
        page.close()


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("verdict", ["Complete and unchanged", "Changed after", "Cut", "Cannot tell", "No file"])
def test_axe_finds_nothing_in_what_is_said_of_a_file(browser, site: Server, verdict: str, screen: str) -> None:
    page = browser.new_page(viewport={"width": SCREENS[screen], "height": 800})
    try:
        whole = page.request.get(f"{site.url}/practice/clients/{ANNA}.programjson").body()
        contents = {
            "Complete and unchanged": whole,
            "Changed after": whole.replace(b'"first_name":"Anna"', b'"first_name":"Anne"'),
            "Cut": whole[:-500],
            "Cannot tell": b"id\r\n1\r\n",
        }
        page.goto(f"{site.url}/-/program-export/verify")
        if verdict in contents:
            file = {"name": "a" * 90 + ".json", "mimeType": "application/json", "buffer": contents[verdict]}
            page.get_by_label("Choose the file").set_input_files(file)
        page.evaluate("document.querySelector('form.core').noValidate = true")
        page.get_by_role("button", name="Verify the file").click()
        page.get_by_text(verdict).first.wait_for()
        check(page)
    finally:
        page.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing_in_an_import(browser, demo: Path, tmp_path: Path, screen: str) -> None:
    file = tmp_path / "clients.csv"
    file.write_text(f"id,first_name\n{ANNA},Annerl\nnobody,Nobody\n")
    with keeping(tmp_path / "jobs", demo, root=True) as ds, served(ds) as running:
        context = browser.new_context(viewport={"width": SCREENS[screen], "height": 800})
        try:
            context.add_cookies(
                [{"name": "ds_actor", "value": ds.sign({"a": {"id": "root"}}, "actor"), "url": running.url}]
            )
            page = context.new_page()
            page.goto(f"{running.url}/practice/-/program-import")
            check(page)
            page.set_input_files("input[type=file]", file)
            page.get_by_role("button", name="Look at it").click()
            page.get_by_role("heading", name="What would happen").wait_for()
            check(page)
            page.get_by_role("radio", name="update").check()
            page.get_by_role("button", name="Look again").first.click()
            page.get_by_role("button", name="Import 2 rows").click()
            page.get_by_role("heading", name="Imported", exact=True).wait_for()
            check(page)
        finally:
            context.close()
