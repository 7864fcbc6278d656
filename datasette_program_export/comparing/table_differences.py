"""The rows of two staged tables that differ, found by SQLite: by a join on the key, or as two multisets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any, Literal

import msgspec

from ..database.schema import fold
from ..formats.values import json_value
from .packed_rows import LargeValue, picking, unpacked
from .pairing import Pair
from .report import ChangedValue, Difference
from .side import StagedRows

SECRET = "(secret)"  # what is shown of it # noqa: S105


class TableDifferences:
    """Iterate over it once; it yields the differences of a pair in a fixed order and in bounded memory.

    ``hidden`` are the columns whose values are not shown. ``by_key`` says how rows are found again."""

    def __init__(self, connection: Any, pair: Pair, hidden: Sequence[str]) -> None:
        self._connection = connection
        self._pair = pair
        self._hidden = set(hidden)
        places = [own for own, _ in pair.columns], [other for _, other in pair.columns]
        self._values = "a.v", "b.v"
        whole = tuple(len(side.fields) for side in (pair.before, pair.after))
        if any(wanted != list(range(width)) for wanted, width in zip(places, whole)):
            for name, wanted in zip(("pick_before", "pick_after"), places):
                connection.create_function(name, 1, picking(wanted), deterministic=True)
            self._values = "pick_before(a.v)", "pick_after(b.v)"
        self.by_key = bool(pair.key) and self._indexed()

    def _indexed(self) -> bool:
        """Index the keys, and return whether each belongs to one row only."""
        sides = ((self._pair.before, 0), (self._pair.after, 1))
        for staged, side in sides:
            if staged.by_number:
                continue
            columns = ", ".join(f"k{one[side]} COLLATE {one[2]}" for one in self._pair.key)
            self._connection.execute(f"CREATE INDEX i_{staged.name} ON {staged.name} ({columns})")
            twice = f"SELECT 1 FROM {staged.name} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1"
            if self._connection.execute(twice).fetchone():
                self._pair.note = "Some rows have no key of their own, so its rows are compared by value."
                return False
        return True

    @property
    def matching(self) -> str:
        """The SQL condition under which ``a`` and ``b`` are the same row."""
        plain = self._pair.before.by_number and self._pair.after.by_number
        equal = "=" if plain else "IS"
        return " AND ".join(f"a.k{own} {equal} b.k{other} COLLATE {how}" for own, other, how in self._pair.key)

    def __iter__(self) -> Iterator[Difference]:
        yield from self._by_key() if self.by_key else self._by_value()

    def _by_key(self) -> Iterator[Difference]:
        before, after = self._pair.before.name, self._pair.after.name
        mine, theirs = self._values
        changed = f"SELECT a.v, b.v FROM {before} a CROSS JOIN {after} b ON {self.matching} WHERE {mine} <> {theirs}"
        for one, other in self._connection.execute(changed):
            yield self._changed(unpacked(one), unpacked(other))
        gone = f"SELECT a.v FROM {before} a WHERE NOT EXISTS (SELECT 1 FROM {after} b WHERE {self.matching})"
        for (one,) in self._connection.execute(gone):
            yield self._whole("gone", unpacked(one), 0)
        new = f"SELECT b.v FROM {after} b WHERE NOT EXISTS (SELECT 1 FROM {before} a WHERE {self.matching})"
        for (one,) in self._connection.execute(new):
            yield self._whole("new", unpacked(one), 1)

    def _by_value(self) -> Iterator[Difference]:
        mine, theirs = self._values
        both = (
            f"SELECT {mine} AS v, 1 AS n FROM {self._pair.before.name} a "
            f"UNION ALL SELECT {theirs}, -1 FROM {self._pair.after.name} b"
        )
        for row, surplus in self._connection.execute(
            f"SELECT v, sum(n) AS surplus FROM ({both}) GROUP BY v HAVING surplus <> 0"
        ):
            values = unpacked(row)
            if self._values[0] == "a.v":
                values = [values[own] for own, _ in self._pair.columns]
            names = [self._pair.before.fields[own] for own, _ in self._pair.columns]
            shown = {name: self._shown(name, value) for name, value in zip(names, values)}
            kind = "gone" if surplus > 0 else "new"
            yield Difference.model_construct(
                table=self._pair.name, kind=kind, key={}, columns={}, row=shown, times=abs(surplus)
            )

    def _changed(self, one: list[Any], other: list[Any]) -> Difference:
        columns = {}
        for own, place in self._pair.columns:
            before, after = one[own], other[place]
            if _differ(before, after):
                name = self._pair.before.fields[own]
                columns[name] = ChangedValue.model_construct(
                    before=self._shown(name, before), after=self._shown(name, after)
                )
        return Difference.model_construct(
            table=self._pair.name, kind="changed", key=self._key(one, 0), columns=columns, row={}, times=1
        )

    def _whole(self, kind: str, values: list[Any], side: int) -> Difference:
        names = [self._pair.before.fields[own] for own, _ in self._pair.columns]
        row = {name: self._shown(name, values[places[side]]) for name, places in zip(names, self._pair.columns)}
        return Difference.model_construct(
            table=self._pair.name, kind=kind, key=self._key(values, side), columns={}, row=row, times=1
        )

    def _key(self, values: list[Any], side: int) -> dict[str, Any]:
        before, after = self._pair.before, self._pair.after
        found = {}
        for own, other, _ in self._pair.key:
            name = before.fields[before.key[own]]
            place = before.key[own] if side == 0 else after.key[other]
            found[name] = self._shown(name, values[place])
        return found

    def _shown(self, column: str, value: Any) -> Any:
        return _shown(value, column in self._hidden)


def rows_of(
    connection: Any, staged: StagedRows, kind: Literal["gone", "new"], secrets: Set[str]
) -> Iterator[Difference]:
    """Yield every row of a table that only one side has. ``secrets`` are folded names of columns."""
    name = staged.table.name
    hidden = [fold(field) in secrets for field in staged.fields]
    for (data,) in connection.execute(f"SELECT v FROM {staged.name}"):
        shown = [_shown(value, secret) for value, secret in zip(unpacked(data), hidden)]
        key = {staged.fields[place]: shown[place] for place in staged.key}
        row = dict(zip(staged.fields, shown))
        yield Difference.model_construct(table=name, kind=kind, key=key, columns={}, row=row, times=1)


def _shown(value: Any, secret: bool) -> Any:
    if secret and value is not None:
        return SECRET
    return str(value) if isinstance(value, LargeValue) else msgspec.to_builtins(json_value(value))


def _differ(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or one != other or (one == 0.0 and str(one) != str(other))
