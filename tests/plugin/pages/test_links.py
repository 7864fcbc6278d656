"""The links that Datasette's own pages show: only to those whom they lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.sites.permissions import QUERIES, SITES, get, only, site

QUERY = "/house/-/query?sql=select+name+from+artists" if V1 else "/house?sql=select+name+from+artists"
PAGES = ["/house/artists", "/house/v_albums", "/house/artists/1", QUERY, "/house/titles"]


async def links(ds: object, page: str, who: str | None) -> list[str]:
    """The links of a page to itself as programjson."""
    shown = await get(ds, page, who, follow_redirects=True)
    assert shown.status_code == 200
    return re.findall(r'href="([^"]*\.programjson[^"]*)"', shown.text)


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
