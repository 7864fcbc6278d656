"""Connections kept between the exports of a site: each answer is the one that a new connection would give."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette

from datasette_program_export import Settings
from datasette_program_export.database.connections.warm import WARM
from datasette_program_export.plugin.host import V1, source_for
from datasette_program_export.plugin.server.site import close
from tests.support.databases.building import database
from tests.support.sites.locks import other_program
from tests.support.sites.permissions import PAGE, PLAN, RECORD, SITES, get, house, site

PATHS = (RECORD, PLAN, PAGE, "/house.programjson", "/house/memos.programcsv", f"{RECORD}?_export_secrets=include")


def kept(ds: Any) -> int:
    return sum(owner in ds.databases.values() for owner, _, _ in WARM._idle)


async def told(ds: Any, path: str, who: str | None, new: bool = False) -> tuple[int, list[str]]:
    """The status and the lines, without the times and digests."""
    if new:
        close(ds)
    response = await get(ds, path, who)
    moments = ("created_at", "document", "GET", "Z.", "csrftoken")
    return response.status_code, [line for line in response.text.splitlines() if not any(m in line for m in moments)]


@pytest.mark.parametrize("name", ["tables", "children", "by-table" if V1 else "plugin", "secrets"])
async def test_people_who_take_turns_each_see_what_they_may(tmp_path: Path, name: str) -> None:
    ds = site(house(tmp_path), **SITES[name])
    people = ("anna", None, "root")
    wanted = {(path, who): await told(ds, path, who, new=True) for path in PATHS for who in people}
    for path in (*PATHS, *PATHS):
        for who in people:
            assert await told(ds, path, who) == wanted[path, who], (path, who)
    await get(ds, RECORD)
    assert kept(ds) >= 1
    close(ds)
    assert kept(ds) == 0


async def test_a_new_column_a_new_reference_and_a_new_row_are_seen_at_once(tmp_path: Path) -> None:
    path = house(tmp_path)
    ds = site(path)
    await get(ds, RECORD)
    with closing(sqlite3.connect(path)) as other:
        other.execute("ALTER TABLE artists ADD COLUMN born TEXT DEFAULT 'then'")
        other.execute("CREATE TABLE songs (id INTEGER PRIMARY KEY, artist_id REFERENCES artists)")
        other.execute("INSERT INTO songs VALUES (1, 1)")
        other.commit()
    found = (await get(ds, RECORD)).json()
    assert found["tables"]["artists"][0]["born"] == "then"
    assert found["tables"]["songs"] == [{"id": 1, "artist_id": 1}]
    close(ds)


@pytest.mark.parametrize("mode", ["wal", "delete"])
async def test_an_export_leaves_no_lock_that_datasette_itself_does_not_leave(tmp_path: Path, mode: str) -> None:
    said = []
    for number, path in enumerate(("/shop/t/1", "/shop/t/1.programjson")):
        folder = tmp_path / str(number)
        folder.mkdir()
        file = folder / "shop.db"
        database(
            file, f"PRAGMA journal_mode={mode}", "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1)"
        ).close()
        ds = site(file)
        assert (await get(ds, path)).status_code == 200
        if number == 0:
            close(ds)  # of ours, its start left one
        assert kept(ds) == number
        turned = "delete" if mode == "wal" else "wal"
        asked = (
            "INSERT INTO t VALUES (2)",
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "VACUUM",
            f"PRAGMA journal_mode={turned}",
        )
        said.append([other_program(file, sql) for sql in asked])
        assert (await get(ds, path)).status_code == 200
        close(ds)
    assert said[0] == said[1]
    assert said[1][0] == said[1][2] == "[]"


async def test_connections_in_special_modes_are_not_kept(tmp_path: Path) -> None:
    database(tmp_path / "house.db", "PRAGMA journal_mode=delete", "CREATE TABLE t (id INTEGER PRIMARY KEY)").close()
    path = str(tmp_path / "house.db")
    modes: tuple[dict[str, Any], ...] = ({}, {"immutables": [path], "files": []}, {"nolock": True}, {"memory": True})
    for how in modes:
        ds = Datasette(**{"files": [path], **how})
        await ds.invoke_startup()
        found = ds.get_database("_memory" if "memory" in how else "house")
        assert (source_for(ds, found, Settings()).keeper is None) == bool(how)
        close(ds)
