"""Makes the picture of the README from the real page: ``make docs``."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

from datasette_program_export.demo import ANNA, write_demo

HERE = Path(__file__).parent


def main() -> None:
    """Serve the demo, open Anna's export page, keep what it looks like."""
    with tempfile.TemporaryDirectory() as folder:
        database = write_demo(Path(folder) / "practice.db")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "datasette", str(database), "-p", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _take(f"http://127.0.0.1:{port}/practice/clients/{ANNA}/-/program-export")
        finally:
            server.terminate()
            server.wait(10)


def _take(url: str) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url).close()
            break
        except OSError:
            time.sleep(0.1)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 900, "height": 600})
        page.goto(url)
        page.screenshot(path=HERE / "export-page.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
