"""The check of references is SQLite's own, whatever the tables of the target are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasette_program_export import RefusedError, load
from datasette_program_export.importing.writing import reference_check
from tests.support.databases.house import CHILD, PARENT, exported, made

INSERT = ("INSERT INTO p VALUES (1), (2)", "INSERT INTO c VALUES ('a', 1), ('b', 2)")


@pytest.mark.parametrize(
    "more", ["CREATE TABLE pragma_foreign_key_check (x)", "CREATE VIEW PRAGMA_FOREIGN_KEY_CHECK AS SELECT 1"]
)
def test_a_table_with_the_name_of_the_check_hides_nothing(tmp_path: Path, more: str) -> None:
    children = exported(made(tmp_path / "s.db", PARENT, CHILD, *INSERT), table="c")
    target = made(tmp_path / "t.db", PARENT, CHILD, more, "INSERT INTO p VALUES (1)")
    with pytest.raises(RefusedError, match="Row 2 of c: p refers to a row of p"):
        load(target, children)


def test_rows_without_a_parent_are_counted_within_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may have a million of them; none goes through Python."""
    monkeypatch.setattr(reference_check, "_CHECK", "pragma_no_such_check")
    children = exported(made(tmp_path / "s.db", PARENT, CHILD, *INSERT), table="c")
    with pytest.raises(Exception, match="no such table: pragma_no_such_check"):
        load(made(tmp_path / "t.db", PARENT, CHILD), children)
