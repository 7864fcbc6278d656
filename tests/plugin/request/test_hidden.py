"""What this person may not see is in no file, page or plan; nor is a secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasette_program_export.demo import ANNA, BOB, PASSWORD_HASH
from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.server import get, make_datasette


async def test_no_secret_leaves(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    for path in ("/practice/app_config.programjson", "/practice/app_config/1.programjson?_export_format=csv"):
        assert PASSWORD_HASH not in (await get(ds, path)).text


def who(ds, actor: str) -> dict:
    return {"ds_actor": ds.sign({"a": {"id": actor}}, "actor")}


ALLOWED = {
    "databases": {
        "practice": {
            "tables": {
                "session_notes": {"allow": {"id": "anna"}},
                "birth_data": {"allow": {"id": "anna"}},
                "app_config": {"allow": False},
            }
        }
    }
}


async def test_the_walk_stops_where_this_person_may_not_see(demo_file: Path) -> None:
    ds = make_datasette(demo_file, metadata=ALLOWED)
    await ds.invoke_startup()
    path = f"/practice/clients/{ANNA}.programjson"
    full = (await get(ds, path, cookies=who(ds, "anna"))).json()
    assert {"session_notes", "birth_data"} <= full["tables"].keys()
    less = (await get(ds, path, cookies=who(ds, "bob"))).json()
    assert not {"session_notes", "birth_data"} & less["tables"].keys()
    assert less["coverage"]["no_permission"] == [{"table": "birth_data", "along": "charts.birth_data_id"}]
    assert "session_notes" not in json.dumps(less)
    assert less["coverage"]["warnings"] == [
        "Only tables that you may see and export were looked at; there are others in this database."
    ]
    assert len(less["tables"]["charts"]) == 2  # by the client only: the other way was closed


DENIED = [
    ("/practice/app_config.programjson", "anna"),
    ("/practice/APP_CONFIG.programjson", "anna"),
    ("/practice/session_notes.programjson", "bob"),
    ("/practice/birth_data/x.programjson", None),
    ("/practice/birth_data/x/-/program-export", None),
    ("/practice/birth_data/x/-/program-export.json", None),
    ("/practice/birth_data/x/-/program-export/download", None),
]


@pytest.mark.parametrize(("path", "actor"), DENIED)
async def test_what_may_not_be_seen_is_not_exported(demo_file: Path, path: str, actor: str | None) -> None:
    ds = make_datasette(demo_file, metadata=ALLOWED)
    await ds.invoke_startup()
    response = await get(ds, path, cookies=who(ds, actor) if actor else None)
    table = path.split("/")[2].partition(".")[0]
    assert response.status_code == 404
    assert response.json()["error"] == f"There is no table {table} in practice, or you may not see it."


async def test_a_closed_site_gives_nothing(demo_file: Path) -> None:
    ds = make_datasette(demo_file, metadata={"allow": {"id": "owner"}})
    await ds.invoke_startup()
    path = f"/practice/clients/{BOB}.programjson"
    assert (await get(ds, path)).status_code == 403
    assert (await get(ds, path, cookies=who(ds, "owner"))).status_code == 200


async def test_a_secret_column_that_is_asked_for_is_refused(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    asked = await get(ds, "/practice/app_config.programcsv?_col=password_hash")
    assert asked.status_code == 403 and "app_config.password_hash was asked for" in asked.json()["error"]
    without = await get(ds, "/practice/app_config.programjson?_nocol=app_version")
    assert without.status_code == 200 and "password_hash" not in without.json()["tables"]["app_config"][0]


async def test_the_plan_does_not_tell_of_a_hidden_child(tmp_path: Path) -> None:
    database(tmp_path / "x.db", "CREATE TABLE p (id INTEGER PRIMARY KEY)", "CREATE TABLE c (p REFERENCES p)").close()
    for allow, expected in (({"id": "anna"}, False), (True, True)):
        ds = make_datasette(tmp_path / "x.db", metadata={"databases": {"x": {"tables": {"c": {"allow": allow}}}}})
        await ds.invoke_startup()
        assert (await get(ds, "/x/p/-/program-export.json")).json()["can_cascade"] is expected
        page = (await get(ds, "/x/p/-/program-export")).text
        assert ("With everything that belongs to them, from other tables" in page) is expected


async def test_the_page_of_a_stored_query_shows_no_cookie(demo_file: Path) -> None:
    queries = {"databases": {"practice": {"queries": {"mine": {"sql": "select :_header_x_secret as a, :b as b"}}}}}
    ds = make_datasette(demo_file, **{"config" if V1 else "metadata": queries})
    page = await get(ds, "/practice/mine/-/program-export?b=seen", headers={"x-secret": "hushed"})
    assert page.status_code == 200 and "seen" in page.text and "hushed" not in page.text
