"""Datasette's write connection and permissions for an import, on Datasette 0.x and 1.0."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from datasette.utils.sqlite import sqlite3

from .access import allowed_tables, may
from .line import V1
from .protocols import Actor, Database, Datasette, Done, database_on_1, on_1


def why_not_written(database: Database) -> str | None:
    """Return a sentence that says why nothing can be imported into a database, or None if imports can work."""
    name = database.name
    if not database.is_mutable:
        return f"The database {name} is served as one that never changes (immutable), so nothing can be imported."
    if not database.path:
        return f"The database {name} lives in memory only: what is imported would be gone when the server stops."
    if getattr(database, "mode", None) == "ro" or not os.access(database.path, os.W_OK):
        return f"The server may not write to the database {name}."
    return None


def path_of(database: Database) -> Path:
    """Return the file of a database that can be written (see ``why_not_written``)."""
    assert database.path is not None
    return Path(database.path)


async def tables_to_write(datasette: Datasette, actor: Actor, database: Database, action: str) -> frozenset[str]:
    """Return the tables for which an actor has ``insert-row``, ``update-row`` or ``alter-table``.

    0.x has none of these actions: there only root may write.
    """
    if V1:
        return await allowed_tables(action, datasette, actor, database)
    if not actor or actor.get("id") != "root":
        return frozenset()
    return frozenset(await database.table_names())


async def may_make_tables(datasette: Datasette, actor: Actor, database: Database) -> bool:
    """Check whether an actor has ``create-table``. 0.x has no such action: there only root may."""
    if V1:
        return await may(datasette, actor, "create-table", database.name)
    return actor is not None and actor.get("id") == "root"


async def on_write_connection(datasette: Datasette, database: Database, task: Callable[[Any], Done]) -> Done:
    """Call ``task`` with Datasette's write connection, after all writes before it, and return its result.

    ``task`` begins and ends its transaction itself."""
    if not V1:
        return await database.execute_write_fn(task)
    try:
        return await database_on_1(database).execute_write_fn(task, transaction=False)
    finally:
        await on_1(datasette).refresh_schemas(force=True)  # update Datasette's list of tables and columns


@contextmanager
def connection_to(datasette: Datasette, database: Database, path: Path, mode: str) -> Iterator[Any]:
    """Open a new connection to a database or a copy of it, prepared like each connection of the site."""
    uri = f"{path.resolve().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5, check_same_thread=False)) as found:
        datasette._prepare_connection(found, database.name)
        yield found
