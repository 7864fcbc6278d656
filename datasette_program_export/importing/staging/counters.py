"""The counters of AUTOINCREMENT tables, which never give a key twice, even that of a deleted row.

https://www.sqlite.org/autoinc.html: they stand in ``sqlite_sequence``, which is written as any table."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ...database.guarding.sql_tokens import SQLTextError, names
from ...database.library import sqlite3
from ...database.schema import Schema
from ...formats.description.schema import DocumentSchema
from ..report import FindingCollector, TableReport

_FOUND = "SELECT seq FROM main.sqlite_sequence WHERE name = ?"


def set_counter(connection: sqlite3.Connection, table: str, number: int) -> None:
    """Set the counter of a table."""
    with suppress(sqlite3.OperationalError):  # no table has AUTOINCREMENT
        connection.execute("DELETE FROM main.sqlite_sequence WHERE name = ?", (table,))
        connection.execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)", (table, number))


def raise_counters(connection: sqlite3.Connection, schema: Schema, wanted: Mapping[str, object]) -> dict[str, int]:
    """Raise the counters of tables to what a file says, where they are lower; return those that were raised."""
    raised = {}
    for name, number in wanted.items():
        table = schema.find(name)
        if table is None or type(number) is not int or not _counts(table.sql or ""):
            continue
        now = connection.execute(_FOUND, (table.name,)).fetchone()
        if now is None or type(now[0]) is not int or now[0] < number:
            set_counter(connection, table.name, number)
            raised[table.name] = number
    return raised


def _counts(sql: str) -> bool:
    try:
        return "autoincrement" in names(sql)
    except SQLTextError:
        return False


def count_on(
    connection: Any,
    schema: Schema,
    document: DocumentSchema | None,
    tables: Mapping[str, TableReport],
    findings: FindingCollector,
) -> None:
    """Have the tables of an import count on from where the file's did, and tell of each."""
    told = (document.database.sequences if document is not None else None) or {}
    wanted = {name: told[name] for name in told if name in tables}
    for name, number in raise_counters(connection, schema, wanted).items():
        tables[name].counter = number
        findings.add("counter", f"New rows of {name} are counted on from {number:,}.", name, error=False)
