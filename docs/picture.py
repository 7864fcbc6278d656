"""Makes the pictures of the README from the real pages: ``make docs``."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from datasette_program_export.demo import ANNA, write_demo

HERE = Path(__file__).parent
WIDTH = 1000


def main() -> None:
    """Serve the demo; keep what the export page, a job's page and the verify page look like."""
    with tempfile.TemporaryDirectory() as made, _served(Path(made)) as site, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": WIDTH, "height": 700}, locale="en-GB", timezone_id="UTC")
        _export_page(page, site)
        _job_page(page, site)
        _verify_page(page, site, Path(made))
        browser.close()


def _export_page(page: Page, site: str) -> None:
    page.goto(f"{site}/practice/clients/{ANNA}/-/program-export")
    _keep(page, "export-page.png", page.locator("footer"))


def _job_page(page: Page, site: str) -> None:
    page.goto(f"{site}/practice/-/program-export")
    page.locator("summary").filter(has_text="More kinds of file").click()
    page.locator("input[name=_export_kind][value='.sqlite']").check()
    page.get_by_role("button", name="Prepare on the server").click()
    page.get_by_role("heading", name="Ready").wait_for()
    _keep(page, "job-page.png", page.locator("footer"))


def _verify_page(page: Page, site: str, folder: Path) -> None:
    page.goto(f"{site}/practice/clients/{ANNA}/-/program-export")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download").click()
    file = folder / caught.value.suggested_filename
    caught.value.save_as(file)
    page.goto(f"{site}/-/program-export/verify")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Verify the file").click()
    page.locator(".verdict").wait_for()
    _keep(page, "verify-page.png", page.get_by_role("heading", name="Verify another file"))


def _keep(page: Page, name: str, until: Locator) -> None:
    """The page from its top down to something."""
    box = until.bounding_box()
    assert box is not None
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": box["y"] - 8}
    page.screenshot(path=HERE / name, full_page=True, clip=clip)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    database = write_demo(folder / "practice.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = folder / "metadata.yml"
    settings.write_text(f"plugins: {{datasette-program-export: {{jobs_dir: {folder / 'jobs'}}}}}")
    command = [sys.executable, "-m", "datasette", str(database), "-p", str(port), "-m", str(settings)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    site = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(site).close()
                break
            except OSError:
                time.sleep(0.1)
        yield site
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    main()
