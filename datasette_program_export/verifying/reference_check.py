"""Checks the foreign keys of a document while its rows are read; keeps only their columns, on disk.

Two values are equal if SQLite would compare them as equal: the parent's affinity and
collation decide (https://www.sqlite.org/foreignkeys.html 3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter

from ..database.library import sqlite3
from ..database.schema import affinity, quote
from ..database.sqlite_errors import explain, is_disk_error
from ..database.text import insert_odd, undecoded
from ..errors import ExportError, UnreadableError
from ..files.reading_limits import TRUSTING, Limits
from ..files.temporary.room import no_room
from ..formats.dataset import Field, Row, Value
from ..formats.description.coverage import ReferenceKey
from ..formats.description.schema import DocumentColumn, DocumentSchema

_TIMES = '"program_export_times"'


@dataclass(frozen=True)
class _Kept:
    """Columns of a table's rows, by place, that are kept, and the start of the INSERT; ``counted``: how often, too."""

    places: list[int]
    counted: bool
    insert: str


class References:
    """A context manager that collects the key columns of a document's tables and counts dangling references.

    ``schema`` comes from a document and is not trusted: methods raise UnreadableError, and SpoolFullError if
    there is no room. ``unchecked`` are references by columns that the file does not have."""

    def __init__(self, schema: DocumentSchema, limits: Limits = TRUSTING) -> None:
        self._limits = limits
        self._tables = schema.tables
        self._kept: dict[str, list[_Kept]] = {}
        self._written: dict[str, set[str]] = {}
        self.unchecked: set[ReferenceKey] = set()
        self._edges = [(name, key) for name, table in self._tables.items() for key in table.foreign_keys]
        # an empty name is a private database on disk that SQLite deletes (https://www.sqlite.org/inmemorydb.html)
        self._connection = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-16000"):
            self._connection.execute(f"PRAGMA {pragma}")
        limits.watch(self._connection)

    def __enter__(self) -> References:
        return self

    def __exit__(self, *exc: object) -> None:
        self._connection.close()

    def go_on(self) -> None:
        """Raise what the limits' ``go_on`` raises: the reading is to end."""
        self._limits.go_on()

    def begin(self, table: str, fields: Sequence[Field]) -> None:
        """Create the tables of keys; call it before the table's rows."""
        written = [field.name for field in fields]
        self._written[table] = set(written)
        self._kept[table] = []
        for number, (name, key) in enumerate(self._edges):
            if name == table:
                self._keep(table, f"c{number}", written, {*key.columns, *key.where}, counted=True)
        wanted = {c for _, key in self._edges if key.table == table for c in key.other_columns}
        self._keep(table, f"t{table}", written, wanted, counted=False)

    def _keep(self, table: str, into: str, written: list[str], wanted: set[str], counted: bool) -> None:
        places = [place for place, name in enumerate(written) if name in wanted]
        if not places:
            return
        facts, strict = {c.name: c for c in self._tables[table].columns}, self._tables[table].strict
        columns = [_column(facts[written[place]], strict) for place in places] + [_TIMES] * counted
        try:
            self._connection.execute(f"CREATE TABLE {quote(into)} ({', '.join(columns)})")
        except (sqlite3.Error, ValueError) as error:
            raise refused(error) from None
        self._kept[table].append(_Kept(places, counted, f"INSERT INTO {quote(into)} VALUES"))

    def places(self, table: str) -> list[int]:
        """Return the places of the columns that are kept."""
        return sorted({place for kept in self._kept[table] for place in kept.places})

    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Keep the keys of a batch of the table's rows."""
        self.add_columns(table, {place: list(map(itemgetter(place), rows)) for place in self.places(table)})

    def add_columns(self, table: str, columns: Mapping[int, list[Value]]) -> None:
        """Keep the keys of rows, given by the values of columns: of those that refer to the same row, one, counted."""
        for kept in self._kept[table]:
            values = [columns[place] for place in kept.places]
            if len(values[0]) == 1:  # large rows come one by one
                self._limits.fits_key([column[0] for column in values], f"A key of {table}")
            self._insert(kept.insert, _counted(values) if kept.counted else list(zip(*values)))

    def _insert(self, insert: str, keys: Sequence[Row]) -> None:
        try:
            self._connection.execute("BEGIN")
            try:
                self._connection.executemany(f"{insert} ({', '.join('?' * len(keys[0]))})", keys)
            except UnicodeEncodeError:  # a text that is not UTF-8 is stored as its bytes
                self._connection.execute("ROLLBACK")
                self._connection.execute("BEGIN")
                for key in keys:
                    insert_odd(self._connection, insert, key, undecoded)
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise refused(error) from None

    def dangling(self) -> dict[ReferenceKey, int]:
        """Return how many rows have a dangling reference, by table, columns and other table.

        Raises sqlite3.OperationalError for a collation that only the source knows."""
        found = {}
        for number, (name, key) in enumerate(self._edges):
            if self._is_computed(name, (*key.columns, *key.where)) or self._is_computed(key.table, key.other_columns):
                self.unchecked.add((name, key.columns, key.table))
                continue
            if not self._written[name].issuperset((*key.columns, *key.where)):
                continue
            filled = " AND ".join(f"c.{quote(c)} IS NOT NULL" for c in key.columns)
            filled += "".join(f" AND c.{quote(c)} IN ({', '.join('?' * len(v))})" for c, v in key.where.items())
            sql = f"SELECT coalesce(sum(c.{_TIMES}), 0) FROM c{number} AS c WHERE {filled}"
            parent = self._tables.get(key.table)
            others = key.other_columns
            whole = len(others) == len(key.columns)  # otherwise SQLite itself finds no parent
            if parent is not None and whole and self._written[key.table].issuperset(others):
                with suppress(sqlite3.OperationalError):
                    columns = ", ".join(map(quote, others))
                    index = quote(f"i{key.table} {columns}")
                    self._connection.execute(f"CREATE INDEX {index} ON {quote('t' + key.table)} ({columns})")
                match = " AND ".join(f"p.{quote(b)} = +c.{quote(a)}" for a, b in zip(key.columns, others))
                sql += f" AND NOT EXISTS (SELECT 1 FROM {quote('t' + key.table)} AS p WHERE {match})"
            values = [value for among in key.where.values() for value in among]
            rows = self._connection.execute(sql, values).fetchone()[0]
            if rows:
                found[name, key.columns, key.table] = rows
        return found

    def _is_computed(self, table: str, columns: Sequence[str]) -> bool:
        """Return whether SQLite would compute one of the columns and the file does not have it."""
        known = self._tables[table].columns if table in self._tables else ()
        return any(c.generated and c.name in columns and c.name not in self._written[table] for c in known)


def _counted(columns: list[list[Value]]) -> list[Row]:
    """Return the different keys, each with its number. To Python 1 and 1.0 are equal, to SQLite perhaps not."""
    if any(float in set(map(type, values)) for values in columns):
        return [(*key, 1) for key in zip(*columns)]
    if len(columns) == 1:
        return list(Counter(columns[0]).items())
    return [(*key, times) for key, times in Counter(zip(*columns)).items()]


def _column(facts: DocumentColumn, strict: bool) -> str:
    collation = f" COLLATE {quote(facts.collation)}" if facts.collation is not None else ""
    return f"{quote(facts.name)} {affinity(facts.type, strict)}{collation}"


def refused(error: Exception) -> ExportError:
    """Return the exception to raise if SQLite refuses to store the keys."""
    if is_disk_error(error):
        return no_room(explain(error))
    return UnreadableError("The schema is not as this program writes it.")
