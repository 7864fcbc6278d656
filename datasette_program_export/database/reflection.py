"""Reads the schema of a database: ``reflect(connection) -> Schema``.

sqlite-utils reads the foreign keys (https://sqlite-utils.datasette.io/en/stable/python-api.html). Everything else is
read with SQLite's own PRAGMA statements, as of ``main`` (https://www.sqlite.org/pragma.html); the reason stands at each
of them, and ``tests/database/test_where_sqlite_utils_differs.py`` fails on the day when one is gone. The corresponding
table-valued functions (``pragma_table_info(...)``) are avoided: a table of that name in the file would shadow them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlite_utils import Database
from sqlite_utils.db import Table as SQLiteUtilsTable
from sqlite_utils.db import TransactionError

from ..errors import SourceError
from .library import sqlite3
from .schema import Column, ForeignKey, Index, Schema, Table, affinity, fold, indexed_collations, quote, resolve
from .sqlite_errors import explain
from .text import decode_text
from .virtual_tables import module_of

OLDEST_SQLITE = (3, 37, 0)  # PRAGMA table_list

_UNSPEAKABLE = re.compile("[\ud800-\udfff]")


def reflect(connection: sqlite3.Connection) -> Schema:
    """Return the schema of ``main``.

    Raises SourceError if the file is damaged or is not a database. A single table that SQLite cannot describe is
    not an error: the table's ``problem`` gives the reason."""
    before = connection.row_factory, connection.text_factory
    connection.row_factory, connection.text_factory = None, decode_text  # sqlite-utils reads tuples, and names as text
    try:
        return _Reflection(connection).schema()
    finally:
        connection.row_factory, connection.text_factory = before


class _AnyParentTable(SQLiteUtilsTable):
    """Leaves a foreign key without parent columns as it was declared, for ``resolve``.

    sqlite-utils would look for the parent by its exact case, fail if it is a view, and say ``rowid`` if there is none:
    which is also said of a column that is called so."""

    @property
    def pks(self) -> list[str]:
        return []


class _AnyNameDatabase(Database):
    """Takes each table at its name: sqlite-utils would list all views for each, n lists of n names."""

    def table(self, table_name: str, **kwargs: Any) -> _AnyParentTable:
        return _AnyParentTable(self, table_name, **kwargs)


class _Reflection:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.shadowed: set[str] = set()
        self.database: Database | None = None
        with suppress(TransactionError):  # it refuses a caller's connection with autocommit=True, which can be read too
            self.database = _AnyNameDatabase(connection, recursive_triggers=False, execute_plugins=False)
        self._known: dict[str, bool] = {}

    def rows(self, sql: str) -> list[dict[str, Any]]:
        cursor = self.connection.execute(sql)
        names = [d[0] for d in cursor.description or ()]
        return [dict(zip(names, row)) for row in cursor]

    def pragma(self, name: str, argument: str) -> list[dict[str, Any]]:
        return self.rows(f"PRAGMA main.{name}({quote(argument)})")

    def schema(self) -> Schema:
        try:
            version = self.rows("select sqlite_version() as v")[0]["v"]
            if tuple(map(int, version.split("."))) < OLDEST_SQLITE:
                raise SourceError(
                    f"This Python has SQLite {version}; reading a database's structure needs 3.37 or "
                    "newer. Use a newer Python, or install pysqlite3-binary."
                )
            encoding = self.rows("PRAGMA main.encoding")[0]["encoding"]
            numbers = {n: self.rows(f"PRAGMA main.{n}")[0][n] for n in ("user_version", "application_id")}
            self.shadowed = {fold(t["name"]) for t in self.rows("PRAGMA temp.table_list")}
            # not Database.table_names, which does not tell shadow tables and SQLite's own from other tables
            written = self.rows("select name, sql from main.sqlite_master where type in ('table', 'view')")
            listed = {t["name"]: t for t in self.rows("PRAGMA main.table_list") if t["schema"] == "main"}
        except self.connection.DatabaseError as error:
            raise SourceError(f"The database cannot be read: {explain(error)}.") from error
        virtual = sorted((n for n, t in listed.items() if t["type"] == "virtual"), key=len, reverse=True)
        tables = []
        for row in written:
            facts = listed.get(row["name"])
            if facts is None or fold(row["name"]).startswith("sqlite_"):
                continue
            table = self.table(facts, row["sql"])
            if table.kind == "shadow":
                prefixes = (v for v in virtual if fold(table.name).startswith(fold(v) + "_"))
                table = replace(table, owner=next(prefixes, None))
            tables.append(table)
        by_name = {fold(t.name): t for t in tables}
        return Schema([_with_resolved_keys(t, by_name) for t in tables], encoding, numbers)

    def table(self, facts: dict[str, Any], sql: str | None) -> Table:
        # not Table.strict, which is read from the text of the statement
        name, kind, strict = facts["name"], facts["type"], bool(facts["strict"])
        if _UNSPEAKABLE.search(name):
            return Table(name, kind, problem="its name is not valid UTF-8, so no statement can name it")
        # not Table.virtual_table_using, which finds none behind a comment
        module = module_of(sql) if kind == "virtual" else None
        try:  # not Table.columns, which leaves generated and hidden columns out
            columns = tuple(
                Column(
                    name=c["name"],
                    type=c["type"],
                    affinity=affinity(c["type"], strict),
                    notnull=bool(c["notnull"]),
                    default=c["dflt_value"],
                    pk=c["pk"],
                    hidden=c["hidden"],
                )
                for c in self.pragma("table_xinfo", name)
            )
        except self.connection.DatabaseError as error:
            return Table(name, kind, sql=sql, module=module, problem=explain(error))
        if any(_UNSPEAKABLE.search(c.name) for c in columns):
            return Table(name, kind, sql=sql, module=module, problem="a column's name is not valid UTF-8")
        without_rowid = kind in ("table", "shadow") and bool(facts["wr"])
        indexes = self.indexes(name)
        integer_key = None if kind == "view" or without_rowid else _integer_key(columns, indexes)
        collations, incomparable = self.collations(name, sql, columns, indexes) if kind == "table" else ({}, {})
        return Table(
            name,
            kind,
            columns,
            rowid=None if kind == "view" or without_rowid else self.rowid(name, columns, integer_key),
            integer_key=integer_key,
            without_rowid=without_rowid,
            strict=strict,
            foreign_keys=() if kind == "view" else self.foreign_keys(name),
            indexes=indexes,
            sql=sql,
            module=module,
            collations=collations,
            incomparable=incomparable,
            unreadable=self.unreadable(name, columns),
            indexed=all(self.knows(c) for i in indexes for c in i.collations),
            problem=self.unreachable(indexes) if without_rowid else None,
        )

    def rowid(self, table: str, columns: tuple[Column, ...], integer_key: str | None) -> str | None:
        """Return a name by which the rowid can be read: an alias that no column uses; None if there is none."""
        taken = {fold(c.name) for c in columns}
        for alias in ("rowid", "_rowid_", "oid"):
            if alias not in taken:
                try:
                    self.connection.execute(f"select {alias} from main.{quote(table)} limit 0")
                except self.connection.DatabaseError:
                    return None  # a virtual table without rowids
                return alias
        return integer_key

    def collations(
        self, table: str, sql: str | None, columns: tuple[Column, ...], indexes: tuple[Index, ...]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return the columns' declared collations, by folded name, and why some columns cannot be compared here.

        No PRAGMA returns them, and an index may use another collation than its column. So they are read from the
        opcodes of a comparison as SQLite would run it (https://www.sqlite.org/opcode.html#Eq)."""
        if "collate" not in (sql or "").lower():
            return {}, {}
        found, unknown = {}, {}
        for column in columns:
            compare = f"EXPLAIN SELECT {quote(column.name)} = 1 FROM main.{quote(table)} NOT INDEXED"
            try:
                steps = [step["p4"] for step in self.rows(compare) if step["opcode"] in ("Eq", "Ne")]
            except self.connection.DatabaseError as error:  # a custom collation that is not registered here
                unknown[fold(column.name)] = explain(error)
                steps = [f"{name}-" for name in indexed_collations(column.name, indexes)[::-1]]
            found[fold(column.name)] = steps[-1].rpartition("-")[0] if steps and steps[-1] else "BINARY"
        return found, unknown

    def knows(self, collation: str) -> bool:
        """Return whether a collation is registered here; PRAGMA collation_list has also those that are only named."""
        if collation not in self._known:
            try:
                self.connection.execute(f"SELECT '' = '' COLLATE {quote(collation)}")
                self._known[collation] = True
            except self.connection.DatabaseError:
                self._known[collation] = False
        return self._known[collation]

    def unreachable(self, indexes: tuple[Index, ...]) -> str | None:
        """Return why a table without rowids cannot be read: its rows are kept by their key's collation."""
        unknown = [c for i in indexes for c in i.collations if i.origin == "pk" and not self.knows(c)]
        return f"no such collation sequence: {unknown[0]}" if unknown else None

    def unreadable(self, table: str, columns: tuple[Column, ...]) -> dict[str, str]:
        """Return the generated columns that call an unknown function, each with SQLite's reason."""
        found = {}
        for column in columns:
            if column.generated:
                try:
                    self.connection.execute(f"SELECT {quote(column.name)} FROM main.{quote(table)} NOT INDEXED LIMIT 0")
                except self.connection.DatabaseError as error:
                    found[fold(column.name)] = explain(error)
        return found

    def foreign_keys(self, table: str) -> tuple[ForeignKey, ...]:
        # sqlite-utils names no schema, so that a TEMP table of the same name would answer
        if self.database is None or fold(table) in self.shadowed:
            return self.foreign_keys_of_main(table)
        found = self.database.table(table).foreign_keys
        return tuple(
            ForeignKey(
                table,
                tuple(key.columns),
                key.other_table,
                tuple(name for name in key.other_columns if name is not None),
                key.on_delete,
                key.on_update,
            )
            for key in reversed(found)  # SQLite lists the last declared key first
        )

    def foreign_keys_of_main(self, table: str) -> tuple[ForeignKey, ...]:
        grouped: dict[int, list[dict[str, Any]]] = {}
        for row in self.pragma("foreign_key_list", table):
            grouped.setdefault(row["id"], []).append(row)
        keys = []
        for number in sorted(grouped, reverse=True):
            parts = sorted(grouped[number], key=lambda row: row["seq"])
            others = tuple(p["to"] for p in parts if p["to"] is not None)
            actions = parts[0]["on_delete"], parts[0]["on_update"]
            keys.append(ForeignKey(table, tuple(p["from"] for p in parts), parts[0]["table"], others, *actions))
        return tuple(keys)

    def indexes(self, table: str) -> tuple[Index, ...]:
        found = []  # not Table.indexes, without collations, nor Table.xindexes, which does not say what is unique
        for row in self.pragma("index_list", table):
            parts = [p for p in self.pragma("index_xinfo", row["name"]) if p["key"]]
            found.append(
                Index(
                    row["name"],
                    tuple(p["name"] for p in parts),
                    tuple(p["coll"] for p in parts),
                    bool(row["unique"]),
                    row["origin"],
                    bool(row["partial"]),
                )
            )
        return tuple(found)


def _integer_key(columns: tuple[Column, ...], indexes: tuple[Index, ...]) -> str | None:
    """Return the column that is an alias of the rowid (https://www.sqlite.org/rowidtable.html), or None.

    Not ``Table.pks``, which names keys that are no alias too, and ``rowid`` where there is none."""
    key = [c for c in columns if c.pk]
    if len(key) != 1 or key[0].type.upper() != "INTEGER":
        return None
    # INTEGER PRIMARY KEY DESC has its own index and is not an alias of the rowid
    return None if any(i.origin == "pk" for i in indexes) else key[0].name


def _with_resolved_keys(table: Table, tables: Mapping[str, Table]) -> Table:
    return replace(table, foreign_keys=tuple(resolve(k, table, tables) for k in table.foreign_keys))
