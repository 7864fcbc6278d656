"""What an R-Tree stores of the numbers that it is given: 32 bits, a minimum rounded down and a maximum up.

https://www.sqlite.org/rtree.html 2.1. It stores 0 for anything that is no number, and says nothing of either.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import inf

from ...database.virtual_tables import coordinates
from ..report import FindingCollector
from .database import StagedTable, StagingDatabase

_STEP = 1.0 / 8388608.0  # as SQLite itself rounds, by 2^-23
_TELLS = "{:,} value(s) of {}.{} are rounded {}, to the 32 bits that an R-Tree stores."
_BEYOND = "is no number, or none that an R-Tree stores: it would become another one"


def round_as_r_trees(staging: StagingDatabase, findings: FindingCollector) -> None:
    """Give staged rows of R-Trees the values that will be stored. What is rounded is told; what is lost is refused."""
    for staged in staging.tables.values():
        for place, column in enumerate(coordinates(staged.table)):
            _round(staging, staged, column, place % 2 == 1, findings)


def _round(
    staging: StagingDatabase, staged: StagedTable, column: str, upwards: bool, findings: FindingCollector
) -> None:
    if column not in staged.columns:
        return
    table, value = staged.table, staged.value(column).removeprefix("s.")
    whole = (table.module or "") == "rtree_i32"
    connection, name = staging.connection, staged.name
    connection.create_function("as_stored", 1, _of_whole if whole else _rounding(upwards), deterministic=True)
    given = [str(shape) for shape, columns in enumerate(staged.shapes) if column in columns]
    rows = f"FROM {name} WHERE shape IN ({', '.join(given) or 'NULL'})"
    for (line,) in connection.execute(f"SELECT line {rows} AND as_stored({value}) IS NULL ORDER BY line"):
        if findings.enough(table.name):
            break
        said = f"{staged.unit.capitalize()} {line:,} of {table.name}: {column} {_BEYOND}."
        findings.add("type", said, table.name, column, line, staged.unit)
    (count,) = connection.execute(f"SELECT count(*) {rows} AND as_stored({value}) <> {value}").fetchone()
    if count:
        said = _TELLS.format(count, table.name, column, "up" if upwards else "down")
        findings.add("type", said, table.name, column, error=False)
    staged.store(connection, column, f"coalesce(as_stored({value}), {value})")


def _of_whole(value: object) -> int | None:
    return value if isinstance(value, int) and -(2**31) <= value < 2**31 else None


def _rounding(upwards: bool) -> Callable[[object], float | None]:
    def rounded(value: object) -> float | None:
        if not isinstance(value, (int, float)):
            return None
        try:
            near = _single(float(value))
            if near < value if upwards else near > value:
                near = _single(float(value) * (1.0 + _STEP if (value > 0) == upwards else 1.0 - _STEP))
        except OverflowError:
            return None
        return near if abs(near) != inf else None

    return rounded


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])
