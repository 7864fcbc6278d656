"""A snapshot: a read-only connection inside one read transaction.

- An interrupted write to a TEMP table rolls the transaction back, and later statements would read another
  snapshot: so ``in_transaction`` is checked before every statement.
- ``interrupt()`` has no effect while no statement runs: so a flag is set first, and checked.
- A reader of a rollback-journal file makes its writers fail: so such a file is read only for ``HOLD_SECONDS``,
  or a copy of it is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import repeat
from threading import Event, Lock
from typing import Any, NoReturn, cast
from weakref import WeakSet

from ..errors import CancelledError, SnapshotLostError, SourceError, SpoolFullError, TooLargeError
from .connections.warm import WARM, Warm
from .fetching.rows_in_c import Chunk, RowPlan, read_chunk, row_calls
from .guarding.authorizer import Authorizer, ForeignSqlGuard, anything
from .lending import opened, resumed
from .library import sqlite3
from .schema import Schema
from .source import Fingerprint, Source
from .sqlite_errors import explain, is_full_elsewhere
from .text import UndecodableError, decode_text, decoded_rows, is_undecodable

HOLD_SECONDS = 2.0
_TICK = 10_000  # steps of SQLite's virtual machine between two checks of the flag: under 6 % of the time
Row = tuple[Any, ...]


class TimeExpired(Exception):
    """The snapshot was open for as long as allowed, in fairness to writers or to the user who waits for a plan."""


class Snapshot:
    """A connection through which everything that is read comes from one state of the database.

    Use it on one thread; only ``cancel`` may be called from another. ``journal`` is ``wal``, ``rollback`` or
    ``none`` (nobody can write to what is read). With ``copy``, a rollback-journal file is copied first.

    Raises SourceError if the database cannot be read, BusyError if it stays locked, CancelledError after
    ``cancel``, and SnapshotLostError instead of reading from another state. Raises TimeExpired after HOLD_SECONDS
    on a rollback-journal file, or after the time set by ``expire_after``."""

    def __init__(self, source: Source, *, copy: bool = False, cancelled: Event | None = None) -> None:
        self.source = source
        self._cancelled = cancelled or Event()
        self._expired = self._closed = self._finished = False
        self._until: float | None = None
        self._cursors: WeakSet[sqlite3.Cursor] = WeakSet()
        self._limit: tuple[float, str] | None = None
        self._lock = Lock()
        self._spoiled = False  # the connection is closed after use
        self._writing = 0
        self._fingerprint: Fingerprint | None = None
        self._warm = self._open(copy)
        self.connection = self._warm.connection
        self.schema: Schema = self._warm.schema
        self.writes_rows = self._warm.writes_rows

    def _open(self, copy: bool) -> Warm:
        """Return a connection that was kept, or a new one, within a new transaction."""
        warm = None if copy else resumed(self.source)
        if warm is not None:
            self._begun(warm)
            return warm
        try:
            warm, self._fingerprint = opened(self.source, copy, self._cancelled.is_set, self._begun)
        except SourceError:
            self.raise_if_stopped()  # it may have been stopped rather than unreadable
            raise
        return warm

    def _begun(self, warm: Warm) -> None:
        self.journal = warm.journal
        if self.journal == "rollback":
            self.expire_after(HOLD_SECONDS)
        warm.connection.set_progress_handler(self._look, _TICK)

    def expire_after(self, seconds: float) -> None:
        """Raise TimeExpired in every operation after ``seconds`` from now."""
        until = time.monotonic() + seconds
        self._until = until if self._until is None else min(until, self._until)

    def limit(self, seconds: float | None) -> None:
        """Raise TooLargeError in every operation after ``seconds`` from now; None sets no limit."""
        if seconds is not None:
            why = f"This ran longer than {seconds:g} seconds, which max_seconds allows. Ask for less."
            self._limit = (time.monotonic() + seconds, why)

    def cancel(self) -> None:
        """Stop the running statement and refuse all later ones. May be called from any thread."""
        self._cancelled.set()
        with self._lock, suppress(self.source.library.ProgrammingError):  # closed already: nothing runs
            if not self._closed:  # else another snapshot may have the connection
                self.connection.interrupt()

    def close(self) -> None:
        """Close the connection, or keep it for the next snapshot of this source. May be called twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        for cursor in list(self._cursors):  # an open cursor keeps the read lock after the connection is closed
            cursor.close()
        sound = not (self._spoiled or self._writing or self._cancelled.is_set() or self._expired)
        if sound and self._warm.rest(self.source.library.Error):
            WARM.give(self.source.keeper, self._warm)
        else:
            self._warm.close()

    def confirm(self) -> None:
        """Check, before an export is called complete, that everything came from one snapshot.

        Raises SnapshotLostError if it did not."""
        self.raise_if_stopped()
        if not self._finished:
            self._check()
        if self._fingerprint is not None and not self._fingerprint.still_true():
            raise SnapshotLostError(
                f"The database {self.source.name} was said not to change, but it did, during the export. Try again."
            )

    def execute(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any] = (), guard: ForeignSqlGuard | None = None
    ) -> sqlite3.Cursor:
        """Run one statement and return its cursor; SQL from outside runs under a ``guard``."""
        self._check()
        self._spoiled = self._spoiled or guard is not None  # what it left behind nobody else meets
        self._authorize(self._warm.own if guard is None else guard)
        try:
            # SQLite's own cursor; not query(), which needs a SAVEPOINT, nor rows_where(), which names no schema: dicts
            cursor = self._warm.database.execute(sql, cast("dict[str, Any]", params))
        except (OverflowError, self.source.library.Error) as error:
            self._tell(error, guard)
        self._cursors.add(cursor)
        return cursor

    def _authorize(self, wanted: Authorizer) -> None:
        if self._warm.authorizer is not wanted:
            self.connection.set_authorizer(wanted)
            self._warm.authorizer = wanted

    def authorize_own(self) -> None:
        """Prepare the connection for a statement of our own that is run directly."""
        self._check()
        self._authorize(self._warm.own)

    @contextmanager
    def unguarded(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for fixed statements that no authorizer allows: ATTACH, PRAGMA, COMMIT."""
        self._spoiled = True  # no other export meets what they change
        self._authorize(anything)
        try:
            yield self.connection
        finally:
            self._authorize(self._warm.own)

    def finish(self) -> None:
        """Say that everything was read, and that the read transaction has ended: nothing can be read any more."""
        self._finished = True

    def temp_table(self, about: str, definition: str) -> str:
        """Return the name of an empty TEMP table, for rows of the table ``about``; ``definition`` is SQL."""
        name, new = self._warm.temp.take(about, definition)
        if new:
            self.execute(f"CREATE TEMP TABLE {name.removeprefix('temp.')} {definition}")
        return name

    def temp_index(self, name: str, columns: Sequence[str]) -> None:
        """See that a TEMP table has its index."""
        if self._warm.temp.take_index(name):
            on = f"{name.removeprefix('temp.')} ({', '.join(columns)})"
            self.execute(f'CREATE INDEX {name[:-1]}_index" ON {on}')

    def empty(self, name: str) -> None:
        """Empty a TEMP table, for its space, and to be taken again."""
        self.execute(f"DELETE FROM {name}")
        self._warm.temp.give_back(name)

    def batches(
        self,
        sql: str,
        params: Sequence[Any] | Mapping[str, Any] = (),
        *,
        guard: ForeignSqlGuard | None = None,
        repeatable: bool,
        sizes: Iterator[int],
    ) -> Iterator[list[Row]]:
        """Yield the rows in lists of the given ``sizes``; see ``decoded_rows`` for ``repeatable``."""
        run = partial(self._fetched, sql, params, guard, sizes)
        return decoded_rows(self.connection, run, repeatable=repeatable)

    def written(
        self, select: Callable[[str, str], str], columns: Sequence[str], params: Mapping[str, Any], plan: RowPlan
    ) -> Iterator[Chunk]:
        """Yield the rows as the plan says, written in C; only where ``writes_rows``.

        ``select`` returns the statement for given expressions, which are made of the ``columns``, and a LIMIT clause
        to use if it has none."""
        number = self.execute("SELECT program_export_open(?)", [bytes(plan)]).fetchone()[0]
        self._writing += 1
        try:
            rows = row_calls(select, number, columns, lambda sql: self.execute(f"EXPLAIN QUERY PLAN {sql}", params))
            for [(written, rest)] in self._rest(self.execute(rows, params), None, repeat(1)):
                yield (chunk := read_chunk(written, rest, len(columns)))
                if chunk.stopped:
                    return
            last, rest = self.execute("SELECT program_export_last(?1), program_export_rest(?1)", [number]).fetchone()
            yield read_chunk(last, rest, len(columns))
        finally:
            if not self._closed:
                self._writing -= 1
                with suppress(self.source.library.Error):  # interrupted: then the connection is closed soon
                    self.connection.execute("SELECT program_export_end(?)", [number]).fetchall()

    def query(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any], guard: ForeignSqlGuard
    ) -> tuple[list[str], Callable[[Iterator[int]], Iterator[list[Row]]]]:
        """Start an unknown statement; return its column names, and a function that yields its rows in given sizes.

        The statement has then run up to its first row. It runs only once, so all text is decoded with
        surrogateescape."""
        self.connection.text_factory = decode_text
        cursor = self.execute(sql, params, guard)
        return [d[0] for d in cursor.description or ()], partial(self._rest, cursor, guard)

    def sample(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any], guard: ForeignSqlGuard | None, rows: int
    ) -> list[Row]:
        """Return the first ``rows`` rows, their text decoded with surrogateescape."""
        self.connection.text_factory = decode_text
        try:
            return next(self._fetched(sql, params, guard, iter([rows])), [])
        finally:
            self.connection.text_factory = str

    def _fetched(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any], guard: ForeignSqlGuard | None, sizes: Iterator[int]
    ) -> Iterator[list[Row]]:
        return self._rest(self.execute(sql, params, guard), guard, sizes)

    def _rest(self, cursor: sqlite3.Cursor, guard: ForeignSqlGuard | None, sizes: Iterator[int]) -> Iterator[list[Row]]:
        while True:
            self._check()
            try:
                rows = cursor.fetchmany(next(sizes))
            except (OverflowError, self.source.library.Error) as error:
                self._tell(error, guard)
            if not rows:
                return
            yield rows

    def _look(self) -> int:
        """Check time and cancellation; SQLite's progress handler, where any value but 0 interrupts the statement."""
        if self._until is not None and time.monotonic() > self._until:
            self._expired = True
        late = self._limit is not None and time.monotonic() > self._limit[0]
        return self._cancelled.is_set() or self._expired or late

    def raise_if_stopped(self) -> None:
        """Raise the exception for what stopped the export, if anything did."""
        if not self._look():
            return
        if self._cancelled.is_set():
            raise CancelledError("The export was cancelled.") from None
        if self._expired or self._limit is None:
            raise TimeExpired from None
        raise TooLargeError(self._limit[1]) from None

    def _check(self) -> None:
        self.raise_if_stopped()
        if not self.connection.in_transaction:
            raise SnapshotLostError(
                "The read transaction ended early; what follows would be of another moment. Try again."
            )

    def _tell(self, error: Exception, guard: ForeignSqlGuard | None) -> NoReturn:
        """Raise what an error of SQLite means here."""
        if isinstance(error, OverflowError):
            too_large = "a number is too large for SQLite, which has 64 bits"
            raise error if guard is None else guard.error(too_large) from None
        self._spoiled = True
        self.raise_if_stopped()
        if is_undecodable(error):
            raise UndecodableError from None
        why = explain(error)
        if is_full_elsewhere(error):
            room = f"SQLite needs more room for temporary files than there is ({why}). The setting is spool_dir."
            raise SpoolFullError(room) from error
        if guard is not None:
            raise guard.error(why) from error
        raise SourceError(f"The database {self.source.name} cannot be read: {why}.", why) from error
