"""A source: the file or connection that rows come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import NotFoundError, SourceError
from .library import library_of, sqlite3


@dataclass(frozen=True)
class Source:
    """A database to read: a file, or (``memory``) a connection to a database in memory.

    ``given`` is the path as the caller wrote it, for commands that the caller may run; if it is None, only the file's
    name is told. ``memory`` returns a context manager of that connection. ``library`` is the SQLite library that this
    process uses for the file: closing the file in a second library would drop the locks of the first. ``prepare`` is
    called with each new connection (to load extensions, or functions that views need). ``spool_dir`` is the folder
    for temporary copies."""

    name: str
    path: Path | None = None
    memory: Callable[[], AbstractContextManager[sqlite3.Connection]] | None = None
    immutable: bool = False
    nolock: bool = False
    library: ModuleType = sqlite3
    prepare: Callable[[sqlite3.Connection], None] | None = None
    spool_dir: str | None = None
    given: str | None = None

    @classmethod
    def of(cls, database: Any) -> Source:
        """Return a source for a path, a sqlite3 connection, or a sqlite_utils Database.

        Raises NotFoundError if there is no file at the path, SourceError if the connection is inside a transaction
        (its uncommitted changes could not be read), TypeError for any other object."""
        if isinstance(database, Source):
            return database
        if isinstance(database, (str, os.PathLike)):
            path = Path(database)
            if not path.is_file():
                raise NotFoundError(f"There is no database file {path.name}.")
            return cls(path.stem, path, given=os.fspath(database))
        connection = getattr(database, "conn", database)
        if not hasattr(connection, "backup"):
            raise TypeError("database: a path, a sqlite3.Connection or a sqlite_utils.Database is needed")
        if connection.in_transaction:
            raise SourceError(
                "This connection is inside a transaction, so its database has no settled state. "
                "Commit or roll back first, or give the path instead."
            )
        library = library_of(connection)
        cursor = connection.cursor()
        cursor.row_factory = None
        _, _, file = cursor.execute("PRAGMA database_list").fetchone()  # main comes first
        if file:
            return replace(cls.of(os.fsdecode(file)), library=library)
        return cls("memory", memory=lambda: nullcontext(connection), library=library)


@dataclass(frozen=True)
class Fingerprint:
    """Signs by which to notice that a file changed although it was declared immutable."""

    path: Path
    signs: tuple[Any, ...]

    @classmethod
    def take(cls, path: Path) -> Fingerprint:
        """Take the fingerprint of a file from the file system alone.

        Opening and closing the file would drop this process's locks on it."""
        facts = path.stat()
        beside = tuple(size_beside(path, suffix) for suffix in ("-wal", "-journal"))
        return cls(path, (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, *beside))

    def still_true(self) -> bool:
        """Return whether the file still has these signs; False if it is gone."""
        try:
            return Fingerprint.take(self.path) == self
        except OSError:
            return False


def belongs_to(database: Path, path: Path) -> bool:
    """Return whether ``path`` is a database's file, or one of the files that SQLite keeps beside it.

    Existing files are compared by device and inode, as a file may have several names; others by name."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        part = database.with_name(database.name + suffix)
        if part.exists() and path.exists():
            if part.samefile(path):
                return True
        elif part.resolve() == path.resolve():
            return True
    return False


def size_beside(path: Path, suffix: str) -> int:
    """Return the size of ``-wal`` or ``-journal`` beside a database, in bytes; 0 if there is none."""
    try:
        return path.with_name(path.name + suffix).stat().st_size
    except OSError:
        return 0
