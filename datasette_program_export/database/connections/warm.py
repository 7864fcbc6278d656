"""Connections that are kept open for the next export, with their TEMP tables and compiled statements.

Between two exports such a connection has no transaction, so it holds up no writer, no checkpoint and no VACUUM. It is
used again only while the file, its ``-wal`` and its ``-shm`` are the same ones, nobody wrote into the file (SQLite
does not notice another database that is copied over it), and the schema is the same text. It is closed after a failure,
a cancellation or SQL from outside. Nothing in it depends on who asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from sqlite_utils import Database

from ..guarding.authorizer import Authorizer, OwnStatements
from ..library import sqlite3
from ..schema import Schema
from .temp_tables import TempTables

SECONDS = 30.0  # without use; a server's own connections stay open as long as it runs
MOST_OF_ONE, MOST = 4, 8  # idle connections to one database, and to all
MOST_TEMP_TABLES, MOST_TEMP_PAGES = 500, 1_000
STATEMENTS = 500  # compiled ones that are kept per connection
_STATE = (
    "SELECT type, name, tbl_name, rootpage, sql FROM main.sqlite_master",
    "PRAGMA main.schema_version",
    "PRAGMA main.user_version",
    "PRAGMA main.application_id",
)
State = list[list[Any]]
Signs = tuple[tuple[int, ...] | None, ...]


@dataclass(eq=False)
class Warm:
    """An open connection with what was learned through it. ``tidy`` is called after it is closed.

    ``state`` is the text of its schema when ``schema`` was read, None if it cannot be kept."""

    connection: sqlite3.Connection
    tidy: Callable[[], None]
    journal: str
    writes_rows: bool = False
    schema: Schema = field(default_factory=lambda: Schema([]))
    signs: Signs | None = None
    state: State | None = None
    temp: TempTables = field(default_factory=TempTables)
    own: OwnStatements = field(default_factory=OwnStatements)
    authorizer: Authorizer | None = None  # to set one makes SQLite compile all statements again

    def __post_init__(self) -> None:
        # neither sets a PRAGMA nor runs plugins on the connection
        self.database = Database(self.connection, recursive_triggers=False, execute_plugins=False)

    def remember(self, before: Signs, path: Path, error: type[Exception]) -> None:
        """Note which files this is a connection to, if it is one to the file that lay there ``before``."""
        signs = signs_of(path)
        if signs[0] == before[0]:
            with suppress(error):  # a name that is not valid text
                self.signs, self.state = signs, state_of(self.connection)

    def begin(self, error: type[Exception]) -> bool:
        """Begin a read transaction; return False if that fails, or if the schema has changed."""
        try:
            self.connection.execute("BEGIN")
            same = state_of(self.connection) == self.state
            (mode,) = self.connection.execute("PRAGMA main.journal_mode").fetchone()
            return same and (mode == "wal") == (self.journal == "wal")
        except error:
            return False

    def rest(self, error: type[Exception]) -> bool:
        """Empty the TEMP tables and end the transaction; return whether the connection may be used again."""
        begun = self.connection.in_transaction
        if self.state is None or len(self.temp) > MOST_TEMP_TABLES or not begun:
            return False
        try:
            self.connection.set_progress_handler(None, 0)
            self.connection.text_factory = str
            for name in self.temp.taken():
                self.connection.execute(f"DELETE FROM {name}")
                self.temp.give_back(name)
            self.own.ending = True
            self.connection.commit()
            self.own.ending = False
            (pages,) = self.connection.execute("PRAGMA temp.page_count").fetchone()
        except error:
            return False
        return not self.connection.in_transaction and pages <= MOST_TEMP_PAGES

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()
        self.tidy()


def state_of(connection: sqlite3.Connection) -> State:
    """Return the text of the schema and the numbers that belong to it."""
    return [connection.execute(sql).fetchall() for sql in _STATE]


def signs_of(path: Path) -> Signs:
    """Return which files lie at a database's path, and when its own was written, from the file system alone."""
    return tuple(_sign(path, suffix) for suffix in ("", "-wal", "-shm"))


def _sign(path: Path, suffix: str) -> tuple[int, ...] | None:
    try:
        facts = path.with_name(path.name + suffix).stat()
    except OSError:
        return None
    written = () if suffix else (facts.st_size, facts.st_mtime_ns)
    return facts.st_dev, facts.st_ino, *written


class WarmConnections:
    """The idle connections, each with the owner whose database it reads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: list[tuple[object, Warm, float]] = []
        self._watched = self._given = False

    def __len__(self) -> int:
        return len(self._idle)

    def take(self, owner: object, path: Path) -> Warm | None:
        """Return an idle connection to the file at this path, or None; close those to a file that lay there before."""
        signs = signs_of(path)
        gone, found = [], None
        with self._lock:
            for idle in self._idle[::-1]:
                if idle[0] is not owner or (found is not None and idle[1].signs == signs):
                    continue
                self._idle.remove(idle)
                if idle[1].signs == signs:
                    found = idle[1]
                else:
                    gone.append(idle[1])
        _close(gone)
        return found

    def give(self, owner: object, warm: Warm) -> None:
        """Keep a connection that rests; the longest idle ones make room for it."""
        with self._lock:
            self._idle.append((owner, warm, time.monotonic() + SECONDS))
            same = [idle for idle in self._idle if idle[0] is owner]
            gone = same[:-MOST_OF_ONE] or self._idle[:-MOST]
            self._idle = [idle for idle in self._idle if idle not in gone]
            self._given = True
            if not self._watched:
                self._watch()
        _close([idle[1] for idle in gone])

    def drop(self, owner: object) -> None:
        """Close the idle connections of this owner."""
        with self._lock:
            gone = [idle for idle in self._idle if idle[0] is owner]
            self._idle = [idle for idle in self._idle if idle[0] is not owner]
        _close([idle[1] for idle in gone])

    def _watch(self) -> None:
        with suppress(RuntimeError):  # the system has no more threads: the next export tries again
            Thread(target=self._close_unused, name="program-export-warm", daemon=True).start()
            self._watched = True

    def _close_unused(self) -> None:
        """Close what is idle for long, until nothing is idle and nothing was."""
        while True:
            with self._lock:
                if not self._idle and not self._given:
                    self._watched = False
                    return
                self._given = bool(self._idle)
                now = time.monotonic()
                gone = [warm for _, warm, until in self._idle if until <= now]
                self._idle = [idle for idle in self._idle if idle[2] > now]
                left = self._idle[0][2] - now if self._idle else SECONDS
            _close(gone)
            time.sleep(left)


def _close(gone: list[Warm]) -> None:
    for warm in gone:
        with suppress(Exception):  # another export asked for it to be closed, and cannot help
            warm.close()


WARM = WarmConnections()
