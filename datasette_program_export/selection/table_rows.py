"""The chosen rows and columns of one table, as SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..database.guarding.authorizer import Guard
from ..database.schema import Column, Table, quote
from ..database.snapshot import Row, Snapshot
from .key_tables import KeyTable


@dataclass
class TableRows:
    """Rows of ``table``, and which columns of them are written.

    With ``keys``, the rows in that key table; else those for which ``where`` holds. ``guard``
    is set when ``where``, or the table (a view), is somebody else's SQL."""

    table: Table
    columns: tuple[Column, ...]
    keys: KeyTable | None = None
    where: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int | None = None
    guard: Guard | None = None
    secret_key: bool = False  # then the rows' order by their key would tell how the secrets compare

    @property
    def alias(self) -> str:
        """By what its columns are qualified: conditions from outside use the table's own name."""
        return "r" if self.keys is not None else quote(self.table.name)

    @property
    def repeatable(self) -> bool:
        """Whether a second run gives the same rows in the same order: by a key, and nobody else's SQL."""
        return bool(self.table.key) and self.guard is None and not self.secret_key

    def select(self, expressions: str | None = None, more: str = "", ordered: bool = True) -> str:
        """A SELECT of these rows: their columns, or ``expressions``; ``more`` is one more condition."""
        alias = self.alias
        if expressions is None:
            expressions = ", ".join(f"{alias}.{quote(c.name)}" for c in self.columns)
        conditions = [f"({clause})" for clause in self.where] + ([more] if more else [])
        if self.keys is not None:
            source = (
                f"{self.keys.name} AS k CROSS JOIN main.{quote(self.table.name)} AS r ON {self.keys.joined('k', 'r')}"
            )
        else:
            source = f"main.{quote(self.table.name)}"
        sql = f"SELECT {expressions} FROM {source}"
        if conditions:
            sql += f" WHERE {' AND '.join(conditions)}"
        if ordered and (order := self._order()):
            sql += f" ORDER BY {order}"
        if self.limit is not None or self.offset:
            sql += f" LIMIT {-1 if self.limit is None else self.limit} OFFSET {self.offset or 0}"
        return sql

    def batches(self, snapshot: Snapshot, sizes: Iterator[int]) -> Iterator[list[Row]]:
        """The rows, in lists of these sizes."""
        return snapshot.batches(self.select(), self.params, guard=self.guard, repeatable=self.repeatable, sizes=sizes)

    def sample(self, snapshot: Snapshot, rows: int) -> list[Row]:
        """The first rows, for a look at them."""
        return snapshot.sample(self.select(), self.params, self.guard, rows)

    def count(self) -> str:
        """A SELECT of how many rows these are."""
        return f"SELECT count(*) FROM ({self.select('1', ordered=False)})"

    def contains(self, row: str) -> str:
        """The condition that the row with alias ``row`` is among these (by key, or no condition at all)."""
        if self.keys is None:
            return "1"
        return f"EXISTS (SELECT 1 FROM {self.keys.name} AS x WHERE {self.keys.joined('x', row)})"

    def _order(self) -> str:
        parts = [f"{self.alias}.{quote(name)}{' DESC' if descending else ''}" for name, descending in self.sort]
        if self.secret_key:
            parts += [f"{self.alias}.{quote(column.name)}" for column in self.columns]
        elif self.keys is not None and not parts:
            parts = [
                f"k.{column}" for column in self.keys.columns
            ]  # the order of the walk through the keys: no sorting
        else:
            collated = {p.name: f" COLLATE {quote(p.collation)}" if p.collation else "" for p in self.table.key}
            parts += [f"{self.alias}.{quote(name)}{collation}" for name, collation in collated.items()]
        return ", ".join(parts)
