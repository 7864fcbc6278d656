"""Reads the rows of a SQLite file that may come from anyone: read-only, and within the limits on memory.

SQLite can limit the length of a value (``sqlite3_limit``), but not the size of a row or a
schema. So the first limit is so low that a batch of rows of such values is small. If a
value is larger, the table is read again, with higher limits and fewer rows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path

from ...database.fetching.batch_sizes import MOST_ROWS, BatchSizes
from ...database.library import sqlite3
from ...database.schema import quote
from ...database.text import decode_text, is_undecodable
from ...errors import UnreadableError
from ...files.reading_limits import LARGE, TRUSTING, Limits
from ..dataset import Row, Value

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA}  # no function except length
# an R-Tree prepares these when it is opened; the file is opened so that they cannot run
_ALLOWED |= {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
_BATCH_BYTES = 8_000_000
_LENGTH = 0  # SQLITE_LIMIT_LENGTH
_STEPS, _STEPS_A_STATEMENT = 1000, 7  # SQLite's instructions between two checks; for each statement of a schema
# bytes of one statement, and the number of statements: a schema takes about three times its text in memory
_SMALL_SCHEMA = (4096, 2000)
_SCHEMAS = ((4096, 10_000), (16_384, 2500), (65_536, 600), (1_000_000, 40))

Rows = Generator[list[Row], None, None]


def open_read_only(path: Path, limits: Limits = TRUSTING) -> sqlite3.Connection:
    """Open a connection that can only read, and that runs nothing stored in the file.

    Raises UnreadableError, sqlite3.Error."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA cell_size_check=ON")
        connection.execute("PRAGMA query_only=ON")
        if limits is not TRUSTING:
            _read_schema(connection, limits)
        # not trusted_schema=OFF: before 3.41 it refuses whole files for a JSON function in a generated column
        connection.set_authorizer(_authorized)
        limits.watch(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _authorized(action: int, _first: object, second: object, *_: object) -> int:
    measures = action == sqlite3.SQLITE_FUNCTION and second == "length"
    return sqlite3.SQLITE_OK if action in _ALLOWED or measures else sqlite3.SQLITE_DENY


def _read_schema(connection: sqlite3.Connection, limits: Limits) -> None:
    """Make SQLite read the file's schema, which it keeps in memory. Raises UnreadableError if that is too large."""
    if _read_within(connection, *_SMALL_SCHEMA):
        return
    limits.turn()
    if not any(_read_within(connection, size, count) for size, count in _SCHEMAS):
        raise UnreadableError(
            "The SQLite file has far too many tables, or statements that are far too long. If you know where it is "
            "from, give the argument trusted."
        )


def _read_within(connection: sqlite3.Connection, size: int, count: int) -> bool:
    seen = 0

    def enough() -> bool:
        nonlocal seen
        seen += _STEPS
        return seen > count * _STEPS_A_STATEMENT + 2 * _STEPS

    connection.set_progress_handler(enough, _STEPS)
    try:
        with _longest(connection, size):
            connection.execute("SELECT 1 FROM main.sqlite_master LIMIT 1").fetchall()
    except sqlite3.DataError:
        return False
    except sqlite3.OperationalError as error:
        if "interrupt" in str(error):
            return False
        raise
    finally:
        connection.set_progress_handler(None, 0)
    return True


class _longest:
    """A context manager within which SQLite returns no value of more bytes (from Python 3.11 on)."""

    def __init__(self, connection: sqlite3.Connection, size: int) -> None:
        self._connection, self._size = connection, size
        self._set: Callable[[int, int], int] | None = getattr(connection, "setlimit", None)

    def __enter__(self) -> None:
        if self._set is not None:
            self._before = self._set(_LENGTH, self._size)

    def __exit__(self, *exc: object) -> None:
        if self._set is not None:
            self._set(_LENGTH, self._before)


def stored_rows(connection: sqlite3.Connection, table: str, columns: Sequence[str], limits: Limits = TRUSTING) -> Rows:
    """Yield the rows in the order of their storage; a text that is not UTF-8 has surrogates.

    Raises UnreadableError for a row that is larger than the limits allow."""
    reading = _Reading(connection, table, columns, limits)
    ways = [reading.small, reading.one_by_one, reading.large, reading.parted]
    if limits is TRUSTING:
        ways = [reading.freely]
    elif not hasattr(connection, "setlimit"):
        ways = [reading.measured]
    given = 0
    connection.text_factory = str
    while ways:
        skipped = given
        try:
            with closing(ways[0]()) as found:
                for rows in found:
                    if skipped:
                        passed = min(skipped, len(rows))
                        del rows[:passed]
                        skipped -= passed
                    given += len(rows)
                    if rows:
                        yield rows
                    del rows
            return
        except sqlite3.OperationalError as error:
            if not is_undecodable(error) or connection.text_factory is not str:
                raise
            connection.text_factory = decode_text
        except sqlite3.DataError as error:
            if "too big" not in str(error):
                raise
            del ways[0]
    raise UnreadableError(
        f"Row {given + 1:,} of {table} is larger than {limits.cell / 1e6:,g} MB (cell_mb), which is not read unseen. "
        "If you know where the file is from, give the argument trusted."
    )


class _Reading:
    """The ways to read a table, each for larger values than the previous one."""

    def __init__(self, connection: sqlite3.Connection, table: str, columns: Sequence[str], limits: Limits) -> None:
        self._connection, self._table, self._limits = connection, table, limits
        self._wanted = [f"r.{quote(c)}" for c in columns]  # qualified: SQLite reads an unknown bare name as a string
        self._width = max(1, len(columns))

    def freely(self) -> Rows:
        pace = BatchSizes()
        with closing(self._selected(*self._wanted)) as cursor:
            while rows := cursor.fetchmany(next(pace)):
                pace.saw(len(rows), sum(len(v) for row in rows for v in row if isinstance(v, (str, bytes))))
                yield rows
                del rows

    def small(self) -> Rows:
        with _longest(self._connection, _BATCH_BYTES // (MOST_ROWS * self._width)):
            yield from self.freely()

    def one_by_one(self) -> Rows:
        yield from self._singly(LARGE // self._width)

    def large(self) -> Rows:
        self._limits.turn()
        yield from self._singly(self._limits.cell // self._width)

    def parted(self) -> Rows:
        """Read the columns side by side, so that only one value at a time is not counted yet."""
        self._connection.text_factory = self._counted
        with _longest(self._connection, self._limits.cell):
            cursors = [self._selected(wanted) for wanted in self._wanted]
            while True:
                row: list[Value] = []
                for cursor in cursors:
                    if (one := cursor.fetchone()) is None:
                        return
                    row += one
                    self._limits.fits(
                        sum(len(v) for v in row if isinstance(v, (str, bytes))), f"A row of {self._table}"
                    )
                    del one
                rows = [tuple(row)]
                row.clear()
                yield rows
                del rows

    def measured(self) -> Rows:
        """Measure the values first, before Python 3.11, which cannot set the limit (SQLite reads a text for that)."""
        longest = self._limits.cell // self._width
        for wanted in self._wanted:
            sql = f"SELECT 1 FROM main.{quote(self._table)} AS r NOT INDEXED WHERE length({wanted}) > ? LIMIT 1"
            if self._connection.execute(sql, (longest,)).fetchone():
                raise sqlite3.DataError("string or blob too big")
        self._limits.turn()
        yield from self._singly(longest)

    def _singly(self, longest: int) -> Rows:
        self._connection.text_factory = self._counted
        with _longest(self._connection, longest), closing(self._selected(*self._wanted)) as cursor:
            while rows := cursor.fetchmany(1):
                yield rows
                del rows

    def _selected(self, *wanted: str) -> sqlite3.Cursor:
        return self._connection.execute(f"SELECT {', '.join(wanted)} FROM main.{quote(self._table)} AS r NOT INDEXED")

    def _counted(self, text: bytes) -> str:
        self._limits.fits_row(text, f"A row of {self._table}")
        return decode_text(text)
