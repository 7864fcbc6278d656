"""The rows of two staged tables that differ, found by SQLite: by a join on the key, or as two multisets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from itertools import chain
from typing import Any, Literal

import msgspec

from ..database.schema import fold
from ..formats.values import json_value
from .matching import Pick, order_of, unmatched
from .packed_rows import LargeValue, picking, unpacked
from .pairing import Pair
from .people import Owners
from .report import ChangedValue, Difference
from .side import StagedRows

SECRET = "(secret)"  # what is shown of it # noqa: S105


class TableDifferences:
    """Iterate over it once; it yields the differences of a pair in a fixed order and in bounded memory.

    ``hidden`` are the columns whose values are not shown. ``by_key`` says how rows are found again."""

    def __init__(self, connection: Any, pair: Pair, hidden: Sequence[str], owners: Sequence[Owners]) -> None:
        self._connection = connection
        self._pair = pair
        self._owners = owners
        self._hidden = set(hidden)
        places = [own for own, _ in pair.columns], [other for _, other in pair.columns]
        picks: list[Pick | None] = []
        self._values = ["a.v", "b.v"]
        for side, (staged, wanted) in enumerate(zip((pair.before, pair.after), places)):
            whole = wanted == list(range(len(staged.fields)))
            picks.append(None if whole else picking(wanted))
            if not whole:
                self._values[side] = f"pick_{side}({self._values[side]})"
                connection.create_function(f"pick_{side}", 1, _of_one(picking(wanted)), deterministic=True)
        self._picked = places[0] if picks[0] else None
        self._stage((picks[0], picks[1]))
        self.by_key = bool(pair.key) and self._indexed()

    def _stage(self, picks: tuple[Pick | None, Pick | None]) -> None:
        """Stage the rows that have no equal at about the same place on the other side."""
        before, after = self._pair.before, self._pair.after
        for staged in (before, after):
            staged.stage(self._connection)
        keys = [before.key[own] for own, _, _ in self._pair.key], [after.key[other] for _, other, _ in self._pair.key]
        for one, other in unmatched(before.unparted(), after.unparted(), picks, order_of(keys, unpacked)):
            before.insert(self._connection, one)
            after.insert(self._connection, other)

    def _indexed(self) -> bool:
        """Index the keys, and return whether each belongs to one row only."""
        sides = ((self._pair.before, 0), (self._pair.after, 1))
        for staged, side in sides:
            if staged.by_number:
                continue
            columns = ", ".join(f"k{one[side]} COLLATE {one[2]}" for one in self._pair.key)
            self._connection.execute(f"CREATE INDEX i_{staged.name} ON {staged.name} ({columns})")
            twice = f"SELECT 1 FROM {staged.name} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1"
            null = " OR ".join(f"k{one[side]} IS NULL" for one in self._pair.key)
            missing = f"SELECT 1 FROM {staged.name} WHERE {null} LIMIT 1"
            if self._connection.execute(twice).fetchone() or self._connection.execute(missing).fetchone():
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
            if self._picked is None:
                values = [values[own] for own, _ in self._pair.columns]
            names = [self._pair.before.fields[own] for own, _ in self._pair.columns]
            shown = {name: self._shown(name, value) for name, value in zip(names, values)}
            kind, side = ("gone", 0) if surplus > 0 else ("new", 1)
            person = self._person(side, {places[side]: value for places, value in zip(self._pair.columns, values)})
            yield Difference.model_construct(
                table=self._pair.name, kind=kind, key={}, columns={}, row=shown, times=abs(surplus), person=person
            )

    def _person(self, side: int, values: Mapping[int, Any]) -> dict[str, Any]:
        return self._owners[side].person((self._pair.before, self._pair.after)[side], values)

    def _changed(self, one: list[Any], other: list[Any]) -> Difference:
        columns = {}
        for own, place in self._pair.columns:
            before, after = one[own], other[place]
            if _differ(before, after):
                name = self._pair.before.fields[own]
                columns[name] = ChangedValue.model_construct(
                    before=self._shown(name, before), after=self._shown(name, after)
                )
        facts: dict[str, Any] = {
            "table": self._pair.name,
            "kind": "changed",
            "key": self._key(one, 0),
            "columns": columns,
        }
        return Difference.model_construct(**facts, row={}, times=1, person=self._person(0, dict(enumerate(one))))

    def _whole(self, kind: str, values: list[Any], side: int) -> Difference:
        names = [self._pair.before.fields[own] for own, _ in self._pair.columns]
        row = {name: self._shown(name, values[places[side]]) for name, places in zip(names, self._pair.columns)}
        facts: dict[str, Any] = {"table": self._pair.name, "kind": kind, "key": self._key(values, side), "row": row}
        return Difference.model_construct(
            **facts, columns={}, times=1, person=self._person(side, dict(enumerate(values)))
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
    staged: StagedRows, kind: Literal["gone", "new"], secrets: Set[str], owners: Owners
) -> Iterator[Difference]:
    """Yield every row of a table that only one side has. ``secrets`` are folded names of columns."""
    name = staged.table.name
    hidden = [fold(field) in secrets for field in staged.fields]
    for data in chain.from_iterable(staged.blocks()):
        values = unpacked(data)
        shown = [_shown(value, secret) for value, secret in zip(values, hidden)]
        key = {staged.fields[place]: shown[place] for place in staged.key}
        row = dict(zip(staged.fields, shown))
        person = owners.person(staged, dict(enumerate(values)))
        yield Difference.model_construct(table=name, kind=kind, key=key, columns={}, row=row, times=1, person=person)


def _of_one(pick: Pick) -> Callable[[bytes], bytes]:
    return lambda row: pick([row])[0]


def _shown(value: Any, secret: bool) -> Any:
    if secret and value is not None:
        return SECRET
    return str(value) if isinstance(value, LargeValue) else msgspec.to_builtins(json_value(value))


def _differ(one: Any, other: Any) -> bool:
    return type(one) is not type(other) or one != other or (one == 0.0 and str(one) != str(other))
