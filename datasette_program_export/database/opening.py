"""Opens a source for reading, without harm to the file or to the programs that write to it.

SQLite's behaviour here was measured; see also https://www.sqlite.org/uri.html and
https://www.sqlite.org/wal.html#read_only_databases.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import BusyError, CancelledError, SourceError, SpoolFullError
from .connections.backup import LOCK_SECONDS, LOCK_STEP, back_up
from .connections.warm import STATEMENTS
from .fetching.rows_in_c import connect
from .library import sqlite3
from .source import OWN_TRANSACTION, Fingerprint, Source, size_beside, usable
from .sqlite_errors import explain, is_disk_error, is_locked, is_not_opened, is_readonly

COPY_PAGES = 1000  # copied between two checks for cancellation


@dataclass(frozen=True)
class Opened:
    """A connection with an open read transaction that has fixed its snapshot.

    ``journal`` is ``wal``, ``rollback``, or ``none`` (nobody writes). Call ``tidy`` after closing the connection."""

    connection: sqlite3.Connection
    journal: str
    fingerprint: Fingerprint | None = None
    tidy: Callable[[], None] = lambda: None


def open_source(source: Source, *, copy: bool, cancelled: Callable[[], bool]) -> Opened:
    """Open the source and begin a read transaction on it.

    With ``copy``, a file in rollback-journal mode is copied, and the private copy is read. ``cancelled`` is asked
    while waiting. Raises SourceError if the source cannot be read, BusyError if it stays locked."""
    with usable(source.library):
        source.check_settled()
    if source.path is None:
        return _open_memory(source, cancelled)
    if source.immutable:
        return _open_immutable(source, "The database is served as immutable")
    alone = not any(path.exists() for path in _beside(source.path))
    try:
        connection = _begun(source, "mode=ro", cancelled)
    except source.library.OperationalError as error:
        if not (is_not_opened(error) or is_readonly(error)) or _is_hot_journal(source.path):
            raise SourceError(f"The database {source.name} cannot be read: {_reason(error)}.") from error
        # no -shm file can be created beside it; as nobody can write there, immutable mode is safe
        return _open_immutable(source, "The database lies where nothing can be written")
    # ask SQLite: opening and closing the file ourselves would drop all locks that this process has on it
    wal = connection.execute("PRAGMA main.journal_mode").fetchone() == ("wal",)
    if wal:
        return Opened(connection, "wal", tidy=partial(_remove_empty_wal, source) if alone else Opened.tidy)
    opened = Opened(connection, "rollback")
    return _copied(source, opened, cancelled) if copy else opened


def _connect(source: Source, options: str) -> sqlite3.Connection:
    assert source.path is not None
    uri = f"{source.path.absolute().as_uri()}?{options}" + ("&nolock=1" if source.nolock else "")
    more = {} if source.keeper is None else {"cached_statements": STATEMENTS}
    return connect(
        source.library, uri, uri=True, isolation_level=None, timeout=LOCK_STEP, check_same_thread=False, **more
    )


def _begun(source: Source, options: str, cancelled: Callable[[], bool]) -> sqlite3.Connection:
    give_up = time.monotonic() + LOCK_SECONDS
    while True:
        connection = _connect(source, options)
        try:
            _begin(source, connection)
            return connection
        except source.library.DatabaseError as error:
            connection.close()
            if not is_locked(error):
                if isinstance(error, source.library.OperationalError):
                    raise
                raise SourceError(f"The database {source.name} cannot be read: {_reason(error)}.") from error
            _check(cancelled)
            if time.monotonic() > give_up:
                raise BusyError(
                    f"The database {source.name} is locked by another connection, of this program "
                    "or another; try again later."
                ) from error
            time.sleep(LOCK_STEP)
        except BaseException:
            connection.close()
            raise


def _begin(source: Source, connection: sqlite3.Connection) -> None:
    if source.prepare is not None:
        source.prepare(connection)
    connection.row_factory = None
    connection.text_factory = str
    connection.execute("BEGIN")
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # BEGIN alone does not fix the snapshot


def _open_immutable(source: Source, why: str) -> Opened:
    assert source.path is not None
    if size_beside(source.path, "-wal"):
        raise SourceError(
            f"{why}, but its newest rows are still in {source.path.name}-wal and would be missed. "
            "Open it once with a program that may write, or serve it as mutable."
        )
    if _is_hot_journal(source.path):
        raise SourceError(
            f"{why}, but a write to it was never finished ({source.path.name}-journal). "
            "Open it once with a program that may write."
        )
    fingerprint = Fingerprint.take(source.path)
    try:
        return Opened(_begun(source, "immutable=1", lambda: False), "none", fingerprint)
    except source.library.DatabaseError as error:
        raise SourceError(f"The database {source.name} cannot be read: {_reason(error)}.") from error


def _open_memory(source: Source, cancelled: Callable[[], bool]) -> Opened:
    """Open a copy of a database in memory: a reader of a shared cache makes its writers fail at once."""
    assert source.memory is not None
    private = connect(source.library, ":memory:", isolation_level=None, check_same_thread=False)
    try:
        with source.memory() as shared, usable(source.library):
            try:
                back_up(shared, private, partial(_check, cancelled), pages=-1, name=source.name)
            except BusyError as error:
                if shared.in_transaction:  # its own: another one would be in another connection
                    raise SourceError(OWN_TRANSACTION) from error
                raise
        _begin(source, private)
        return Opened(private, "none")
    except BaseException:
        private.close()
        raise


def _copied(source: Source, opened: Opened, cancelled: Callable[[], bool]) -> Opened:
    """Copy the file inside the open read transaction: a single snapshot, and writers wait only for the copy.

    Where an open file can be unlinked the copy has no name, so that it is gone with the process, even a killed one."""
    try:
        target, tidy = _nameless(source)
        try:
            target.execute("PRAGMA synchronous=OFF")
            target.execute("PRAGMA journal_mode=OFF").fetchall()
            back_up(opened.connection, target, partial(_check, cancelled), pages=COPY_PAGES, name=source.name)
            _begin(source, target)
        except BaseException as error:
            target.close()
            tidy()
            if isinstance(error, source.library.DatabaseError) and is_disk_error(error):
                raise _no_room(source, explain(error)) from error
            raise
    finally:
        opened.connection.close()
    return Opened(target, "none", tidy=tidy)


def _nameless(source: Source) -> tuple[sqlite3.Connection, Callable[[], None]]:
    """Return a connection to an empty private database with room for a copy, and what to call after closing it.

    Raises SpoolFullError."""
    assert source.path is not None
    size = source.path.stat().st_size
    try:
        folder = source.spool_dir or tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        if free < size:
            raise SpoolFullError(
                f"The database {source.name} must be copied before it can be read without stopping its writers: "
                f"that needs {size:,} bytes, and {free:,} are free in the temporary folder (setting spool_dir)."
            )
        handle, name = tempfile.mkstemp(prefix="program-export-", suffix=".db", dir=folder)
    except OSError as error:
        raise _no_room(source, error.strerror) from error
    os.close(handle)
    path = Path(name)
    try:
        target = connect(source.library, path, isolation_level=None, check_same_thread=False)
        target.execute("PRAGMA main.page_count").fetchone()  # opens the file
    except BaseException:
        path.unlink()
        raise
    try:
        path.unlink()
    except PermissionError:  # Windows
        return target, path.unlink
    return target, Opened.tidy


def _no_room(source: Source, reason: str | None) -> SpoolFullError:
    return SpoolFullError(
        f"The database {source.name} must be copied before it can be read without stopping its writers, and "
        f"the temporary folder takes no more ({reason}). The setting is spool_dir."
    )


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CancelledError("The export was cancelled.")


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]


def _remove_empty_wal(source: Source) -> None:
    """Have SQLite remove the two files that reading created beside a WAL database.

    SQLite removes them when the last connection that may write is closed; a reader leaves them. The database
    itself is not touched: the -wal file is empty, so there is nothing to checkpoint."""
    assert source.path is not None
    if size_beside(source.path, "-wal"):
        return
    with suppress(source.library.Error):
        connection = _connect(source, "mode=rw")
        try:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
        finally:
            connection.close()


def _reason(error: Exception) -> str:
    if is_readonly(error):
        return "a write to it was never finished; open it once with a program that may write"
    return explain(error)


def _is_hot_journal(path: Path) -> bool:
    """Return whether a write was never finished. SQLite takes no locks on a -journal, so opening it here is safe."""
    try:
        with path.with_name(path.name + "-journal").open("rb") as file:
            return file.read(8).strip(b"\0") != b""
    except OSError:
        return False
