"""Why SQLite is asked directly where sqlite-utils has a method for the same: one test for each reason.

A test fails on the day when sqlite-utils (https://github.com/simonw/sqlite-utils) has mended its reason, and says what
to do then. Take the test and the comment out with it, and raise the least version of sqlite-utils in ``setup.cfg``."""

from __future__ import annotations

import sqlite3
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlite_utils import Database
from sqlite_utils.db import (
    ForeignKey,
    Index,
    NoTable,
    Table,
    TransactionError,
    XIndex,
    fold_identifier_case,
    quote_identifier,
)

from datasette_program_export.database import schema
from datasette_program_export.database.guarding.authorizer import OwnStatements
from datasette_program_export.database.reflection import reflect

ODD = st.text(st.characters(), max_size=8) | st.text(st.sampled_from('aZÄäßİıKſ"\0\udcff]`'), max_size=8)


def opened(*statements: str) -> Database:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def still(differs: bool, then: str) -> None:
    assert differs, f"sqlite-utils {version('sqlite-utils')} no longer differs here. Now {then}."


# names: nothing differs, and its functions are used


@given(ODD)
@example("ÄSTAB")
@example("K")  # the Kelvin sign, whose lower case is an ASCII letter
def test_fold_and_quote_are_those_of_sqlite_utils(name: str) -> None:
    """And they do what SQLite does: only A to Z lose their case, a quote is doubled, nothing else is touched."""
    assert schema.fold.__wrapped__ is fold_identifier_case and schema.quote.__wrapped__ is quote_identifier
    assert schema.fold(name) == "".join(c.lower() if "A" <= c <= "Z" else c for c in name)
    assert schema.quote(name) == '"' + name.replace('"', '""') + '"'


# foreign keys: reflection.py, _AnyParentTable


def parents(database: Database, table: str = "child") -> list[tuple]:
    return [tuple(key.other_columns) for key in reversed(database.table(table).foreign_keys)]


PARENT = "CREATE TABLE Parent (id TEXT PRIMARY KEY)"


def test_a_parent_in_another_case_is_not_found() -> None:
    database = opened(PARENT, "CREATE TABLE child (x REFERENCES parent)")
    still(parents(database) == [("rowid",)], "try whether _AnyParentTable is needed (the next tests)")


def test_a_missing_parent_has_a_rowid() -> None:
    database = opened("CREATE TABLE child (x REFERENCES gone, y REFERENCES gone(rowid))")
    still(parents(database) == [("rowid",)] * 2, "try whether _AnyParentTable is needed")


def test_an_implied_key_looks_like_a_column_called_rowid() -> None:
    database = opened("CREATE TABLE p (rowid UNIQUE)", "CREATE TABLE child (x REFERENCES p(rowid), y REFERENCES p)")
    still(parents(database) == [("rowid",)] * 2, "try whether _AnyParentTable is needed")


def test_a_view_as_parent_is_an_error() -> None:
    database = opened("CREATE VIEW seen AS SELECT 1 AS id", "CREATE TABLE child (x REFERENCES seen)")
    try:
        found = parents(database)
    except NoTable:
        found = []
    still(found == [], "try whether _AnyParentTable is needed")


def test_every_table_lists_all_views_and_a_parent_all_tables() -> None:
    database = opened(PARENT, "CREATE TABLE child (x REFERENCES Parent)")
    asked: list[str] = []
    database.conn.set_trace_callback(asked.append)
    assert parents(database) == [("id",)]
    lists = sum("from sqlite_master" in sql for sql in asked)
    still(
        lists >= 2, "take _AnyNameDatabase out of reflection.py, if ten times the tables take ten times the statements"
    )


def test_a_temp_table_of_the_same_name_answers() -> None:
    database = opened(PARENT, "CREATE TABLE child (x REFERENCES Parent)", "CREATE TEMP TABLE child (y)")
    found = parents(database), [c.name for c in database.table("child").columns]
    still(found == ([], ["y"]), "take shadowed and foreign_keys_of_main out of reflection.py")


def test_a_connection_with_autocommit_is_refused() -> None:
    class Autocommit(sqlite3.Connection):
        autocommit = True

    connection = sqlite3.connect(":memory:", factory=Autocommit)
    try:
        Database(connection, recursive_triggers=False, execute_plugins=False)
        refused = False
    except TransactionError:
        refused = True
    still(refused, "take the TransactionError and foreign_keys_of_main out of reflection.py")
    assert len(reflect(connection)) == 0


def test_a_key_is_told_without_sqlites_number() -> None:
    still(
        not {"id", "number", "seq"} & {field.name for field in fields(ForeignKey)},
        "take Table.foreign_keys in importing/writing/reference_check.py: foreign_key_check names a key by that number",
    )


@pytest.mark.parametrize("row_factory", [lambda cursor, row: {d[0]: v for d, v in zip(cursor.description, row)}])
def test_a_connection_that_gives_dicts_breaks_it(row_factory) -> None:
    database = opened(PARENT, "CREATE TABLE child (x REFERENCES Parent)")
    database.conn.row_factory = row_factory
    try:
        found = parents(database)
    except (KeyError, TypeError, ValueError):
        found = []
    still(found != [("id",)], "leave row_factory as it is in reflect()")


def test_a_name_that_is_no_utf8_breaks_it(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    connection.execute("CREATE TABLE child (x REFERENCES badname)")
    connection.execute("PRAGMA writable_schema=ON")
    connection.execute("UPDATE sqlite_master SET sql = CAST(replace(CAST(sql AS BLOB), 'badname', X'62ff64') AS TEXT)")
    connection.close()
    read = Database(sqlite3.connect(tmp_path / "x.db"), recursive_triggers=False, execute_plugins=False)
    try:
        found = parents(read)
    except sqlite3.OperationalError:
        found = []
    still(found == [], "leave text_factory as it is in reflect()")


# tables and columns: reflection.py, formats/sqlite/reading.py, database/scratch.py


def test_table_names_do_not_tell_what_is_a_table() -> None:
    names = opened(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)", "CREATE VIRTUAL TABLE docs USING fts5(body)"
    ).table_names()
    still(
        {"docs", "docs_data", "sqlite_sequence"} <= set(names),
        "ask Database.table_names for the ordinary tables, if it tells kinds, in reflection.py and formats/sqlite",
    )


def test_columns_leave_out_what_is_generated_or_hidden() -> None:
    database = opened(
        "CREATE TABLE t (a, b AS (a + 1), c AS (a + 2) STORED)", "CREATE VIRTUAL TABLE docs USING fts5(body)"
    )
    found = [[c.name for c in database.table(name).columns] for name in ("t", "docs")]
    still(found == [["a"], ["body"]], "take Table.columns in reflection.py, if it tells which are generated")


def test_columns_of_one_table_list_all_tables() -> None:
    database = opened("CREATE TABLE t (a)")
    asked: list[str] = []
    database.conn.set_trace_callback(asked.append)
    assert [c.name for c in database.table("t").columns] == ["a"]
    lists = sum("from sqlite_master" in sql for sql in asked)
    still(lists > 0, "take Table.columns in database/scratch.py and formats/sqlite/reading.py, if it asks main alone")


def test_pks_do_not_tell_what_is_an_alias_of_the_rowid() -> None:
    database = opened("CREATE TABLE t (id INTEGER PRIMARY KEY DESC)", "CREATE TABLE u (a, rowid)")
    still(
        (database.table("t").pks, database.table("u").pks) == (["id"], ["rowid"]),
        "take Table.pks in reflection.py, if it tells a rowid from a column",
    )


def test_strict_is_read_from_the_text() -> None:
    database = opened("CREATE TABLE t (a INT) STRICT -- as of 2026")
    still(not database.table("t").strict, "take Table.strict in reflection.py, if it reads no text")


def test_the_module_of_a_virtual_table_is_read_from_the_text() -> None:
    database = opened("CREATE VIRTUAL TABLE docs /* all */ USING fts5(body)")
    found = database.table("docs").virtual_table_using
    still(found is None, "take Table.virtual_table_using in reflection.py for module_of")


def test_indexes_tell_either_collations_or_what_is_unique() -> None:
    still(
        "unique" in Index._fields and not {"unique", "partial", "origin"} & set(XIndex._fields),
        "take Table.xindexes in reflection.py",
    )
    still(not {"collations", "coll"} & set(Index._fields), "take Table.indexes in reflection.py")


def test_no_method_tells_a_columns_collation() -> None:
    database = opened("CREATE TABLE t (a COLLATE NOCASE)")
    told = {name for name in dir(database.table("t").columns[0]) + dir(Table) if "coll" in name}
    still(told == set(), "take it for collations() in reflection.py")


# the schema as SQL: exporting/create_statements.py, importing/target.py


def test_the_schema_as_sql_cannot_be_run() -> None:
    database = opened("CREATE VIRTUAL TABLE docs USING fts5(body)")
    try:
        opened().executescript(database.schema)
        ran = True
    except sqlite3.OperationalError:
        ran = False
    still(not ran, "try Database.schema in exporting/create_statements.py, if it tells names too")


def test_triggers_have_no_order() -> None:
    database = opened("CREATE TABLE t (a)", "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END")
    asked: list[str] = []
    database.conn.set_trace_callback(asked.append)
    assert [(t.name, t.table) for t in database.triggers] == [("x", "t")]
    still("order by" not in asked[-1].lower(), "take Database.triggers in importing/target.py")


# rows: snapshot.py


def test_query_needs_a_savepoint_and_gives_dicts() -> None:
    """``execute`` needs none, and gives the tuples of SQLite's own cursor."""
    database = opened("CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, 2)")
    assert database.execute("SELECT a, b FROM t").fetchall() == [(1, 2)]
    assert list(database.query("SELECT a, b FROM t")) == [{"a": 1, "b": 2}]
    database.conn.set_authorizer(OwnStatements())
    assert database.execute("SELECT a, b FROM t").fetchall() == [(1, 2)]
    try:
        ran = bool(list(database.query("SELECT a, b FROM t")))
    except sqlite3.DatabaseError:
        ran = False
    still(not ran, "measure query() in snapshot.py, if it gives tuples")


def test_rows_where_lists_the_tables_and_names_no_schema() -> None:
    database = opened("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)", "CREATE TEMP TABLE t (b)")
    still(list(database.table("t").rows) == [], "measure rows_where() in snapshot.py, if it gives tuples")


def test_by_default_it_changes_the_connection() -> None:
    connection = sqlite3.connect(":memory:")
    Database(connection, execute_plugins=False)
    still(
        connection.execute("PRAGMA recursive_triggers").fetchone() == (1,),
        "leave recursive_triggers=False out in snapshot.py and reflection.py",
    )
