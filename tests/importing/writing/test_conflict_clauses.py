"""A schema's own ON CONFLICT clauses: an import never lets them drop a row, or replace another, unsaid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasette_program_export import RefusedError, load
from tests.support.databases.house import made, rows

CLAUSES = {
    "a column, REPLACE": "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT UNIQUE ON CONFLICT REPLACE)",
    "a column, IGNORE": "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT UNIQUE ON CONFLICT IGNORE)",
    "the table": "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT, UNIQUE (mail) ON CONFLICT REPLACE)",
    "ROLLBACK": "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT UNIQUE ON CONFLICT ROLLBACK)",
    "without a rowid": "CREATE TABLE t (id INT PRIMARY KEY, mail TEXT UNIQUE ON CONFLICT REPLACE) WITHOUT ROWID",
}
ROWS = "INSERT INTO t VALUES (1, 'a'), (2, 'b')"


def csv(folder: Path, text: str) -> Path:
    (folder / "t.csv").write_text(text, "utf-8")
    return folder / "t.csv"


@pytest.mark.parametrize("triggers", [False, True])
@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("file", ["id,mail\n3,b\n", "id,mail\n1,b\n"], ids=["a new row", "a changed row"])
def test_a_value_that_another_row_has_is_refused(tmp_path: Path, clause: str, file: str, triggers: bool) -> None:
    target = made(tmp_path / "a.db", CLAUSES[clause], ROWS)
    with pytest.raises(RefusedError, match="Row 1 of t: mail must be unique|Line 2 of t: mail must be unique"):
        load(target, csv(tmp_path, file), table="t", on_conflict="update", triggers=triggers)
    assert rows(target, "SELECT * FROM t ORDER BY id") == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("clause", CLAUSES)
def test_values_that_swap_come_in(tmp_path: Path, clause: str) -> None:
    target = made(tmp_path / "a.db", CLAUSES[clause], ROWS)
    load(target, csv(tmp_path, "id,mail\n1,b\n2,a\n3,c\n"), table="t", on_conflict="update", backup=False)
    assert rows(target, "SELECT * FROM t ORDER BY id") == [(1, "b"), (2, "a"), (3, "c")]


def test_no_value_is_replaced_by_the_default_unsaid(tmp_path: Path) -> None:
    sql = "CREATE TABLE t (id INTEGER PRIMARY KEY, size INT NOT NULL ON CONFLICT REPLACE DEFAULT 7)"
    target = made(tmp_path / "a.db", sql)
    (tmp_path / "rows.json").write_text('{"t": [{"id": 1, "size": null}]}')
    with pytest.raises(RefusedError, match="size needs a value"):
        load(target, tmp_path / "rows.json")
    report = load(target, csv(tmp_path, "id,size\n1,\n"), table="t")  # an empty cell says nothing: that is told
    assert report.tables["t"].defaults == {"size": "7"}


def test_a_key_with_a_clause_is_matched_like_any(tmp_path: Path) -> None:
    target = made(tmp_path / "a.db", "CREATE TABLE t (id TEXT PRIMARY KEY ON CONFLICT REPLACE, n)", ROWS)
    with pytest.raises(RefusedError, match="is there already"):
        load(target, csv(tmp_path, "id,n\n1,x\n"), table="t")


@pytest.mark.parametrize("how", [{}, {"backup": False}])
def test_what_a_trigger_says_of_conflicts_still_holds(tmp_path: Path, how: dict[str, Any]) -> None:
    target = made(
        tmp_path / "a.db",
        CLAUSES["a column, IGNORE"],
        "CREATE TABLE seen (mail PRIMARY KEY)",
        "CREATE TRIGGER note AFTER INSERT ON t BEGIN INSERT OR IGNORE INTO seen VALUES (new.mail); END",
        "INSERT INTO seen VALUES ('c')",
    )
    load(target, csv(tmp_path, "id,mail\n3,c\n4,d\n"), table="t", triggers=True, **how)
    assert rows(target, "SELECT mail FROM seen ORDER BY 1") == [("c",), ("d",)]
