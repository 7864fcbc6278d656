"""How the columns of a table are written in Parquet, so that no value changes.

A column has the type that its values have; where it has none, or several, the declared type decides. Values that do not
fit that type stand beside it, in a column of texts called ``<column>__any``, as JSON (``values.py`` says how):

    the rule for readers: a value is what ``<column>__any`` says; where that is null, it is what ``<column>`` says

An INTEGER in a column of REALs stands in both, as far as a REAL is the same number: so sums need only one of them.
Texts that are not UTF-8 stand beside, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ...database.schema import affinity
from ..dataset import Field, Value
from ..description.column_facts import ColumnFacts, is_utf8
from ..values import json_value

BESIDE = "__any"
_OF_AFFINITY: dict[str, type] = {"INTEGER": int, "REAL": float, "NUMERIC": float, "TEXT": str, "BLOB": bytes}
_json = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Column:
    """A column: its name in the file, the class of its values, and the name of the column beside it, if it has one."""

    name: str
    kind: type
    beside: str | None

    def split(self, values: Sequence[Value]) -> tuple[Sequence[Value], Sequence[str | None]]:
        """Return the values that have the column's type, and those beside them as JSON; elsewhere None."""
        kind, classes = self.kind, set(map(type, values)) - {type(None)}
        if kind is not str or is_utf8("".join([value for value in values if isinstance(value, str)])):
            if classes <= {kind}:
                return values, [None] * len(values)
            return (
                [value if type(value) is kind else self._fitting(value) for value in values],
                [None if v is None or type(v) is kind else _json(json_value(v)).decode() for v in values],
            )
        fitting, others = list[Value](), list[str | None]()
        for value in values:
            kept = self._fitting(value)
            fitting.append(kept)
            same = value is None or (type(value) is self.kind and kept is not None)
            others.append(None if same else _json(json_value(value)).decode())
        return fitting, others

    def _fitting(self, value: Value) -> Value:
        if type(value) is self.kind:
            return value if not isinstance(value, str) or is_utf8(value) else None
        if self.kind is float and isinstance(value, int) and int(float(value)) == value:
            return float(value)
        return None


def columns_of(fields: Sequence[Field], facts: Sequence[ColumnFacts] | None) -> list[Column]:
    """Return how the columns are written; without ``facts`` every one has a column beside it."""
    names = _names(field.name for field in fields)
    taken = {name.casefold() for name in names}
    return [
        _column(field, name, known, taken)
        for field, name, known in zip(fields, names, facts if facts is not None else [None] * len(fields))
    ]


def _column(field: Field, name: str, facts: ColumnFacts | None, taken: set[str]) -> Column:
    if facts is None:
        return Column(name, _OF_AFFINITY[affinity(field.type)] if field.type else str, _free(name + BESIDE, taken))
    classes = facts.classes - {type(None)}
    kind = _kind(field.type, classes)
    is_mixed = not classes <= {kind} or (kind is str and facts.has_odd_text)
    return Column(name, kind, _free(name + BESIDE, taken) if is_mixed else None)


def _kind(declared: str, classes: set[type]) -> type:
    if len(classes) == 1:
        return next(iter(classes))
    meant = _OF_AFFINITY[affinity(declared)] if declared else str
    if not classes or meant in classes:
        return meant
    if classes <= {int, float} or (meant is float and int in classes):
        return float
    return next(kind for kind in (str, float, int, bytes) if kind in classes)


def _names(names: Iterable[str]) -> list[str]:
    """Return names that every reader takes: none empty, none twice whatever the case, all UTF-8."""
    taken: set[str] = set()
    return [_free(name.encode("utf-8", "replace").decode() or "column", taken) for name in names]


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free.casefold())
    return free


def arrow_schema(pa: Any, columns: Sequence[Column]) -> Any:
    """Return the schema of the file."""
    types = {int: pa.int64(), float: pa.float64(), str: pa.string(), bytes: pa.binary()}
    return pa.schema(list(_fields(pa, columns, types)))


def _fields(pa: Any, columns: Sequence[Column], types: dict[type, Any]) -> Iterator[Any]:
    for column in columns:
        yield pa.field(column.name, types[column.kind])
        if column.beside is not None:
            yield pa.field(column.beside, types[str])


def arrays(columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> Iterator[Sequence[Any]]:
    """Yield the values of each column of the file."""
    for column, values in zip(columns, zip(*rows)):
        if column.beside is None:
            yield values
        else:
            yield from column.split(values)
