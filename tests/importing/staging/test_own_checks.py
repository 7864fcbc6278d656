"""Rows that break a CHECK of their own table: SQLite keeps them, and so does a new database made of their file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import RefusedError, Request, compare, export, load
from tests.support.databases.building import database


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Path]:
    """Two of the three rows were there before the table had its rule, as far as a file can tell."""
    path = tmp_path / "source.db"
    with closing(database(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, age INTEGER CHECK (age >= 0))")) as made, made:
        made.execute("PRAGMA ignore_check_constraints = 1")
        made.execute("INSERT INTO t VALUES (1, -5), (2, 7), (3, -1)")
    yield path


def written(source: Path, to: Path, form: str) -> Path:
    to.write_bytes(b"".join(export(source, Request(format=form))))
    return to


@pytest.mark.parametrize("form", ["programjson", "package", "sqlite", "sql", "xml", "yaml"])
def test_they_come_into_a_new_database_and_are_told(form: str, source: Path, tmp_path: Path) -> None:
    report = load(tmp_path / "new.db", file := written(source, tmp_path / "file", form))
    assert [(note.kind, note.table, note.message.partition(",")[0]) for note in report.notes] == [
        ("check", "t", "2 rows break a rule (CHECK) of t")
    ]
    assert compare(file, tmp_path / "new.db").same
    with closing(sqlite3.connect(tmp_path / "new.db")) as made:
        assert made.execute("PRAGMA ignore_check_constraints").fetchone() == (0,)
        with pytest.raises(sqlite3.IntegrityError):
            made.execute("INSERT INTO t VALUES (4, -2)")


def test_a_preview_tells_the_same(source: Path, tmp_path: Path) -> None:
    file = written(source, tmp_path / "file", "programjson")
    preview = load(tmp_path / "new.db", file, preview=True)
    assert preview.status == "preview" and preview.notes == load(tmp_path / "new.db", file).notes


def test_into_a_database_that_has_the_table_they_are_refused(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "there.db"
    database(target, "CREATE TABLE t (id INTEGER PRIMARY KEY, age INTEGER CHECK (age >= 0))").close()
    with pytest.raises(RefusedError, match="Row 1 of t breaks a rule"):
        load(target, written(source, tmp_path / "file", "programjson"))


def test_other_rules_are_kept_beside_it(source: Path, tmp_path: Path) -> None:
    """A script may say anything: a key twice is refused, also where a CHECK is broken."""
    file = tmp_path / "file.sql"
    file.write_text(
        "PRAGMA ignore_check_constraints=ON; CREATE TABLE t (id TEXT UNIQUE, age INTEGER CHECK (age >= 0));"
        " INSERT INTO t VALUES ('a', -1), ('a', 2);"
    )
    with pytest.raises(RefusedError):
        load(tmp_path / "new.db", file)
    assert not (tmp_path / "new.db").exists()
