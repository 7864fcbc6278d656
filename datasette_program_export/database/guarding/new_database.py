"""A new database file, attached to a snapshot's connection, so that SQLite copies rows into it by itself.

The copied rows are those of the snapshot's one read transaction: the new file is attached within it, and its end is
the end of both. The source stays read-only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, cast

from ..library import library_of, sqlite3
from ..schema import quote
from .authorizer import NEW

# a writer of rows needs these as they are by default: a plugin's connection may have others
_NEEDED = {"foreign_keys": 0, "query_only": 0}
_MADE = re.compile(r"CREATE (?:UNIQUE )?INDEX (?=(\w+|\"(?:[^\"]|\"\")*\"|\[[^]]*\]|`(?:[^`]|``)*`)\s*ON\b)")
_RAW = {"RowCell", "RowData"}  # SQLite's instructions that copy a row without decoding it


class DamageMet(Exception):
    """The source is damaged where a raw copy reads, perhaps in an index only; SQLite writes nothing more after that.

    Nothing of this export can be used. It can be made again without raw copies."""


class Reading(Protocol):
    """What is needed of a snapshot."""

    connection: sqlite3.Connection

    def unguarded(self) -> AbstractContextManager[sqlite3.Connection]:
        """Lend the connection for statements that no authorizer allows."""

    def authorize_own(self) -> None:
        """Prepare the connection for a statement of our own."""

    def raise_if_stopped(self) -> None:
        """Raise the exception for what stopped a statement, if anything did."""

    def finish(self) -> None:
        """Say that the read transaction has ended."""


class NewDatabase:
    """The attached file; used as a context manager, at whose end it is complete, or on an error given up.

    Afterwards nothing can be read from the snapshot any more. Its methods raise sqlite3.Error for what the new file
    cannot take, and the snapshot's own errors if that was stopped."""

    def __init__(self, snapshot: Reading, raw: bool) -> None:
        self.snapshot = snapshot
        self.raw = raw  # whether tables may be copied byte for byte
        self.connection = snapshot.connection

    @classmethod
    def attach(cls, snapshot: Reading, raw: bool, path: Path, settings: Iterable[str]) -> NewDatabase | None:
        """Attach the file at ``path`` with these settings (PRAGMAs); return None where it cannot be attached."""
        if library_of(snapshot.connection) is not sqlite3:
            return None
        with snapshot.unguarded() as connection:
            for name, needed in _NEEDED.items():
                if connection.execute(f"PRAGMA {name}").fetchone() != (needed,):
                    return None
            try:
                connection.execute(f"ATTACH ? AS {NEW}", (str(path.absolute()),))
            except sqlite3.OperationalError:  # for example, too many are attached
                return None
            connection.execute("PRAGMA ignore_check_constraints=ON")
            for setting in settings:
                connection.execute(f"PRAGMA {NEW}.{setting}").fetchall()
        return cls(snapshot, raw)

    def __enter__(self) -> NewDatabase:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        with self.snapshot.unguarded() as connection:
            try:
                if kind is None:
                    with self._stopped():
                        connection.execute("COMMIT")
            finally:
                with suppress(sqlite3.Error):  # after an error SQLite may have rolled back already
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    connection.execute(f"DETACH {NEW}")
        self.snapshot.finish()

    @property
    def total_changes(self) -> int:
        """How many rows this connection has written."""
        return self.connection.total_changes

    def execute(self, sql: str, params: Any = ()) -> sqlite3.Cursor:
        """Run one of our own statements."""
        self.snapshot.authorize_own()
        with self._stopped():
            return self.connection.execute(sql, params)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one of our own statements for each row."""
        self.snapshot.authorize_own()
        with self._stopped():
            self.connection.executemany(sql, rows)

    @staticmethod
    def can_make(sql: str) -> bool:
        """Return whether the statement of an index is as SQLite keeps it: so it is clear where the file's name belongs.

        Else it would run on the source. Whoever writes into sqlite_master may have left any other text there."""
        return _MADE.match(sql) is not None

    def make(self, objects: Iterable[str]) -> None:
        """Make these indexes in the new file; ``can_make`` has said of each statement that it can be done."""
        with self.snapshot.unguarded() as connection, self._stopped():
            for sql in objects:
                place = cast(re.Match[str], _MADE.match(sql)).end()
                connection.execute(f"{sql[:place]}{NEW}.{sql[place:]}")

    def drop(self, indexes: Iterable[str]) -> None:
        """Drop these indexes from the new file."""
        with self.snapshot.unguarded() as connection, self._stopped():
            for name in indexes:
                connection.execute(f"DROP INDEX {self.table(name)}")

    def copy_raw(self, sql: str) -> None:
        """Run the statement that copies a table raw. Raises DamageMet."""
        try:
            self.execute(sql)
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:  # a full disk, for example, is an OperationalError
                raise
            raise DamageMet from error

    def copies_raw(self, sql: str) -> bool:
        """Return whether SQLite would copy whole rows as bytes, and the entries of indexes too."""
        return any(step[1] in _RAW for step in self.execute(f"EXPLAIN {sql}"))

    def table(self, name: str) -> str:
        """Return the name in SQL of a table in the new file."""
        return f"{NEW}.{quote(name)}"

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        """Raise what stopped the snapshot in place of SQLite's error about it."""
        try:
            yield
        except sqlite3.Error:
            self.snapshot.raise_if_stopped()
            raise
