"""Opens a source for reading, without harm to it or to those who write to it.

How SQLite behaves here was measured; see also https://www.sqlite.org/uri.html and
https://www.sqlite.org/wal.html#read_only_databases.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..errors import BusyError, CancelledError, SourceError
from .backup import LOCK_SECONDS, LOCK_STEP, back_up
from .library import sqlite3
from .source import Fingerprint, Source, size_beside
from .sqlite_errors import explain, is_locked, is_not_opened, is_readonly

COPY_PAGES = 1000  # between two looks at whether the copy is still wanted


@dataclass(frozen=True)
class Opened:
    """A connection inside a read transaction that has read.

    ``journal`` is wal, rollback, or none (nobody writes); ``tidy`` is to be called after closing."""

    connection: sqlite3.Connection
    journal: str
    fingerprint: Fingerprint | None = None
    tidy: Callable[[], None] = lambda: None


def open_source(source: Source, *, copy: bool, cancelled: Callable[[], bool]) -> Opened:
    """Open the source and fix its moment. With ``copy`` a private copy is read instead of the file.

    Raises SourceError, or BusyError when it stays locked."""
    if source.path is None:
        return _open_memory(source, cancelled)
    if source.immutable:
        return _open_immutable(source, "The database is served as immutable")
    alone = not any(path.exists() for path in _beside(source.path))
    try:
        connection = _begun(source, "mode=ro", cancelled)
    except source.library.OperationalError as error:
        if not (is_not_opened(error) or is_readonly(error)) or _is_hot_journal(source.path):
            raise SourceError(f"The database {source.name} cannot be read: {_reason(error)}.") from None
        # no index file can be made beside it: as nobody can write there, it can be read as it lies
        return _open_immutable(source, "The database lies where nothing can be written")
    # asked of SQLite: to open the file ourselves, and close it, would drop all locks this process has on it
    wal = connection.execute("PRAGMA main.journal_mode").fetchone() == ("wal",)
    if wal:
        return Opened(connection, "wal", tidy=partial(_remove_empty_wal, source) if alone else Opened.tidy)
    opened = Opened(connection, "rollback")
    return _copied(source, opened, cancelled) if copy else opened


def _connect(source: Source, options: str) -> sqlite3.Connection:
    assert source.path is not None
    uri = f"{source.path.absolute().as_uri()}?{options}" + ("&nolock=1" if source.nolock else "")
    connection: sqlite3.Connection = source.library.connect(
        uri, uri=True, isolation_level=None, timeout=LOCK_STEP, check_same_thread=False
    )
    return connection


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
                raise SourceError(f"The database {source.name} cannot be read: {_reason(error)}.") from None
            _check(cancelled)
            if time.monotonic() > give_up:
                raise BusyError(f"The database {source.name} is locked by another program; try again later.") from None
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
    connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # BEGIN alone fixes no moment


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
        raise SourceError(f"The database {source.name} cannot be read: {_reason(error)}.") from None


def _open_memory(source: Source, cancelled: Callable[[], bool]) -> Opened:
    """A database in memory is copied: a reader of a shared cache makes its writers fail at once."""
    assert source.memory is not None
    private = source.library.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        with source.memory() as shared:
            back_up(shared, private, partial(_check, cancelled), pages=-1, name=source.name)
        _begin(source, private)
        return Opened(private, "none")
    except BaseException:
        private.close()
        raise


def _copied(source: Source, opened: Opened, cancelled: Callable[[], bool]) -> Opened:
    """Copy inside the open read transaction: one moment, and writers wait only for the copying."""
    assert source.path is not None
    size = source.path.stat().st_size
    folder = source.spool_dir or tempfile.gettempdir()
    handle, name = tempfile.mkstemp(prefix="program-export-", suffix=".db", dir=folder)
    os.close(handle)
    path = Path(name)
    try:
        if shutil.disk_usage(folder).free < size * 1.1:
            raise SourceError(
                f"The database {source.name} must be copied before it can be read without stopping its writers, "
                f"and there is no room for {size:,} bytes in the temporary folder (setting spool_dir)."
            )
        target = source.library.connect(path, isolation_level=None, check_same_thread=False)
        try:
            target.execute("PRAGMA synchronous=OFF")
            back_up(opened.connection, target, partial(_check, cancelled), pages=COPY_PAGES, name=source.name)
        finally:
            target.close()
            opened.connection.close()
        connection = _begun(replace(source, path=path, nolock=False), "mode=ro", cancelled)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    try:
        path.unlink()  # where an open file can lose its name, nothing is left behind whatever happens
    except PermissionError:
        return Opened(connection, "none", tidy=path.unlink)
    return Opened(connection, "none")


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CancelledError("The export was cancelled.")


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]


def _remove_empty_wal(source: Source) -> None:
    """Let SQLite take away the two files that reading made beside a WAL database.

    It does so when the last connection that might write is closed; a reader leaves them. The
    database itself is not touched: there is nothing in the -wal to be moved into it."""
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
    """Whether a write was never finished. SQLite takes no locks on a -journal, so it may be opened here."""
    try:
        with path.with_name(path.name + "-journal").open("rb") as file:
            return file.read(8).strip(b"\0") != b""
    except OSError:
        return False
