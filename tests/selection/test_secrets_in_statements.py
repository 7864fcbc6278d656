"""The statements that make a database can hold a piece of a secret: no SQL from outside reads them there."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from datasette_program_export import Request, export
from datasette_program_export.errors import ExportError
from tests.support.databases.building import database, exported

CANARY = "s3cret-canary"
SCHEMA = (
    f"CREATE TABLE users (id INTEGER PRIMARY KEY, password DEFAULT '{CANARY}', CHECK (password <> '{CANARY}2'))",
    f"CREATE INDEX by_password ON users (id) WHERE password = '{CANARY}'",
    f"CREATE TRIGGER t AFTER INSERT ON users WHEN new.password = '{CANARY}' BEGIN SELECT 1; END",
    "CREATE VIEW statements AS SELECT name, sql FROM sqlite_master",
    "CREATE VIEW defaults AS SELECT dflt_value FROM pragma_table_info('users')",
    "CREATE VIEW inner_statements AS SELECT * FROM statements",
    "INSERT INTO users VALUES (1, 'x')",
)
QUERIES = [
    "SELECT sql FROM sqlite_master",
    "SELECT sql FROM sqlite_schema",
    "SELECT * FROM main.sqlite_master",
    "SELECT max(SQL) FROM SQLITE_MASTER",
    "SELECT name FROM sqlite_master WHERE sql LIKE '%s3%'",
    "SELECT name FROM sqlite_master ORDER BY sql",
    "WITH m AS (SELECT * FROM sqlite_master) SELECT count(*) FROM m WHERE m.sql > 'x'",
    "SELECT (SELECT sql FROM sqlite_master LIMIT 1)",
    "SELECT count(*) FROM sqlite_master AS a JOIN sqlite_master AS b USING (sql)",
    "SELECT * FROM statements",
    "SELECT * FROM inner_statements",
    "SELECT * FROM defaults",
    "SELECT dflt_value FROM pragma_table_info('users')",
    "SELECT dflt_value FROM pragma_table_xinfo('users')",
    "SELECT * FROM pragma_index_xinfo('by_password')",
]


def opened() -> sqlite3.Connection:
    return database(None, *SCHEMA)


def everything(connection: sqlite3.Connection, **asked: Any) -> bytes:
    with export(connection, Request(format="csv", **asked)) as made:
        return b"".join(made)


def asked(sql: str, **more: str) -> bytes:
    return everything(opened(), sql=sql, **more)


@pytest.mark.parametrize("sql", QUERIES)
def test_no_query_reads_them(sql: str) -> None:
    with pytest.raises(ExportError) as raised:
        asked(sql)
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize("view", ["statements", "defaults", "inner_statements"])
def test_no_view_shows_them(view: str) -> None:
    with pytest.raises(ExportError):
        exported(opened(), view)


def test_no_condition_asks_for_them() -> None:
    where = ("(SELECT count(*) FROM sqlite_master WHERE sql LIKE '%s3%') > 0",)
    with pytest.raises(ExportError):
        everything(opened(), table="users", where=where)


def test_names_are_read_and_with_secrets_included_or_none_there_all_is() -> None:
    assert b"by_password" in asked("SELECT type, name, tbl_name FROM sqlite_master")
    assert CANARY.encode() in asked("SELECT sql FROM sqlite_master", secrets="include")
    plain = database(None, "CREATE TABLE t (a DEFAULT 'plain')")
    assert b"plain" in everything(plain, sql="SELECT sql FROM sqlite_master")
