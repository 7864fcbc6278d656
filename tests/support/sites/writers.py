"""Threads that write beside an export, and who still holds a connection."""

from __future__ import annotations

import contextlib
import gc
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

COUNTER = (
    "CREATE TABLE counter (id INTEGER PRIMARY KEY, n INTEGER)",
    "CREATE TABLE copy (id INTEGER PRIMARY KEY, counter INTEGER REFERENCES counter, n INTEGER)",
    "INSERT INTO counter VALUES (1, 0)",
    "INSERT INTO copy VALUES (1, 1, 0)",
)


class Writer(threading.Thread):
    """Commits every 10 ms: raises a counter, and its copy in another table."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.path, self.commits, self.longest, self.errors = path, 0, 0.0, []
        self.stop = threading.Event()

    def run(self) -> None:
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as connection:
            while not self.stop.is_set():
                start = time.monotonic()
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("UPDATE counter SET n = n + 1")
                    connection.execute("UPDATE copy SET n = n + 1")
                    connection.execute("COMMIT")
                except sqlite3.Error as error:
                    self.errors.append(str(error))
                    return
                self.commits += 1
                self.longest = max(self.longest, time.monotonic() - start)
                self.stop.wait(0.01)


def open_connections() -> set[int]:
    found = set()
    gc.collect()  # what nobody can reach any more is not open
    for thing in gc.get_objects():
        if isinstance(thing, sqlite3.Connection):
            with contextlib.suppress(sqlite3.ProgrammingError):  # closed
                thing.in_transaction, found.add(id(thing))
    return found
