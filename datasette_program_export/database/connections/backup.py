"""Copies a database with SQLite's backup API; the copy waits for locks for a limited time and can be stopped."""

from __future__ import annotations

import time
from collections.abc import Callable

from ...errors import BusyError
from ..library import sqlite3

LOCK_SECONDS = 5.0  # how long to wait for a locked database, in steps of LOCK_STEP
LOCK_STEP = 0.1
_LOCKED = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED: the backup itself would wait forever


def back_up(
    origin: sqlite3.Connection,
    copy: sqlite3.Connection,
    check: Callable[[], None],
    *,
    pages: int,
    name: str | None = None,
) -> None:
    """Copy ``main`` of ``origin`` to ``copy``, ``pages`` at a time (-1: all at once).

    ``check`` is called between two steps; an exception that it raises ends the copy. ``name`` is the name of the
    database in messages. Raises BusyError if the database stays locked for LOCK_SECONDS."""
    free_at = time.monotonic()

    def progress(status: int, remaining: int, total: int) -> None:
        nonlocal free_at
        check()
        if status not in _LOCKED:
            free_at = time.monotonic()
        elif time.monotonic() > free_at + LOCK_SECONDS:
            which = "The database" if name is None else f"The database {name}"
            raise BusyError(f"{which} is locked by another connection, of this program or another; try again later.")

    origin.backup(copy, pages=pages, progress=progress, sleep=LOCK_STEP)
