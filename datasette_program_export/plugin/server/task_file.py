"""The SQLite file that lists a site's background tasks.

A damaged file is set aside, so that the site can start; the tasks in it are lost.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from time import gmtime, strftime
from typing import Any

from datasette.utils.sqlite import sqlite3

from ...database.sqlite_errors import explain
from ...errors import SpoolFullError
from ...files.atomic import make_private

_log = logging.getLogger(__name__)
_DAMAGED = ("file is not a database", "database disk image is malformed")


class TaskFile:
    """``jobs.db`` in the private folder. Every method is fast and may be called on any thread.

    Each raises SpoolFullError if the file cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._lock = Lock()
        try:
            self._connection = _open(folder / "jobs.db")
        except (OSError, sqlite3.Error) as error:
            raise _cannot_be_kept(error) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def make_table(self, name: str, columns: Iterable[str]) -> None:
        """Create a table with these columns and the primary key ``id``; add missing columns to an older one."""
        self.change(f"CREATE TABLE IF NOT EXISTS {name} (id PRIMARY KEY)")
        for column in columns:
            if column in self._columns(name):
                continue
            try:
                self.change(f"ALTER TABLE {name} ADD COLUMN {column}")
            except SpoolFullError:
                if column not in self._columns(name):  # else another server that starts now has added it
                    raise

    def _columns(self, name: str) -> set[str]:
        return {row["name"] for row in self.rows(f"PRAGMA table_info({name})")}

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Run a query and return its rows."""
        return self._run(sql, values)[0]

    def change(self, sql: str, *values: Any) -> bool:
        """Run a statement that writes; return whether it changed a row."""
        return self._run(sql, values)[1] > 0

    def _run(self, sql: str, values: tuple[Any, ...]) -> tuple[list[Any], int]:
        try:
            with self._lock, closing(self._connection.execute(sql, values)) as cursor:
                return cursor.fetchall(), cursor.rowcount
        except sqlite3.Error as error:
            raise _cannot_be_kept(error) from None


def _cannot_be_kept(error: Exception) -> SpoolFullError:
    reason = error.strerror if isinstance(error, OSError) else explain(error)
    return SpoolFullError(f"The list of jobs cannot be kept ({reason}). Tell the person who runs this site.")


def _open(path: Path) -> Any:
    make_private(path)
    found = path.stat().st_ino
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        reason = explain(error)
        if reason not in _DAMAGED:
            raise
    if path.stat().st_ino == found:  # else another server has already set it aside
        away = _set_aside(path)
        _log.warning("The list of jobs %s was damaged (%s); it was set aside as %s.", path, reason, away.name)
    make_private(path)
    return _connect(path)


def _connect(path: Path) -> Any:
    connection = sqlite3.connect(str(path), timeout=20, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError(_DAMAGED[1])
    except BaseException:
        connection.close()
        raise
    return connection


def _set_aside(path: Path) -> Path:
    """Rename the file and its -wal and -shm files.

    The file itself comes last: SQLite would read a -wal file that is left behind into the next file.
    """
    away = path.with_name(f"{path.name}.damaged-{strftime('%Y%m%dT%H%M%SZ', gmtime())}")
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{away}{suffix}")
    return away
