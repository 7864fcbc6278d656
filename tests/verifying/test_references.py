"""References of a file's rows that lead nowhere: as many as SQLite finds, whatever is equal to what."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from datasette_program_export import Request, export, verify

VALUES = [None, 1, 1.0, 2, -0.0, 0, "1", "1.0", "a", "A", b"1", b"a", 1.5, "1.5"]
TYPES = ["", "TEXT", "INTEGER", "REAL", "NUMERIC", "TEXT COLLATE NOCASE"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("references")


@given(
    st.sampled_from(TYPES),
    st.sampled_from(TYPES),
    st.lists(st.sampled_from(VALUES), max_size=5),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=30),
)
@example("TEXT", "", ["1"], [1, 1.0])  # to Python these are equal
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_as_many_lead_nowhere_as_sqlite_finds(
    folder: Path, parent: str, child: str, parents: list[object], children: list[object]
) -> None:
    path = folder / "rows.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE parents (key {parent} UNIQUE)")
        connection.execute(f"CREATE TABLE children (id INTEGER PRIMARY KEY, key {child} REFERENCES parents (key))")
        connection.executemany("INSERT OR IGNORE INTO parents VALUES (?)", [(value,) for value in parents])
        connection.executemany("INSERT INTO children (key) VALUES (?)", [(value,) for value in children])
        connection.commit()
        wanted = len(connection.execute("PRAGMA foreign_key_check").fetchall())
    file = folder / "rows.json"
    file.write_bytes(b"".join(export(path, Request(format="programjson"))))
    report = verify(file)
    assert (report.status, report.problems) == ("complete", [])
    assert sum(one.rows for one in report.dangling) == wanted
