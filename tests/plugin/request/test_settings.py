"""A site's settings: those of one database, and what is wrong in them stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasette_program_export.demo import ANNA
from tests.support.sites.server import get, make_datasette


async def test_a_wrong_setting_stops_the_start(demo_file: Path) -> None:
    from datasette.utils import StartupError

    ds = make_datasette(demo_file, settings={"max_rowz": 5})
    with pytest.raises(StartupError, match=r"datasette-program-export: unknown key max_rowz"):
        await ds.invoke_startup()


async def test_settings_of_one_database_lie_on_those_for_all(demo_file: Path) -> None:
    own = {"plugins": {"datasette-program-export": {"secrets": {"clients": ["email"]}}}}
    ds = make_datasette(
        demo_file, settings={"secrets": {"clients": ["phone"]}}, metadata={"databases": {"practice": own}}
    )
    row = (await get(ds, f"/practice/clients/{ANNA}.programjson")).json()["tables"]["clients"][0]
    assert "email" not in row and "phone" in row  # a table's list for one database replaces that for all


async def test_settings_in_a_place_without_a_meaning_stop_the_start(demo_file: Path) -> None:
    from datasette.utils import StartupError

    def said_of(**settings) -> dict:
        return {"plugins": {"datasette-program-export": settings}}

    ours = said_of(secrets={"clients": ["phone"]})
    for databases, said in (
        ({"practise": ours}, "the database practise, which is not served"),
        ({"practice": {"tables": {"clients": ours}}}, "under the table clients; they go under its database, practice"),
        (
            {"practice": {"plugins": {"datasette-program-export": {"profiles": {"x": {"format": "cvs"}}}}}},
            "no format cvs",
        ),
        (
            {"practice": {"plugins": {"datasette-program-export": {"secrets": {"client": ["phone"]}}}}},
            "client, a table",
        ),
        ({"practice": said_of(secrets={"clients": ["fone"]})}, "no column fone"),
    ):
        ds = make_datasette(demo_file, metadata={"databases": databases})
        with pytest.raises(StartupError, match=said):
            await ds.invoke_startup()
