"""A database with every kind of object, made for imports; and short ways to make, export and read one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette_program_export import Request, export
from tests.support.databases.building import database

HOUSE = (
    "CREATE TABLE log (word)",
    """CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, k TEXT COLLATE NOCASE UNIQUE CHECK (k <> ''),
       password TEXT, size INT DEFAULT (1 + 1), stamp TEXT)""",
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a (k) ON DELETE CASCADE, twice AS (id * 2))",
    "CREATE TABLE w (x TEXT COLLATE NOCASE, y ANY, z BLOB, PRIMARY KEY (x, y)) STRICT, WITHOUT ROWID",
    "CREATE INDEX b_a ON b (a COLLATE NOCASE) WHERE a IS NOT NULL",
    "CREATE VIEW names AS SELECT a.k, b.id FROM a JOIN b ON b.a = a.k",
    "INSERT INTO a (k, stamp) VALUES ('Z', 's'), ('gone', 's')",
    "DELETE FROM a WHERE k = 'gone'",
    "INSERT INTO b VALUES (1, 'z')",
    "INSERT INTO w VALUES ('p', 1, x'00ff'), ('P', '1', NULL), ('q', -0.0, x'')",
    "CREATE TRIGGER stamp AFTER UPDATE ON a BEGIN UPDATE a SET stamp = 'now' WHERE id = new.id; END",
    "CREATE TRIGGER to_log AFTER INSERT ON a BEGIN INSERT INTO log VALUES (new.k); END",
    "CREATE TRIGGER into_names INSTEAD OF INSERT ON names BEGIN INSERT INTO a (k) VALUES (new.k); END",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = -3",
)


def made(path: Path, *statements: str, journal: str = "wal") -> Path:
    database(path, *statements, journal=journal).close()
    return path


def exported(source: Path, **how: Any) -> Path:
    file = source.with_suffix(".json")
    file.write_bytes(b"".join(export(source, Request(**how))))
    return file


def rows(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


PARENT = "CREATE TABLE p (id INTEGER PRIMARY KEY)"
CHILD = "CREATE TABLE c (id TEXT PRIMARY KEY, p REFERENCES p) WITHOUT ROWID"
