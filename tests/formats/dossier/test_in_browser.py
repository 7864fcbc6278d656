"""A dossier in Chromium, opened as a file: nothing is fetched or refused by its policy, everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, verify
from datasette_program_export.demo import ANNA
from tests.support.databases.building import database
from tests.support.sites.browser import AXE, SCREENS


@pytest.fixture(scope="module")
def file(demo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    request = Request(table="clients", records=((ANNA,),), format="dossier")
    path = tmp_path_factory.mktemp("dossier") / "anna.html"
    path.write_bytes(b"".join(export(demo_file, request)))
    return path


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
    assert said == []  # no error, nothing refused by the policy, nothing fetched
    context.close()


def test_the_search_finds_without_case_and_accents(opened: Any) -> None:
    rows = opened.locator("main .row")
    every = rows.count()
    opened.keyboard.press("/")
    opened.keyboard.type("REYKJAVIK")
    told = opened.locator("#found")
    told.get_by_text(f"of {every} entries").wait_for()
    shown = opened.locator("main .row:visible")
    assert 0 < shown.count() < every and "Reykjavík" in shown.first.inner_text()
    assert told.get_attribute("aria-live") == "polite"
    opened.keyboard.press("Escape")
    assert told.inner_text() == "" and opened.locator("main .row:not([hidden])").count() == every


def test_one_button_saves_the_copy_for_programs(opened: Any, tmp_path: Path) -> None:
    with opened.expect_download() as saved:
        opened.get_by_role("button", name="Save the data for programs").click()
    assert saved.value.suggested_filename.endswith(".json")
    saved.value.save_as(tmp_path / "copy.json")
    report = verify(tmp_path / "copy.json")
    assert (report.format, report.status) == ("programjson", "complete")


def test_without_scripts_it_is_whole(browser: Any, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert not page.locator(".tools").is_visible() and not page.locator("button.save").is_visible()
    assert page.locator("svg.wheel").first.is_visible() and page.get_by_text("program-export convert").is_visible()
    page.locator("details.more summary, details summary").first.click()
    assert page.locator("details[open]").count() == 1
    context.close()


@pytest.mark.skipif(not AXE.exists(), reason="there is no axe-core here (make axe fetches it, where npm is)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_nothing(browser: Any, file: Path, screen: str, scheme: str) -> None:
    size = {"width": SCREENS[screen], "height": 900}
    context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")
    told = [f"{v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes']][:3]}" for v in found["violations"]]
    assert told == [] and len(found["passes"]) > 20
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    context.close()


def test_hostile_values_do_nothing(browser: Any, tmp_path: Path) -> None:
    values = (
        "<script>window.hit=1</script>",
        "</script><img src=x onerror=window.hit=1>",
        '"><svg onload=window.hit=1>',
        "[x](javascript:window.hit=1)\n- **b**",
    )
    with closing(database(None, "CREATE TABLE t (v TEXT, j JSON)")) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(v, f'{{"{v!r}": 1}}') for v in values])
        (tmp_path / "x.html").write_bytes(b"".join(export(connection, Request(format="dossier"))))
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "x.html").as_uri())
    page.wait_for_timeout(200)
    assert page.evaluate("window.hit") is None and len(asked) == 1
    assert page.locator("main script, main img, main svg").count() == 0
    context.close()
