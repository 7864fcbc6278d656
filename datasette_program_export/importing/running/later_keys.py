"""The indexes of keys in a new database are built when all rows are there: then SQLite sorts their entries.

Rows whose keys come in disorder would be put into such an index one by one, and SQLite cannot leave that for later.
So, while rows are written, sqlite_master describes the table without its keys: that is the documented way to change
what changes nothing in rows (https://www.sqlite.org/lang_altertable.html#otheralter). Then all in there is put back as
SQLite had made it, and its own REINDEX builds the indexes, and refuses a key that is there twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from ...database.library import sqlite3
from ...database.schema import Index, Schema, Table, fold, quote

_MASTER = "SELECT rowid, type, name, tbl_name, rootpage, sql FROM main.sqlite_master ORDER BY rowid"
_PUT_BACK = "INSERT INTO main.sqlite_master (rowid, type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?, ?)"
_numbers = count()


class LaterKeys:
    """Puts off the indexes of keys in a new private database, within one transaction, until ``make``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tables: list[Table] = []
        self._before: list[tuple[Any, ...]] = []

    def put_off(self, schema: Schema) -> None:
        """Put off the indexes of all plain tables that are made and empty, if this SQLite lets one do so."""
        tables = [table for table in schema.values() if _is_plain(table)]
        if not tables:
            return
        self._before = self._connection.execute(_MASTER).fetchall()
        self._connection.execute("SAVEPOINT program_export_keys")
        try:
            with self._writable():
                for table in tables:
                    sql = "UPDATE main.sqlite_master SET sql = ? WHERE type = 'table' AND name = ?"
                    self._connection.execute(sql, (_without_keys(table), table.name))
                    sql = "DELETE FROM main.sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NULL"
                    self._connection.execute(sql, (table.name,))
            put_off = not any(map(self._indexes, tables))
        except sqlite3.Error:  # it lets nobody change what is in there
            put_off = False
        if put_off:
            self._tables = tables
        else:
            self._connection.execute("ROLLBACK TO program_export_keys")
            with self._writable():
                pass  # afterwards SQLite reads again what is in there
        self._connection.execute("RELEASE program_export_keys")

    def make(self) -> bool:
        """Build the indexes; return whether all is as SQLite itself would have made it.

        Raises sqlite3.IntegrityError for a key that is there twice."""
        if not self._tables:
            return True
        names = {table.name for table in self._tables}
        with self._writable():
            for number, kind, name, table, page, text in self._before:
                if kind == "table" and name in names:
                    self._connection.execute("UPDATE main.sqlite_master SET sql = ? WHERE rowid = ?", (text, number))
                elif kind == "index" and table in names and text is None:
                    self._connection.execute(_PUT_BACK, (number, kind, name, table, page, text))
        whole = self._connection.execute(_MASTER).fetchall() == self._before
        for table in self._tables:
            whole = whole and self._indexes(table) == len(_of_keys(table))
            self._connection.execute(f"REINDEX main.{quote(table.name)}")
        return whole

    def _indexes(self, table: Table) -> int:
        listed = self._connection.execute(f"PRAGMA main.index_list({quote(table.name)})")
        return sum(origin != "c" for _, _, _, origin, *_ in listed)

    @contextmanager
    def _writable(self) -> Iterator[None]:
        """Let sqlite_master be written to; afterwards SQLite reads it again.

        SQLite does either when it compiles the statement, so each is another text than any before."""
        self._connection.execute(f"PRAGMA writable_schema=ON -- {next(_numbers)}")
        try:
            yield
        finally:
            self._connection.execute(f"PRAGMA writable_schema=RESET -- {next(_numbers)}")


def _is_plain(table: Table) -> bool:
    """Return whether the rows of a table are stored the same without its keys, and nothing else looks at them."""
    ordinary = table.kind == "table" and table.problem is None and not table.without_rowid and not table.strict
    ordinary = ordinary and table.integer_key is None and not any(column.hidden for column in table.columns)
    return ordinary and bool(_of_keys(table)) and table.sql is not None and "check" not in fold(table.sql)


def _of_keys(table: Table) -> list[Index]:
    return [index for index in table.indexes if index.origin != "c"]  # those of its own statement


def _without_keys(table: Table) -> str:
    columns = [f"{quote(c.name)} {c.affinity}{' NOT NULL' if c.notnull else ''}" for c in table.columns]
    return f"CREATE TABLE {quote(table.name)} ({', '.join(columns)})"
