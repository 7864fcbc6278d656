"""The database that an import writes to: an existing file, a new file, or a connection.

A new file is built under a temporary name in the same folder and renamed when it is complete.
On a given connection, every setting that the import changes is restored.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from math import copysign
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from ..database.fetching.rows_in_c import connect
from ..database.library import Prepare, sqlite3
from ..database.reflection import reflect
from ..database.schema import Schema
from ..database.source import Source
from ..database.sqlite_errors import explain, is_full, is_locked, is_readonly
from ..database.text import decode_text
from ..errors import BusyError, ExportError, NotFoundError, RequestError, SourceError, SpoolFullError
from ..files.atomic import check_beside, folder_beside, give_name
from ..files.temporary.folder import TemporaryFolder, new_file
from ..formats.csv.shortened import comparable, is_shortened
from ..formats.json.meaning import canonical
from ..options.arguments import path_of

SIGN = "program_export_sign"
MEANING = "program_export_meaning"  # of the bytes of a JSON text: its canonical spelling, or NULL
SHORTENED = "program_export_shortened"  # of two values: whether a spreadsheet writes the second for the first
COMPARABLE = "program_export_comparable"


def sign(value: Any) -> str:
    """Return the sign of a number as "-" or "+": it tells -0.0 from 0.0, which SQLite's comparisons do not."""
    return "-" if isinstance(value, float) and copysign(1.0, value) < 0 else "+"


_FUNCTIONS: dict[str, tuple[int, Any]] = {
    SIGN: (1, sign),
    MEANING: (1, canonical),
    SHORTENED: (2, is_shortened),
    COMPARABLE: (1, comparable),
}
_WAIT = 5.0
# during an import nothing cascades, and foreign keys are checked once, at its end
_PRAGMAS = {"foreign_keys": 0, "ignore_check_constraints": 0, "automatic_index": 0, "recursive_triggers": 0}


class Target:
    """A context manager. ``fresh`` is true if the database has no tables yet, so that the file's own can be made."""

    def __init__(
        self, database: Any, *, preview: bool = False, spool_dir: str | None = None, prepare: Prepare | None = None
    ) -> None:
        self.path: Path | None = None
        self._spool_dir, self._prepare = spool_dir, prepare
        self._part: Path | None = None
        self._preview = preview
        self._lent = ExitStack()
        self._given = False
        self.library: ModuleType = sqlite3
        if isinstance(database, (str, bytes, os.PathLike)) and not os.fsdecode(database).startswith("file:"):
            self.path = path_of("database", database)
            self.name = self.path.name
            self.connection = self._opened()
        else:
            source = Source.of(database)  # refuses a connection inside a transaction
            if source.immutable or source.nolock:
                raise RequestError("A database whose address says immutable or nolock is only read.")
            self.library, self.path, self.name = source.library, source.path, source.name
            self.connection = self._connection(database, source)
        self._before: dict[str, int] = {}
        self._factories = (self.connection.row_factory, self.connection.text_factory)

    def _connection(self, database: Any, source: Source) -> sqlite3.Connection:
        """Return the given connection if it can hold the import's own transaction, else one to the same file."""
        connection = getattr(database, "conn", database)
        if hasattr(connection, "backup") and not connection.in_transaction:
            self._given = True
            return cast(sqlite3.Connection, connection)
        if source.path is not None:
            return self._opened()
        assert source.memory is not None
        self._given = True
        return self._lent.enter_context(source.memory())

    def _opened(self) -> sqlite3.Connection:
        assert self.path is not None
        place = self.path
        if not place.exists():
            if not place.parent.is_dir():
                raise NotFoundError(f"There is no folder {place.parent} for a new database.")
            check_beside(place)
            self._folder = TemporaryFolder(self._spool_dir) if self._preview else folder_beside(place)
            self._part = place = new_file(self._folder.path / place.name)  # the folder is private
        elif not place.is_file():
            raise NotFoundError(f"{place.name} is not a database file.")
        uri = f"{place.resolve().as_uri()}?mode=rw"
        if self._part is not None:  # a new file's rows may be written in C
            return connect(self.library, uri, uri=True, isolation_level=None, timeout=_WAIT)
        return cast(sqlite3.Connection, self.library.connect(uri, uri=True, isolation_level=None, timeout=_WAIT))

    @property
    def makes_file(self) -> bool:
        """Whether the database is a file that is not there yet, and is made to stay."""
        return self._part is not None and not self._preview

    @property
    def place(self) -> Path | None:
        """Where the database is written: a new one gets its final name last. None for one in memory."""
        return self._part or self.path

    def __enter__(self) -> Target:
        connection = self.connection
        try:
            connection.row_factory, connection.text_factory = None, decode_text
            for name in (*_PRAGMAS, "trusted_schema"):
                row = connection.execute(f"PRAGMA {name}").fetchone()
                self._before[name] = row[0] if row else 0
            for name, value in _PRAGMAS.items():
                connection.execute(f"PRAGMA {name}={value}")
            if self._part is not None:
                connection.execute("PRAGMA synchronous=OFF")  # ``publish`` synchronises the finished file
                # KiB: for the index of a key, which rows fill in disorder
                connection.execute("PRAGMA cache_size=-48000")
            for name, (values, function) in _FUNCTIONS.items():
                connection.create_function(name, values, function, deterministic=True)
            if self._prepare is not None and not self._given:
                self._prepare(connection)
            self.schema: Schema = reflect(connection)
            self.encoding = self.schema.encoding
        except self.library.DatabaseError as error:
            self._close()
            raise self.error(error) from error
        except BaseException:
            self._close()
            raise
        self.fresh = not self.schema
        return self

    def __exit__(self, *exc: object) -> None:
        self._close()

    def _close(self) -> None:
        connection = self.connection
        connection.row_factory, connection.text_factory = self._factories
        for name, (values, _) in _FUNCTIONS.items():
            with suppress(self.library.Error):
                connection.create_function(name, values, None)
        for name, value in self._before.items():
            with suppress(self.library.Error):
                connection.execute(f"PRAGMA {name}={value}")
        if not self._given:
            connection.close()
        self._lent.close()
        if self._part is not None:
            self._folder.remove()

    def error(self, error: Exception) -> ExportError:
        """Return the exception to raise for an error of SQLite."""
        if is_locked(error):
            return BusyError(
                f"The database {self.name} is locked by another connection, of this program "
                "or another; try again later."
            )
        if is_readonly(error):
            return SourceError(f"The database {self.name} cannot be written to.")
        if is_full(error):
            return SpoolFullError(f"The database {self.name} cannot take the import: {explain(error)}.")
        return SourceError(f"The database {self.name} cannot take the import: {explain(error)}.")

    @contextmanager
    def attached(self, path: Path) -> Iterator[str]:
        """Attach the staging database and yield its quoted schema name."""
        name = f'"program_export_{secrets.token_hex(6)}"'
        try:
            self.connection.execute(f"ATTACH DATABASE ? AS {name}", (str(path),))
        except self.library.Error as error:
            raise self.error(error) from error
        try:
            yield name
        finally:
            self.connection.execute(f"DETACH DATABASE {name}")

    @contextmanager
    def without_checks(self) -> Iterator[None]:
        """Take rows that break a CHECK meanwhile."""
        self.connection.execute("PRAGMA ignore_check_constraints=1")
        try:
            yield
        finally:
            self.connection.execute("PRAGMA ignore_check_constraints=0")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open the import's one transaction; it is rolled back unless ``commit`` is called in it."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                if reflect(self.connection) != self.schema:
                    raise BusyError(f"The tables of {self.name} were changed meanwhile; try again.")
                yield
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
            except BaseException:
                self._undo()
                raise
        except self.library.DatabaseError as error:
            raise self.error(error) from error

    def _undo(self) -> None:
        """Roll back what failed, and read once.

        Where the disk is full or fails, SQLite rolls back only at the next read by a connection that may write.
        Until then its journal stays beside the file, and a connection that may only read cannot open it."""
        with suppress(self.library.Error):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        with suppress(self.library.Error):
            self.connection.execute("SELECT 1 FROM main.sqlite_master LIMIT 1").fetchall()

    def commit(self) -> None:
        """Commit the transaction. ``publish`` then gives a new file its name."""
        self.connection.execute("COMMIT")

    def publish(self, *, private: bool) -> None:
        """Rename a new file to its final name after closing it. ``private``: only its owner can read it.

        Raises BusyError if the name is taken by now."""
        if self._part is None or self._preview:
            return
        assert self.path is not None
        self.connection.close()
        if private:
            self._part.chmod(0o600)
        handle = os.open(self._part, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            give_name(self._part, self.path)
        except FileExistsError:
            raise BusyError(f"Meanwhile there is another {self.name}; nothing was changed.") from None
