"""Reading exported SQLite files back, and databases with odd definitions."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck

from tests.support.databases.building import quoted

SOME = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def described(connection: sqlite3.Connection, table: str = "program_export") -> dict[str, Any]:
    told = dict(connection.execute(f"SELECT key, value FROM {table}"))
    return {k: json.loads(v) if k in ("export", "schema", "coverage", "integrity") else v for k, v in told.items()}


def contents(connection: sqlite3.Connection, table: str) -> list[tuple]:
    """Every value with its storage class; bytes of texts, so that nothing is decoded."""
    connection.text_factory = bytes
    try:
        names = [r[1].decode() for r in connection.execute(f"PRAGMA main.table_xinfo({quoted(table)})")]
        wanted = ", ".join(f"typeof(r.{quoted(n)}), r.{quoted(n)}" for n in names)
        found = connection.execute(f"SELECT {wanted} FROM main.{quoted(table)} AS r NOT INDEXED").fetchall()
        return [tuple(repr(v) for v in row) for row in found]
    finally:
        connection.text_factory = str


def same(copy: sqlite3.Connection, source: sqlite3.Connection, besides: str = "program_export") -> None:
    """The same schema, in every word, and the same rows."""
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name"
    ours = (besides, f"sqlite_autoindex_{besides}_1")
    assert [r for r in copy.execute(query) if r[1] not in ours] == source.execute(query).fetchall()
    for name, kind, *_ in source.execute(query).fetchall():
        if name == "table" and not kind.startswith("sqlite_stat"):
            assert contents(copy, kind) == contents(source, kind)


def dangles_as_announced(copy: sqlite3.Connection, coverage: dict[str, Any]) -> None:
    """``foreign_key_check`` finds what coverage tells, per key; a key that is declared twice is one."""
    found, unchecked = {}, set()
    for (table,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        keys: dict[int, list] = {}
        for number, _, parent, column, other, *_ in copy.execute(f'PRAGMA foreign_key_list("{table}")').fetchall():
            keys.setdefault(number, [parent.lower(), [], []])[1].append(column)
            keys[number][2].append(other)
        try:
            counted = Counter(row[3] for row in copy.execute(f'PRAGMA foreign_key_check("{table}")'))
        except sqlite3.OperationalError as error:
            assert "mismatch" in str(error)  # a reference that SQLite itself cannot check
            unchecked.add(table)
            continue
        for number, rows in counted.items():
            parent, columns, others = keys[number]
            if None in others:
                facts = copy.execute(f'PRAGMA table_info("{parent}")').fetchall()
                others = [r[1] for r in sorted(facts, key=lambda r: r[5]) if r[5]]
            found[table, tuple(columns), parent, tuple(others)] = rows
    told = {
        (d["table"], tuple(d["columns"]), d["other_table"].lower(), tuple(d["other_columns"])): d["rows"]
        for d in coverage["dangling"]
        if d["table"] not in unchecked
    }
    assert found == told


ODD = (
    "CREATE TABLE log (word)",
    "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, b REFERENCES b (k) DEFERRABLE INITIALLY DEFERRED, v)",
    "CREATE TABLE b (k TEXT COLLATE NOCASE PRIMARY KEY, a REFERENCES a, t TEXT) WITHOUT ROWID",
    "CREATE TABLE down (x TEXT, y, PRIMARY KEY (x DESC, y)) WITHOUT ROWID",
    "CREATE TABLE st (i INTEGER PRIMARY KEY, r REAL, z ANY, l BLOB, g INT AS (i * 2) STORED, h ANY AS (z||'!')) STRICT",
    "CREATE TABLE tagged (tag UNIQUE, long TEXT AS (tag || 'and more') STORED)",
    "CREATE TABLE checked (a, CHECK (a < 10))",
    'CREATE TABLE "program_export" (key TEXT PRIMARY KEY, "the ""value""")',
    "CREATE INDEX b_a ON b (a, lower(t)) WHERE t IS NOT NULL",
    "CREATE VIEW both_of AS SELECT a.v, b.t FROM a JOIN b ON a.b = b.k",
    "INSERT INTO a (b, v) VALUES ('X', 1), ('nobody', -0.0), (NULL, 9e999), ('Y', x'00ff'), ('z', 'gone')",
    "DELETE FROM a WHERE v = 'gone'",
    "INSERT INTO b VALUES ('x', 2, 'it''s'), ('Y', 77, char(13) || char(10) || char(0) || 'end'), ('w', NULL, '')",
    "INSERT INTO down VALUES ('a', 1), ('b', 2), ('c', CAST(x'ff41' AS TEXT)), (CAST(x'fe' AS TEXT), 0)",
    "INSERT INTO st (r, z, l) VALUES (1, 1, x''), (1e300, '1', x'00'), (-5e-324, CAST(x'c3' AS TEXT), NULL)",
    "INSERT INTO tagged (tag) VALUES ('z'), ('a'), (3)",
    "PRAGMA ignore_check_constraints=ON",
    "INSERT INTO checked VALUES (5), (50)",
    "INSERT INTO program_export VALUES ('format', 'mine')",
    "CREATE TRIGGER into_log AFTER INSERT ON a BEGIN INSERT INTO log VALUES (new.v); END",
    "PRAGMA user_version = -7",
    "PRAGMA application_id = 252006675",
)


def commands() -> list[str]:
    """What docs/sqlite.md says to type."""
    page = Path(__file__).parents[3] / "docs" / "sqlite.md"
    return re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.S)


HOUSE = (
    "CREATE TABLE log (word)",
    """CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, k TEXT COLLATE NOCASE UNIQUE CHECK (k <> ''),
       password TEXT NOT NULL DEFAULT 'x', size INT DEFAULT (1 + 1))""",
    "CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a (k) ON DELETE CASCADE, twice AS (id * 2))",
    "CREATE INDEX b_a ON b (a COLLATE NOCASE) WHERE a IS NOT NULL",
    "CREATE INDEX a_password ON a (password)",
    "CREATE VIEW names AS SELECT a.k, b.id FROM a JOIN b ON b.a = a.k",
    "CREATE VIEW passwords AS SELECT password FROM a",
    "CREATE VIEW of_passwords AS SELECT * FROM passwords",
    "INSERT INTO a (k) VALUES ('Z'), ('gone')",
    "DELETE FROM a WHERE k = 'gone'",
    "INSERT INTO b VALUES (1, 'z')",
    "CREATE TRIGGER to_b AFTER INSERT ON a BEGIN UPDATE b SET a = new.k WHERE id = 1; END",
    "CREATE TRIGGER to_log AFTER INSERT ON a BEGIN INSERT INTO log VALUES (new.k); END",
    "CREATE TRIGGER into_names INSTEAD OF INSERT ON names BEGIN INSERT INTO a (k) VALUES (new.k); END",
    "PRAGMA user_version = 7",
)
