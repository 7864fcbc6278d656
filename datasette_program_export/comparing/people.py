"""Whose the rows are that differ: counts for each person, where settings or a preset say who people are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import msgspec

from ..database.schema import ForeignKey, fold
from .packed_rows import raw_rows
from .report import Difference, PersonCounts
from .side import Side, StagedRows

_FURTHEST = 6  # references from a row to its person
_AT_ONCE = 500
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[Any]).decode


class Owners:
    """Finds the person of rows of one side, along the references by which an export finds whose a row is.

    Rows that are referred to are looked for among the side's own; a person is told by the columns by which rows refer
    to people. Nobody's are rows without a known person, and those where a column on the way holds a secret."""

    def __init__(self, connection: Any, side: Side) -> None:
        self._connection, self._side = connection, side
        people = side.known.people if side.known is not None else None
        self._people = people if people is not None and people.declared else None
        self._made = 0
        self._way = cache(self._find_way)
        self._index = cache(self._make_index)

    def person(self, staged: StagedRows, values: Mapping[int, Any]) -> dict[str, Any]:
        """Return the person of a row, by column, from the values at its places; nothing if there is none."""
        table = staged.table.name
        if self._people is not None and table in self._people.tables:
            return self._named(staged, values, staged.table.pk)
        way = self._way(table) if self._people is not None else ()
        if not way:
            return {}
        key = self._key(staged, values, way[0].columns)
        if key is None or (len(way) > 1 and (key := self._owner(way[1:], key, way[0].other_columns)) is None):
            return {}
        return dict(zip(way[-1].other_columns, _unpack(key)))

    def _named(self, staged: StagedRows, values: Mapping[int, Any], columns: tuple[str, ...]) -> dict[str, Any]:
        key = self._key(staged, values, columns)
        return {} if key is None else dict(zip(columns, _unpack(key)))

    def _key(self, staged: StagedRows, values: Mapping[int, Any], columns: tuple[str, ...]) -> bytes | None:
        """Return the values of columns as bytes; None if one is NULL, not there or secret."""
        secret = self._side.secrets(staged.table.name)
        found = [None if fold(c) in secret else values.get(self._place(staged, c)) for c in columns]
        with suppress(UnicodeEncodeError):
            if all(isinstance(value, (int, float, str)) for value in found):
                return _pack(found)
        return None

    def _place(self, staged: StagedRows, column: str) -> int:
        place = staged.place(column)
        return -1 if place is None else place

    def _find_way(self, table: str) -> tuple[ForeignKey, ...]:
        """Return the shortest way along references from a table to people; nothing if there is none."""
        known, people = self._side.known, self._people
        assert known is not None and people is not None
        ways: list[tuple[ForeignKey, ...]] = [()]
        seen = {table}
        for _ in range(_FURTHEST):
            longer = []
            for way in ways:
                at = way[-1].other_table if way else table
                for edge in known.edges:
                    if edge.table != at or edge.problem or edge.where or not people.passes_owners(edge):
                        continue
                    if edge.other_table in people.tables:
                        return (*way, edge)
                    if edge.other_table not in seen and self._side.find(edge.other_table) is not None:
                        seen.add(edge.other_table)
                        longer.append((*way, edge))
            ways = longer
        return ()

    def _owner(self, way: tuple[ForeignKey, ...], key: bytes, columns: tuple[str, ...]) -> bytes | None:
        name = self._index(way, columns)
        found = self._connection.execute(f"SELECT person FROM {name} WHERE k = ?", (key,)).fetchone()
        return None if found is None else found[0]

    def _make_index(self, way: tuple[ForeignKey, ...], columns: tuple[str, ...]) -> str:
        """Make a table with the person of each row of the table where the way begins, by these columns."""
        staged = self._side.find(way[0].table)
        assert staged is not None
        rest = self._index(way[1:], way[0].other_columns) if len(way) > 1 else None
        self._made += 1
        name = f"w{self._side.number}_{self._made}"
        self._connection.execute(f"CREATE TABLE {name} (k BLOB PRIMARY KEY, person BLOB) WITHOUT ROWID")
        person = "?" if rest is None else f"(SELECT person FROM {rest} WHERE k = ?)"
        insert = f"INSERT OR IGNORE INTO {name} VALUES (?, {person})"
        for block in staged.blocks():
            rows = map(dict, map(enumerate, raw_rows(block)))
            keys = [(self._key(staged, row, columns), self._key(staged, row, way[0].columns)) for row in rows]
            self._connection.execute("BEGIN")
            self._connection.executemany(insert, [pair for pair in keys if None not in pair])
            self._connection.execute("COMMIT")
        return name


class Tally:
    """Counts the differences of one table by person, in the private database."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._waiting: list[tuple[bytes, str, int]] = []
        connection.execute("DROP TABLE IF EXISTS tally")
        connection.execute("CREATE TABLE tally (person BLOB, kind TEXT, n INTEGER)")

    def add(self, one: Difference) -> None:
        """Count a difference, if its row is a person's."""
        if one.person:
            self._waiting.append((_pack(list(one.person.items())), one.kind, one.times))
            if len(self._waiting) >= _AT_ONCE:
                self._write()

    def _write(self) -> None:
        self._connection.executemany("INSERT INTO tally VALUES (?, ?, ?)", self._waiting)
        self._waiting.clear()

    def first(self, most: int) -> tuple[list[PersonCounts], int]:
        """Return the counts of the people with the most differences, and how many people there are."""
        self._write()
        sums = ", ".join(f"total(n * (kind = '{kind}'))" for kind in ("changed", "gone", "new"))
        grouped = f"SELECT person, {sums} FROM tally GROUP BY person ORDER BY total(n) DESC, person LIMIT ?"
        found = [
            PersonCounts(key=dict(_unpack(person)), changed=int(changed), gone=int(gone), new=int(new))
            for person, changed, gone, new in self._connection.execute(grouped, (most,))
        ]
        (count,) = self._connection.execute("SELECT count(DISTINCT person) FROM tally").fetchone()
        return found, count
