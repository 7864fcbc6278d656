"""Which database is read: in memory, immutable, damaged, beside another, with functions of other plugins."""

from __future__ import annotations

from pathlib import Path

from datasette_program_export.demo import ANNA
from tests.support.databases.building import database
from tests.support.sites.server import get, make_datasette


async def test_a_database_in_memory(demo_file: Path) -> None:
    ds = make_datasette(demo_file)
    memory = ds.add_memory_database("shared_by_name")
    await memory.execute_write("CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT)")
    await memory.execute_write("INSERT INTO t VALUES (1, 'a')")
    assert (await get(ds, "/shared_by_name/t/1.programjson")).json()["tables"] == {"t": [{"id": 1, "x": "a"}]}
    await memory.execute_write("INSERT INTO t VALUES (2, 'b')")  # nothing was left locked
    assert len((await get(ds, "/shared_by_name/t.programjson")).json()["tables"]["t"]) == 2
    tracked = getattr(memory, "_all_connections", [])
    assert len(tracked) < 10


async def test_an_immutable_database(tmp_path: Path, demo_file: Path) -> None:
    from datasette.app import Datasette

    ds = Datasette([], immutables=[str(demo_file)])
    found = await get(ds, f"/practice/clients/{ANNA}.programjson")
    assert found.json()["integrity"]["rows"] == 28


async def test_two_databases_with_tables_of_one_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        database(tmp_path / f"{name}.db", "CREATE TABLE t (a)", f"INSERT INTO t VALUES ('{name}')").close()
    ds = make_datasette(tmp_path / "one.db", tmp_path / "two.db", crossdb=True)
    assert (await get(ds, "/two/t.programjson")).json()["tables"]["t"] == [{"a": "two"}]


async def test_views_may_use_functions_of_other_plugins(tmp_path: Path, demo_file: Path) -> None:
    """A function that a plugin gives to Datasette's connections is there for ours."""
    from datasette import hookimpl
    from datasette.plugins import pm

    class Plugin:
        __name__ = "shout"

        @hookimpl
        def prepare_connection(self, conn):
            conn.create_function("shout", 1, str.upper)

    database(tmp_path / "x.db", "CREATE VIEW v AS SELECT shout('moon') AS said").close()
    pm.register(Plugin(), "shout")
    try:
        found = await get(make_datasette(tmp_path / "x.db"), "/x/v.programjson")
        assert found.json()["tables"]["v"] == [{"said": "MOON"}]
    finally:
        pm.unregister(name="shout")
    gone = await get(make_datasette(tmp_path / "x.db"), "/x/v.programjson")
    assert (gone.status_code, gone.json()["error"]) == (422, "v cannot be read: no such function: shout.")


async def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database(path, "CREATE TABLE t (a)", journal="delete").close()
    ds = make_datasette(path)
    assert (await get(ds, "/x/t.programjson")).status_code == 200
    path.write_bytes(b"this is not a database any more " * 200)
    response = await get(ds, "/x/t.programjson")
    assert response.status_code == 422 and "x cannot be read: file is not a database" in response.json()["error"]
