"""What C sees of the columns is what Python sees; where it does not see enough, Python looks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timezone

import pytest

from datasette_program_export import Request, export
from datasette_program_export.database.fetching.rows_in_c import is_loadable
from datasette_program_export.exporting import table_reading
from tests.support.databases.building import database

ROWS = {
    "plain": (("a", 1, 1.5, b"x", None), True),
    "empty": (("", -1, 0.0, b"", None), True),
    "mixed": ((1, "a", b"x", None, 2.5), True),
    "quotes and lines": (('"\n,', 1, 2, 3, 4), True),
    "a large row": (("x" * 2_000_000, 1, 2, 3, 4), True),
    "not UTF-8": (("a\0b", 1, 2, 3, 4), True),
    "a carriage return": (("a\rb", 1, 2, 3, 4), True),
    "a text like NULL": (("NULL", "", 2, 3, 4), False),
    "an infinity": ((1, float("inf"), 2, 3, 4), True),
    "the word Infinity": (("Infinity", 1, 2, 3, 4), True),
}


@pytest.mark.skipif(not is_loadable(), reason="rows in C are not installed")
@pytest.mark.parametrize("name", ROWS)
def test_the_facts_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row, in_c = ROWS[name]
    found: dict[str, object] = {}

    def watched(which: str):
        real = getattr(table_reading, which)

        def seen(*arguments):
            found[which] = real(*arguments)
            return found[which]

        return seen

    for which in ("survey", "survey_written"):
        monkeypatch.setattr(table_reading, which, watched(which))
    with closing(database(None, "CREATE TABLE t (a, b, c, d, e, k INTEGER PRIMARY KEY)")) as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, NULL)", [("x", 1, 2, 3, 4)] * 20 + [row])
        by_c = made(connection)
        assert (found["survey_written"] is not None, "survey" in found) == (in_c, not in_c)
        monkeypatch.setattr(table_reading, "survey_written", lambda *_: None)
        assert made(connection) == by_c
    if in_c:
        assert [(f.kind, f.null, f) for f in found["survey_written"]] == [(f.kind, f.null, f) for f in found["survey"]]


def made(connection: sqlite3.Connection) -> bytes:
    """The package of the table, without what differs each time."""
    moment = datetime(2026, 11, 23, tzinfo=timezone.utc)
    with export(connection, Request(table="t", format="package"), created_at=moment) as chunks:
        return b"".join(chunks)
