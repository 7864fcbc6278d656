"""Estimates the size of a table from a sample of its rows, and the error of the estimate.

If rows can be found by number (rowid), the sample is spread evenly over the whole table; otherwise it is the first
rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

from ..database.schema import Column, quote
from ..database.snapshot import Row, Snapshot
from ..formats.csv.mistakable import mistakable
from ..formats.csv.spreadsheet import MOST_CHARACTERS, has_many_digits
from ..formats.dataset import Field
from ..formats.description.column_facts import survey
from ..formats.json.writing import RowLines
from ..selection.table_rows import TableRows
from .plan import Sampled
from .written_sizes import TableSizes, table_sizes

ROWS = 40  # in a sample
_COUNTED = 20_000  # up to so many rows are counted to find every nth
_TWO_SIDED_95 = 1.96
_NUMBERS = (int, float)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?", re.DOTALL)
_DATE_TYPE = re.compile("date|time", re.IGNORECASE)
_DATE_NAME = re.compile(r"date$|_at$|_on$|date\d*$", re.IGNORECASE)


@dataclass(frozen=True)
class Estimate:
    """The estimated size of a table's rows as JSON, in bytes, and its error (95 % confidence, to either side)."""

    bytes: int
    error: int
    sampled: Sampled
    sizes: TableSizes


def estimated(snapshot: Snapshot, chosen: TableRows, fields: tuple[Field, ...], rows: int) -> Estimate:
    """Estimate the size of ``rows`` chosen rows from a sample of them; ``fields`` are their columns as written."""
    sample = _sample(snapshot, chosen, rows)
    names = [c.name for c in chosen.columns]
    lines = RowLines(fields)(sample).split(b"\n")[:-1] if sample else []
    sizes = [len(line) + len(",\n") for line in lines]
    size, error = _scaled(sizes, rows)
    columns = list(zip(*sample)) or [()] * len(names)
    facts = survey([sample], len(names))
    seen = list(zip(names, columns, facts))
    binary = {n: sum(isinstance(v, bytes) for v in c) for n, c, fact in seen if bytes in fact.classes}
    long = {
        n: sum(isinstance(v, str) and len(v) > MOST_CHARACTERS for v in c) for n, c, fact in seen if str in fact.classes
    }
    digits = {
        n: sum(isinstance(v, (int, float)) and has_many_digits(v) for v in c)
        for n, c, fact in seen
        if not fact.classes.isdisjoint(_NUMBERS)
    }
    confused = {c.name: mistakable(fact, c.type) for c, fact in zip(chosen.columns, facts)}
    return Estimate(
        size,
        error,
        Sampled(
            rows=len(sample),
            binary={n: found for n, found in binary.items() if found},
            long_texts={n: found for n, found in long.items() if found},
            many_digits={n: found for n, found in digits.items() if found},
            mistakable={n: kinds for n, kinds in confused.items() if kinds},
            dates=[c.name for c, values in zip(chosen.columns, columns) if _holds_dates(c, values)],
        ),
        table_sizes(fields, sample, rows, len(chosen.table.foreign_keys)),
    )


def _scaled(sizes: list[int], rows: int) -> tuple[int, int]:
    """Return the estimated total size of ``rows`` rows, and its error, from the sizes of a sample.

    The error is 0 if the sample holds all rows."""
    looked_at = len(sizes)
    if not looked_at or rows <= looked_at:
        return sum(sizes), 0
    mean = sum(sizes) / looked_at
    if looked_at == 1:
        return round(mean * rows), round(mean * rows)
    variance = sum((size - mean) ** 2 for size in sizes) / (looked_at - 1)
    error = sqrt(variance / looked_at * (rows - looked_at) / (rows - 1))  # of a sample without replacement
    return round(mean * rows), round(_TWO_SIDED_95 * error * rows)


def _sample(snapshot: Snapshot, chosen: TableRows, rows: int) -> list[Row]:
    """Return sample rows, spread evenly over all chosen rows if these have numbers."""
    key = _number(chosen)
    if rows <= ROWS or key is None:
        return chosen.sample(snapshot, ROWS)
    source, name, row = key
    numbers = _even(snapshot, source, name) if rows > _COUNTED else _each_nth(snapshot, source, name, rows)
    if len(numbers) < ROWS // 2:  # a few numbers are far from all others
        return chosen.sample(snapshot, ROWS)
    condition = f"{row} IN ({', '.join(map(str, numbers))})"
    found = snapshot.sample(chosen.select(None, condition, ordered=False), chosen.params, chosen.guard, ROWS)
    return chosen.without_secrets(found)


def _each_nth(snapshot: Snapshot, source: str, name: str, rows: int) -> list[int]:
    """Return the number of every nth row, found by counting the rows."""
    step = -(-rows // ROWS)
    counted = f"SELECT {name} AS number, row_number() OVER () AS place FROM {source}"
    found = snapshot.execute(f"SELECT number FROM ({counted}) WHERE place % {step} = {step // 2}").fetchall()
    return [number for (number,) in found]


def _even(snapshot: Snapshot, source: str, name: str) -> list[int]:
    """Return rowids at even distances, the next one where a row is missing. The other rows are not read."""
    first, last = snapshot.execute(f"SELECT min({name}), max({name}) FROM {source}").fetchone()
    places = (first + (last - first) * i // (ROWS - 1) for i in range(ROWS))
    looked_up = ", ".join(f"((SELECT min({name}) FROM {source} WHERE {name} >= {place}))" for place in places)
    return [number for (number,) in snapshot.execute(f"SELECT DISTINCT column1 FROM (VALUES {looked_up})").fetchall()]


def _number(chosen: TableRows) -> tuple[str, str, str] | None:
    """Return where the numbers of the chosen rows are: a table, its column, and a row's own number as SQL.

    Returns None if the rows have no numbers."""
    if chosen.table.rowid is None or chosen.limit is not None or chosen.offset or chosen.where or chosen.guard:
        return None
    if chosen.keys is not None:
        return chosen.keys.name, "k0", "k.k0"
    if chosen.table.kind != "table":
        return None
    name = quote(chosen.table.rowid)
    return f"main.{quote(chosen.table.name)}", name, f"{chosen.alias}.{name}"


@lru_cache(maxsize=1024)
def _sounds_like_dates(declared: str, name: str) -> tuple[bool, bool]:
    return bool(_DATE_TYPE.search(declared)), bool(_DATE_NAME.search(name))


def _holds_dates(column: Column, values: tuple[object, ...]) -> bool:
    """Return whether a column's type or name says that it holds dates, and the sample has no other values."""
    declared, named = _sounds_like_dates(column.type, column.name)
    if not declared and not named:
        return False
    filled = [v for v in values if v is not None and v != ""]
    if not declared and not filled:
        return False
    return all(isinstance(v, str) and _DATE.fullmatch(v) for v in filled)
