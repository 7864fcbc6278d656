"""sqlite-utils reads the foreign keys, and whatever it cannot say of them is found all the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database
from sqlite_utils.db import Table

from datasette_program_export import Source
from datasette_program_export.database.reflection import reflect
from datasette_program_export.database.schema import Schema, quote
from datasette_program_export.database.snapshot import Snapshot
from datasette_program_export.database.text import decode_text
from datasette_program_export.demo import ANNA
from datasette_program_export.errors import CancelledError
from tests.support.databases.building import database, document
from tests.support.runs.thorough import examples

PARENTS = ("Parent", "PARENT", "two", "keyless", "gone", "seen", "É", "é", "a b", "rowid")
MADE = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY, rowid TEXT UNIQUE)",
    "CREATE TABLE Two (a, b, PRIMARY KEY (b, a))",
    "CREATE TABLE keyless (rowid TEXT UNIQUE, n)",
    "CREATE TABLE É (id TEXT PRIMARY KEY)",
    'CREATE TABLE "A B" (RowId INTEGER PRIMARY KEY)',
    "CREATE VIEW seen AS SELECT 1 AS id",
)


class Refused(sqlite3.Connection):
    """A connection that sqlite-utils refuses, as Python 3.12 and later make it with autocommit=True."""

    autocommit = True


def opened(*statements: str, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=factory)
    for statement in statements:
        connection.execute(statement)
    return connection


def keys(schema: Schema, table: str = "child") -> list[tuple]:
    return [(k.columns, k.other_table, k.other_columns, k.problem) for k in schema[table].foreign_keys]


def test_sqlite_utils_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    theirs = Table.foreign_keys.fget
    monkeypatch.setattr(Table, "foreign_keys", property(lambda table: asked.append(table.name) or theirs(table)))
    schema = reflect(opened(*MADE, "CREATE TABLE child (x REFERENCES parent ON DELETE CASCADE ON UPDATE SET NULL)"))
    assert asked == ["parent", "Two", "keyless", "É", "A B", "child"]  # a view has none
    (key,) = schema["child"].foreign_keys
    assert (key.on_delete, key.on_update, key.other_columns) == ("CASCADE", "SET NULL", ("id",))


def test_rows_stream_from_its_cursor(demo_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All statements of an export of rows; the authorizer, the text_factory and the cancelling are the connection's."""
    ran: list[str] = []
    theirs = Database.execute
    monkeypatch.setattr(Database, "execute", lambda self, sql, *more: ran.append(sql) or theirs(self, sql, *more))
    snapshot = Snapshot(Source.of(demo_file))
    with closing(snapshot):
        sizes = iter([2, 1000])
        batches = snapshot.batches("SELECT id, NULL, 1.5, x'00' FROM main.clients", repeatable=True, sizes=sizes)
        assert [type(v) for v in next(batches)[0]] == [str, type(None), float, bytes]
        assert ran[-1].startswith("SELECT id") and not any("SAVEPOINT" in sql for sql in ran)
        snapshot.cancel()
        with pytest.raises(CancelledError):
            next(batches)
    ran.clear()
    assert document(demo_file, "clients", ANNA)["export"]
    assert any('JOIN main."transit_events" AS r' in sql for sql in ran)


def test_what_sqlite_utils_says_of_a_parent_is_not_taken() -> None:
    """It finds a parent only by its exact case, fails if that is a view, and calls rowid what it does not know."""
    connection = opened(
        *MADE,
        """CREATE TABLE child (a REFERENCES PARENT, b REFERENCES gone, c REFERENCES seen, d REFERENCES keyless,
           e REFERENCES keyless(rowid), f REFERENCES Parent(ROWID), g REFERENCES two(rowid), h REFERENCES é,
           FOREIGN KEY (a, b) REFERENCES TWO, FOREIGN KEY (c, d) REFERENCES parent)""",
    )
    assert keys(reflect(connection)) == [
        (("a",), "parent", ("id",), None),
        (("b",), "gone", (), "the table does not exist"),
        (("c",), "seen", (), "it is a view, not a table"),
        (("d",), "keyless", (), "the number of columns differs"),
        (("e",), "keyless", ("rowid",), None),
        (("f",), "parent", ("rowid",), None),
        (("g",), "Two", ("rowid",), "it has no column rowid"),
        (("h",), "é", (), "the table does not exist"),
        (("a", "b"), "Two", ("b", "a"), None),
        (("c", "d"), "parent", ("id",), "the number of columns differs"),
    ]


def test_a_parent_that_sqlite_cannot_describe_spoils_only_itself(tmp_path: Path) -> None:
    connection = database(
        tmp_path / "x.db",
        "CREATE TABLE child (x REFERENCES odd)",
        "PRAGMA writable_schema=ON",
        "INSERT INTO sqlite_master VALUES ('table', 'odd', 'odd', 0, 'CREATE VIRTUAL TABLE odd USING nomodule(x)')",
    )
    connection.close()
    schema = reflect(sqlite3.connect(tmp_path / "x.db"))
    assert schema["odd"].problem == "no such module: nomodule"
    assert keys(schema) == [(("x",), "odd", (), "it is a virtual, not a table")]


@given(st.data())
@settings(max_examples=examples(300), deadline=None)
def test_as_sqlites_pragma_tells_them(data: st.DataObject) -> None:
    """Whatever is declared: the same whether sqlite-utils reads it or, where it refuses the connection, the PRAGMA."""
    columns = ["a", "B", "rowid", "c d"]
    references = data.draw(
        st.lists(
            st.tuples(
                st.lists(st.sampled_from(columns), min_size=1, max_size=2),
                st.sampled_from((*PARENTS, "child", "CHILD")),
                st.booleans(),
                st.sampled_from(("", " ON DELETE CASCADE", " ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED")),
            ),
            max_size=5,
        )
    )
    parts = [quote(c) for c in columns]
    for own, parent, implied, action in references:
        others = [data.draw(st.sampled_from(("id", "ID", "rowid", "RowId", "a", "n"))) for _ in own]
        named = "" if implied else f"({', '.join(others)})"
        parts.append(f"FOREIGN KEY ({', '.join(map(quote, own))}) REFERENCES {quote(parent)} {named}{action}")
    statements = (*MADE, f"CREATE TABLE child ({', '.join(parts)})")
    by_pragma = reflect(opened(*statements, factory=Refused))
    assert len(by_pragma["child"].foreign_keys) == len(references)
    assert reflect(opened(*statements)) == by_pragma


@pytest.mark.parametrize("name", ["chinook.db", "northwind_small.db"])
def test_of_real_databases_too(real_data: Path, name: str) -> None:
    uri = f"{(real_data / name).as_uri()}?mode=ro"
    read = [
        reflect(sqlite3.connect(uri, uri=True, isolation_level=None, factory=factory))
        for factory in (sqlite3.Connection, Refused)
    ]
    assert read[0] == read[1]
    assert sum(len(t.foreign_keys) for t in read[0].values()) > 5


@pytest.mark.parametrize(
    "temp", ["CREATE TEMP TABLE CHILD (z REFERENCES parent)", "CREATE TEMP VIEW Child AS SELECT 1"]
)
def test_what_is_temp_and_called_so_does_not_answer(temp: str) -> None:
    connection = opened(
        *MADE, "CREATE TABLE child (x REFERENCES keyless(rowid))", "CREATE TABLE other (y REFERENCES é)"
    )
    before = reflect(connection)
    connection.execute(temp)
    connection.execute("CREATE TEMP TABLE parent (other INT PRIMARY KEY)")
    assert reflect(connection) == before
    assert keys(before) == [(("x",), "keyless", ("rowid",), None)]


def test_an_attached_database_does_not_answer() -> None:
    connection = opened(*MADE, "CREATE TABLE child (x REFERENCES gone)")
    before = reflect(connection)
    connection.execute("ATTACH ':memory:' AS other")
    connection.execute("CREATE TABLE other.gone (id INTEGER PRIMARY KEY)")
    connection.execute("CREATE TABLE other.child (x REFERENCES gone)")
    assert reflect(connection) == before


def statements_to_reflect(tables: int) -> list[str]:
    connection = opened(
        "CREATE VIEW v AS SELECT 1",
        *(
            f"CREATE TABLE t{i} (id INTEGER PRIMARY KEY, up REFERENCES t{i // 2}, x REFERENCES T{i})"
            for i in range(tables)
        ),
    )
    found: list[str] = []
    connection.set_trace_callback(found.append)
    assert sum(len(t.foreign_keys) for t in reflect(connection).values()) == 2 * tables
    return found


def test_a_thousand_tables_are_not_listed_for_each() -> None:
    """A few statements for each table, however many there are; those that list all of them are run once."""
    few, more, many = (statements_to_reflect(n) for n in (10, 110, 1010))
    assert len(many) - len(more) == 9 * (len(more) - len(few))
    for listing in ("sqlite_master", "table_list"):
        counts = [sum(listing in sql for sql in found) for found in (few, more, many)]
        assert counts == [counts[0]] * 3 and counts[0] in (1, 2)
    assert sum(sql.startswith("PRAGMA foreign_key_list(") for sql in many) == 1010


@pytest.mark.parametrize("tables", [10, 100])
def test_sqlite_utils_itself_lists_them_for_each(tables: int) -> None:
    """The day this fails, ``_AnyNameDatabase`` is needed no longer."""
    connection = opened(
        *(f"CREATE TABLE t{i} (id INTEGER PRIMARY KEY, up REFERENCES t{i // 2})" for i in range(tables))
    )
    found: list[str] = []
    connection.set_trace_callback(found.append)
    plain = Database(connection, recursive_triggers=False, execute_plugins=False)
    for i in range(tables):
        assert len(plain.table(f"t{i}").foreign_keys) == 1
    assert sum("from sqlite_master" in sql for sql in found) >= 2 * tables


@pytest.mark.parametrize(
    ("row_factory", "text_factory"),
    [(None, bytes), (sqlite3.Row, str), (lambda cursor, row: {d[0]: v for d, v in zip(cursor.description, row)}, str)],
    ids=["bytes", "Row", "dict"],
)
def test_factories_of_the_connection_do_not_matter_and_stay(row_factory, text_factory) -> None:
    connection = opened(*MADE, "CREATE TABLE child (x REFERENCES PARENT)")
    plain = reflect(connection)
    connection.row_factory, connection.text_factory = row_factory, text_factory
    assert reflect(connection) == plain
    assert (connection.row_factory, connection.text_factory) == (row_factory, text_factory)


def test_a_parent_whose_name_is_no_utf8_is_a_missing_one(tmp_path: Path) -> None:
    connection = database(tmp_path / "x.db", "CREATE TABLE child (x REFERENCES badname, y REFERENCES child)")
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("UPDATE sqlite_master SET sql = CAST(replace(CAST(sql AS BLOB), 'badname', X'62ff64') AS TEXT)")
    connection.close()
    found = keys(reflect(sqlite3.connect(tmp_path / "x.db")))
    assert found[0] == (("x",), decode_text(b"b\xffd"), (), "the table does not exist")
    assert len(found) == 2


def test_a_broken_view_breaks_none_of_them() -> None:
    connection = opened(*MADE, "CREATE TABLE child (x REFERENCES parent)", "CREATE VIEW w AS SELECT n FROM keyless")
    connection.execute("DROP TABLE keyless")
    schema = reflect(connection)
    assert schema["w"].problem == "no such table: main.keyless"
    assert keys(schema) == [(("x",), "parent", ("id",), None)]
