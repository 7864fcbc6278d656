"""Tables as wide as SQLite allows, 2,000 columns: they come in, are compared, changed and proven like others."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from datasette_program_export import RefusedError, Request, export, load, prove
from tests.support.databases.house import exported, rows

TYPES = ("text", "int", "real", "", "numeric")


def wide(path: Path, columns: int, key: str = "id INTEGER PRIMARY KEY", types: tuple[str, ...] = TYPES) -> Path:
    """A table ``w`` with three rows of different values in all columns."""
    more = [f"c{i} {types[i % 5]}" for i in range(columns - 1)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE w ({', '.join([key, *more])})")
        for row in range(1, 4):
            others = (f"{row}-{i}" if i % 5 == 0 else row * i for i in range(columns - 1))
            values = [row if "INTEGER" in key else f"k{row}", *others]
            connection.execute(f"INSERT INTO w VALUES ({', '.join('?' * columns)})", values)
        connection.commit()
    return path


def run(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql)


@pytest.mark.parametrize("columns", [499, 901, 2000])
def test_a_new_database_holds_every_column(tmp_path: Path, columns: int) -> None:
    file = exported(wide(tmp_path / "a.db", columns))
    load(tmp_path / "new.db", file)
    assert rows(tmp_path / "new.db", "SELECT * FROM w") == rows(tmp_path / "a.db", "SELECT * FROM w")
    assert prove(file).problems == []


@pytest.mark.parametrize("key", ["id INTEGER PRIMARY KEY", "id TEXT PRIMARY KEY", "id TEXT COLLATE NOCASE PRIMARY KEY"])
def test_a_row_that_differs_at_both_ends_is_updated(tmp_path: Path, key: str) -> None:
    file = exported(wide(tmp_path / "a.db", 2000, key))
    before = rows(tmp_path / "a.db", "SELECT * FROM w")
    spelled = ", id = upper(id)" if "NOCASE" in key else ""
    run(tmp_path / "a.db", f"UPDATE w SET c0 = 'old', c1998 = 'old'{spelled} WHERE rowid = 2")
    foretold = load(tmp_path / "a.db", file, on_conflict="update", preview=True).tables["w"]
    assert (foretold.update, foretold.unchanged) == (1, 2)
    assert {"c0", "c1998"} <= {d.column for d in foretold.samples[0].differences}
    load(tmp_path / "a.db", file, on_conflict="update", backup=False)
    assert rows(tmp_path / "a.db", "SELECT * FROM w") == before


def test_values_that_swap_and_must_be_unique(tmp_path: Path) -> None:
    file = exported(wide(tmp_path / "a.db", 2000))
    before = rows(tmp_path / "a.db", "SELECT * FROM w")
    for sql in ("SET c0 = 'x' WHERE id = 1", "SET c0 = '1-0' WHERE id = 2", "SET c0 = '2-0' WHERE id = 1"):
        run(tmp_path / "a.db", f"UPDATE w {sql}")
    run(tmp_path / "a.db", "CREATE UNIQUE INDEX u ON w (c0)")
    load(tmp_path / "a.db", file, on_conflict="update", backup=False)
    assert rows(tmp_path / "a.db", "SELECT * FROM w") == before


def test_rows_without_a_key_and_texts_that_are_no_utf8(tmp_path: Path) -> None:
    source = wide(tmp_path / "a.db", 1200, "id TEXT")
    run(source, "UPDATE w SET c1100 = CAST(x'ff' AS TEXT), c0 = -0.0 WHERE id = 'k2'")
    file = exported(source)
    load(tmp_path / "new.db", file)
    assert load(tmp_path / "new.db", file).tables["w"].unchanged == 3
    assert rows(tmp_path / "new.db", "SELECT hex(c1100) FROM w WHERE id = 'k2'") == [("FF",)]


def test_a_row_that_is_refused_is_told_and_can_be_left_out(tmp_path: Path) -> None:
    source = wide(tmp_path / "a.db", 1200)
    file = exported(source)
    run(source, "DELETE FROM w")
    run(source, "CREATE UNIQUE INDEX u ON w (c0)")
    run(source, "INSERT INTO w (id, c0) VALUES (9, '2-0')")
    with pytest.raises(RefusedError, match="Row 2 of w: c0 must be unique"):
        load(source, file, backup=False)
    load(source, file, leave_out_bad_rows=True, backup=False)
    assert rows(source, "SELECT id FROM w ORDER BY 1") == [(1,), (3,), (9,)]


def test_csv_of_a_wide_table_replaces_rows(tmp_path: Path) -> None:
    source = wide(tmp_path / "a.db", 1500, types=("text", "int", "real", "int", "int"))
    (tmp_path / "w.csv").write_bytes(b"".join(export(source, Request(table="w", format="csv"))))
    run(source, "UPDATE w SET c0 = 'old', c1000 = 'old'")
    load(source, tmp_path / "w.csv", table="w", on_conflict="replace", backup=False)
    assert rows(source, "SELECT c0, c1000 FROM w") == [(f"{i}-0", f"{i}-1000") for i in (1, 2, 3)]
