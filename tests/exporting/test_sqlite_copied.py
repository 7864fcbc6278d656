"""The SQLite file whose rows SQLite copies by itself: the same rows of the same moment, and nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export
from datasette_program_export.database.guarding.new_database import NewDatabase
from datasette_program_export.database.source import Source
from datasette_program_export.errors import BrokenExportError, CancelledError
from datasette_program_export.exporting.exporter import Export
from datasette_program_export.formats.sqlite.reading import check_document, decode
from datasette_program_export.formats.sqlite.writing import _Building
from tests.support.databases.building import database
from tests.support.files.sqlite_files import same

CANARY = "canary-that-was-deleted"
PEOPLE = (
    "CREATE TABLE people (name TEXT PRIMARY KEY NOT NULL, age INTEGER, note TEXT)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
    "INSERT INTO people SELECT hex(i * 7919 % 1009), i, 'n' || i FROM n",
    "CREATE TABLE visits (id INTEGER PRIMARY KEY, who TEXT NOT NULL REFERENCES people, cost REAL)",
    "INSERT INTO visits SELECT age * 3, name, age / 2.0 FROM people",
    "CREATE TABLE plain (a, b)",
    "INSERT INTO plain SELECT age, x'00ff' FROM people",
    "DELETE FROM plain WHERE a % 3 = 0",
)


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row goes through Python."""
    monkeypatch.setattr(_Building, "_load", lambda *_: pytest.fail("a row went through Python"))


def written(path: Path, source: Any, **request: Any) -> Path:
    path.write_bytes(b"".join(export(source, Request(**{"format": "sqlite", **request}))))
    assert check_document(path) is None
    return path


def test_whole_tables_are_the_same(tmp_path: Path, copied: None) -> None:
    with closing(database(None, *PEOPLE)) as source:
        path = written(tmp_path / "new.db", source)
        with closing(sqlite3.connect(path)) as copy:
            same(copy, source)
            assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert copy.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_a_record_with_what_belongs_to_it_too(tmp_path: Path, copied: None) -> None:
    with closing(database(None, *PEOPLE)) as source:
        (name,) = source.execute("SELECT name FROM people WHERE age = 7").fetchone()
        path = written(tmp_path / "new.db", source, table="people", records=((name,),))
        with closing(sqlite3.connect(path)) as copy:
            assert copy.execute("SELECT * FROM people").fetchall() == [(name, 7, "n7")]
            assert copy.execute("SELECT * FROM visits").fetchall() == [(21, name, 3.5)]
    assert {name: table.rows for name, table in decode(path).integrity().tables.items()} == {"people": 1, "visits": 1}


def test_what_a_stored_row_holds_beyond_its_columns_stays_behind(tmp_path: Path, copied: None) -> None:
    """A column that was taken out of the schema only, and rows that were deleted."""
    path = tmp_path / "house.db"
    with closing(database(path, *PEOPLE)) as source:
        source.execute(f"UPDATE people SET note = '{CANARY}' || age")
        source.execute(f"INSERT INTO plain SELECT 3, '{CANARY}' FROM people")
        source.execute("DELETE FROM plain WHERE a = 3")
        source.execute("PRAGMA writable_schema=ON")
        source.execute("UPDATE sqlite_master SET sql = replace(sql, ', note TEXT', '') WHERE name = 'people'")
        source.commit()
    assert CANARY.encode() in path.read_bytes()
    assert CANARY.encode() not in written(tmp_path / "new.db", path).read_bytes()


def test_an_index_that_lacks_rows_is_whole_in_the_copy(tmp_path: Path, copied: None) -> None:
    path = tmp_path / "house.db"
    with closing(database(path, *PEOPLE)) as source:
        source.execute("CREATE TABLE empty (name TEXT PRIMARY KEY NOT NULL, age INTEGER, note TEXT)")
        source.execute("PRAGMA writable_schema=ON")
        source.execute(
            "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = "
            "'sqlite_autoindex_empty_1') WHERE name = 'sqlite_autoindex_people_1'"
        )
        source.execute("DELETE FROM sqlite_master WHERE tbl_name = 'empty'")
        source.commit()
    with closing(sqlite3.connect(path)) as broken:
        assert broken.execute("PRAGMA integrity_check").fetchone() != ("ok",)
    with closing(sqlite3.connect(written(tmp_path / "new.db", path, table="people"))) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("SELECT count(*) FROM people NOT INDEXED").fetchone() == (300,)


def test_another_value_is_an_error_and_no_file(tmp_path: Path, copied: None) -> None:
    """A text in a column whose type became INTEGER in the schema only: SQLite would store a number."""
    path = tmp_path / "house.db"
    with closing(database(path, "CREATE TABLE t (a)", "INSERT INTO t VALUES (1), ('2')")) as source:
        source.execute("PRAGMA writable_schema=ON")
        source.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE t (a INTEGER)' WHERE name = 't'")
        source.commit()
    with pytest.raises(BrokenExportError, match="t reads back"):
        written(tmp_path / "new.db", path)


def test_rows_of_another_moment_are_not_copied(tmp_path: Path, copied: None, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "house.db"
    with closing(database(path, "PRAGMA journal_mode=wal", *PEOPLE)) as source:
        attach = NewDatabase.attach

        def attached(*words: Any) -> Any:
            source.execute("DELETE FROM visits")
            source.execute("INSERT INTO plain VALUES ('later', 1)")
            source.commit()
            return attach(*words)

        monkeypatch.setattr(NewDatabase, "attach", attached)
        with closing(sqlite3.connect(written(tmp_path / "new.db", path))) as copy:
            assert copy.execute("SELECT count(*) FROM visits").fetchone() == (300,)
            assert copy.execute("SELECT count(*) FROM plain WHERE a = 'later'").fetchone() == (0,)


def test_it_can_be_cancelled_while_sqlite_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(database(tmp_path / "house.db", "PRAGMA journal_mode=wal", "CREATE TABLE t (a)")) as source:
        source.executemany("INSERT INTO t VALUES (?)", ((i,) for i in range(20_000)))
        source.commit()
    made = Export(tmp_path / "house.db", Request(format="sqlite"))
    execute = NewDatabase.execute

    def cancelling(target: NewDatabase, sql: str, params: Any = ()) -> Any:
        made._cancelled.set()
        target.snapshot._check_reading = target.snapshot.raise_if_stopped = lambda: None  # only the statement notices
        try:
            return execute(target, sql, params)
        except sqlite3.OperationalError as error:
            assert "interrupted" in str(error)
        raise CancelledError("stopped within the statement")

    monkeypatch.setattr(NewDatabase, "execute", cancelling)
    with pytest.raises(CancelledError, match="within the statement"):
        next(iter(made))
    made.close()


def test_where_a_plugin_has_foreign_keys_checked_rows_are_loaded_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "house.db"
    database(path, *PEOPLE, "UPDATE visits SET who = 'nobody' WHERE id = 3").close()
    source = Source("house", path, prepare=lambda connection: connection.execute("PRAGMA foreign_keys=ON"))
    with closing(sqlite3.connect(written(tmp_path / "new.db", source))) as copy:
        assert copy.execute("SELECT count(*) FROM visits").fetchone() == (300,)
