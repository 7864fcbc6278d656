"""Rows of a SQLite file that SQLite copied raw are read back in C, from the file, and compared by their digests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import Request, export
from datasette_program_export.database.fetching.rows_in_c import is_loadable
from datasette_program_export.database.guarding.new_database import NewDatabase
from datasette_program_export.errors import BrokenExportError, CancelledError
from datasette_program_export.formats.sqlite import proving, writing
from datasette_program_export.formats.sqlite.reading import check_document
from tests.support.databases.building import database
from tests.support.files.sqlite_files import same

EVENTS = (
    "CREATE TABLE events (id TEXT PRIMARY KEY, who TEXT, orb, note TEXT)",
    "CREATE INDEX who ON events (who)",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO events "
    "SELECT hex(i * 7919 % 100003), 'w' || (i % 7), i % 13 / 2.0, 'a note of some length, number ' || i FROM n",
)
ODD = "INSERT INTO events VALUES ('odd', CAST(X'6180' AS TEXT), 1, NULL)"
LARGE = "INSERT INTO events VALUES ('large', 'w', zeroblob(2000000), NULL)"

pytestmark = pytest.mark.skipif(not is_loadable(), reason="rows in C are not installed")


@pytest.fixture
def by_python(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables that are read back in Python."""
    found: list[str] = []
    real = writing.stored_rows

    def watched(connection: Any, table: str, columns: Any) -> Any:
        found.append(table)
        return real(connection, table, columns)

    monkeypatch.setattr(writing, "stored_rows", watched)
    return found


@pytest.mark.parametrize(
    ("more", "encoding", "in_python"),
    [((), "UTF-8", []), ((ODD,), "UTF-8", []), ((LARGE,), "UTF-8", ["events"]), ((), "UTF-16le", [])],
)
def test_the_copy_is_the_same(
    tmp_path: Path, by_python: list[str], more: tuple[str, ...], encoding: str, in_python: list[str]
) -> None:
    path = tmp_path / "new.db"
    with closing(database(None, f"PRAGMA encoding='{encoding}'", *EVENTS, *more)) as source:
        path.write_bytes(b"".join(export(source, Request(format="sqlite"))))
        with closing(sqlite3.connect(path)) as copy:
            same(copy, source)
    assert check_document(path) is None
    assert by_python == in_python


def test_a_value_that_changes_in_the_copy_is_an_error(by_python: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    real = NewDatabase.copy_raw

    def changing(self: NewDatabase, sql: str) -> None:
        real(self, sql)
        self.execute(f"UPDATE {self.table('events')} SET note = 'another' WHERE rowid = 777")

    monkeypatch.setattr(NewDatabase, "copy_raw", changing)
    with closing(database(None, *EVENTS)) as source, pytest.raises(BrokenExportError, match="events reads back"):
        b"".join(export(source, Request(format="sqlite")))
    assert by_python == []


def test_it_can_be_cancelled_while_rows_are_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    real = proving.stored_in_c
    with closing(database(None, *EVENTS)) as source:
        made = export(source, Request(format="sqlite"))
        monkeypatch.setattr(proving, "stored_in_c", lambda *words: (made.cancel(), real(*words))[1])
        with pytest.raises(CancelledError):
            next(iter(made))
