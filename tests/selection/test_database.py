"""A whole database: every table that holds data of its own, the others named with the reason."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from datasette_program_export.cli.main import program_export
from datasette_program_export.plugin.host import V1
from tests.support.databases.building import database, load, violations
from tests.support.sites.server import make_datasette

HOUSE = (
    'CREATE TABLE "odd name/with.dots%20" (a TEXT, "b ""c""" INTEGER, PRIMARY KEY (a, "b ""c"""))',
    """INSERT INTO "odd name/with.dots%20" VALUES ('x/y', 1), ('', 2)""",
    "CREATE TABLE flat (k TEXT, n INTEGER, v, PRIMARY KEY (k, n)) WITHOUT ROWID",
    "INSERT INTO flat VALUES ('b', 1, x'00ff'), ('a', 2, 1.5), ('a', 1, NULL)",
    # a circle, a reference to itself, and two that point to nothing
    "CREATE TABLE child (id INTEGER PRIMARY KEY, parent REFERENCES parent(id), friend REFERENCES child(id))",
    "CREATE TABLE parent (id INTEGER PRIMARY KEY, favourite REFERENCES child(id), top REFERENCES grand(id))",
    "CREATE TABLE grand (id INTEGER PRIMARY KEY, name TEXT, loud AS (upper(name)))",
    "INSERT INTO grand (id, name) VALUES (1, 'g')",
    "INSERT INTO parent VALUES (1, 2, 1), (2, NULL, 9)",
    "INSERT INTO child VALUES (1, 1, 2), (2, 2, 1), (3, 77, 78)",
    "CREATE TABLE blank (a)",
    "CREATE VIRTUAL TABLE box USING rtree(id, x0, x1)",
    "INSERT INTO box VALUES (1, 0.5, 2.5)",
    "CREATE VIRTUAL TABLE own USING fts5(title, body)",
    "INSERT INTO own VALUES ('moon', 'sun')",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)",
    "INSERT INTO notes VALUES (1, 'moon')",
    "CREATE VIRTUAL TABLE notes_fts USING fts5(body, content='notes', content_rowid='id')",
    "INSERT INTO notes_fts(notes_fts) VALUES ('rebuild')",
    "CREATE VIRTUAL TABLE notes_short USING fts5(body, cont='notes', content_rowid='id')",
    "CREATE VIRTUAL TABLE bare USING fts5(body, content='')",
    "CREATE VIRTUAL TABLE words USING fts5vocab(notes_fts, 'row')",
    "CREATE VIEW v AS SELECT * FROM flat",
    "CREATE VIEW v_fails AS SELECT * FROM gone",
    "CREATE VIEW v_function AS SELECT unheard_of(name) AS x FROM grand",
    "CREATE TABLE cached (a)",
)
IN = {"odd name/with.dots%20", "flat", "child", "parent", "grand", "blank", "box", "own", "notes"}
LEFT_OUT = {"notes_fts", "notes_short", "bare", "words", "v", "v_fails", "v_function", "cached"}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    database(tmp_path / "house.db", *HOUSE).close()
    return tmp_path / "house.db"


def run(*words: object) -> Result:
    return CliRunner().invoke(program_export, [str(w) for w in words])


async def get(path: Path, query: str = "", settings: dict | None = None):
    return await make_datasette(path, settings={"caches": ["cached"]} if settings is None else settings).client.get(
        f"/{path.stem}.programjson{query}"
    )


def reasons(found: dict) -> dict[str, str]:
    return {entry["table"]: entry["why"] for entry in found["coverage"]["left_out"]}


async def test_all_tables_and_the_others_named(house: Path, tmp_path: Path) -> None:
    metadata = tmp_path / "m.json"
    metadata.write_text(json.dumps({"plugins": {"datasette-program-export": {"caches": ["cached"]}}}))
    over_http = (await get(house)).json()
    for found in (over_http, json.loads(run("database", house, "-m", metadata).stdout)):
        assert set(found["tables"]) == IN
        known = LEFT_OUT - {"words"} if V1 and found is over_http else LEFT_OUT  # 1.0 shows nobody a list of words
        assert set(reasons(found)) == known and all(reasons(found).values())
        assert found["integrity"]["complete"] is True
        assert found["tables"] == over_http["tables"]
    assert over_http["tables"]["own"] == [{"rowid": 1, "title": "moon", "body": "sun"}]
    assert over_http["tables"]["box"] == [{"id": 1, "x0": 0.5, "x1": 2.5}]
    assert [(r["k"], r["n"]) for r in over_http["tables"]["flat"]] == [("a", 1), ("a", 2), ("b", 1)]
    planned = (await make_datasette(house).client.get("/house/-/program-export.json")).json()
    assert {t["table"] for t in planned["tables"]} == IN | {"cached"}  # no setting calls it a cache here


async def test_tables_by_name(house: Path) -> None:
    found = (await get(house, "?_export_table=flat&_export_table=CHILD&_export_table=flat&_export_table=cached")).json()
    assert set(found["tables"]) == {"flat", "child", "cached"}
    assert found["coverage"]["left_out"] == []
    assert {(d["table"], d["other_table"]): d["rows"] for d in found["coverage"]["dangling"]} == {
        ("child", "parent"): 3,
        ("child", "child"): 1,
    }
    done = run("database", house, "--table", "flat", "--table", "v")
    assert done.exit_code == 0 and set(json.loads(done.stdout)["tables"]) == {"flat", "v"}


@pytest.mark.parametrize(
    "query, status, names",
    [
        ("?_export_table=nowhere", 404, "nowhere"),
        ("?_export_table=flat&_export_table=nowhere", 404, "nowhere"),
        ("?_export_table=", 404, ""),
        ("?_export_table=sqlite_master", 404, "sqlite_master"),
        ("?_export_table=v_fails", 422, "v_fails"),
        ("?_export_table=v_function", 422, "v_function"),
        ("?_export_table=flat&_export_without=flat", 400, "flat"),
        ("?_export_without=nowhere", 400, "nowhere"),
        ("?_export_without=flat.nowhere", 400, "flat.nowhere"),
        ("?_export_cascade=1", 400, "cascade"),
        ("?_export_stop=child.parent", 400, "stop"),
        ("?_export_limit=3", 400, "limit"),
        ("?_export_record=1", 400, "record"),
        ("?_export_tables=flat", 400, "_export_tables"),
        ("?name=x", 400, "name"),
    ],
)
async def test_what_cannot_be_had_is_named(house: Path, query: str, status: int, names: str) -> None:
    answered = await get(house, query)
    assert answered.status_code in ((status, 400) if status == 422 else (status,)), answered.text
    assert names in answered.json()["error"] and answered.json()["ok"] is False


async def test_tables_and_columns_left_out(house: Path) -> None:
    found = (await get(house, "?_export_without=flat&_export_without=child.friend&_export_without=V")).json()
    assert "flat" not in found["tables"] and set(found["tables"]["child"][0]) == {"id", "parent"}
    entries = found["coverage"]["left_out"]
    assert {"table": "flat"} in entries and {"table": "child", "column": "friend"} in entries


async def test_parents_come_first_and_circles_are_deferred(house: Path) -> None:
    found = (await get(house)).json()
    order, deferred = list(found["tables"]), set(found["schema"]["deferred"])
    assert order == list(found["schema"]["tables"]) and deferred
    for table in order:
        for key in found["schema"]["tables"][table]["foreign_keys"]:
            name = f"{table}.{','.join(key['columns'])}"
            first = key["table"] != table and order.index(key["table"]) < order.index(table)
            assert first or any(d.startswith(name.split(",")[0]) for d in deferred), name


async def test_the_document_loads_into_an_empty_copy(house: Path) -> None:
    found = (await get(house)).json()
    with closing(sqlite3.connect(house)) as origin, closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        made = [sql for name, sql in origin.execute(sql) if name in IN]
        load(copy, found, made)
        for table in IN:
            name = table.replace('"', '""')
            rows = [c.execute(f'SELECT * FROM "{name}"').fetchall() for c in (origin, copy)]
            assert Counter(map(repr, rows[0])) == Counter(map(repr, rows[1])), table
        told = Counter({(d["table"], d["other_table"].lower()): d["rows"] for d in found["coverage"]["dangling"]})
        assert violations(copy) == told == violations(origin)
        assert told == {("child", "parent"): 1, ("child", "child"): 1, ("parent", "grand"): 1}


def damaged(path: Path, table: str = "bad", page: int | None = None) -> None:
    """Overwrite pages of one table: its root, or a leaf in its middle."""
    made = database(path, "CREATE TABLE good (a)", "INSERT INTO good VALUES (1)", f"CREATE TABLE {table} (a, b)")
    made.execute(f"CREATE INDEX i ON {table} (a)")
    made.execute("BEGIN")
    made.executemany(f"INSERT INTO {table} VALUES (?, ?)", [(i, "x" * 500) for i in range(200)])
    made.execute("COMMIT")
    made.execute("CREATE TABLE after (a)")
    made.execute("INSERT INTO after VALUES (1)")
    made.execute("PRAGMA journal_mode=delete")
    root = made.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    size, last = (made.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count"))
    made.close()
    with path.open("r+b") as file:
        file.seek(((root if page is None else last + page) - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize("page", [None, -6], ids=["root", "leaf"])
async def test_a_damaged_table_is_named_and_the_others_exported(tmp_path: Path, page: int | None) -> None:
    path = tmp_path / "d.db"
    damaged(path, page=page)
    answered = await get(path, settings={})
    assert answered.status_code == 200, answered.text
    found = answered.json()
    assert set(found["tables"]) == {"good", "after"}
    assert "malformed" in reasons(found)["bad"]
    done = run("database", path)
    assert done.exit_code == 0 and set(json.loads(done.stdout)["tables"]) == {"good", "after"}
    asked = await get(path, "?_export_table=bad", settings={})
    assert asked.status_code == 422 and "malformed" in asked.json()["error"]
    page_shown = await make_datasette(path).client.get("/d/-/program-export")
    assert page_shown.status_code == 200 and "bad" in page_shown.text


async def test_a_module_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    made = database(path, "CREATE TABLE good (a)", "INSERT INTO good VALUES (1)", journal="delete")
    made.execute("PRAGMA writable_schema=1")
    made.execute(
        "INSERT INTO sqlite_master VALUES"
        " ('table', 'places', 'places', 0, 'CREATE VIRTUAL TABLE places USING spatial(a)')"
    )
    made.close()
    done = run("database", path)
    assert done.exit_code == 0 and set(json.loads(done.stdout)["tables"]) == {"good"}
    if V1:  # Datasette 1.0 does not start with such a file
        return
    answered = await get(path, settings={})
    assert answered.status_code == 200, answered.text
    assert set(answered.json()["tables"]) == {"good"} and "spatial" in reasons(answered.json())["places"]
    asked = await get(path, "?_export_table=places", settings={})
    assert asked.status_code == 422 and "spatial" in asked.json()["error"]


@pytest.mark.parametrize("settings", [{}, {"max_rows": 3}], ids=["all", "few"])
async def test_max_rows_counts_the_whole(house: Path, settings: dict) -> None:
    answered = await get(house, settings=settings)
    assert answered.status_code == (422 if settings else 200)
    assert not settings or "max_rows" in answered.json()["error"]


NO_TABLES = {"empty": b"", "text": b"this is no database, but a text\n" * 50, "zeros": b"\0" * 4096}


@pytest.mark.parametrize("kind", [*NO_TABLES, "no_tables", "only_views"])
async def test_an_empty_database_is_exported_and_what_is_none_is_said(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "e.db"
    if kind in NO_TABLES:
        path.write_bytes(NO_TABLES[kind])
    else:
        database(
            path,
            *(["CREATE VIEW v AS SELECT 1 AS a"] if kind == "only_views" else ["CREATE TABLE t (a)", "DROP TABLE t"]),
        ).close()
    done = run("database", path)
    if kind not in ("text", "zeros"):
        assert done.exit_code == 0 and json.loads(done.stdout)["tables"] == {}
        assert (await get(path, settings={})).json()["tables"] == {}
        assert (await make_datasette(path).client.get("/e/-/program-export")).status_code == 200
        assert (await make_datasette(path).client.get("/e/-/program-export.json")).json()["tables"] == []
        return
    assert done.exit_code == 1 and done.stderr.startswith("Error: ") and not done.stdout
    if V1 and kind in ("text", "zeros"):  # Datasette 1.0 does not start with such a file
        return
    answered = await get(path, settings={})
    assert answered.status_code == 422 and answered.json()["error"].endswith("."), answered.text
    assert (await make_datasette(path).client.get("/e/-/program-export")).status_code == 422
