"""A file that is called as a table goes into that table, of whatever kind, or is refused: never into another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import load
from datasette_program_export.errors import RequestError
from tests.support.databases.house import rows

SQL = """
CREATE TABLE places (id INTEGER PRIMARY KEY, x0 REAL, x1 REAL, title TEXT, body TEXT);
CREATE VIRTUAL TABLE geo USING rtree(id, x0, x1);
CREATE VIRTUAL TABLE notes USING fts5(title, body);
CREATE VIRTUAL TABLE found USING fts5(title, body, content='places', content_rowid='id');
CREATE VIEW seen AS SELECT id, title FROM places;
CREATE TABLE [old.notes] (other TEXT);
CREATE TABLE elsewhere (word TEXT, other);
"""


@pytest.fixture
def town(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "town.db")) as connection:
        connection.executescript(SQL)
    return tmp_path / "town.db"


def into(town: Path, name: str, text: str) -> dict[str, int]:
    file = town.with_name(name)
    file.write_text(text)
    report = load(town, file, preview=True)
    assert report.ok, report.findings
    return {name: table.insert for name, table in report.tables.items()}


def test_an_r_tree_or_a_full_text_table_takes_the_rows_of_its_own_file(town: Path) -> None:
    assert into(town, "geo.csv", "id,x0,x1\n1,1,2\n") == {"geo": 1}
    assert into(town, "notes.csv", "title,body\na,b\n") == {"notes": 1}
    assert into(town, "GEO.2024.json", '[{"id": 1, "x0": 1, "x1": 2}]') == {"geo": 1}
    assert into(town, "geo.ndjson", '{"id":1,"x0":1,"x1":2}\n') == {"geo": 1}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("found.csv", "is called as found, which is a virtual table that takes no rows"),
        ("seen.csv", "is called as seen, which is a view"),
        ("geo_node.csv", "is called as geo_node, which is part of a virtual table"),
    ],
)
def test_one_that_takes_no_rows_is_named(town: Path, name: str, why: str) -> None:
    with pytest.raises(RequestError, match=f"{why}.*: give the argument table"):
        into(town, name, "title,body\na,b\n")


def test_a_table_without_any_of_the_columns_is_asked_about(town: Path) -> None:
    file = town.with_name("elsewhere.csv")
    file.write_text("title,body\na,b\n")
    (finding,) = load(town, file, preview=True).findings
    assert "names no column of elsewhere, so it is asked about" in finding.message
    assert rows(town, "SELECT count(*) FROM places") == [(0,)]


def test_a_point_may_be_a_part_of_the_name(town: Path) -> None:
    assert into(town, "old.notes.csv", "other\na\nb\n") == {"old.notes": 2}
