"""SQL scripts of other programs: what they make comes in, and they can do nothing else."""

from __future__ import annotations

import gzip
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Settings
from datasette_program_export.errors import RefusedError, SpoolFullError
from datasette_program_export.files.reading_limits import CAREFUL
from datasette_program_export.importing.importer import load
from datasette_program_export.importing.other_files.sql.guard import unistr
from tests.support.databases.building import database
from tests.support.files.changing import HOUSE

EVERYTHING = (
    *HOUSE,
    "CREATE TABLE w (k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID",
    "INSERT INTO w VALUES ('a', 1), ('b', '1'), ('two' || char(13, 10) || 'lines', x'00')",
    "CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT)",
    "INSERT INTO n VALUES (7, CAST(x'ff41' AS TEXT)), (9, 'gone')",
    "DELETE FROM n WHERE id = 9",
    "CREATE TABLE log (x)",
    "CREATE TRIGGER tr AFTER INSERT ON w BEGIN INSERT INTO log VALUES (new.k); SELECT 1; END",
    "CREATE VIEW v AS SELECT * FROM n",
    "CREATE INDEX i ON n (lower(t))",
    "CREATE VIRTUAL TABLE own USING fts5(title, body)",
    "INSERT INTO own (rowid, title, body) VALUES (5, 'hello', 'world'), (9, 'x', 'y')",
    "CREATE VIRTUAL TABLE shown USING fts5(t, content='n', content_rowid='id')",
    "INSERT INTO shown (shown) VALUES ('rebuild')",
    "CREATE VIRTUAL TABLE older USING fts4(q)",
    "INSERT INTO older VALUES ('abc')",
)
_SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"


def held(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        found: list[Any] = connection.execute(_SCHEMA).fetchall()
        for table in ("p", "c", "w", "n", "log", "own", "older", "sqlite_sequence"):
            columns = [row[1].decode() for row in connection.execute(f"PRAGMA table_info({table})")]
            found.append(connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1").fetchall())
        found.append(connection.execute("SELECT rowid FROM own WHERE own MATCH 'hello'").fetchall())
        found.append(connection.execute("SELECT rowid FROM shown WHERE shown MATCH 'A'").fetchall())
        return found


def dumped(path: Path) -> bytes:
    return subprocess.run(["sqlite3", str(path), ".dump"], capture_output=True, check=True).stdout


@pytest.mark.parametrize("packed", [False, True])
def test_a_dump_comes_back_into_a_new_database(packed: bool, tmp_path: Path) -> None:
    database(tmp_path / "s.db", *EVERYTHING, journal="delete").close()
    file = tmp_path / ("s.sql.gz" if packed else "s.sql")
    file.write_bytes(gzip.compress(dumped(tmp_path / "s.db")) if packed else dumped(tmp_path / "s.db"))
    report = load(tmp_path / "new.db", file, allow_dangling=True)
    assert held(tmp_path / "new.db") == held(tmp_path / "s.db")
    assert (report.format, report.layout) == ("sql", "a script of another program")
    assert not [note.message for note in report.notes if note.kind in ("set_aside", "left_out")]
    again = load(tmp_path / "new.db", file, allow_dangling=True)
    assert again.changes == 0


def test_rows_go_into_tables_that_are_there(tmp_path: Path) -> None:
    database(tmp_path / "t.db", *[sql for sql in HOUSE if sql.startswith("CREATE")], journal="delete").close()
    script = "\ufeff-- by hand\n" + ";\n".join(sql for sql in HOUSE if "INTO c" not in sql) + ";"
    (tmp_path / "s.sql").write_text(script)
    report = load(tmp_path / "t.db", tmp_path / "s.sql")
    assert report.total("insert") == 2 and report.tables["c"].rows == 0


def refusal(script: str | bytes, folder: Path) -> str:
    (folder / "s.sql").write_bytes(script.encode() if isinstance(script, str) else script)
    with pytest.raises(RefusedError) as refused:
        load(folder / "new.db", folder / "s.sql")
    assert not (folder / "new.db").exists() and sorted(p.name for p in folder.iterdir()) == ["s.sql"]
    return str(refused.value).removeprefix("Nothing was imported: ")


TABLE = "CREATE TABLE t (a);\n"
HARM = [
    ("ATTACH 'x.db' AS x;", "Line 1 of the script is not run: ATTACH"),
    (f"{TABLE}INSERT INTO t SELECT 1;", "Line 2 of the script is not run: INSERT with a query in it"),
    (f"{TABLE}INSERT INTO t VALUES ((SELECT count(*) FROM t, t));", "INSERT with a query in it"),
    ("CREATE TABLE t AS SELECT 1 AS a;", "Line 1 of the script is not run: its statement does more"),
    (f"{TABLE}INSERT INTO t VALUES (load_extension('x'));", "Line 2 of the script is not run: its statement does more"),
    ("CREATE TABLE t (a CHECK (load_extension(a)));", "its statement does more"),
    ("PRAGMA writable_schema=ON;\nINSERT INTO sqlite_master VALUES ('table', 'x', 'x', 2, 'y');", "Line 2"),
    (f"{TABLE}DELETE FROM t;", "its statement does more"),
    (f"{TABLE}UPDATE t SET a = 1;", "Line 2 of the script is not run: UPDATE"),
    (f"{TABLE}DROP TABLE t;", "its statement does more"),
    (f"{TABLE}INSERT INTO t VALUES (1);\nROLLBACK;", "Line 3 of the script is not run: it takes back"),
    (f"{TABLE}INSERT INTO t VALUES ('secret", "Line 2 of the script is not run: the statement that begins there"),
    ("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES ('secret'), ('secret');", "a row breaks the rules"),
    ("CREATE TEMP TABLE t (a);", "its statement does more"),
    ("CREATE VIRTUAL TABLE t USING dbstat;", "its statement does more"),
    ("PRAGMA temp_store_directory = '/x';\nVACUUM INTO 'x.db';", "PRAGMA"),
    ("VACUUM INTO 'x.db';", "VACUUM"),
    (f"{TABLE}INSERT INTO nix VALUES ('secret');", "no such table: nix"),
    (".open x.db\nCREATE TABLE t (a);", "no statement of SQLite begins so"),
    ("-- nothing\n;", "makes no table"),
    ("-- MySQL dump 10\n/*!40101 SET NAMES utf8 */;\nCREATE TABLE `t` (\n `id` int AUTO_INCREMENT\n) ENGINE=InnoDB;",
     "Line 3 of the script is not run: SQLite does not take this statement (syntax error); the script is of MySQL"),
    ("--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n",
     "Line 5 of the script is not run: SET; the script is of PostgreSQL"),
    ("CREATE TABLE t (a);\nCOPY t (a) FROM stdin;\n1\n\\.\n", "Line 2 of the script is not run: COPY"),
    (b"CREATE TABLE \"\xff\" (a);", "a name in it is not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "told"), HARM)
def test_what_a_script_must_not_do_is_told_with_its_line(script: Any, told: str, tmp_path: Path) -> None:
    said = refusal(script, tmp_path)
    assert told in said and "secret" not in said


def test_triggers_of_a_script_do_not_fire(tmp_path: Path) -> None:
    script = (
        f"{TABLE}CREATE TABLE log (a);\nCREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1); END;\n"
    )
    (tmp_path / "s.sql").write_text(f"{script}INSERT INTO t VALUES (1);")
    report = load(tmp_path / "new.db", tmp_path / "s.sql")
    assert report.tables["log"].rows == 0 and report.total("insert") == 1
    assert "The triggers of the script did not fire for its rows." in [note.message for note in report.notes]


def test_a_virtual_table_that_a_dump_does_not_bring_is_named(tmp_path: Path) -> None:
    made = ("CREATE TABLE t (a)", "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1)", "INSERT INTO r VALUES (1, 2, 3)")
    database(tmp_path / "s.db", *made, journal="delete").close()
    (tmp_path / "s.sql").write_bytes(dumped(tmp_path / "s.db"))
    report = load(tmp_path / "new.db", tmp_path / "s.sql")
    assert [n.message for n in report.notes if n.kind == "set_aside"] == [
        "The virtual table r of the script is set aside: a dump has its rows in no form that is read here."
    ]
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]


def test_a_script_fills_no_disk(tmp_path: Path) -> None:
    (tmp_path / "s.sql").write_text(TABLE + "INSERT INTO t VALUES (zeroblob(900000));\n" * 9)
    limits = replace(CAREFUL, disk=2_000_000)
    with pytest.raises(SpoolFullError, match="more than 2 MB \\(spool_disk_mb\\)"):
        load(tmp_path / "new.db", tmp_path / "s.sql", limits=limits)
    assert load(tmp_path / "new.db", tmp_path / "s.sql", settings=Settings()).total("insert") == 9


def test_escapes_are_read_as_newer_versions_of_sqlite_write_them() -> None:
    assert unistr(r"a\u000ab\\\0041\+01F600\U0001F600") == "a\nb\\A\U0001f600\U0001f600"
    assert unistr(None) is None
    with pytest.raises(ValueError, match="Unicode"):
        unistr("\\")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("words.csv", "create table,x\n1,2\n"),
        ("spans.txt", "begin;end\n1;2\n"),
        ("sets.txt", "set name,price\n1,2\n"),
        ("cases.txt", "use case;goal\n1;2\n"),
    ],
)
def test_a_csv_that_begins_like_sql_is_csv(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    report = load(tmp_path / "new.db", tmp_path / name, create=True, header=True)
    assert report.format == "csv" and [table.insert for table in report.tables.values()] == [1]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("BEGIN TRANSACTION;\nCREATE TABLE t (a);\nINSERT INTO t VALUES (1);\n", "The script is cut"),
        (
            "-- MySQL dump 10.13\nCREATE TABLE t (a);\nINSERT INTO t VALUES ('a\\nb');\n",
            "Line 3 of the script is not run: a text with a backslash",
        ),
    ],
)
def test_a_script_that_would_lose_or_change_rows_is_refused(tmp_path: Path, script: str, told: str) -> None:
    (tmp_path / "x.sql").write_text(script)
    with pytest.raises(RefusedError, match=told):
        load(tmp_path / "x.db", tmp_path / "x.sql")
    assert not (tmp_path / "x.db").exists()


def test_a_trigger_that_stands_in_for_one_event_of_a_view_is_not_called_broken(tmp_path: Path) -> None:
    (tmp_path / "x.sql").write_text(
        "CREATE TABLE t (a);\nCREATE VIEW v AS SELECT a FROM t;\n"
        "CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES (new.a); END;\n"
    )
    report = load(tmp_path / "x.db", tmp_path / "x.sql")
    assert not [note for note in report.notes if "does not work" in note.message]
