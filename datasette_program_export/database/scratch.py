"""An empty database in memory, where statements are tried before they are run elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from types import ModuleType

from .library import sqlite3
from .schema import quote
from .sqlite_errors import explain


@contextmanager
def scratch_database(
    library: ModuleType = sqlite3, prepare: Callable[[sqlite3.Connection], None] | None = None
) -> Iterator[sqlite3.Connection]:
    """Nobody checks foreign keys in it. ``prepare`` is a source's own: where it fails, what needs it is refused."""
    # no cache: an EXPLAIN that is known already is not looked at again when a trigger has come
    with closing(library.connect(":memory:", isolation_level=None, cached_statements=0)) as connection:
        with suppress(Exception):
            if prepare is not None:
                prepare(connection)
            connection.row_factory = None
        connection.execute("PRAGMA foreign_keys=OFF")
        yield connection


def refusal(connection: sqlite3.Connection, sql: str) -> str | None:
    """Run a statement; why SQLite refuses it, if it does."""
    try:
        connection.execute(sql)
    except connection.Error as error:
        return explain(error)
    return None


def firing(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    """The statements that fire the triggers of a table or view. With EXPLAIN they show whether the triggers work."""
    target = f"main.{quote(table)}"
    columns = [row[1] for row in connection.execute(f"PRAGMA main.table_xinfo({quote(table)})") if row[6] == 0]
    yield f"INSERT INTO {target} DEFAULT VALUES"
    yield f"DELETE FROM {target}"
    if columns:
        yield f"UPDATE {target} SET " + ", ".join(f"{quote(c)} = {quote(c)}" for c in columns)
