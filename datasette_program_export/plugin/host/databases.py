"""The databases of a site as sources to read from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from datasette.utils.sqlite import sqlite3

from ...database.source import Source
from ...database.sqlite_errors import explain
from ...errors import SourceError
from ...options.settings import Settings
from .protocols import Database, Datasette


def database_for(datasette: Datasette, route: str) -> Database | None:
    """Return the Database for the first part of a path, or None; ``_internal`` counts as none."""
    try:
        found = datasette.get_database(route=route)
    except KeyError:
        return None
    return None if found.name == "_internal" else found


@contextmanager
def readable(database: Database) -> Iterator[None]:
    """Turn the errors that Datasette raises for a damaged database into SourceError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise SourceError(f"The database {database.name} cannot be read: {explain(error)}.") from error


def source_for(datasette: Datasette, database: Database, settings: Settings) -> Source:
    """Return the database as a Source that is read with Datasette's SQLite library, functions and extensions."""
    return Source(
        name=database.name,
        path=Path(database.path) if database.path else None,
        memory=None if database.path else partial(_memory, database),
        immutable=not database.is_mutable,
        nolock=bool(datasette.nolock),
        library=sqlite3,
        prepare=lambda connection: datasette._prepare_connection(connection, database.name),
        spool_dir=settings.spool_dir,
        keeper=database if database.path and database.is_mutable and not datasette.nolock else None,
    )


def _memory(database: Database) -> Any:
    connection = database.connect()
    for name in ("_all_connections", "_all_file_connections"):
        tracked = getattr(database, name, [])
        if connection in tracked:  # Datasette would close these itself, on another thread
            tracked.remove(connection)
    return closing(connection)
