"""The page that proposes settings: for whom may, of what they may see, as lines that a site starts with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from datasette_program_export.plugin.host import V1
from tests.support.databases.undescribed import BCRYPT, shop
from tests.support.sites.permissions import PLUGIN, allowed, get, only, signed_in
from tests.support.sites.server import make_datasette

PAGE = "/shop/-/program-export/setup"


@pytest.fixture(scope="module")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be written to."""
    return shop(tmp_path_factory.mktemp("shop"))


def site(*files: Path, here: dict | None = None, **plugin: Any) -> Any:
    said = {"plugins": {PLUGIN: plugin}, "databases": {"shop": here or {}}}
    ds = make_datasette(*files, **{"config" if V1 else "metadata": said})
    if V1:
        ds.root_enabled = True
    return ds


async def test_root_sees_what_was_found_and_the_lines(shop_file: Path) -> None:
    html = (await get(site(shop_file), PAGE, "root")).text
    assert "rows were looked at, on the server." in html
    assert "orders.customer_id refers to customers.id (named after it; 20 of 20 values match)" in html
    assert "Without these settings: 1 row: 1 customer." in html and '<pre tabindex="0" class="lines"># Proposed' in html
    assert "canary" not in html and BCRYPT not in html


@pytest.mark.parametrize("ending", ["", ".json", ".yml"])
async def test_nobody_else_has_it(shop_file: Path, ending: str) -> None:
    ds = site(shop_file)
    for who in (None, "anna"):
        response = await get(ds, PAGE + ending, who)
        assert response.status_code == 403 and "customers" not in response.text
    ds = site(shop_file, here={"allow": only("anna")}, allow_setup=only("anna", "bob"))
    assert (await get(ds, PAGE + ending, "anna")).status_code == 200
    assert (await get(ds, PAGE + ending, "bob")).status_code in (403, 404)
    assert (await get(ds, "/nowhere/-/program-export/setup", "anna")).status_code == 404


async def test_the_lines_start_a_site(shop_file: Path) -> None:
    ds = site(shop_file)
    response = await get(ds, f"{PAGE}.yml", "root")
    assert response.headers["content-disposition"] == 'attachment; filename="metadata.yml"'
    said = yaml.safe_load(response.text)
    again = make_datasette(shop_file, **{"config" if V1 else "metadata": said})
    plan = json.loads((await get(again, "/shop/customers/1/-/program-export.json")).text)
    assert {t["table"]: t["rows"] for t in _counted(plan)}["orders"] == 2


def _counted(plan: dict) -> list[dict]:
    return [{**t, "rows": t["belongs"] + t["needed"]} for t in plan["tables"]]


async def test_json_is_the_same(shop_file: Path) -> None:
    ds = site(shop_file)
    data = (await get(ds, f"{PAGE}.json", "root")).json()
    assert data["yaml"] == (await get(ds, f"{PAGE}.yml", "root")).text and data["settings"]["persons"][0] == "customers"


async def test_without_a_look_at_rows(shop_file: Path) -> None:
    ds = site(shop_file)
    data = (await get(ds, f"{PAGE}.json?rows=none", "root")).json()
    assert data["rows_looked_at"] is None and data["example"] is None
    assert (await get(ds, f"{PAGE}?rows=all", "root")).status_code == 400


async def test_tables_that_one_may_not_see_do_not_exist(shop_file: Path) -> None:
    """Neither those that one may not export."""
    ds = site(shop_file, here=allowed(customers=only("root"), staff=False), allow_setup=only("anna"))
    data = (await get(ds, f"{PAGE}.json", "anna")).text
    assert "customers" not in data and "staff" not in data and "order_lines" in data
    ds = site(shop_file, allow_setup=only("anna"), allow=only("root"))
    assert (await get(ds, f"{PAGE}.json", "anna")).json()["tables"] == 0


async def test_the_database_s_menu_links_it(shop_file: Path) -> None:
    ds = site(shop_file)
    await ds.invoke_startup()
    linked = {who: PAGE in (await ds.client.get("/shop", cookies=signed_in(ds, who))).text for who in ("root", "anna")}
    assert linked == {"root": True, "anna": False}
