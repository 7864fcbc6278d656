"""The links that Datasette's own pages show: only to those whom they lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.sites.permissions import QUERIES, SITES, get, only, site

QUERY = "/house/-/query?sql=select+name+from+artists" if V1 else "/house?sql=select+name+from+artists"
PAGES = ["/house/artists", "/house/v_albums", "/house/artists/1", QUERY, "/house/titles"]


async def links(ds: object, page: str, who: str | None, ending: str = "json") -> list[str]:
    """The links of a page to itself as programjson, or with another ending."""
    shown = await get(ds, page, who, follow_redirects=True)
    assert shown.status_code == 200
    return re.findall(rf'href="([^"]*\.program{ending}[^"]*)"', shown.text)


@pytest.mark.parametrize("ending", ["csv", "zip"])
@pytest.mark.parametrize("page", PAGES)
async def test_every_address_of_its_own_is_linked(page: str, ending: str, house_file: Path) -> None:
    ds = site(house_file, plugin={"allow": {"id": "anna"}}, here=QUERIES)
    (link,) = await links(ds, page, "anna", ending)
    found = await get(ds, link.replace("&amp;", "&"), "anna")
    assert found.status_code == 200
    assert re.search(rf"\.({ending}|zip)\"", found.headers["content-disposition"])  # several tables come as a zip
    assert await links(ds, page, "bob", ending) == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("how", ["plugin", "by-site", "by-database"] if V1 else ["plugin"])
async def test_only_who_may_export_sees_the_link(how: str, page: str, house_file: Path) -> None:
    said = SITES[how]
    ds = site(house_file, **{**said, "here": {**said.get("here", {}), **QUERIES}})
    (link,) = await links(ds, page, "anna")
    assert (await get(ds, link.replace("&amp;", "&"), "anna")).status_code == 200
    assert await links(ds, page, "bob") == [] == await links(ds, page, None)
    assert (await get(ds, link.replace("&amp;", "&"), "bob")).status_code == 403


@pytest.mark.skipif(not V1, reason="0.x knows no permissions blocks of tables for this")
async def test_a_table_that_is_not_exported_has_no_link(house_file: Path) -> None:
    here = {"tables": {"memos": {"permissions": {"program-export": only("anna")}}}}
    ds = site(house_file, here=here)
    assert len(await links(ds, "/house/memos", "anna")) == len(await links(ds, "/house/albums", "bob")) == 1
    assert await links(ds, "/house/memos", "bob") == []
