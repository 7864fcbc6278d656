"""The virtual tables of a dump: SQLite writes them into its schema, and the tables of which they consist as such.

Neither is done here. A full-text table is made as a statement makes it, and filled with its own texts, or from the
table that it shows; what cannot be made so is set aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ....database.library import sqlite3
from ....database.schema import Table, fold, quote
from ....database.sqlite_errors import explain
from ....database.virtual_tables import TAKING_ROWS, indexed_by, keeps_rows, module_of, rebuilding

_IN_SCHEMA = re.compile(
    rb"insert\s+into\s+(?:sqlite_schema|sqlite_master)\s*\(\s*type\s*,\s*name\s*,\s*tbl_name\s*,\s*rootpage\s*,\s*sql\s*\)"
    rb"\s*values\s*\(\s*'table'\s*,\s*((?:'[^']*')+)\s*,\s*(?:'[^']*')+\s*,\s*0\s*,\s*((?:'[^']*')+)\s*\)\s*;",
    re.IGNORECASE,
)
_VIRTUAL = re.compile(r"\s*create\s+virtual\s+table\b", re.IGNORECASE)
_PARTS = {
    "fts3": ("content", "segments", "segdir", "docsize", "stat"),
    "fts4": ("content", "segments", "segdir", "docsize", "stat"),
    "fts5": ("data", "idx", "content", "docsize", "config"),
    "rtree": ("node", "rowid", "parent"),
    "rtree_i32": ("node", "rowid", "parent"),
}
_TEXTS = "program_export_texts"


class VirtualTables:
    """Notes the virtual tables of a script; ``made`` makes them when their parts are filled."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tables: dict[str, str] = {}

    def takes(self, text: bytes) -> bool:
        """Return whether a statement writes a virtual table into the schema, and note it if so."""
        found = _IN_SCHEMA.fullmatch(text)
        if found is None:
            return False
        name, sql = (part.decode("utf-8", "replace")[1:-1].replace("''", "'") for part in found.groups())
        if _VIRTUAL.match(sql):
            self._tables[name] = sql
            return True
        return False

    def made(self) -> list[str]:
        """Make the tables; return a sentence about each that is set aside."""
        return [told for name, sql in self._tables.items() for told in self._made(name, sql)]

    def _made(self, name: str, sql: str) -> Iterator[str]:
        module = module_of(sql)
        table = Table(name, "virtual", sql=sql, module=module)
        there = {fold(n): n for (n,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        parts = {p: there[fold(f"{name}_{p}")] for p in _PARTS.get(module or "", ()) if fold(f"{name}_{p}") in there}
        why = None
        if module not in TAKING_ROWS:
            why = "its module is none of SQLite's own"
        elif module.startswith("rtree") or not (keeps_rows(table) or indexed_by(table)):
            why = "a dump has its rows in no form that is read here"
        try:
            if "content" in parts and why is None:
                self._connection.execute(f"ALTER TABLE {quote(parts.pop('content'))} RENAME TO {_TEXTS}")
            for part in parts.values():
                self._connection.execute(f"DROP TABLE {quote(part)}")
            if why is None:
                self._fill(table)
                self._connection.execute(f"DROP TABLE IF EXISTS {_TEXTS}")
        except (sqlite3.Error, sqlite3.Warning) as error:
            why = explain(error)
            for gone in (name, _TEXTS):
                self._connection.execute(f"DROP TABLE IF EXISTS {quote(gone)}")
        if why is not None:
            yield f"The virtual table {name} of the script is set aside: {why}."

    def _fill(self, table: Table) -> None:
        self._connection.execute(table.sql or "")
        if indexed_by(table):
            self._connection.execute(rebuilding(table.name))
            return
        columns = [row[1] for row in self._connection.execute(f"PRAGMA main.table_info({quote(table.name)})")]
        texts = [row[1] for row in self._connection.execute(f"PRAGMA main.table_info({_TEXTS})")]
        into, given = (", ".join(map(quote, names)) for names in (["rowid", *columns], texts[: len(columns) + 1]))
        self._connection.execute(f"INSERT INTO {quote(table.name)} ({into}) SELECT {given} FROM {_TEXTS}")
