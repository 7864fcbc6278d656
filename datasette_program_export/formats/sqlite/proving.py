"""Proves what SQLite copied raw into a new file, and reads it back meanwhile on a second thread."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import wait
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event, get_ident

from ...database.fetching import trees_in_c
from ...database.fetching.rows_in_c import stored_in_c
from ...database.library import sqlite3
from ...files.beside import Beside
from ..description.digest import TableDigest

_MOMENT = 0.05  # seconds between two looks whether the export was cancelled


def proved(
    path: Path,
    tables: Collection[str],
    unread: Mapping[str, Sequence[str]],
    go_on: Callable[[], object],
    beside: Beside,
) -> dict[str, TableDigest | None]:
    """Return those of the ``tables`` of a private file that are proved, with the digests of their rows as stored.

    ``unread`` are the tables to be read for that, with their columns; the digest is None of any other, and where C
    leaves a row to Python. ``go_on`` is called every few milliseconds, and raises if the export was cancelled.
    Raises sqlite3.Error."""
    go_on()  # it waits for what is hashed beside, which it could not do later
    stopped, mine = Event(), get_ident()

    def look() -> bool:
        if get_ident() == mine:  # there is no other thread
            go_on()
        return stopped.is_set()

    reading = beside.do(partial(_digests, path, unread, look), 0)
    try:
        with closing(trees_in_c.opened(str(path))) as connection:
            found = [name for name in tables if trees_in_c.is_proved(connection, name, go_on)]
        while not reading.done():
            wait([reading], _MOMENT)
            go_on()
    finally:
        stopped.set()
    digests = reading.result()
    return {name: digests.get(name) for name in found}


def _digests(path: Path, tables: Mapping[str, Sequence[str]], stop: Callable[[], bool]) -> dict[str, TableDigest]:
    """Return the digests of the rows as they are stored, of the tables that C can read to their ends."""
    found: dict[str, TableDigest] = {}
    with closing(trees_in_c.opened(str(path))) as connection:
        for name, columns in tables.items():
            digest = TableDigest(len(columns))
            try:
                for chunk in stored_in_c(connection, name, columns):
                    digest.add_packed(chunk.packed, chunk.rows)
                    if stop() or chunk.stopped:
                        break
                else:
                    found[name] = digest
            except sqlite3.OperationalError:  # no such function
                break
            if stop():
                break
    return found
