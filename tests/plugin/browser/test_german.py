"""The pages in German in a browser: axe-core finds nothing, nothing sticks out, a phone lists the connections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sites.browser import AXE, SCREENS, check
from tests.support.sites.export_page import PAGES
from tests.support.sites.server import Server, make_datasette, served

pytestmark = pytest.mark.skipif(
    not AXE.exists(), reason="there is no axe-core here (make axe fetches it, where npm is)"
)


@pytest.fixture(scope="module")
def site(demo_file: Path) -> Iterator[Server]:
    with served(make_datasette(demo_file, settings={"allow_setup": True})) as running:
        yield running


@pytest.mark.parametrize("name", ["record", "rows of a csv", "settings", "an unknown option", "checking a file"])
def test_axe_finds_nothing_in_german(browser, site: Server, name: str) -> None:
    page = browser.new_page(viewport={"width": SCREENS["narrow"], "height": 800}, locale="de-DE")
    try:
        page.goto(site.url + PAGES[name])
        assert page.get_attribute(".program-export-page", "lang") == "de"
        check(page)
        page.set_viewport_size({"width": SCREENS["wide"], "height": 800})
        check(page)
    finally:
        page.close()


def test_the_connections_are_a_list_on_a_phone(browser, site: Server) -> None:
    page = browser.new_page(viewport={"width": SCREENS["narrow"], "height": 800}, locale="de-DE")
    try:
        page.goto(site.url + PAGES["record"])
        page.click("#connections > summary")
        assert not page.is_visible("#connections svg") and page.is_visible("#connections table.list")
        page.set_viewport_size({"width": SCREENS["wide"], "height": 800})
        assert page.is_visible("#connections svg") and page.is_visible("#connections table.list")
    finally:
        page.close()
