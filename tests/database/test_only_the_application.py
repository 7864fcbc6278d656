"""What only the application knows (a collation, a function, a tokenizer) spoils its own column or table, by name."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export, load, plan, prove, verify
from tests.support.databases.house import rows

COLLATED = """
CREATE TABLE tags (tag TEXT PRIMARY KEY COLLATE unicase, n INT);
CREATE TABLE notes (id INTEGER PRIMARY KEY, tag TEXT COLLATE unicase REFERENCES tags (tag), v TEXT);
CREATE INDEX by_v ON notes (v COLLATE unicase);
CREATE TABLE parts (id INTEGER PRIMARY KEY, note REFERENCES notes (id));
CREATE TABLE keyed (k TEXT COLLATE unicase PRIMARY KEY) WITHOUT ROWID;
INSERT INTO tags VALUES ('T', 1), ('u', 2);
INSERT INTO notes VALUES (2, 'T', 'x'), (1, 't', 'X');
INSERT INTO parts VALUES (7, 1), (8, 2);
INSERT INTO keyed VALUES ('a');
"""


@pytest.fixture
def collated(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_collation("unicase", lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))
        connection.executescript(COLLATED)
    return path


def document(path: Path, **how: Any) -> Any:
    return json.loads(b"".join(export(path, Request(**how))))


def test_tables_of_an_unknown_collation_are_read_by_rowid(collated: Path) -> None:
    found = document(collated)
    assert set(found["tables"]) == {"tags", "notes", "parts"}
    assert [row["id"] for row in found["tables"]["notes"]] == [1, 2]
    reasons = {part["table"]: part["why"] for part in found["coverage"]["left_out"]}
    assert list(reasons) == ["keyed"] and "no such collation sequence: unicase" in reasons["keyed"]
    assert (
        "notes.tag refers to tags, but no such collation sequence: unicase; it was not followed."
        in (found["coverage"]["warnings"])
    )


def test_a_record_takes_what_is_compared_by_known_collations(collated: Path) -> None:
    found = document(collated, table="notes", records=(("1",),))
    assert {name: len(found) for name, found in found["tables"].items()} == {"notes": 1, "parts": 1}
    assert b"".join(export(collated, Request(table="tags", format="csv"))) == b"tag,n\r\nT,1\r\nu,2\r\n"
    assert {t.table for t in plan(collated, Request()).tables} == {"tags", "notes", "parts"}


@pytest.mark.parametrize("form", ["programjson", "package", "sqlite"])
def test_they_come_back_without_it(collated: Path, tmp_path: Path, form: str) -> None:
    (tmp_path / "file").write_bytes(b"".join(export(collated, Request(format=form))))
    assert verify(tmp_path / "file").status == "complete"
    assert prove(tmp_path / "file").proven, prove(tmp_path / "file").problems
    load(tmp_path / "new.db", tmp_path / "file")
    assert rows(tmp_path / "new.db", "SELECT * FROM notes ORDER BY id") == [(1, "t", "X"), (2, "T", "x")]


def test_a_computed_column_of_an_unknown_function_is_left_out_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("own", 1, lambda x: x, deterministic=True)
        connection.executescript(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, g AS (own(a)), s AS (own(a)) STORED, h AS (a || '!'));"
            "INSERT INTO t (a) VALUES ('x'); CREATE VIEW v AS SELECT own(a) FROM t;"
        )
    found = document(path)
    assert found["tables"]["t"] == [{"id": 1, "a": "x", "s": "x", "h": "x!"}]
    told = {(p["table"], p.get("column")): p["why"] for p in found["coverage"]["left_out"]}
    assert told["t", "g"] == "unknown function: own()"
    for form in ("sqlite", "sql", "package", "ndjson", "csv"):
        assert b"".join(export(path, Request(format=form)))


@pytest.mark.parametrize("module", ["fts5", "fts4"])
def test_an_index_with_an_unknown_tokenizer_is_named_with_it(tmp_path: Path, module: str) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            f"CREATE TABLE t (a); CREATE VIRTUAL TABLE w USING {module}(a, tokenize=porter); PRAGMA writable_schema=1;"
            "UPDATE sqlite_master SET sql = replace(sql, 'porter', 'ab_cf') WHERE name = 'w'"
        )
    found = document(path)
    if "w" in found["tables"]:  # a newer SQLite needs the tokenizer only to search
        return
    assert set(found["tables"]) == {"t"}
    (why,) = [p["why"] for p in found["coverage"]["left_out"] if p["table"] == "w"]
    assert why in ("no such tokenizer: ab_cf", "unknown tokenizer: ab_cf")
