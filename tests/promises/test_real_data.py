"""Chinook and Northwind through every door of a record and a table; where they are to be had."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from datasette_program_export.cli.main import program_export
from datasette_program_export.database.reflection import reflect
from tests.support.databases.building import database, definitions, document, load, quoted, violations
from tests.support.sites.server import make_datasette

SUBJECTS = [
    ("chinook.db", "Artist", "1"),
    ("chinook.db", "Customer", "5"),
    ("chinook.db", "Employee", "2"),
    ("chinook.db", "Playlist", "1"),
    ("northwind_small.db", "Order Details", "10248,11"),
    ("northwind_small.db", "Employees", "2"),
    ("northwind_small.db", "Customers", "ALFKI"),
]


@pytest.mark.parametrize(("file", "table", "key"), SUBJECTS)
@pytest.mark.parametrize("parents", ["none", "needed"])
@pytest.mark.parametrize("others", ["withhold", "include"])
def test_a_record_is_the_same_by_every_door_and_loads_as_announced(
    real_data: Path, file: str, table: str, key: str, parents: str, others: str
) -> None:
    path = real_data / file
    found = document(path, table, tuple(key.split(",")), parents=parents, others=others)
    told = ["--parents", parents, "--others", others]
    done = CliRunner().invoke(program_export, ["record", str(path), table, key, *told])
    assert json.loads(done.stdout)["integrity"]["tables"] == found["integrity"]["tables"]
    with closing(sqlite3.connect(path)) as connection, closing(database(None)) as copy:
        load(copy, found, definitions(connection))
        announced = {(d["table"], d["other_table"].lower()): d["rows"] for d in found["coverage"]["dangling"]}
        in_source = violations(connection)
        assert violations(copy) == announced
        if parents == "needed" and others == "include":
            assert all(pair in in_source for pair in announced)  # only what dangles in the database itself
        for name, rows in found["tables"].items():
            assert copy.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone() == (len(rows),)


async def test_by_url(real_data: Path) -> None:
    ds = make_datasette(real_data / "chinook.db", real_data / "northwind_small.db")
    for others, lines in (("withhold", 0), ("include", 16)):  # the invoices are customers'
        artist = (await ds.client.get(f"/chinook/Artist/1.programjson?_export_others={others}")).json()
        assert {t: len(rows) for t, rows in artist["tables"].items()} == {
            "Artist": 1, "Album": 2, "Track": 18, "InvoiceLine": lines, "PlaylistTrack": 37,
        }  # fmt: skip
    detail = (await ds.client.get("/northwind_small/Order~20Details/10248,11.programjson")).json()
    assert detail["tables"]["Order Details"][0]["Quantity"] == 12


def test_every_table_and_view_comes_out_as_a_select_shows_it(real_data: Path) -> None:
    for file in ("chinook.db", "northwind_small.db"):
        with closing(sqlite3.connect(real_data / file)) as connection:
            for name in reflect(connection):
                found = document(real_data / file, name)["tables"][name]
                assert len(found) == connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchone()[0]
                first = connection.execute(f"SELECT * FROM {quoted(name)} LIMIT 1").fetchone()
                if first and not any(isinstance(v, bytes) for v in first) and reflect(connection)[name].kind == "table":
                    assert tuple(found[0].values()) == first
