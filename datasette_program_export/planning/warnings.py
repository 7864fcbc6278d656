"""Warnings about a file before it is written: what its format, or a spreadsheet, cannot hold."""

from __future__ import annotations

from collections.abc import Iterator

from ..formats.csv.mistakable import BINARY, sentences
from ..formats.csv.spreadsheet import MOST_COLUMNS, MOST_LINES
from ..formats.registry import get_format
from ..options.request import Request
from .plan import Plan, PlannedTable
from .wording import Number, counted, plain

_ASK_LESS = "The download will be refused: leave out a table, stop a connection, or ask for fewer rows."
_HUB_ROWS, _HUB_SHARE = 10_000, 0.8


def cautions(plan: Plan, request: Request, number: Number = plain, max_rows: int | None = None) -> list[str]:
    """Return sentences about the planned file, each with what to do about it."""
    found = list(_hub(plan, number))
    if max_rows is not None and plan.rows > max_rows:
        found.insert(0, f"This is more than the {number(max_rows)} rows that may be exported here at once. {_ASK_LESS}")
    form = get_format(request.format)
    written = get_format(request.members) if request.members is not None else form
    for table in plan.tables:
        if not form.lossless and len(plan.tables) == 1:  # several tables become a package, which describes them
            found += _not_held(table, request.format, number)
            if request.dialect == "exact":
                found += _mistakable(table, request.format, number)
        if written.delimiter is not None:  # people open these formats in a spreadsheet
            found += _no_sheet(table, plan, number)
    return found


def _hub(plan: Plan, number: Number) -> Iterator[str]:
    """Yield a warning if one reference brings in most of the rows: perhaps more than was intended."""
    for table in plan.tables:
        for rows, along in ((table.belongs, table.because), (table.needed, table.needed_because)):
            if along and rows >= _HUB_ROWS and rows >= _HUB_SHARE * plan.rows:
                yield (
                    f"Most of this file, {counted(table.table, rows, plan.labels, number)}, comes along {along}. "
                    f"If that is not meant, leave out {table.table}, or do not follow {along}."
                )


def _not_held(table: PlannedTable, name: str, number: Number) -> Iterator[str]:
    sampled = table.sampled
    for column, values in sampled.binary.items() if sampled else ():
        seen = _of(values, table, number)
        yield BINARY.format(column=f"{table.table}.{column}", seen=seen, form=name)


def _mistakable(table: PlannedTable, name: str, number: Number) -> Iterator[str]:
    if table.sampled is not None:
        some = table.sampled.rows < table.rows
        seen = f" (in the {number(table.sampled.rows)} rows that were looked at)" if some else ""
        yield from sentences(table.table, table.sampled.mistakable, name, seen)


def _no_sheet(table: PlannedTable, plan: Plan, number: Number) -> Iterator[str]:
    if table.rows >= MOST_LINES:  # the header is one of them
        yield (
            f"{counted(table.table, table.rows, plan.labels, number)}: a spreadsheet shows only the first "
            f"{number(MOST_LINES - 1)}. The file holds them all; ask for fewer, or open it in another program."
        )
    columns = sum(column.left_out is None for column in table.columns)
    if columns > MOST_COLUMNS:
        shown = number(MOST_COLUMNS)
        yield f"{table.table} has {number(columns)} columns: a spreadsheet shows only the first {shown}."
    for column, values in table.sampled.long_texts.items() if table.sampled else ():
        seen = _of(values, table, number)
        yield f"{table.table}.{column} holds texts that are too long for a spreadsheet's cell{seen}: it would cut them."


def _of(values: int, table: PlannedTable, number: Number) -> str:
    """Return how many values were found, and among how many rows if not all were sampled."""
    looked_at = table.sampled.rows if table.sampled else 0
    if looked_at >= table.rows:
        return f" ({number(values)} value{'' if values == 1 else 's'})"
    return f" ({number(values)} of {number(looked_at)} rows that were looked at)"
