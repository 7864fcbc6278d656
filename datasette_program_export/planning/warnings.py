"""Warnings about a file before it is written: what its format, or a spreadsheet, cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..formats.csv.mistakable import sentences
from ..formats.csv.spreadsheet import MOST_COLUMNS, MOST_LINES
from ..formats.description.coverage import FileGap
from ..formats.description.file_text import file_sentences
from ..formats.registry import Format, get_format
from ..options.request import Request
from .plan import Plan, PlannedTable
from .wording import ENGLISH, Say, counted
from .written_sizes import holds_files

_HUB_ROWS, _HUB_SHARE = 10_000, 0.8


def cautions(plan: Plan, request: Request, say: Say = ENGLISH, max_rows: int | None = None) -> list[str]:
    """Return sentences about the planned file, each with what to do about it."""
    found = [*_hub(plan, say), *_no_files(plan, request, say)]
    form = get_format(request.format)
    found[:0] = filter(None, [too_large(plan, form, say)])
    if max_rows is not None and plan.rows > max_rows:
        found.insert(0, say("caution.too_many", most=say.number(max_rows)))
    written = get_format(request.members) if request.members is not None else form
    for table in plan.tables:
        if not form.lossless and len(plan.tables) == 1:  # several tables become a package, which describes them
            found += _not_held(table, request.format, say)
            if request.dialect == "exact":
                found += _mistakable(table, request.format, say)
        if written.delimiter is not None:  # people open these formats in a spreadsheet
            found += _no_sheet(table, plan, say)
        elif form.purpose == "spreadsheet":
            found += _in_a_workbook(table, plan, say)
    return found


def too_large(plan: Plan, form: Format, say: Say = ENGLISH) -> str | None:
    """Return a sentence if a file of a format would be refused, as it holds only so many rows or bytes; else None."""
    if form.most_rows is not None and plan.rows > form.most_rows:
        return say("caution.page_rows", form=form.name, rows=say.number(plan.rows), most=say.number(form.most_rows))
    files = sum(one.bytes for one in plan.coverage.files)
    size = files + sum(table.value_bytes or 0 for table in plan.tables)
    if form.most_bytes is None or size <= form.most_bytes:
        return None
    key = "caution.page_files" if files > form.most_bytes else "caution.page_bytes"
    most, whole, of_files = (say.number(round(value / 1e6)) for value in (form.most_bytes, size, files))
    return say(key, form=form.name, most=most, size=whole, files=of_files)


def _no_files(plan: Plan, request: Request, say: Say) -> Iterator[str]:
    """Yield a warning for each column whose files the format does not hold."""
    if not holds_files(get_format(request.format), len(plan.tables) > 1):
        for one in plan.coverage.files:
            if one.inside:
                gap = FileGap("form", one.inside)
                yield from file_sentences([replace(one, gaps=(gap,))], say)


def _hub(plan: Plan, say: Say) -> Iterator[str]:
    """Yield a warning if one reference brings in most of the rows: perhaps more than was intended."""
    for table in plan.tables:
        for rows, along in ((table.belongs, table.because), (table.needed, table.needed_because)):
            if along and rows >= _HUB_ROWS and rows >= _HUB_SHARE * plan.rows:
                what = counted(table.table, rows, plan.labels, say)
                yield say("caution.hub", what=what, along=along, table=table.table)


def _not_held(table: PlannedTable, name: str, say: Say) -> Iterator[str]:
    sampled = table.sampled
    for column, values in sampled.binary.items() if sampled else ():
        seen = _of(values, table, say)
        yield say("caution.binary", column=f"{table.table}.{column}", seen=seen, form=name)


def _mistakable(table: PlannedTable, name: str, say: Say) -> Iterator[str]:
    if table.sampled is not None:
        some = table.sampled.rows < table.rows
        seen = say("caution.looked_at", rows=say.number(table.sampled.rows)) if some else ""
        yield from sentences(table.table, table.sampled.mistakable, name, seen, say)


def _no_sheet(table: PlannedTable, plan: Plan, say: Say) -> Iterator[str]:
    if table.rows >= MOST_LINES:  # the header is one of them
        what = counted(table.table, table.rows, plan.labels, say)
        yield say("caution.lines", what=what, most=say.number(MOST_LINES - 1))
    columns = sum(column.left_out is None for column in table.columns)
    if columns > MOST_COLUMNS:
        most = say.number(MOST_COLUMNS)
        yield say("caution.columns", table=table.table, count=say.number(columns), most=most)
    for column, values in table.sampled.long_texts.items() if table.sampled else ():
        yield say("caution.long", column=f"{table.table}.{column}", seen=_of(values, table, say))


def _in_a_workbook(table: PlannedTable, plan: Plan, say: Say) -> Iterator[str]:
    """Yield what stands in a workbook in another way than people expect; all of it is in there."""
    if table.rows >= MOST_LINES:
        what = counted(table.table, table.rows, plan.labels, say)
        yield say("caution.sheets", what=what, most=say.number(MOST_LINES - 1))
    columns = sum(column.left_out is None for column in table.columns)
    if columns > MOST_COLUMNS:
        yield say("caution.no_workbook", table=table.table, count=say.number(columns), most=say.number(MOST_COLUMNS))
    sampled = table.sampled
    for column, values in sampled.long_texts.items() if sampled else ():
        yield say("caution.long_sheet", column=f"{table.table}.{column}", seen=_of(values, table, say))
    for column, values in sampled.many_digits.items() if sampled else ():
        yield say("caution.digits", column=f"{table.table}.{column}", seen=_of(values, table, say))
    for column, values in sampled.binary.items() if sampled else ():
        yield say("caution.binary_text", column=f"{table.table}.{column}", seen=_of(values, table, say))


def _of(values: int, table: PlannedTable, say: Say) -> str:
    """Return how many values were found, and among how many rows if not all were sampled."""
    looked_at = table.sampled.rows if table.sampled else 0
    if looked_at >= table.rows:
        return say("caution.values", values)
    return say("caution.of_looked_at", count=say.number(values), rows=say.number(looked_at))
