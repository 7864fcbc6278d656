"""The private staging database, where a file's rows wait until all of them are checked.

It stores every value as the file has it. If the target's column has another affinity and would
convert the value, a generated column beside it shows the result.
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
from ...errors import UnreadableError, UnsupportedError
from ...files.temporary.folder import TemporaryFolder
from ...files.temporary.room import no_room
from ...formats.dataset import Row
from ..progress import ImportProgress

_MOST_COLUMNS = 990  # SQLite allows 2,000, and some have a generated column as well
_MOST_SHAPES = 500


@dataclass
class StagedTable:
    """One staged table. ``columns`` are the target's names; ``shapes`` the different sets of columns that rows give.

    ``raw`` are the staged columns with the file's values, ``shaped`` those with the converted values;
    ``own`` is true for a file of this program; ``loose`` are columns whose JSON is compared by content, not
    by white space; ``as_told`` those whose values are of the kind that the caller named."""

    table: Table
    name: str
    columns: tuple[str, ...]
    raw: tuple[str, ...]
    shaped: tuple[str, ...]
    own: bool
    unit: str = "row"
    shapes: list[tuple[str, ...]] = field(default_factory=list)
    rows: int = 0
    loose: frozenset[str] = frozenset()
    as_told: frozenset[str] = frozenset()

    def value(self, column: str, alias: str = "s") -> str:
        """Return an SQL expression for the value as the target will store it."""
        return f"{alias}.{self.shaped[self.columns.index(column)]}"


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
            self._connection = sqlite3.connect(self.path, isolation_level=None)
            self._connection.execute(f"PRAGMA encoding={quote(self.encoding)}")  # ATTACH needs the target's encoding
            for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000"):
                self._connection.execute(f"PRAGMA {pragma}")
        return self._connection

    def table(self, table: Table, columns: Sequence[str], given: Sequence[str | None], *, own: bool) -> StagedTable:
        """Create the staged table of a target's table.

        ``given`` are the affinities that the values of each column already have, None for any;
        ``own`` is true for a file of this program. Raises UnsupportedError for too many columns."""
        if len(columns) > _MOST_COLUMNS:
            raise UnsupportedError(f"{table.name} has more than {_MOST_COLUMNS} columns; it cannot be imported.")
        name = f"t{len(self.tables)}"
        raw, shaped, parts = [], [], []
        for place, (column, known) in enumerate(zip(columns, given)):
            facts = table.column(column)
            assert facts is not None
            same = known == facts.affinity or facts.affinity == "BLOB"
            raw.append(f"r{place}")
            parts.append(f"r{place} {facts.affinity if same else 'BLOB'}")
            shaped.append(f"r{place}" if same else f"v{place}")
            if not same:
                parts.append(f"v{place} {facts.affinity} AS (r{place})")
        self.connection.execute(f"CREATE TABLE {name} (line INTEGER PRIMARY KEY, shape INTEGER, {', '.join(parts)})")
        staged = StagedTable(table, name, tuple(columns), tuple(raw), tuple(shaped), own)
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
        complete: list[tuple[Any, ...]] = [(number, shape, *row) for number, shape, row in zip(numbers, shapes, rows)]
        start = f"INSERT INTO {staged.name} (line, shape, {', '.join(staged.raw)}) VALUES"
        marks = ", ".join(["?"] * (2 + len(staged.raw)))
        self.connection.execute("BEGIN")
        try:
            odd = self.encoding != "UTF-8"
            try:
                if not odd:
                    self.connection.executemany(f"{start} ({marks})", complete)
            except UnicodeEncodeError:
                self.connection.execute("ROLLBACK")
                self.connection.execute("BEGIN")
                odd = True
            for row in complete if odd else ():
                insert_odd(self.connection, start, row, partial(self._odd, staged, row[0]))
            self.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if is_disk_error(error):
                raise no_room(explain(error)) from error
            raise
        staged.rows += len(complete)
        self._watch.count(len(complete))

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
        for rows in batches:
            try:
                kept = rows if whole == list(range(len(rows[0]))) else [tuple(row[i] for i in whole) for row in rows]
                first = staged.rows + 1
                self.add(staged, range(first, first + len(rows)), [shape] * len(rows), kept)
            except (OverflowError, sqlite3.InterfaceError, sqlite3.ProgrammingError):
                raise UnreadableError(f"{staged.table.name} holds a value that SQLite cannot.") from None
            del kept
            yield rows
            del rows  # otherwise the last batch is held while the next is read
