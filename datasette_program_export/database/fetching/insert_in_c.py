"""Rows written into a new table in C, by the optional package datasette-program-export-native.

They come packed, as ``read_in_c`` reads them from a file, so that no row is a Python object on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..library import sqlite3
from ..schema import Column, quote
from .rows_in_c import INSERT, load

_CALL = f"SELECT {INSERT}(?, ?, ?, ?, ?)"
_LETTERS = {"TEXT": "T", "REAL": "R", "BLOB": "B"}
_rows = msgspec.msgpack.Decoder(list[tuple[Any, ...]]).decode


def insert_statement(table: str, columns: Sequence[Column]) -> str:
    """Return the statement that writes a row with a value for each of these columns."""
    names, marks = ", ".join(quote(column.name) for column in columns), ", ".join("?" * len(columns))
    return f"INSERT OR ABORT INTO main.{quote(table)} ({names}) VALUES ({marks})"


def can_insert(connection: Any) -> bool:
    """Load the functions into a connection that ``rows_in_c.connect`` opened; return whether it can write rows so.

    Call it before there is an authorizer. An older package has no such function."""
    if not load(connection, sqlite3):
        return False
    names = connection.execute("SELECT 1 FROM pragma_function_list WHERE name = ?", (INSERT,))
    return names.fetchone() is not None


class InsertInC:
    """Writes packed rows into a table; the connection can (``can_insert``), and is in a transaction."""

    def __init__(self, connection: Any, table: str, columns: Sequence[Column]) -> None:
        self._connection, self._sql = connection, insert_statement(table, columns)
        self._affinities = "".join(_LETTERS.get(column.affinity, "N") for column in columns)

    def add(self, packed: memoryview, rows: int, first: int) -> list[tuple[Any, ...]] | None:
        """Write so many rows, and return the ``first`` of them.

        None if there is a value that the column's affinity may change, or a text that is not UTF-8: some rows were
        written then, and are to be given up. Raises sqlite3.Error."""
        given = (self._sql, self._affinities, packed, rows, first)
        size = self._connection.execute(_CALL, given).fetchone()[0]
        if size is None:
            return None
        return _rows(b"\xdd" + min(rows, first).to_bytes(4, "big") + packed[:size])
