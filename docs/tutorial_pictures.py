"""Makes the pictures of the tutorial: goes its way, with its own commands, in its order."""

from __future__ import annotations

import re
from pathlib import Path

from picture_site import HERE, commanded, keep, picture, served, terminal
from playwright.sync_api import Locator, Page

from datasette_program_export.demo import ANNA

TO = HERE / "tutorial"


def take(page: Page, folder: Path) -> None:
    """Do what the tutorial says, in a folder, and keep what each step looks like."""
    install, download, verify, look, accident, brought_back, again = _blocks()
    terminal(page, commanded(install, folder), TO / "1-install.png")
    with served(folder / "practice.db") as (site, root):
        _to_the_client(page, root)
        commanded(download, folder)
        verified = commanded(verify, folder)
        _checked(page, site, folder / "anna.zip")
        looked = commanded(look, folder)
        commanded(accident, folder)
        page.goto(f"{site}/practice/clients/{ANNA}")
        _keep(page, "8-accident.png", ring=page.locator("td.col-email"))
        _import(page, site, folder / "anna.zip")
        commanded(brought_back, folder)
        compared = commanded(again, folder)
    assert "complete and unchanged" in verified
    terminal(page, looked, TO / "7-look.png")
    terminal(page, compared, TO / "10-again.png")


def _blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", (HERE / "tutorial.md").read_text("utf-8"), re.S)


def _to_the_client(page: Page, root: str) -> None:
    page.goto(root)
    _keep(page, "2-start.png", ring=page.get_by_role("link", name="practice").first)
    page.goto(page.url.rstrip("/") + "/practice/clients?last_name__contains=scend")
    _keep(page, "3-find.png", until=page.locator("#export"), ring=page.locator("td.col-id").first)
    page.locator("td.col-id a").first.click()
    _keep(page, "4-client.png", ring=page.get_by_role("link", name="Export this record").first)
    page.get_by_role("link", name="Export this record").first.click()
    assert ANNA in page.url
    _keep(page, "5-download.png", ring=page.get_by_role("button", name="Download"))


def _checked(page: Page, site: str, file: Path) -> None:
    page.goto(f"{site}/-/program-export/verify")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Verify the file").click()
    page.locator(".verdict").wait_for()
    _keep(page, "6-verify.png", until=page.get_by_role("heading", name="Verify another file"))


def _import(page: Page, site: str, file: Path) -> None:
    page.goto(f"{site}/practice/-/program-import")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("radio", name="update").check()
    _keep(page, "9-import.png", ring=page.get_by_role("radio", name="update"))
    page.get_by_role("button", name="Look again").first.click()
    page.get_by_role("button", name=re.compile(r"Import \d+ rows")).click()
    page.get_by_role("heading", name="Imported", exact=True).wait_for()


def _keep(page: Page, name: str, until: Locator | None = None, ring: Locator | None = None) -> None:
    keep(picture(page, until or page.locator("footer"), ring), TO / name)
