"""The selected rows and columns of one table, as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..database.fetching.rows_in_c import MOST_COLUMNS, Chunk, RowPlan
from ..database.guarding.authorizer import ForeignSqlGuard
from ..database.schema import Column, Table, quote
from ..database.snapshot import Row, Snapshot
from ..errors import SourceError
from .key_tables import KeyTable
from .secret_paths import SecretPaths

Read = TypeVar("Read")


@dataclass
class TableRows:
    """The rows of ``table`` to export, and the columns that are written.

    With ``keys``, the rows in that key table, else the rows that meet ``where`` and are not ``barred`` by rules of
    plugins. ``guard`` is set if ``where`` or the view ``table`` contains SQL from outside. ``sort`` holds (column,
    descending) pairs."""

    table: Table
    columns: tuple[Column, ...]
    keys: KeyTable | None = None
    where: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int | None = None
    guard: ForeignSqlGuard | None = None
    secret_paths: SecretPaths | None = None
    barred: KeyTable | None = None
    secret_key: bool = False  # ordering by a secret key would reveal how its values compare

    @property
    def alias(self) -> str:
        """The qualifier of its columns in SQL; conditions from outside use the table's own name."""
        return "r" if self.keys is not None else quote(self.table.name)

    @property
    def repeatable(self) -> bool:
        """Whether a second run returns the same rows in the same order: ordered by a key, no SQL from outside."""
        return bool(self.table.key) and self.guard is None and not self.secret_key

    def select(self, expressions: str | None = None, more: str = "", ordered: bool = True) -> str:
        """Return a SELECT of the rows: their columns, or ``expressions``; ``more`` is an additional condition."""
        alias = self.alias
        if expressions is None:
            expressions = ", ".join(f"{alias}.{quote(c.name)}" for c in self.columns)
        conditions = [f"({clause})" for clause in self.where] + ([more] if more else [])
        if self.barred is not None:
            conditions.append(self.barred.has_not(alias))
        if self.keys is not None:
            source = f"{self.keys.name} AS k CROSS JOIN {self.table.source('r')} ON {self.keys.joined('k', 'r')}"
        else:
            source = self.table.source()
        sql = f"SELECT {expressions} FROM {source}"
        if conditions:
            sql += f" WHERE {' AND '.join(conditions)}"
        if ordered and (order := self._order()):
            sql += f" ORDER BY {order}"
        if self.limit is not None or self.offset:
            sql += f" LIMIT {-1 if self.limit is None else self.limit} OFFSET {self.offset or 0}"
        return sql

    def trial(self) -> str:
        """Return a statement that compiles the SELECT without reading a row.

        Within another SELECT, SQLite asks for collations that only the application knows."""
        sql = self.select(ordered=False)
        return f"EXPLAIN {sql}" if self.table.kind == "table" else f"SELECT 1 FROM ({sql}) LIMIT 0"

    def batches(self, snapshot: Snapshot, sizes: Iterator[int]) -> Iterator[list[Row]]:
        """Yield the rows in lists of the given sizes."""
        how: dict[str, Any] = {"guard": self.guard, "repeatable": self.repeatable, "sizes": sizes}
        found = self._told(snapshot, snapshot.batches(self.select(), self.params, **how))
        if self.secret_paths is None:
            return found
        self.secret_paths.withheld.clear()  # a second reading counts them again
        return map(self.secret_paths.cut, found)

    def can_be_written(self, snapshot: Snapshot) -> bool:
        """Return whether ``written`` works: in C, for statements of our own, where no value is taken out of a text."""
        plain = self.repeatable and self.secret_paths is None
        return snapshot.writes_rows and plain and len(self.columns) <= MOST_COLUMNS

    def written(self, snapshot: Snapshot, plan: RowPlan) -> Iterator[Chunk]:
        """Yield the same rows as ``batches``, as the plan says."""

        def select(expressions: str, limit: str) -> str:
            rows = self.select(expressions)
            return rows if self.limit is not None or self.offset else f"{rows} {limit}"

        columns = [f"{self.alias}.{quote(column.name)}" for column in self.columns]
        return self._told(snapshot, snapshot.written(select, columns, self.params, plan))

    def _told(self, snapshot: Snapshot, found: Iterator[Read]) -> Iterator[Read]:
        """Yield the same. Raises SourceError that names the table, not the database."""
        try:
            yield from found
        except SourceError as error:
            if self.table.kind == "query":
                raise
            raise error.of_table(self.table.name, snapshot.source.name) from error

    def sample(self, snapshot: Snapshot, rows: int) -> list[Row]:
        """Return the first ``rows`` rows."""
        return self.without_secrets(snapshot.sample(self.select(), self.params, self.guard, rows))

    def without_secrets(self, rows: list[Row]) -> list[Row]:
        """Return rows of these columns without the values at secret paths."""
        return rows if self.secret_paths is None else self.secret_paths.cut(rows)

    def withheld(self) -> list[str]:
        """Return a sentence for each column of which values were withheld, after all rows were read."""
        told = []
        for place, count in (self.secret_paths.withheld if self.secret_paths is not None else {}).items():
            values = f"{count:,} value{'s' if count > 1 else ''}"
            told.append(
                f"{self.table.name}.{self.columns[place].name}: {values} could not be read as JSON, so what is secret "
                "could not be taken out: null stands there."
            )
        return told

    def count(self) -> str:
        """Return a SELECT of the number of rows."""
        return f"SELECT count(*) FROM ({self.select('1', ordered=False)})"

    def contains(self, row: str) -> str:
        """Return the condition that the row with alias ``row`` is selected, by its key."""
        if self.keys is None:
            return "1" if self.barred is None else self.barred.has_not(row)
        return f"EXISTS (SELECT 1 FROM {self.keys.name} AS x WHERE {self.keys.joined('x', row)})"

    def _order(self) -> str:
        parts = [f"{self.alias}.{quote(name)}{' DESC' if descending else ''}" for name, descending in self.sort]
        if self.secret_key:
            parts += [f"{self.alias}.{quote(column.name)}" for column in self.columns]
        elif self.keys is not None and not parts:
            parts = [
                f"k.{column}" for column in self.keys.columns
            ]  # the order in which SQLite scans the key table: nothing needs sorting
        else:
            collated = {p.name: f" COLLATE {quote(p.collation)}" if p.collation else "" for p in self.table.key}
            parts += [f"{self.alias}.{quote(name)}{collation}" for name, collation in collated.items()]
        return ", ".join(parts)
