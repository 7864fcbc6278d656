"""Indexes of keys that are built at the end: the same database as if each row were put into them, or an error."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from datasette_program_export import RefusedError, Request, export, load
from datasette_program_export.database.reflection import reflect
from datasette_program_export.importing.running import straight
from datasette_program_export.importing.running.later_keys import LaterKeys
from tests.support.databases.building import quoted
from tests.support.runs.thorough import examples

PLAIN = (
    "CREATE TABLE t (id TEXT PRIMARY KEY, b, c REAL)",
    "create table t(id text collate nocase primary key desc, b num not null on conflict replace default 5, c unique)",
    "CREATE TABLE t (a DATE, b BLOB, c, UNIQUE (c, a) ON CONFLICT REPLACE, PRIMARY KEY (b COLLATE RTRIM, a DESC))",
    'CREATE TABLE "t" ("a ""b" INT PRIMARY KEY, [c d] ANY UNIQUE, rowid /* of whom? */ VARCHAR(3) REFERENCES t)',
)
OTHERS = (
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b UNIQUE, c)",
    "CREATE TABLE t (a TEXT PRIMARY KEY, b, c) WITHOUT ROWID",
    "CREATE TABLE t (a ANY PRIMARY KEY, b ANY, c ANY) STRICT",
    "CREATE TABLE t (a TEXT PRIMARY KEY, b CHECK (b <> 3), c)",
    "CREATE TABLE t (a TEXT PRIMARY KEY, b, c, d AS (b || c) UNIQUE)",
    "CREATE TABLE t (a, b, c)",
)
MORE = "CREATE TABLE other (a UNIQUE, b); CREATE INDEX by_b ON other (b)"
VALUES = st.none() | st.integers(-3, 3) | st.sampled_from(["a", "A", "a ", "b", "1", "1.0", b"a", 1.0, 0.5, ""])


def opened(statement: str) -> Any:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(f"{statement}; {MORE}")
    connection.execute("BEGIN IMMEDIATE")
    return connection


def fill(connection: Any, rows: list[tuple[Any, ...]]) -> None:
    stored = [c for c in reflect(connection)["t"].columns if not c.generated]
    names = ", ".join(quoted(column.name) for column in stored)
    connection.executemany(f"INSERT OR ABORT INTO t ({names}) VALUES (?, ?, ?)", rows)
    connection.executemany("INSERT INTO other VALUES (?, ?)", [(i * 7 % 10, i) for i in range(10)])


def content(connection: Any) -> list[Any]:
    connection.execute("COMMIT")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    tables = [f"SELECT _rowid_, * FROM {name} ORDER BY 1" for name in ("t", "other")]
    if reflect(connection)["t"].without_rowid:
        tables[0] = "SELECT * FROM t"
    kept = ("SELECT rowid, * FROM sqlite_master", "PRAGMA schema_version", "PRAGMA writable_schema")
    return [repr(connection.execute(sql).fetchall()) for sql in (*tables, *kept, "PRAGMA index_list(t)")]


@pytest.mark.parametrize("statement", [*PLAIN, *OTHERS])
@given(rows=st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12))
@example(rows=[(str(i * 7 % 40), i * 3 % 40, -i) for i in range(40)])
@settings(max_examples=examples(40), deadline=None)
def test_the_database_is_the_same_or_the_rows_are_refused_too(statement: str, rows: list[tuple[Any, ...]]) -> None:
    with closing(opened(statement)) as usual, closing(opened(statement)) as late:
        keys = LaterKeys(late)
        keys.put_off(reflect(late))
        assert bool(late.execute("PRAGMA index_list(t)").fetchall()) == (statement in OTHERS[:-1])
        try:
            fill(usual, rows)
        except sqlite3.IntegrityError:
            with pytest.raises(sqlite3.IntegrityError):
                fill(late, rows)
                keys.make()
            return
        fill(late, rows)
        assert keys.make()
        assert content(late) == content(usual)


def test_where_nobody_may_write_into_sqlite_master_the_keys_are_not_put_off() -> None:
    with closing(opened(PLAIN[0])) as connection, closing(opened(PLAIN[0])) as usual:
        forbidden = (sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE)
        schema = reflect(connection)
        connection.set_authorizer(lambda action, *_: action in forbidden)
        keys = LaterKeys(connection)
        keys.put_off(schema)
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
        assert connection.execute("PRAGMA index_list(t)").fetchall()
        rows = [("b", 1, 1), ("a", 2, 2)]
        fill(connection, rows)
        fill(usual, rows)
        assert keys.make()
        assert content(connection) == content(usual)


def test_what_is_not_as_sqlite_made_it_is_told() -> None:
    with closing(opened(PLAIN[0])) as connection:
        keys = LaterKeys(connection)
        keys.put_off(reflect(connection))
        connection.execute("CREATE TABLE more (a)")
        assert not keys.make()


def test_an_import_puts_keys_off_and_tells_of_a_key_twice_on_its_usual_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    make = LaterKeys.make
    monkeypatch.setattr(straight.LaterKeys, "make", lambda self: made.append(bool(self._tables)) or make(self))
    source, file = tmp_path / "source.db", tmp_path / "file"
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("CREATE TABLE t (id TEXT PRIMARY KEY COLLATE BINARY, name)")
        connection.executemany("INSERT INTO t VALUES (?, 'x')", [(f"{i * 37 % 100:02}",) for i in range(100)])
        connection.commit()
        file.write_bytes(b"".join(export(source, Request(format="programjson"))))
        load(tmp_path / "new.db", file)
        assert made == [True]
        with closing(sqlite3.connect(tmp_path / "new.db")) as new:
            assert new.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert list(new.iterdump()) == list(connection.iterdump())
        connection.execute("UPDATE t SET id = 'a' WHERE id = '17'")
        connection.execute("UPDATE t SET id = 'A' WHERE id = '60'")
        connection.commit()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'BINARY', 'NOCASE') WHERE type = 'table'")
        connection.commit()
    file.write_bytes(b"".join(export(source, Request(format="programjson"))))
    with pytest.raises(RefusedError, match="Nothing was imported"):
        load(tmp_path / "twice.db", file)
    assert made == [True, True] and not (tmp_path / "twice.db").exists()
