"""References that lead nowhere are counted the same, whether or not an index has them in order."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from datasette_program_export import Request, export
from datasette_program_export.exporting import coverage
from tests.support.databases.building import database

VALUES = "'1', '01', '1.0', 'a', 'A', 'a ', '', x'61', 1, 1.0, 2.5, 9007199254740993, 9007199254740992.0, -0.0, NULL"
ROWS = ", ".join(f"({value})" for value in 3 * VALUES.split(", "))
PARENTS = ["TEXT", "TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM", "INTEGER", "REAL", "BLOB", "NUMERIC"]


def dangling(source: sqlite3.Connection, request: Request) -> list[dict]:
    return json.loads(b"".join(export(source, request)))["coverage"]["dangling"]


@pytest.mark.parametrize("parent", PARENTS)
@pytest.mark.parametrize("child", ["TEXT", "INTEGER", "REAL", "BLOB", "TEXT COLLATE NOCASE"])
@pytest.mark.parametrize(
    "request_", [Request(table="c"), Request(), Request(table="c", where=["v > 0"])], ids=["table", "all", "some"]
)
def test_with_and_without_an_index(parent: str, child: str, request_: Request, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [
        f"CREATE TABLE p (k {parent} UNIQUE)",
        "INSERT OR IGNORE INTO p VALUES ('1'), ('a'), (2.5), (x'61'), (9007199254740993)",
        f'CREATE TABLE c (id INTEGER PRIMARY KEY, v {child} REFERENCES p (k), "v rows" INTEGER DEFAULT 5)',
        f"INSERT INTO c (v) VALUES {ROWS}",
    ]
    with closing(database(None, *tables)) as source:
        plain = dangling(source, request_)
        source.execute("CREATE INDEX ordered ON c (v)")
        source.commit()
        ways: list[bool] = []
        decide = coverage._is_counted_by_value
        monkeypatch.setattr(coverage, "_is_counted_by_value", lambda *given: (ways.append(decide(*given)), ways[-1])[1])
        assert dangling(source, request_) == plain
    assert ways == [child in ("TEXT", "INTEGER") and not request_.where]
    (found,) = plain
    assert 0 < found["missing_in_source"] < found["rows"] or not request_.table
