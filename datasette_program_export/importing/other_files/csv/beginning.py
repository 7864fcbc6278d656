"""The beginning of a CSV file: its delimiter, the lines above its header, and the header.

No header is stored as a row, and no row is taken for a header: where the first line could be either, it is asked
about. It is a header if it names columns of the table, and surely a row if it holds a number where the table's key is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from ....database.schema import Column, Table
from ....errors import RequestError, UnreadableError
from ....options.delimiters import NEVER_READ, WORDS, delimiter_of
from ...choices import ImportChoices
from .form import unguarded

_LINES = 20  # in which delimiter and header are looked for
_TELLS_DELIMITER = "The first line tells the delimiter (sep=); it is passed over."
_PASSED_OVER = "{:,} line(s) above the header are passed over."
_SEPARATOR = re.compile(r'\ufeff?"?sep=(.)"?(?:\r\n|\r|\n)', re.IGNORECASE)  # by which Excel is told the delimiter


@dataclass(frozen=True)
class Beginning:
    """How a file begins. ``names`` are the header's, or the table's where there is none; ``skip`` counts the lines that
    are no rows, the header among them, without empty ones. ``notes`` are sentences about what was passed over."""

    delimiter: str
    header: bool
    names: list[str]
    skip: int
    notes: list[str] = field(default_factory=list)


def column_of(table: Table, name: str) -> Column | None:
    """Return the table's column of this name: of just this one, or without the blanks around it."""
    return table.column(name) or table.column(name.strip())


def beginning_of(text: str, table: Table, choices: ImportChoices) -> Beginning:
    """Find out how the file begins. Raises UnreadableError if it must be asked about, RequestError for bad choices."""
    separator = _SEPARATOR.match(text)
    delimiter = named(choices.delimiter) or (separator.group(1) if separator else _delimiter(text, table))
    rows = first_rows(text, delimiter)
    above = 1 if separator else 0
    del rows[:above]
    notes = [_TELLS_DELIMITER] if separator else []
    columns = [c.name for c in table.columns if not c.generated and c.hidden == 0]
    if choices.header is False:
        _check_no_header(rows, columns, table)
        return Beginning(delimiter, False, columns, above, notes)
    place = 0 if choices.header else _header(rows, table)
    if place is None:
        if not _is_row(rows, columns, table):
            raise _unknown(table, rows, columns)
        return Beginning(delimiter, False, columns, above, notes)
    names = [shown if (shown := unguarded(name)) is not None else name for name in rows[place]] if rows else []
    if not any(column_of(table, name) for name in names):
        raise UnreadableError(f"The first line names no column of {table.name}. Is another delimiter meant?", "unknown")
    if place:
        notes.append(_PASSED_OVER.format(place))
    return Beginning(delimiter, True, names, above + place + 1, notes)


def beginning_with_new_columns(text: str, table: Table | None, choices: ImportChoices) -> Beginning:
    """Find out how a file begins whose header may name columns that the table lacks, or that has no table yet.

    The header is the first line, or the first below lines of a single cell; without one the columns get names.
    Raises UnreadableError if it must be asked about, RequestError for bad choices."""
    separator = _SEPARATOR.match(text)
    delimiter = named(choices.delimiter) or (separator.group(1) if separator else _likely_delimiter(text, table))
    rows = first_rows(text, delimiter)
    above = 1 if separator else 0
    del rows[:above]
    notes = [_TELLS_DELIMITER] if separator else []
    if choices.header is False:
        return Beginning(delimiter, False, _unnamed(max(map(_width, rows), default=0)), above, notes)
    place = 0 if choices.header else _below_titles(rows)
    names = [shown if (shown := unguarded(name)) is not None else name for name in rows[place]] if rows else []
    if table is not None and choices.header is None and not any(column_of(table, name) for name in names):
        raise _unknown(table, rows, [c.name for c in table.columns if not c.generated and c.hidden == 0])
    if place:
        notes.append(_PASSED_OVER.format(place))
    return Beginning(delimiter, True, names, above + place + 1, notes)


def _unnamed(width: int) -> list[str]:
    """Return names for the columns of a file without a header, as sqlite-utils gives them."""
    return [f"untitled_{place}" for place in range(1, width + 1)]


def _below_titles(rows: list[list[str]]) -> int:
    """Return the place of the first line with several cells, or 0 if there is none."""
    return next((place for place, row in enumerate(rows) if _filled(row) > 1), 0)


def _likely_delimiter(text: str, table: Table | None) -> str:
    """Return the delimiter that finds the table's columns, or else the same number of fields in the most lines."""
    if table is not None:
        return _delimiter(text, table)

    def fit(delimiter: str) -> tuple[bool, int, int]:
        widths = [len(row) for row in first_rows(text, delimiter)]
        width = max(set(widths), key=lambda one: (one > 1, widths.count(one), one), default=0)
        return width > 1, widths.count(width), width

    return max(WORDS.values(), key=fit)


def first_rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the first non-empty rows, up to a field that is too large for Python's reader."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _LINES):
            rows += [row] if row else []
    return rows


def named(delimiter: str | None) -> str | None:
    """Return the delimiter that was asked for. Raises RequestError if it is none."""
    if delimiter is None:
        return None
    found = delimiter_of(delimiter)
    if len(found) != 1 or found in NEVER_READ:
        raise RequestError(f"A delimiter is one sign, or {', '.join(WORDS)}.")
    return found


def _delimiter(text: str, table: Table) -> str:
    """Return the delimiter that finds the most columns of the table; ties go to rows of equal length."""

    def fit(delimiter: str) -> tuple[int, bool, int]:
        rows = first_rows(text, delimiter)
        known = max((_known(row, table) for row in rows), default=0)
        return known, len({len(row) for row in rows[:-1]}) == 1, len(rows[0]) if rows else 0

    return max(WORDS.values(), key=fit)


def _known(row: Sequence[str], table: Table) -> int:
    return sum(column_of(table, unguarded(name) or name) is not None for name in row)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _header(rows: list[list[str]], table: Table) -> int | None:
    """Return the place of the header: the first line, or the first below lines of fewer cells that names only columns.

    Raises UnreadableError if a line above it could be a row."""
    if rows and _known(rows[0], table):
        return 0
    for place, row in enumerate(rows):
        if _known(row, table) == _filled(row) >= min(2, len(table.columns)):
            if max(map(_filled, rows[:place])) < _filled(row):
                return place
            raise UnreadableError(
                f"The header is line {place + 1:,}, not counting empty ones, and a line above it could be a row: "
                "tell with the argument skip_lines how many lines are above the header.",
                "unknown",
            )
    return None


def _is_row(rows: list[list[str]], columns: list[str], table: Table) -> bool:
    """Return whether the first line is no header: it fills the table's columns, and the key's with a whole number."""
    if not rows or _width(rows[0]) > len(columns) or len(rows[0]) < len(columns):
        return False
    return any(
        re.fullmatch(r"\s*-?\d{1,18}\s*", cell, re.ASCII) is not None
        and (column := table.column(name)) is not None
        and column.pk == 1
        and column.affinity == "INTEGER"
        for name, cell in zip(columns, rows[0])
    )


def _width(row: Sequence[str]) -> int:
    return max((place for place, cell in enumerate(row, 1) if cell), default=0)


def _check_no_header(rows: list[list[str]], columns: list[str], table: Table) -> None:
    if rows and len(rows[0]) == len(columns) > 1 and _known(rows[0], table) == len(columns):
        raise UnreadableError(
            f"The first line names the columns of {table.name}, so it is a header: "
            "leave out the argument header=False.",
            "unknown",
        )


def _unknown(table: Table, rows: list[list[str]], columns: list[str]) -> UnreadableError:
    wide = rows and len(rows[0]) >= len(columns) and _width(rows[0]) <= len(columns)
    more = (
        " If it is a row and the file has no header, use the argument header=False."
        if wide
        else " Is another delimiter meant?"
    )
    return UnreadableError(
        f"The first line names no column of {table.name}, so it is asked about.{more} Lines above the header are "
        "passed over with the argument skip_lines.",
        "unknown",
    )
