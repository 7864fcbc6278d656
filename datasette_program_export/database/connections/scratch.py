"""An empty database in memory for trying statements before they run elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from types import ModuleType

from ..library import sqlite3
from ..schema import quote
from ..sqlite_errors import explain


@contextmanager
def scratch_database(
    library: ModuleType = sqlite3, prepare: Callable[[sqlite3.Connection], None] | None = None
) -> Iterator[sqlite3.Connection]:
    """Open an empty database in memory, with foreign keys not enforced, and close it afterwards.

    ``prepare`` is the source's own; if it fails, statements that depend on it are refused."""
    # no statement cache: a cached EXPLAIN is not compiled again after a trigger was created
    with closing(library.connect(":memory:", isolation_level=None, cached_statements=0)) as connection:
        with suppress(Exception):
            if prepare is not None:
                prepare(connection)
            connection.row_factory = None
        connection.execute("PRAGMA foreign_keys=OFF")
        yield connection


def refusal(connection: sqlite3.Connection, sql: str) -> str | None:
    """Run a statement and return the reason why SQLite refuses it, or None."""
    try:
        connection.execute(sql)
    except connection.Error as error:
        return explain(error)
    return None


def firing(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """Yield the statements that fire the triggers of a table or view.

    Run with EXPLAIN, they show whether the triggers compile."""
    target = f"main.{quote(table)}"
    # not sqlite-utils' Table.columns, which lists all tables first and names no schema
    columns = [row[1] for row in connection.execute(f"PRAGMA main.table_xinfo({quote(table)})") if row[6] == 0]
    yield f"INSERT INTO {target} DEFAULT VALUES"
    yield f"DELETE FROM {target}"
    if columns:
        yield f"UPDATE {target} SET " + ", ".join(f"{quote(c)} = {quote(c)}" for c in columns)
