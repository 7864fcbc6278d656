"""Maps rows of other programs' files to the target's columns by name."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from ...database.schema import Schema, fold
from ...errors import UnreadableError
from ...files.reading_limits import LARGE, TRUSTING, Limits
from ...formats.dataset import Value
from ...formats.values import of_tag
from ..choices import ImportChoices
from ..staging.columns import ColumnMapping
from ..staging.database import StagedTable
from .numbers import keeps_digits

_BATCH = 1000
_MOST_SHAPES = 2000
_MOST = 2**63
# compact, characters unescaped, numbers with all their digits: as applications write it
_json = msgspec.json.Encoder(decimal_format="number").encode
# the application's own export names a chart's readings after another table
_ALSO_CALLED = {"interpretations": "chart_interpretations"}


class EmbeddedText(str):
    """The text of an object or a list that stood in a field as JSON, as the file spells it."""


_EMBEDDED = (dict, list, EmbeddedText)


class UnfitError(ValueError):
    """A value that would not be stored as it is; the text says why, and what to do."""


class ForeignRows:
    """Stages rows of any tables. ``seen`` counts the rows by the names in the file; an empty list counts 0.

    ``own`` means that the file is in the form of this program: each value is what the file says, in any column."""

    def __init__(
        self,
        intake: ColumnMapping,
        choices: ImportChoices,
        unit: str = "row",
        limits: Limits = TRUSTING,
        own: bool = False,
    ) -> None:
        self.intake = intake
        self._choices, self._own = choices, own
        self.unit = unit
        self.seen: dict[str, int] = {}
        self.ignored: dict[str, set[str]] = {}
        self._staged: dict[str, StagedTable | None] = {}
        self._limits = limits
        self._size = 0  # of all waiting rows
        self._waiting: dict[str, list[tuple[int, int, tuple[Value, ...]]]] = {}
        self._shapes: dict[tuple[str, tuple[str, ...]], tuple[int, dict[str, int]]] = {}

    def begin(self, name: str) -> None:
        """Note that the file has this table, with or without rows."""
        if name not in self.seen:
            self.seen[name] = 0
            table = self.intake.find(name)
            staged = self.intake.staging.tables.get(table.name) if table is not None else None
            if table is not None and staged is None:
                staged = self.intake.loose(table, texts=False, unit=self.unit)
                staged.own = self._own
            self._staged[name] = staged

    def called(self, name: str, row: Mapping[str, Any]) -> str:
        """Return the table that a name means: the one that has the row's reference to a chart."""
        return called(self.intake.schema, name, row)

    def add(self, name: str, row: dict[str, Any], number: int | None = None) -> None:
        """Stage one row. Lists of rows in it, under the names of other tables, are staged as rows of those tables."""
        self.begin(name)
        self.seen[name] += 1
        number = number or self.seen[name]
        staged = self._staged[name]
        if staged is None:
            return
        self._lift(staged, row)
        shape, places = self._shape(name, staged, row)
        values: list[Value] = [None] * len(staged.columns)
        for key, place in places.items():
            try:
                given = row[key]
                values[place] = value_of(given, self._choices.kind_of(key) == "number")
                if type(given) in _EMBEDDED and not staged.own:
                    staged.loose |= {staged.columns[place]}
            except (ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
                where = f"{self.unit.capitalize()} {number:,} of {staged.table.name}"
                column = staged.columns[place]
                message = str(error) if isinstance(error, UnfitError) else "holds a value that SQLite cannot"
                self.intake.findings.add(
                    "value", f"{where}: {column} {message}.", staged.table.name, column, number, self.unit, held=row
                )
                return
        waiting = self._waiting.setdefault(name, [])
        waiting.append((number, shape, tuple(values)))
        self._size += sum(len(value) for value in values if isinstance(value, (str, bytes)))
        if self._size > LARGE:
            row.clear()
            values.clear()
            self.end()
        elif len(waiting) == _BATCH:
            self._flush(name)

    def note(self, told: str, table: str) -> None:
        """Tell how rows of a table were read."""
        self.intake.findings.add("read", told, table, error=False)

    def end(self) -> None:
        """Write the waiting rows; call it after the last row."""
        for name in self._waiting:
            self._flush(name)
        self._size = 0

    def _flush(self, name: str) -> None:
        staged, waiting = self._staged[name], self._waiting[name]
        assert staged is not None
        if waiting:
            numbers, shapes, rows = zip(*waiting)
            self.intake.staging.add(staged, numbers, shapes, rows)
            waiting.clear()

    def _shape(self, name: str, staged: StagedTable, row: Mapping[str, Any]) -> tuple[int, dict[str, int]]:
        keys = tuple(row)
        if (name, keys) not in self._shapes:
            if len(self._shapes) > _MOST_SHAPES and self._limits is not TRUSTING:
                raise UnreadableError(f"The rows of {staged.table.name} have far too many different sets of keys.")
            by_name = {fold(c): i for i, c in enumerate(staged.columns)}
            places = {key: by_name[fold(key)] for key in keys if fold(key) in by_name}
            if len(set(places.values())) != len(places):
                raise UnreadableError(f"A row of {staged.table.name} gives one column twice, in other letters.")
            for key in keys:
                if key not in places:
                    self._unknown(staged, key)
            given = tuple(c for i, c in enumerate(staged.columns) if i in places.values())
            self._shapes[name, keys] = self.intake.staging.shape(staged, given), places
        return self._shapes[name, keys]

    def _unknown(self, staged: StagedTable, key: str) -> None:
        name = staged.table.name
        if self.intake.renaming.is_left_away(name, key):
            return
        known = self.intake.known
        computed = known.preset.computed.get(name, []) if known is not None and known.preset is not None else []
        column = staged.table.column(key)
        if key in computed or (column is not None and column.generated):
            self.ignored.setdefault(name, set()).add(key)
        elif key not in self.ignored.get(f"\0{name}", ()):
            self.ignored.setdefault(f"\0{name}", set()).add(key)  # reported once
            message = self.intake.renaming.why_unknown(name, key)
            self.intake.findings.add("column", message, name, key)

    def _lift(self, staged: StagedTable, row: dict[str, Any]) -> None:
        table = staged.table
        nested = [k for k, v in row.items() if isinstance(v, list) and v and all(isinstance(x, dict) for x in v)]
        for key in nested:
            if table.column(key) is not None:
                continue
            name = self.called(key, {"chart_id": None} if fold(table.name) == "charts" else {})
            child = self.intake.schema.find(name)
            if child is None:
                continue
            edges = [e for e in child.foreign_keys if fold(e.other_table) == fold(table.name) and len(e.columns) == 1]
            for inner in row.pop(key):
                if len(edges) == 1 and edges[0].columns[0] not in inner:
                    inner = {**inner, edges[0].columns[0]: row.get(edges[0].other_columns[0])}
                self.add(child.name, inner)
        for key in [k for k, v in row.items() if v == [] and table.column(k) is None]:
            if self.intake.schema.find(key) is not None:
                del row[key]


def called(schema: Schema, name: str, row: Mapping[str, Any]) -> str:
    """Return the table that a name means: the one that has the row's reference to a chart."""
    other = _ALSO_CALLED.get(fold(name))
    if other is None or "chart_id" not in row or schema.find(other) is None:
        return name
    table = schema.find(name)
    return name if table is not None and table.column("chart_id") is not None else other


def real(text: str, rounds: bool) -> float:
    """Return a JSON number that is not whole. Raises UnfitError if it would become another one and ``rounds`` is
    false, ValueError if it is beyond all."""
    number = float(text)
    if number - number != 0:
        raise ValueError
    if not rounds and (len(text) > 15 or "e" in text or "E" in text) and not keeps_digits(text, whole=False):
        raise UnfitError(
            "holds a number of more digits than SQLite stores (17), so it would become another one: use the "
            "argument cells with COLUMN=number to round it"
        )
    return number


def value_of(value: Any, rounds: bool = False) -> Value:
    """Convert a decoded JSON value to SQLite's. Raises ValueError if SQLite cannot store it, as ``real`` does."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        if not -_MOST <= value < _MOST:
            raise ValueError
        return value
    if isinstance(value, Decimal):
        return real(str(value), rounds)
    if isinstance(value, (bytes, float)):
        return value
    if isinstance(value, dict) and next(iter(value), "")[:1] == "$":
        return of_tag(value)
    return _json(value).decode()
