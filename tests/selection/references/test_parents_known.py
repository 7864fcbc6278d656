"""Parents that are known to be in the export are not looked for again; all others are."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from datasette_program_export.database.snapshot import Snapshot
from tests.support.databases.building import database, document

TABLES = (
    "CREATE TABLE box (id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
    "CREATE TABLE thing (id INTEGER PRIMARY KEY, box INTEGER REFERENCES box, kind INTEGER REFERENCES kind)",
    "CREATE TABLE kind (id INTEGER PRIMARY KEY)",
    "INSERT INTO kind VALUES (1), (2)",
    "INSERT INTO box VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO thing VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1)",
)


def test_the_way_down_is_not_gone_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thing was found through its box, so no statement looks for its box, and none counts missing boxes."""
    seen: Counter[str] = Counter()
    execute = Snapshot.execute

    def counted(self: Snapshot, sql: str, *more: Any, **named: Any) -> Any:
        if '"box" AS p' in sql and '"thing" AS' in sql:
            seen["down" if "+" not in sql else "up"] += 1
        seen["kinds"] += '+c."kind"' in sql
        return execute(self, sql, *more, **named)

    monkeypatch.setattr(Snapshot, "execute", counted)
    connection = database(None, *TABLES, "CREATE INDEX of_box ON thing (box)")
    found = document(connection, "box", "1", parents="needed")
    assert [row["id"] for row in found["tables"]["kind"]] == [1, 2]
    assert found["coverage"]["tables"]["thing"] == {"belongs": 2, "needed": 0}
    assert not found["coverage"]["dangling"]
    assert seen["up"] == 0 and seen["kinds"] == 1


@pytest.mark.parametrize("name", ["name TEXT", "name TEXT COLLATE NOCASE"], ids=lambda name: name)
def test_a_second_parent_by_the_same_reference_is_found(name: str) -> None:
    """Where nothing keeps two parents from being equal, the second one is needed; the first led to the row."""
    connection = database(
        None,
        f"CREATE TABLE box (id INTEGER PRIMARY KEY, {name})",
        "CREATE UNIQUE INDEX exact ON box (name COLLATE BINARY)" if "NOCASE" in name else "SELECT 1",
        "CREATE TABLE thing (id INTEGER PRIMARY KEY, box TEXT REFERENCES box (name))",
        "PRAGMA foreign_keys=OFF",
        f"INSERT INTO box VALUES (1, 'a'), (2, '{'A' if 'NOCASE' in name else 'a'}')",
        "INSERT INTO thing VALUES (1, 'a')",
    )
    found = document(connection, "box", "1", parents="needed")
    assert [row["id"] for row in found["tables"]["box"]] == [1, 2]
    assert found["coverage"]["tables"]["box"] == {"belongs": 1, "needed": 1}


def test_rows_that_came_another_way_have_their_parents_sought() -> None:
    """Thing 3 comes through its kind alone: its box is needed."""
    connection = database(None, *TABLES)
    found = document(connection, "kind", "1", parents="needed")
    assert [row["id"] for row in found["tables"]["box"]] == [1, 2]
    found = document(connection, "kind", "1", parents="none")
    assert [missing["rows"] for missing in found["coverage"]["dangling"]] == [2]
