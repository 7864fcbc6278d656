"""Rows for a table that is empty: nothing is compared, and no digest is made that nobody asked for."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export.errors import RefusedError
from datasette_program_export.importing.importer import load
from datasette_program_export.importing.running import import_run
from datasette_program_export.importing.writing import table_writer
from tests.support.databases.building import database


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "t.db"
    database(path, "CREATE TABLE t (a TEXT PRIMARY KEY, b UNIQUE)", "CREATE TABLE u (a, b)").close()
    monkeypatch.setattr(table_writer, "judge", lambda *_: pytest.fail("rows were compared"))
    return path


def csv(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("table", ["t", "u"])
def test_rows_are_not_compared(target: Path, tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "digest_of_table", lambda *_: pytest.fail("a digest was made"))
    report = load(target, csv(tmp_path, "a,b\nx,1\ny,2\nz,\n"), table=table, on_conflict="update")
    assert (report.tables[table].insert, report.tables[table].update, report.foreseen) == (3, 0, None)
    with closing(database(target)) as connection:
        assert connection.execute(f"SELECT a FROM {table} ORDER BY rowid").fetchall() == [("x",), ("y",), ("z",)]


def test_a_row_that_breaks_a_rule_is_named(target: Path, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="Line 3 of t: b must be unique"):
        load(target, csv(tmp_path, "a,b\nx,1\ny,1\n"), table="t")


def test_a_preview_shows_the_rows_and_tells_the_digest(target: Path, tmp_path: Path) -> None:
    file = csv(tmp_path, "a,b\nx,1\n")
    seen = load(target, file, table="t", preview=True)
    assert seen.tables["t"].new_rows == [{"a": "x", "b": seen.tables["t"].new_rows[0]["b"]}]
    assert load(target, file, table="t", expect=seen.foreseen).foreseen == seen.foreseen
