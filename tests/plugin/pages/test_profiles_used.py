"""Saved choices in use: in the menus, on the page, for jobs, in the settings, on the command line."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from datasette_program_export import Request
from datasette_program_export.cli.main import program_export
from datasette_program_export.options.profiles import options_of
from datasette_program_export.options.settings_file import read_settings
from tests.support.sites.jobs import ask, done, keeping
from tests.support.sites.permissions import PLUGIN, signed_in
from tests.support.sites.profiles import ARTIST, ARTISTS, FOR_ALL, listed, save
from tests.support.sites.server import served


async def menu(ds: Any, path: str, who: str | None = "anna") -> dict[str, str]:
    """The links of a page's menu that carry a profile, by their words."""
    page = (await ask(ds, "get", path, who)).text
    links = re.findall(r'<a [^>]*?href="([^"]*_export_profile=[^"]*)"[^>]*>\s*(.*?)\s*<', page, re.S)
    return {unescape(words): unescape(href) for href, words in links}


async def test_menus_offer_the_profiles_that_fit(house_file: Path, folder: Path) -> None:
    here = {
        "plugins": {PLUGIN: {"profiles": {"sheet": {"format": "csv"}, "deep": {"parents": "needed"}}}},
        "queries": {"titles": {"sql": "select title from albums"}},
    }
    with keeping(folder, house_file, here=here) as ds:
        await save(ds, "artist", ARTIST, format="csv", without="memos")
        await save(ds, "first", ARTISTS, limit="5")
        await save(ds, "whole", "/house/-/program-export", table=["artists", "albums"])
        await save(ds, "query", "/house/titles/-/program-export", format="tsv")
        found = {
            path: {words.removeprefix("Export: ") for words in await menu(ds, path)}
            for path in ("/house/artists/1", "/house/artists", "/house/backers", "/house", "/house/titles")
        }
        assert found == {
            "/house/artists/1": {"artist", "sheet", "deep"},
            "/house/artists": {"artist", "first", "sheet"},
            "/house/backers": {"sheet"},
            "/house": {"whole", "sheet"},
            "/house/titles": {"query", "sheet"},
        }
        for path in found:
            for href in (await menu(ds, path)).values():
                assert (await ask(ds, "get", href)).status_code == 200, href


async def test_a_menu_offers_ten_at_most_and_keeps_the_filter(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        for number in range(12):
            await save(ds, f"p{number:02}", ARTISTS)
        found = await menu(ds, "/house/artists?name=ada")
        assert len(found) == 10
        assert found["Export: p00"] == f"{ARTISTS}?name=ada&_export_profile=p00"


async def test_the_page_of_a_profile_can_be_changed_again(house_file: Path, folder: Path) -> None:
    """What it leaves out has no tick; ticked and sent, it is in again: the form does not carry the name."""
    with keeping(folder, house_file) as ds:
        await save(ds, "p", format="csv", without="memos")
        page = (await ask(ds, "get", f"{ARTIST}?_export_profile=p")).text
        assert 'name="_export_box" value="memos">' in page and 'name="_export_with" value="memos">' in page
        assert re.search(r'name="_export_kind" value=".csv" checked', page)
        assert 'name="_export_profile"' not in page


async def test_a_job_keeps_what_its_profile_meant(house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds:
        made = (await save(ds, "p", format="csv", without="memos")).json()
        for base in (ARTIST, ARTISTS):  # by itself a table's export has no memos; a profile may say so nevertheless
            job = await done(ds, f"{base}/job?_export_profile=p")
            await save(ds, "p", format="sql")
            file = await ask(ds, "get", job["links"]["result"])
            assert file.status_code == 200, file.text
            again = await ask(ds, "post", job["links"]["again"])
            assert again.json()["request"]["format"] == "csv"
            made = (await save(ds, "p", format="csv", without="memos")).json()
        job = await done(ds, f"{ARTIST}/job?_export_profile=p")
        await ask(ds, "post", made["links"]["delete"])
        assert (await ask(ds, "get", job["links"]["result"])).status_code == 200


async def test_the_lines_for_the_settings_mean_the_same(house_file: Path, folder: Path, tmp_path: Path) -> None:
    with keeping(folder, house_file) as ds:
        await save(ds, "für: anna", format="csv", without=["memos", "albums.title"], delimiter="tab", others="include")
        (told,) = await listed(ds)
    (tmp_path / "metadata.yml").write_text(told["yaml"], "utf-8")
    assert read_settings(tmp_path / "metadata.yml", "house").profiles == {"für: anna": told["options"]}
    assert told["words"] == (
        "as csv, tab between the fields, with rows of people who were not asked for, without memos, albums.title"
    )


async def test_the_command_line_knows_everybody_s(house_file: Path, folder: Path, tmp_path: Path) -> None:
    with keeping(folder, house_file, plugin=FOR_ALL) as ds:
        await save(ds, "all", ARTIST, "root", "everybody", format="csv", without="memos")
        await save(ds, "mine", ARTIST, format="csv")
    metadata = tmp_path / "metadata.yml"
    metadata.write_text(yaml.safe_dump({"plugins": {PLUGIN: {"jobs_dir": str(folder)}}}))

    def command(profile: str) -> Result:
        words = ["plan", str(house_file), "artists", "1", "--json", "-m", str(metadata), "--profile", profile]
        return CliRunner().invoke(program_export, words)

    assert "memos" not in {t["table"] for t in json.loads(command("all").stdout)["tables"]}
    refused = command("mine")
    assert refused.exit_code == 2 and "There is no profile mine. Known: all." in refused.stderr


def test_what_a_request_says_beside_the_rows_makes_the_same_request_again() -> None:
    asked = Request(table="t", records=[("1",)], format="csv", delimiter="\t", without=("a", "b.c"), cascade=True)
    kept = options_of(asked)
    assert "records" not in kept and Request(table="t", records=[("1",)], **kept) == asked


def unfold(page) -> None:
    """Open all folded parts."""
    page.evaluate("document.querySelectorAll('details.fold').forEach(part => part.open = true)")


def test_a_choice_is_saved_used_and_deleted_without_scripts(browser, house_file: Path, folder: Path) -> None:
    with keeping(folder, house_file) as ds, served(ds) as running:
        context = browser.new_context(java_script_enabled=False)
        context.add_cookies([{"name": "ds_actor", "value": signed_in(ds, "anna")["ds_actor"], "url": running.url}])
        page = context.new_page()
        page.goto(running.url + ARTIST)
        unfold(page)
        page.locator('input[name="_export_with"][value="memos"]').uncheck()
        page.locator('input[name="_export_kind"][value=".sql"]').check()
        page.get_by_label("Save these options as").fill("Without <memos>")
        page.get_by_role("button", name="Update preview").last.click()  # the name is not lost by that
        page.get_by_role("button", name="Save for me").click()
        page.get_by_text("Saved as Without <memos>.").wait_for()
        assert "/-/program-export" in page.url and "profiles" not in page.url  # still there, to download
        page.get_by_role("link", name="Saved options").last.click()
        page.get_by_role("link", name="Without <memos>").click()
        unfold(page)
        assert page.locator('input[name="_export_kind"][value=".sql"]').is_checked()
        assert not page.locator('input[name="_export_with"][value="memos"]').is_checked()
        page.get_by_role("link", name="Saved options").last.click()
        page.get_by_role("button", name="Delete").click()
        page.get_by_text("There are none yet.").wait_for()
        context.close()
