"""What the documentation's pictures are taken of: the demo in Datasette, seen by Chromium, kept in few colours."""

from __future__ import annotations

import html
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

from datasette_program_export.demo import write_demo

HERE = Path(__file__).parent
WIDTH = 1000
COLOURS = 64  # of a page of text: more are not seen, and each costs bytes
_RING = "#d9480f solid 3px"
_TERMINAL = """<style>body { margin: 0; background: #1c1e26 }
pre { margin: 0; padding: 18px 22px; width: 956px; font: 15px/1.5 monospace; color: #d5d8da; white-space: pre-wrap }
b { color: #fff }</style>"""


@contextmanager
def browsed() -> Iterator[Page]:
    """A page of the system's Chromium, in English and UTC."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": WIDTH, "height": 700}, locale="en-GB", timezone_id="UTC")
        page.set_default_timeout(120_000)
        yield page
        browser.close()


@contextmanager
def served(database: Path, *options: str) -> Iterator[tuple[str, str]]:
    """Datasette with a database: its address, and the one with a token that makes root of who opens it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = database.parent / "metadata.json"
    own = {"jobs_dir": str(database.parent / "jobs"), "plan_seconds": 60}  # numbers are whole on a slow machine too
    settings.write_text(json.dumps({"plugins": {"datasette-program-export": own}}))
    command = [sys.executable, "-m", "datasette", database.name, "-p", str(port), "-m", str(settings), "--root"]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    server = subprocess.Popen([*command, *options], cwd=database.parent, **pipe)
    site = f"http://127.0.0.1:{port}"
    try:
        root = server.stdout.readline().strip()
        for _ in range(300):
            try:
                urllib.request.urlopen(site).close()
                break
            except OSError:
                time.sleep(0.1)
        yield site, root
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()


def demo(folder: Path) -> Path:
    """The demo database, in a folder."""
    return write_demo(folder / "practice.db")


def commanded(script: str, folder: Path) -> str:
    """Run a block of the documentation in a folder, and return what a terminal would show of it."""
    shown = []
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for command in script.splitlines():
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env={**os.environ, "PATH": path, "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}"
        shown.append(f"<b>$ {html.escape(command)}</b>\n{html.escape(done.stdout)}")
    return "".join(shown)


def terminal(page: Page, shown: str, file: Path) -> None:
    """Keep the picture of a terminal that shows this."""
    page.set_content(f"{_TERMINAL}<pre>{shown}</pre>")
    keep(_shot(page.locator("pre").screenshot()), file)


def picture(page: Page, until: Locator | None = None, ring: Locator | None = None, height: int = 0) -> Image.Image:
    """The page from its top down to something, or of a height in pixels; what is to be pressed with a ring."""
    page.evaluate("scrollTo(0, 0)")  # boxes are told from where the page is scrolled to
    if until is not None:
        box = until.bounding_box()
        assert box is not None
        height = int(box["y"]) - 8
    if ring is not None:
        inside = ring.evaluate("e => e.tagName === 'TD'")  # what lies outside of a cell is cut off
        style = [_RING, "-3px" if inside else "3px"]
        ring.evaluate("(e, [ring, offset]) => { e.style.outline = ring; e.style.outlineOffset = offset }", style)
    clip = {"x": 0, "y": 0, "width": WIDTH, "height": height}
    made = _shot(page.screenshot(full_page=True, clip=clip))
    if ring is not None:
        ring.evaluate("e => { e.style.outline = '' }")
    return made


def keep(made: Image.Image, file: Path) -> None:
    """Write a PNG of few colours."""
    file.parent.mkdir(exist_ok=True)
    _few_colours(made).save(file, optimize=True)


def keep_moving(frames: list[tuple[Image.Image, int]], file: Path, width: int, times: int) -> None:
    """Write a GIF of pictures, each with the milliseconds that it stands; it stops at the last, after some times."""
    height = max(made.height for made, _ in frames)
    drawn = []
    for made, _ in frames:
        sheet = Image.new("RGB", (WIDTH, height), made.getpixel((WIDTH - 1, made.height - 1)))
        sheet.paste(made)
        drawn.append(_few_colours(sheet.resize((width, height * width // WIDTH), Image.Resampling.LANCZOS)))
    milliseconds = [stands for _, stands in frames]
    first, *others = drawn
    first.save(file, save_all=True, append_images=others, duration=milliseconds, loop=times - 1, optimize=True)


def _shot(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def _few_colours(made: Image.Image) -> Image.Image:
    # this method keeps colours of few pixels, such as a ring's; kmeans those of many, such as the paper's
    return made.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE)
