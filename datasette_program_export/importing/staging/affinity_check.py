"""Whether SQLite would store a value as another one in a column of some affinity.

A database holds such values if its schema was changed behind its back: https://www.sqlite.org/datatype3.html 3."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...formats.dataset import Row, Value

_NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t\n\v\f\r]*\Z", re.ASCII).match


class AffinityCheck:
    """Looks at rows, each with a value for each of the ``affinities``; ``found`` are the places of columns in which
    a value may become another."""

    def __init__(self, affinities: Sequence[str]) -> None:
        self._wanted = {place: kind for place, kind in enumerate(affinities) if kind != "BLOB"}
        self.found: set[int] = set()

    def look(self, rows: Sequence[Row]) -> None:
        """Look at some rows."""
        columns: list[Sequence[Value]] = list(zip(*rows))
        for place, kind in self._wanted.items():
            if place not in self.found and may_change(kind, columns[place]):
                self.found.add(place)


def may_change(affinity: str, values: Sequence[Value]) -> bool:
    """Return whether any of these values may be stored as another in a column of this affinity; seldom without need."""
    types = set(map(type, values))
    if affinity == "TEXT":
        return int in types or float in types
    if str in types and any(isinstance(value, str) and _NUMBER(value) for value in values):
        return True
    if affinity == "REAL":
        return int in types
    return float in types and any(isinstance(value, float) and value.is_integer() for value in values)
