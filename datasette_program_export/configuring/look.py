"""A bounded look at rows: some of each table, for a limited time. Columns that hold secrets are not read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ..database.schema import ForeignKey, Table, quote
from ..database.snapshot import Row, Snapshot, TimeExpired
from ..errors import SourceError

ROWS = 200  # of a table; half of them its first, half its last
VALUES = 2_000  # rows of a table whose values are looked up in another
_COLUMNS = 100
LONGEST = 4_000  # characters of a text that are read
_TYPES = 50  # values of a type column


@dataclass(frozen=True)
class Matching:
    """How many different values of a reference were looked up, and how many of them are in the other table."""

    values: int
    found: int

    @property
    def share(self) -> float:
        """The share of the values that are there; 1 where there are no values."""
        return self.found / self.values if self.values else 1.0

    def __str__(self) -> str:
        return f"{self.found:,} of {self.values:,} values match" if self.values else "no values to look up"


class Look:
    """Looks at rows of one snapshot until its time is over; then, and for what cannot be read, it sees nothing.

    ``allowed`` false: no row is read at all. ``late`` tells that the time was over, ``rows`` how many rows were seen.
    """

    def __init__(self, snapshot: Snapshot, allowed: bool, seconds: float) -> None:
        self._snapshot = snapshot
        self.allowed = allowed
        self.late = False
        self.rows = 0
        snapshot.expire_after(seconds)

    def sample(self, table: Table, unread: Collection[str]) -> dict[str, list[Any]]:
        """Return the values of some rows by column, without the ``unread`` columns; long texts are cut, BLOBs None."""
        columns = [c.name for c in table.visible_columns if c.name not in unread][:_COLUMNS]
        if not columns:
            return {}
        shown = ", ".join(_shortened(quote(name)) for name in columns)
        found = self._run(f"SELECT {shown} FROM {_some(table, ROWS)}", ROWS)
        self.rows += len(found)
        return {name: [row[place] for row in found] for place, name in enumerate(columns)}

    def match(self, edge: ForeignKey, child: Table, parent: Table) -> Matching | None:
        """Return how many values of a reference of one column are in the other table; None if that was not seen."""
        own, other = quote(edge.columns[0]), quote(edge.other_columns[0])
        kept = f"c.{own} IS NOT NULL{edge.holds('c')}"
        values = f"SELECT DISTINCT v FROM (SELECT c.{own} AS v FROM {_some(child, VALUES, kept)})"
        inside = f"SELECT {other} FROM {parent.source()}"
        found = self._run(f"SELECT count(*), count(CASE WHEN v IN ({inside}) THEN 1 END) FROM ({values})", 1)
        return Matching(*found[0]) if found else None

    def distinct(self, table: Table, column: str) -> list[Any]:
        """Return some different values of a column, those that many rows have first."""
        own = quote(column)
        values = f"SELECT c.{own} AS v FROM {_some(table, VALUES, f'c.{own} IS NOT NULL')}"
        grouped = f"SELECT v FROM ({values}) GROUP BY v ORDER BY count(*) DESC, v LIMIT {_TYPES}"
        return [value for (value,) in self._run(grouped, _TYPES)]

    def is_unique(self, table: Table, column: str) -> bool:
        """Return whether a column without an index has no value twice in some of its rows, and no NULL."""
        own = quote(column)
        counted = f"SELECT count(*), count(DISTINCT v) FROM (SELECT c.{own} AS v FROM {_some(table, VALUES)})"
        found = self._run(counted, 1)
        return bool(found) and found[0][0] == found[0][1] > 0

    def _run(self, sql: str, rows: int) -> list[Row]:
        if self.late or not self.allowed:
            return []
        try:
            return self._snapshot.sample(sql, (), None, rows)
        except TimeExpired:
            self.late = True
            return []
        except SourceError as error:
            if error.reason is None:
                raise
            return []  # one table that cannot be read spoils only itself


def _shortened(column: str) -> str:
    return (
        f"CASE typeof({column}) WHEN 'text' THEN substr({column}, 1, {LONGEST}) WHEN 'blob' THEN NULL ELSE {column} END"
    )


def _some(table: Table, rows: int, where: str = "TRUE") -> str:
    """Return a FROM clause with a table's first and last rows; of a table without numbers, with its first."""
    source = table.source("c")
    if table.rowid is None:
        return f"{source} WHERE {where} LIMIT {rows}"
    row, half = f"c.{quote(table.rowid)}", rows // 2
    ends = " UNION ".join(
        f"SELECT r FROM (SELECT {row} AS r FROM {source} WHERE {where} ORDER BY {row} {way} LIMIT {half})"
        for way in ("ASC", "DESC")
    )
    return f"{source} WHERE {row} IN ({ends})"
