"""One side of a comparison: the rows of a file or a database, as bytes; those that differ are staged with keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import starmap
from typing import Any

from ..database.library import Prepare, sqlite3
from ..database.schema import Schema, Table, fold
from ..database.sqlite_errors import explain, is_disk_error
from ..errors import UnreadableError
from ..files.temporary.room import no_room
from ..formats.dataset import Batches, Dataset, PackedRows, Row, TableStream, packed_rows
from ..formats.description.coverage import EMPTY, Coverage
from ..importing.report import FindingCollector
from ..importing.staging.new_tables import NewTables
from ..options.settings import Settings
from ..selection.annotated_schema import AnnotatedSchema, annotate
from .packed_rows import Ext, packed, raw_rows, split
from .row_file import RowFile, Stored


@dataclass
class StagedRows:
    """The rows of one table: all ``stored`` in ``file``; some of them in the staged table ``name``, in which ``k0``,
    ``k1``, … hold the key and ``v`` the row.

    ``key`` are the places of the primary key in ``fields``; with ``by_number`` it is one INTEGER PRIMARY KEY, and
    that of the staged table as well. ``generated`` are the names of columns that SQLite computes."""

    table: Table
    name: str
    fields: tuple[str, ...]
    key: tuple[int, ...]
    by_number: bool
    generated: frozenset[str]
    file: RowFile
    stored: Stored
    rows: int = 0

    def place(self, column: str) -> int | None:
        """Return the place of a column in the rows, in any case; None if there is none of this name."""
        return next((n for n, name in enumerate(self.fields) if fold(name) == fold(column)), None)

    def blocks(self) -> Iterator[list[bytes]]:
        """Yield all rows as bytes, in lists."""
        return starmap(split, self.unparted())

    def unparted(self) -> Iterator[tuple[bytes, int]]:
        """Yield all rows as bytes, so many one behind the other."""
        return self.file.read(self.stored)

    def stage(self, connection: Any) -> None:
        """Make the staged table, still empty."""
        columns = ["k0 INTEGER PRIMARY KEY"] if self.by_number else [f"k{n}" for n in range(len(self.key))]
        connection.execute(f"CREATE TABLE {self.name} ({', '.join([*columns, 'v BLOB'])})")

    def insert(self, connection: Any, rows: Sequence[bytes]) -> None:
        """Add rows to the staged table. Raises UnreadableError for keys that a table cannot have."""
        if not rows:
            return
        values = raw_rows(rows) if self.key else []
        columns = [[_bound(row[place]) for row in values] for place in self.key]
        slots = ", ".join("?" * (len(self.key) + 1))
        connection.execute("BEGIN")
        try:
            connection.executemany(f"INSERT INTO {self.name} VALUES ({slots})", list(zip(*columns, rows)))
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if is_disk_error(error):
                raise no_room(explain(error)) from error
            raise
        except (sqlite3.IntegrityError, OverflowError, TypeError):
            raise UnreadableError(f"{self.table.name} holds keys or values that its table cannot have.") from None


def _bound(value: Any) -> Any:
    """Return a key as SQLite keeps it: of what is no valid text, and of a large value, the bytes that stand for it."""
    return bytes(value.data) if isinstance(value, Ext) else value


@dataclass
class Side:
    """``tables`` by name; ``left_out`` are the tables and columns that this side says it leaves out, by folded names
    (a whole table has None for its column), each with the reason;
    ``part``: it is not a whole database; ``withholds``: secrets are left out; ``described``: a SQLite file that this
    program wrote; ``limited``: it has tables that the person may not see."""

    number: int
    name: str
    file: RowFile
    tables: dict[str, StagedRows] = field(default_factory=dict)
    known: AnnotatedSchema | None = None
    left_out: dict[tuple[str, str | None], str] = field(default_factory=dict)
    part: bool = False
    withholds: bool = False
    described: bool = False
    limited: bool = False
    others: list[str] = field(default_factory=list)  # results of queries and views
    coverage: Coverage = EMPTY

    def find(self, name: str) -> StagedRows | None:
        """Return the staged table of this name, in any case; None if there is none."""
        return next((t for n, t in self.tables.items() if fold(n) == fold(name)), None)

    def why_left_out(self, table: str, column: str | None = None) -> str | None:
        """Return why this side leaves out a table or a column; None if it does not."""
        return self.left_out.get((fold(table), None if column is None else fold(column)))

    def secrets(self, table: str) -> set[str]:
        """Return the folded names of the columns whose values are never shown."""
        found = self.known.schema.find(table) if self.known is not None else None
        if found is None or self.known is None:
            return set()
        return {fold(c) for c in (*self.known.secret_columns(found), *self.known.secret_paths(found))}

    def clear(self) -> None:
        """Forget all rows, before they are read again."""
        self.file.clear()
        self.tables.clear()
        self.others.clear()

    def cover(self, coverage: Coverage) -> None:
        """Remember what the side leaves out."""
        self.coverage = coverage
        self.part = self.part or bool(coverage.withheld or coverage.by_rules)
        self.withholds = self.withholds or bool(coverage.secret)
        for secret in coverage.secret:
            self.left_out[fold(secret.table), fold(secret.column)] = secret.why
        for one in coverage.no_permission:
            self.left_out[fold(one.table), None] = "not visible to the person who exported"
        for left in coverage.left_out:
            if left.table is not None:
                column = None if left.column is None else fold(left.column)
                self.left_out[fold(left.table), column] = left.why or "on request"

    def note_request(self, head: Mapping[str, Any]) -> None:
        """Remember whether a file was asked to hold a whole database."""
        self.part = head.get("scope") != "database" or bool((head.get("request") or {}).get("tables"))

    def through(self, dataset: Dataset, settings: Settings, prepare: Prepare | None) -> Dataset:
        """Return a document whose rows are staged as they are read. Raises UnreadableError."""
        if not dataset.readable:
            raise UnreadableError("The values of this file were made for a spreadsheet, so they are not compared.")
        findings = FindingCollector()
        schema = NewTables(dataset.schema).trial(findings, prepare)
        if findings.errors:
            raise UnreadableError(findings.errors[0].message)
        self.known = annotate(schema, settings, with_secrets=False)
        self.note_request(dataset.head)

        def coverage() -> Coverage:
            found = dataset.coverage()
            self.cover(found)
            return found

        kinds = {name: table.kind for name, table in dataset.schema.tables.items()}
        tables = (self._tapped(stream, schema, kinds.get(stream.name)) for stream in dataset.tables)
        return replace(dataset, tables=tables, coverage=coverage)

    def _tapped(self, stream: TableStream, schema: Schema, kind: str | None) -> TableStream:
        table = schema.find(stream.name)
        if table is None or kind in ("view", "query"):
            self.others.append(stream.name)
            return stream
        return replace(stream, batches=Batches(partial(self.taking, stream, table)))

    def take(self, stream: TableStream, table: Table) -> None:
        """Store a table's rows; only their number and order are known then."""
        staged = self._table(stream, table)
        assert stream.packed is not None
        for data, rows in stream.packed(packed):
            self.file.add(staged.stored, data, rows)
            staged.rows += rows
        self.file.finish(staged.stored)

    def taking(
        self, stream: TableStream, table: Table, places: Sequence[int] | None
    ) -> Iterator[list[Row] | PackedRows]:
        """Store a table's rows and yield them, as ``Batches`` does. Raises UnreadableError for impossible values."""
        staged = self._table(stream, table)
        for rows in stream.batches if places is None else packed_rows(stream.batches, places):
            data, count = _as_bytes(rows, table)
            self.file.add(staged.stored, data, count)
            staged.rows += count
            yield rows
            del rows  # otherwise the last batch is held while the next is read
        self.file.finish(staged.stored)

    def _table(self, stream: TableStream, table: Table) -> StagedRows:
        places = {fold(f.name): n for n, f in enumerate(stream.fields)}
        pk = [places.get(fold(name)) for name in table.pk] if table.kind == "table" else []
        key = tuple(place for place in pk if place is not None) if None not in pk else ()
        by_number = table.integer_key is not None and len(key) == 1
        name = f"s{self.number}_{len(self.tables)}"
        generated = frozenset(fold(f.name) for f in stream.fields if f.generated)
        fields = tuple(f.name for f in stream.fields)
        staged = self.tables[table.name] = StagedRows(
            table, name, fields, key, by_number, generated, self.file, self.file.begin()
        )
        return staged


def _as_bytes(rows: list[Row] | PackedRows, table: Table) -> tuple[bytes | memoryview, int]:
    if isinstance(rows, PackedRows):
        return rows.packed, rows.rows
    try:
        return packed(rows)[0], len(rows)
    except (OverflowError, TypeError, ValueError):
        raise UnreadableError(f"{table.name} holds a value that SQLite cannot.") from None


def collation_of(staged: StagedRows, place: int) -> str:
    """Return the collation by which a key column tells rows apart, if SQLite knows it by itself, else BINARY."""
    found: str = staged.table.key_collation(staged.fields[place]).upper()
    return found if found in ("NOCASE", "RTRIM") else "BINARY"
