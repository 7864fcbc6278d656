"""Makes the pictures of the README and of the tutorial from the real pages: ``make docs``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from picture_site import HERE, browsed, demo, keep, keep_moving, picture, served
from playwright.sync_api import Locator, Page
from tutorial_pictures import take

from datasette_program_export.demo import ANNA


def main() -> None:
    """Serve the demo; keep what its pages look like, and the way through them."""
    with browsed() as page:
        with tempfile.TemporaryDirectory() as made, served(demo(Path(made))) as (site, _):
            export_page(page, site)
            job_page(page, site)
            file = moving(page, site, Path(made))
            verify_page(page, site, file)
        with tempfile.TemporaryDirectory() as made:
            take(page, Path(made))


def export_page(page: Page, site: str) -> None:
    """Where the way to a client's file ends."""
    page.goto(f"{site}/practice/clients/{ANNA}/-/program-export")
    keep(picture(page, page.locator("footer")), HERE / "export-page.png")


def job_page(page: Page, site: str) -> None:
    """An export that the server has prepared."""
    page.goto(f"{site}/practice/-/program-export")
    page.locator("summary").filter(has_text="More kinds of file").click()
    page.locator("input[name=_export_kind][value='.sqlite']").check()
    page.get_by_role("button", name="Prepare on the server").click()
    page.get_by_role("heading", name="Ready").wait_for()
    keep(picture(page, page.locator("footer")), HERE / "job-page.png")


def verify_page(page: Page, site: str, file: Path) -> None:
    """The answer about a file."""
    verified(page, site, file)
    keep(picture(page, page.get_by_role("heading", name="Verify another file")), HERE / "verify-page.png")


def verified(page: Page, site: str, file: Path) -> None:
    """Have a file checked."""
    page.goto(f"{site}/-/program-export/verify")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Verify the file").click()
    page.locator(".verdict").wait_for()


def moving(page: Page, site: str, folder: Path) -> Path:
    """From the client's page to a file that is whole, in five pictures; return the file."""
    frames = []

    def stand(milliseconds: int, ring: Locator | None = None) -> None:
        frames.append((picture(page, height=620, ring=ring), milliseconds))

    page.goto(f"{site}/practice/clients/{ANNA}")
    stand(2500, page.get_by_role("link", name="Export this record").first)
    page.goto(f"{site}/practice/clients/{ANNA}/-/program-export")
    stand(3500)
    stand(2000, page.get_by_role("button", name="Download"))
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download").click()
    file = folder / caught.value.suggested_filename
    caught.value.save_as(file)
    page.goto(f"{site}/-/program-export/verify")
    page.locator("input[type=file]").set_input_files(file)
    stand(2500, page.get_by_role("button", name="Verify the file"))
    page.get_by_role("button", name="Verify the file").click()
    page.locator(".verdict").wait_for()
    stand(6000)
    keep_moving(frames, HERE / "export.gif", width=800, times=3)
    return file


if __name__ == "__main__":
    main()
