"""On Datasette 0.x the site is asked about some tables at once, and each answer stays with its table."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database
from tests.support.sites.server import get, make_datasette

pytestmark = pytest.mark.skipif(V1, reason="Datasette 1.0 is asked about all tables in one statement")


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
