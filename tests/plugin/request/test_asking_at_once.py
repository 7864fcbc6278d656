"""What a request asks the site before it begins: about several tables at once, and what has changed since."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.server import get, make_datasette


@pytest.mark.skipif(V1, reason="Datasette 1.0 is asked about all tables in one statement")
async def test_each_answer_stays_with_its_table(tmp_path: Path) -> None:
    from datasette import hookimpl
    from datasette.plugins import pm

    running, most = 0, 0

    class Plugin:
        __name__ = "slow"

        @hookimpl
        def permission_allowed(self, action: str, resource: Any) -> Any:
            async def answer() -> bool | None:
                nonlocal running, most
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.001 * (50 - int(resource[1][1:])))  # the last is answered first
                running -= 1
                return int(resource[1][1:]) % 3 != 0

            return answer if action == "view-table" else None

    database(tmp_path / "x.db", *(f"CREATE TABLE t{n} (a)" for n in range(45))).close()
    pm.register(Plugin(), "slow")
    try:
        found = await get(make_datasette(tmp_path / "x.db"), "/x.programjson")
    finally:
        pm.unregister(name="slow")
    assert set(found.json()["tables"]) == {f"t{n}" for n in range(45) if n % 3}
    assert 1 < most <= 20  # not all: others have their turn


@pytest.mark.skipif(not V1, reason="0.x keeps no list of tables")
async def test_all_lists_of_tables_are_read_only_after_a_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.db"
    database(path, "CREATE TABLE t (a)").close()
    ds = make_datasette(path)
    assert (await get(ds, "/x/t.programjson")).status_code == 200
    forced = []
    refresh = ds.refresh_schemas

    async def watched(*, force: bool = False) -> None:
        forced.append(force)
        await refresh(force=force)

    monkeypatch.setattr(ds, "refresh_schemas", watched)
    assert (await get(ds, "/x/t.programjson")).status_code == 200
    assert True not in forced
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE late (a)")
    assert (await get(ds, "/x/late.programjson")).status_code == 200
    assert True in forced
