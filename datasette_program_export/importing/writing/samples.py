"""Samples of rows for a preview: new rows, and changed rows beside their old values."""

from __future__ import annotations

from typing import Any

from ...database.schema import quote
from ...formats.csv.shortened import is_shortened
from ...formats.json.meaning import canonical
from ..report import Difference, Sample
from ..target import Target, sign
from .row_matching import DIFFERENT, INSERT, RowMatching, pieces
from .table_writer import TableWriter

Pair = tuple[str, Any, Any]  # a column, its value in the target, its value in the file
SHOWN_ROWS = 5
_LONGEST = 200
HIDDEN = "(a secret, not shown)"


def sample(target: Target, one: TableWriter, secret: set[str]) -> tuple[list[dict[str, Any]], list[Sample]]:
    """Return the first new rows, and the first rows with other values, with only the fields that differ."""
    new: list[dict[str, Any]] = []
    differing: list[Sample] = []
    for shape, part in enumerate(one.parts):
        if one.report.insert and part.given and len(new) < SHOWN_ROWS:
            left = SHOWN_ROWS - len(new)
            sql = f"SELECT {', '.join(part.filled())} FROM {part.chosen(shape, INSERT)} ORDER BY j.line LIMIT {left}"
            for row in target.connection.execute(sql):
                new.append({c: HIDDEN if c in secret else shown(v) for c, v in zip(part.given, row)})
        if part.key and len(differing) < SHOWN_ROWS:
            beside = _beside(target, part, shape, SHOWN_ROWS - len(differing))
            reset = _reset(target, one, part, shape, max(beside, default=0), secret)
            for line, pairs in beside.items():
                found = [
                    Difference(
                        column=c,
                        target=HIDDEN if c in secret else shown(there),
                        file=HIDDEN if c in secret else shown(here),
                    )
                    for c, there, here in pairs
                    if not (c in one.staged.shortened and is_shortened(there, here))
                    and not _same(there, here, c in one.staged.loose)
                ]
                found += reset.get(line, [])
                key = {c: HIDDEN if c in secret else shown(there) for c, there, _ in pairs if c in part.key}
                differing.append(Sample(number=line, key=key, differences=found))
    return new, differing


def _beside(target: Target, part: RowMatching, shape: int, most: int) -> dict[int, list[Pair]]:
    """Return, by line, the columns of the first rows with other values, with both values."""
    found: dict[int, list[Pair]] = {}
    for columns in pieces(part.given):
        values = ", ".join(f"t.{quote(c)}, {part.staged.value(c)}" for c in columns)
        sql = (
            f"SELECT s.line, {values} FROM {part.chosen(shape, DIFFERENT)} "
            f"JOIN {part.target} AS t ON {part.match()} ORDER BY j.line LIMIT {most}"
        )
        for line, *both in target.connection.execute(sql):
            found.setdefault(line, []).extend(zip(columns, both[::2], both[1::2]))
    return found


def _reset(
    target: Target, one: TableWriter, part: RowMatching, shape: int, last: int, secret: set[str]
) -> dict[int, list[Difference]]:
    """Return, by line up to the ``last``, what ``replace`` sets back to its default: what the file does not give."""
    found: dict[int, list[Difference]] = {}
    for column in one.back_to_default(part):
        name = quote(column.name)
        sql = (
            f"SELECT s.line, t.{name} FROM {part.chosen(shape, DIFFERENT)} JOIN {part.target} AS t ON {part.match()} "
            f"WHERE j.line <= {last} AND t.{name} IS NOT ({column.default or 'NULL'})"
        )
        for line, there in target.connection.execute(sql):
            told = HIDDEN if column.name in secret else shown(there)
            found.setdefault(line, []).append(Difference(column=column.name, target=told, file=column.default))
    return found


def _same(there: Any, here: Any, loose: bool) -> bool:
    if (type(there), there, sign(there)) == (type(here), here, sign(here)):
        return True
    if not (loose and isinstance(there, str) and isinstance(here, str)):
        return False
    return (means := canonical(there)) is not None and means == canonical(here)


def shown(value: Any) -> Any:
    """Return a value for people and for JSON: long texts truncated, BLOBs as their size."""
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    if isinstance(value, float) and value - value != 0:
        return str(value)
    if isinstance(value, str):
        text = value.encode("utf-8", "backslashreplace").decode()
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return value
