"""The rows of a dossier wait in a private database, so that they can be told in the order of reading, with links."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ...database.library import sqlite3
from ...database.sqlite_errors import explain, is_disk_error
from ...database.text import undecoded
from ...errors import TooLargeError
from ...files.temporary.folder import TemporaryFolder
from ...files.temporary.room import no_room
from ..dataset import Dataset, Field, NamedFile, Row, TableStream
from ..description.schema import DocumentReference
from .images import is_image

# measured: what a browser on a common laptop shows, searches and prints without waiting
MOST_ROWS = 20_000
MOST_BYTES = 30_000_000
_KEPT = 10_000  # lines of parents that are remembered


@dataclass
class ColumnLook:
    """What was seen of a column: how many values there are, the longest text, whether some are pictures or lines."""

    filled: int = 0
    longest: int = 0
    lines: bool = False
    images: bool = False
    binary: bool = False

    def saw(self, column: Sequence[Any]) -> None:
        """Look at some values."""
        for value in column:
            if value is None or value == "":
                continue
            self.filled += 1
            if isinstance(value, str):
                self.longest = max(self.longest, len(value))
                self.lines = self.lines or "\n" in value
            elif isinstance(value, bytes):
                self.binary = True
                self.images = self.images or is_image(value)


@dataclass
class KeptTable:
    """The rows of one table, each with its line from 1. ``number`` is the table's in the document."""

    name: str
    number: int
    fields: tuple[Field, ...]
    looks: list[ColumnLook]
    rows: int = 0
    places: dict[str, int] = field(default_factory=dict)
    indexed: set[tuple[str, ...]] = field(default_factory=set)

    def anchor(self, line: int) -> str:
        """Return the id of a row in the page."""
        return f"t{self.number}-{line}"


class KeptRows:
    """Keeps all rows of a dataset. A context manager; ``folder`` is for its temporary file."""

    def __init__(self, folder: str | None) -> None:
        self._folder = TemporaryFolder(folder)
        self._connection = sqlite3.connect(self._folder.path / "rows.db", isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-8000", "BEGIN"):
            self._connection.execute(statement)
        self.tables: dict[str, KeptTable] = {}
        self._rows = self._bytes = 0
        self._found: dict[tuple[Any, ...], int | None] = {}

    def __enter__(self) -> KeptRows:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()
        self._folder.remove()

    def through(self, dataset: Dataset) -> Dataset:
        """Return the dataset with tables that are kept while they are read. Raises TooLargeError, SpoolFullError."""
        return replace(dataset, tables=map(self._table, dataset.tables))

    def _table(self, table: TableStream) -> TableStream:
        kept = KeptTable(table.name, len(self.tables), table.fields, [ColumnLook() for _ in table.fields])
        kept.places = {f.name: place for place, f in enumerate(table.fields)}
        self.tables[table.name] = kept
        columns = ", ".join(f"c{place}" for place in range(len(table.fields)))
        with _room():
            self._connection.execute(f"CREATE TABLE t{kept.number} ({columns})")
        files = partial(self._counted, table.files) if table.files is not None else None
        return replace(table, batches=self._batches(kept, table.batches), written=None, copied=None, files=files)

    def _counted(self, files: Callable[[], Iterator[NamedFile]]) -> Iterator[NamedFile]:
        for one in files():
            self._bytes += one.size if one.content is not None else 0
            self._check()
            yield one

    def _batches(self, kept: KeptTable, batches: Iterator[list[Row]]) -> Iterator[list[Row]]:
        insert = f"INSERT INTO t{kept.number} VALUES ({', '.join('?' * len(kept.fields))})"
        for rows in batches:
            self._count(rows)
            for look, column in zip(kept.looks, zip(*rows)):
                look.saw(column)
            with _room():
                self._connection.executemany(insert, _readable(rows))
            kept.rows += len(rows)
            yield rows

    def _count(self, rows: list[Row]) -> None:
        self._rows += len(rows)
        self._bytes += sum(len(v) for row in rows for v in row if isinstance(v, (str, bytes)))
        self._check()

    def _check(self) -> None:
        if self._rows > MOST_ROWS or self._bytes > MOST_BYTES:
            raise TooLargeError(
                f"A dossier is a page that a browser has to bear: at most {MOST_ROWS:,} rows and "
                f"{MOST_BYTES // 1_000_000} MB, with its files. This is more. Take a package with "
                "START-HERE.html (guide: page): a zip with the same data and files, and a page that says what it holds."
            )

    def rows(
        self, table: KeptTable, below: DocumentReference | None = None, by: int | None = None
    ) -> Iterator[tuple[int, int | None, Row]]:
        """Yield each row with its line and, for ``below``, the line of the row it refers to, by which they come.

        ``by`` is the place of a column by whose values they come then."""
        name, order, up = f"t{table.number}", "1", "NULL"
        if below is not None and (parent := self._indexed(below)) is not None:
            pairs = zip(below.other_columns, below.columns)
            same = " AND ".join(f"p.c{parent.places[other]} = r.c{table.places[own]}" for other, own in pairs)
            up, order = f"(SELECT p.rowid FROM t{parent.number} AS p WHERE {same})", "2, 1"
        if by is not None:
            order = f"2, r.c{by}, 1"
        query = f"SELECT r.rowid, {up}, r.* FROM {name} AS r ORDER BY {order}"
        for line, above, *values in self._connection.execute(query):
            yield line, above, tuple(values)

    def row(self, table: KeptTable, line: int) -> Row:
        """Return the row of a line."""
        found = self._connection.execute(f"SELECT * FROM t{table.number} WHERE rowid = ?", (line,)).fetchone()
        return tuple(found)

    def parent(self, table: KeptTable, row: Row, key: DocumentReference) -> tuple[KeptTable, int] | None:
        """Return the table and the line of the row that a reference leads to; None if it is not here."""
        values = tuple(row[table.places[column]] for column in key.columns)
        if None in values or not _holds(table, row, key):
            return None
        parent = self._indexed(key)
        if parent is None:
            return None
        asked = (parent.number, key.other_columns, values)
        if asked not in self._found:
            if len(self._found) > _KEPT:
                self._found.clear()
            same = " AND ".join(f"c{parent.places[column]} = ?" for column in key.other_columns)
            found = self._connection.execute(f"SELECT rowid FROM t{parent.number} WHERE {same}", values).fetchone()
            self._found[asked] = None if found is None else found[0]
        line = self._found[asked]
        return None if line is None else (parent, line)

    def _indexed(self, key: DocumentReference) -> KeptTable | None:
        """Return the table that a reference leads to, with an index for it; None if its columns are not here."""
        parent = self.tables.get(key.table)
        if len(key.columns) != len(key.other_columns):  # SQLite takes such a schema, and can follow none of its rows
            return None
        if parent is None or not all(column in parent.places for column in key.other_columns):
            return None
        if key.other_columns not in parent.indexed:
            parent.indexed.add(key.other_columns)
            columns = ", ".join(f"c{parent.places[column]}" for column in key.other_columns)
            with _room():
                name = f"i{parent.number}_{len(parent.indexed)}"
                self._connection.execute(f"CREATE INDEX {name} ON t{parent.number} ({columns})")
        return parent


def _holds(table: KeptTable, row: Row, key: DocumentReference) -> bool:
    """Return whether a reference that holds for some rows only holds for this one."""
    return all(str(row[table.places[c]]) in map(str, wanted) for c, wanted in key.where.items() if c in table.places)


def _readable(rows: list[Row]) -> list[Row]:
    """Return the rows as SQLite takes them: what is not UTF-8 in a text is replaced, as on any screen."""
    try:
        for row in rows:
            "".join(value for value in row if isinstance(value, str)).encode()
        return rows
    except UnicodeEncodeError:
        return [tuple(_text(value) if isinstance(value, str) else value for value in row) for row in rows]


def _text(value: str) -> str:
    raw = undecoded(value)
    return value if raw is None else raw.decode("utf-8", "replace")


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        if is_disk_error(error):
            raise no_room(explain(error)) from None
        raise
