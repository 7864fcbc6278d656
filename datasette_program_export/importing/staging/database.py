"""The private staging database, where a file's rows wait until all of them are checked.

It stores every value as the file has it. If the target's column has another affinity and would
convert the value, a generated column beside it shows the result. The columns of a wide table wait in several
tables: SQLite allows 2,000 in one, with those that are generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...database.library import sqlite3
from ...database.schema import Table, quote
from ...database.sqlite_errors import explain, is_disk_error
from ...database.text import insert_odd, odd_text, undecoded
from ...errors import UnreadableError
from ...files.temporary.folder import TemporaryFolder
from ...files.temporary.room import no_room
from ...formats.dataset import Row
from ..progress import ImportProgress
from .affinity_check import AffinityCheck

_COLUMNS = 900  # of one staged table; each may have a generated column as well
_MOST_SHAPES = 500


@dataclass
class StagedTable:
    """One staged table. ``columns`` are the target's names; ``shapes`` the different sets of columns that rows give.

    ``raw`` are the staged columns with the file's values, ``shaped`` those with the converted values;
    ``own`` is true for a file of this program; ``more`` are the tables that hold the columns of a wide table, of
    which ``name`` has the line and the shape; ``loose`` are columns whose JSON is compared by what it means, not
    by its spelling; ``as_told`` those whose values are of the kind that the caller named; ``match`` are unique columns
    by which rows are told in place of the primary key; ``as_stored`` are columns whose changes are told already;
    ``shortened`` those whose values a spreadsheet may have cut. ``cells``: a person may have left one empty."""

    table: Table
    name: str
    columns: tuple[str, ...]
    raw: tuple[str, ...]
    shaped: tuple[str, ...]
    own: bool
    more: tuple[str, ...] = ()
    unit: str = "row"
    shapes: list[tuple[str, ...]] = field(default_factory=list)
    rows: int = 0
    loose: frozenset[str] = frozenset()
    as_told: frozenset[str] = frozenset()
    match: tuple[str, ...] = ()
    as_stored: frozenset[str] = frozenset()
    shortened: frozenset[str] = frozenset()
    cells: bool = False

    def value(self, column: str) -> str:
        """Return an SQL expression for the value as the target will store it."""
        place = self.columns.index(column)
        return f"{self.alias(place)}.{self.shaped[place]}"

    def store(self, connection: sqlite3.Connection, column: str, value: str) -> None:
        """Have an expression of the staged values stored in place of a column, where the table makes it of them.

        The file's own value stays in ``raw``. A table that waits in several has no such columns."""
        place = self.columns.index(column)
        connection.execute(f"ALTER TABLE {self.name} ADD COLUMN w{place}")
        connection.execute(f"UPDATE {self.name} SET w{place} = {value}")
        self.shaped = (*self.shaped[:place], f"w{place}", *self.shaped[place + 1 :])
        self.as_stored |= {column}

    def alias(self, place: int) -> str:
        """Return the alias, in ``source``, of the table that holds the column at this place."""
        return f"s{place // _COLUMNS}" if self.more else "s"

    def holder(self, place: int) -> str:
        """Return the table that holds the column at this place."""
        return self.more[place // _COLUMNS] if self.more else self.name

    def source(self, schema: str, join: str = "CROSS JOIN") -> str:
        """Return a FROM clause for all columns of the rows; ``s.line`` and ``s.shape`` are in it."""
        return f"{schema}.{self.name} AS s{self.rest(schema, join)}"

    def rest(self, schema: str, join: str = "CROSS JOIN") -> str:
        """Return the part of a FROM clause that adds the columns of a wide table to ``s``."""
        more = enumerate(self.more)
        return "".join(f" {join} {schema}.{name} AS s{n} ON s{n}.line = s.line" for n, name in more)

    def row(self, connection: sqlite3.Connection, line: int) -> dict[str, Any]:
        """Return the values that the file gives in one row, by column."""
        (shape,) = connection.execute(f"SELECT shape FROM {self.name} WHERE line = ?", (line,)).fetchone()
        values: list[Any] = []
        for first in range(0, len(self.raw), _COLUMNS):
            names = ", ".join(self.raw[first : first + _COLUMNS])
            values += connection.execute(f"SELECT {names} FROM {self.holder(first)} WHERE line = ?", (line,)).fetchone()
        given = set(self.shapes[shape])
        return {column: value for column, value in zip(self.columns, values) if column in given}


class StagingDatabase:
    """A context manager that removes the database at its end. Attach ``path`` after ``close``."""

    def __init__(self, folder: str | None = None, watch: ImportProgress | None = None) -> None:
        self._watch = watch or ImportProgress()
        self._folder = TemporaryFolder(folder)
        self.path = self._folder.path / "staging.db"
        self.encoding = "UTF-8"
        self.tables: dict[str, StagedTable] = {}
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> StagingDatabase:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        self._folder.remove()

    def close(self) -> None:
        """Close the connection after the last row."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection to the file; it is opened, and the file made, when it is first asked for."""
        if self._connection is None:
            # one thread at a time: a site's writing thread removes bad rows, the import's own closes it
            self._connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._connection.execute(f"PRAGMA encoding={quote(self.encoding)}")  # ATTACH needs the target's encoding
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000"):
                self._connection.execute(f"PRAGMA {pragma}")
        return self._connection

    def table(self, table: Table, columns: Sequence[str], given: Sequence[str | None], *, own: bool) -> StagedTable:
        """Create the staged table of a target's table.

        ``given`` are the affinities that the values of each column already have, None for any;
        ``own`` is true for a file of this program."""
        name = f"t{len(self.tables)}"
        raw, shaped = [], []
        parts: list[list[str]] = []
        for place, (column, known) in enumerate(zip(columns, given)):
            facts = table.column(column)
            assert facts is not None
            same = known == facts.affinity or facts.affinity == "BLOB"
            raw.append(f"r{place}")
            if place % _COLUMNS == 0:
                parts.append([])
            converts = same and not own  # what a file of another program gives as text becomes what its column holds
            parts[-1].append(f"r{place} {facts.affinity if converts else 'BLOB'}")
            shaped.append(f"r{place}" if same else f"v{place}")
            if not same:
                parts[-1].append(f"v{place} {facts.affinity} AS (r{place})")
        more = tuple(f"{name}_{n}" for n in range(len(parts))) if len(parts) > 1 else ()
        first = ["line INTEGER PRIMARY KEY", "shape INTEGER", *(parts[0] if parts and not more else [])]
        self.connection.execute(f"CREATE TABLE {name} ({', '.join(first)})")
        for one, part in zip(more, parts):
            self.connection.execute(f"CREATE TABLE {one} (line INTEGER PRIMARY KEY, {', '.join(part)})")
        staged = StagedTable(table, name, tuple(columns), tuple(raw), tuple(shaped), own, more)
        self.tables[table.name] = staged
        return staged

    def shape(self, staged: StagedTable, given: tuple[str, ...]) -> int:
        """Return the number of a set of columns. Raises UnreadableError if there are too many sets."""
        if given not in staged.shapes:
            if len(staged.shapes) == _MOST_SHAPES:
                raise UnreadableError(f"The rows of {staged.table.name} have too many different sets of columns.")
            staged.shapes.append(given)
        return staged.shapes.index(given)

    def add(self, staged: StagedTable, numbers: Iterable[int], shapes: Iterable[int], rows: Sequence[Row]) -> None:
        """Insert rows with their numbers in the file. Raises UnreadableError for a text that no database can hold."""
        lines = list(numbers)
        self.connection.execute("BEGIN")
        try:
            if staged.more:
                self._insert(staged, staged.name, ("line", "shape"), list(zip(lines, shapes)))
                for number, name in enumerate(staged.more):
                    part = slice(number * _COLUMNS, (number + 1) * _COLUMNS)
                    pieces: list[tuple[Any, ...]] = [(line, *row[part]) for line, row in zip(lines, rows)]
                    self._insert(staged, name, ("line", *staged.raw[part]), pieces)
            else:
                complete: list[tuple[Any, ...]] = [(line, shape, *row) for line, shape, row in zip(lines, shapes, rows)]
                self._insert(staged, staged.name, ("line", "shape", *staged.raw), complete)
            self.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if is_disk_error(error):
                raise no_room(explain(error)) from error
            raise
        staged.rows += len(lines)
        self._watch.count(len(lines))

    def _insert(self, staged: StagedTable, name: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        start = f"INSERT INTO {name} ({', '.join(columns)}) VALUES"
        before = self.connection.total_changes
        if self.encoding == "UTF-8":
            try:
                self.connection.executemany(f"{start} ({', '.join('?' * len(columns))})", rows)
                return
            except UnicodeEncodeError:
                rows = rows[self.connection.total_changes - before :]  # those before it are in
        for row in rows:
            insert_odd(self.connection, start, row, partial(self._odd, staged, row[0]))

    def remove(self, staged: StagedTable, lines: Iterable[int]) -> int:
        """Delete rows by their numbers, and return how many there were."""
        gone = [(line,) for line in lines]
        before = self.connection.total_changes
        self.connection.executemany(f"DELETE FROM {staged.name} WHERE line = ?", gone)
        count = self.connection.total_changes - before
        for name in staged.more:
            self.connection.executemany(f"DELETE FROM {name} WHERE line = ?", gone)
        staged.rows -= count
        return count

    def _odd(self, staged: StagedTable, number: int, text: str) -> bytes | None:
        """Return the bytes, in the target's encoding, of a text that would not be stored unchanged, else None."""
        raw = undecoded(text)
        if raw is None or self.encoding == "UTF-8":
            return odd_text(text, self.encoding)
        try:
            return raw.decode("utf-8", "surrogatepass").encode(self.encoding, "surrogatepass")
        except UnicodeDecodeError:
            place = f"{staged.unit.capitalize()} {number:,} of {staged.table.name}"
            raise UnreadableError(f"{place} holds a text that a {self.encoding} database cannot.") from None

    def taking(self, staged: StagedTable, places: Sequence[int], batches: Iterator[list[Row]]) -> Iterator[list[Row]]:
        """Yield the same batches, and stage their columns at ``places``. Raises UnreadableError."""
        shape = self.shape(staged, staged.columns)
        whole = list(places)
        check = AffinityCheck([_affinity(staged, place) for place in range(len(whole))])
        for rows in batches:
            try:
                kept = rows if whole == list(range(len(rows[0]))) else [tuple(row[i] for i in whole) for row in rows]
                first = staged.rows + 1
                check.look(kept)
                self.add(staged, range(first, first + len(rows)), [shape] * len(rows), kept)
            except (OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError):
                raise UnreadableError(f"{staged.table.name} holds a value that SQLite cannot.") from None
            del kept
            yield rows
            del rows  # otherwise the last batch is held while the next is read
        for place in check.found:
            self._convert(staged, place)

    def _convert(self, staged: StagedTable, place: int) -> None:
        """Show what the target will make of the values of a column, beside them."""
        kind, holder = _affinity(staged, place), staged.holder(place)
        if staged.shaped[place] == staged.raw[place]:
            self.connection.execute(f"ALTER TABLE {holder} ADD COLUMN v{place} {kind} AS ({staged.raw[place]})")
            staged.shaped = (*staged.shaped[:place], f"v{place}", *staged.shaped[place + 1 :])


def _affinity(staged: StagedTable, place: int) -> str:
    facts = staged.table.column(staged.columns[place])
    return facts.affinity if facts is not None else "BLOB"
