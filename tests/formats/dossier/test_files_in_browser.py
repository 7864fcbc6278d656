"""Files in a dossier, in Chromium from a file: pictures are shown, others saved, all without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import verify
from tests.support.dossiers.files import HOSTILE, PDF, PNG, Case
from tests.support.sites.browser import AXE, SCREENS

LARGE = PNG.ljust(400_000, b"\0")  # a picture that is shown by the script only


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dossier")
    case = Case(folder, hostile=True)
    case.put("drawing.svg", LARGE)
    (folder / "anna.html").write_bytes(case.export())
    return folder / "anna.html"


@pytest.fixture
def opened(browser: Any, file: Path) -> Iterator[Any]:
    context = browser.new_context(offline=True)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.goto(file.as_uri())
    yield page
    assert said == [] and page.evaluate("window.hit") is None
    context.close()


def test_a_picture_is_shown_in_its_row_and_nothing_else_is(opened: Any) -> None:
    image = opened.locator("main .subject img")
    assert image.evaluate("i => i.decode().then(() => i.naturalWidth)") == 1
    assert image.get_attribute("src").startswith("data:image/png;")
    large = opened.locator("main img[data-file]")
    large.wait_for()
    assert large.evaluate("i => i.decode().then(() => i.naturalWidth)") == 1
    assert large.get_attribute("src").startswith("blob:") and opened.locator("img:visible").count() == 2
    assert opened.locator("img").count() == 2 and opened.get_by_text("JavaScript").count() == 0


def test_a_file_is_saved_byte_by_byte_from_its_row_and_from_the_list(opened: Any) -> None:
    for place in ("main", "#files"):
        with opened.expect_download() as saved:
            opened.locator(f"{place} button[aria-label='Save letter.pdf']").first.click()
        assert saved.value.suggested_filename == "letter.pdf" and Path(saved.value.path()).read_bytes() == PDF
    with opened.expect_download() as saved:
        opened.locator("#files button[aria-label='Save empty.txt']").click()
    assert Path(saved.value.path()).read_bytes() == b""


def test_hostile_names_are_saved_and_do_nothing(opened: Any) -> None:
    buttons = opened.locator("#files li").filter(has_text="SHA-256").locator("button")
    contents = set()
    for number in range(buttons.count()):
        if number % 8 == 7:
            opened.reload()  # Chromium gives a page ten downloads within a second, and no more
        with opened.expect_download() as saved:
            buttons.nth(number).click()
        assert "/" not in saved.value.suggested_filename and "\u202e" not in saved.value.suggested_filename
        contents.add(Path(saved.value.path()).read_bytes())
    assert {name.encode() for name in HOSTILE} <= contents
    assert opened.locator("main script, main svg").count() == 0


def test_the_copy_for_programs_is_a_package_with_the_files(opened: Any, tmp_path: Path) -> None:
    with opened.expect_download() as saved:
        opened.get_by_role("button", name="Save the data for programs").click()
    assert saved.value.suggested_filename.endswith(".zip")
    saved.value.save_as(tmp_path / "copy.zip")
    report = verify(tmp_path / "copy.zip")
    assert (report.format, report.status) == ("package", "complete")
    assert report.files is not None and report.files.inside == 6 + len(HOSTILE)


def test_the_search_finds_names_and_not_what_a_button_says(opened: Any) -> None:
    told = opened.locator("#found")
    for words, rows in (("letter.pdf", 2), ("save", 0), ("drawing", 1), ("javascript", 0)):
        opened.locator("#find").fill(words)
        told.get_by_text(re.compile(f"^{rows} of ")).wait_for()


def test_without_scripts_all_is_told(browser: Any, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.locator("button:visible").count() == 0 and page.locator("img:visible").count() == 1
    image = page.locator("main .subject img")
    assert image.is_visible() and image.get_attribute("src").startswith("data:image/png;")
    assert page.get_by_text("the picture needs JavaScript").is_visible()
    assert page.get_by_text("1 picture is shown only with JavaScript").is_visible()
    assert page.get_by_text("saved by a button, which needs JavaScript").is_visible()
    assert page.get_by_text("program-export convert").first.is_visible()
    line = page.locator("#files li").first
    assert line.is_visible() and len(line.locator("code").inner_text()) == 64 + len("SHA-256 ")
    context.close()


@pytest.mark.skipif(not AXE.exists(), reason="there is no axe-core here (make axe fetches it, where npm is)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(browser: Any, file: Path, screen: str, scheme: str) -> None:
    size = {"width": SCREENS[screen], "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(file.as_uri())
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")
    assert [f"{v['id']}: {[n['html'][:160] for n in v['nodes']][:3]}" for v in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    context.close()
