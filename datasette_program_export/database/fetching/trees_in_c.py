"""Proves in C, from the pages of a new file, that a table's rows and indexes are as SQLite would write them.

SQLite copies a table and its indexes raw, byte for byte, several times quicker than it makes them. The optional package
proves then that no row and no entry holds more than its columns, and that each index has its rows, in order.
Where it is missing, or does not prove it, rows and indexes are written anew.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from ..library import sqlite3
from ..schema import Index, Table, quote
from . import rows_in_c

_BINARY = "BINARY"


def is_comparable(table: Table, index: Index) -> bool:
    """Return whether the entries of an index can be compared with the rows: plain columns, compared as bytes."""
    return not index.partial and all(
        name not in (None, table.integer_key) and collation == _BINARY
        for name, collation in zip(index.columns, index.collations)
    )


def is_proved(connection: sqlite3.Connection, table: str, go_on: Callable[[], object]) -> bool:
    """Return whether a table of this connection's own file is proved; ``go_on`` is called every few milliseconds.

    The connection has no write transaction open, and its file is in no WAL mode. Without the functions nothing is
    proved."""
    try:
        plan = _plan(connection, table)
        if plan is None:
            return False
        (number,) = connection.execute("SELECT program_export_trees('main', ?)", (plan,)).fetchone()
        while True:
            go_on()
            (found,) = connection.execute("SELECT program_export_proved(?)", (number,)).fetchone()
            if found is not None:
                return bool(found)
    except sqlite3.OperationalError:  # no such function
        go_on()
        return False


def opened(path: str) -> sqlite3.Connection:
    """Open a file so that its tables can be proved, where that can be."""
    connection = rows_in_c.connect(sqlite3, path, isolation_level=None)
    rows_in_c.load(connection, sqlite3)
    return connection


def _plan(connection: sqlite3.Connection, table: str) -> bytes | None:
    # not sqlite-utils' indexes, which leave out collations and directions
    columns = connection.execute(f"PRAGMA main.table_info({quote(table)})").fetchall()
    roots = dict(
        connection.execute("SELECT name, rootpage FROM main.sqlite_master WHERE tbl_name = ? COLLATE NOCASE", (table,))
    )
    numbers: list[Any] = [len(columns), roots[table]]
    for _, name, unique, _, partial in connection.execute(f"PRAGMA main.index_list({quote(table)})").fetchall():
        found = [row for row in connection.execute(f"PRAGMA main.index_xinfo({quote(name)})") if row[5]]
        numbers += [roots[name], unique, len(found)]
        for _, place, _, descends, collation, _ in found:
            if partial or place < 0 or collation != _BINARY:
                return None
            numbers += [place, descends]
    return struct.pack(f"<{len(numbers)}I", *numbers)
