"""Reads a sheet of any workbook as CSV, so that all that can be asked and told of CSV holds for it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from ...errors import RequestError, UnreadableError
from ...files.input_file import open_input
from ...files.reading_limits import Limits
from ...files.temporary.folder import TemporaryFolder
from ...files.temporary.room import room_in
from ...files.zip_reading import files_in
from ...formats.xlsx.book_reading import Book, BookSheet
from ...formats.xlsx.parts import WORKBOOK
from ...formats.xlsx.sheet_reading import Cell
from ...formats.xlsx.values import moment_of, unreadable
from ..choices import ImportChoices
from ..report import ImportReport
from ..staging.columns import ColumnMapping
from .csv.reading import read_csv
from .csv.survey import look_at_csv
from .destination import table_of

_SHOWN = 10  # names of sheets in an error
_MOST_LINES_BETWEEN = 1000


def read_workbook(
    path: Path, intake: ColumnMapping, choices: ImportChoices, report: ImportReport, limits: Limits
) -> None:
    """Stage the rows of one sheet. Raises UnreadableError, and RequestError if it must be asked which."""
    report.format = "xlsx"
    with room_in():
        folder = TemporaryFolder(limits.folder)
    with folder, open_input(path) as file, Book(file, limits) as book:
        sheet = _chosen(book, choices)
        copy = folder.path / "sheet.csv"
        with copy.open("x", encoding="utf-8", newline="") as text:
            _write(book, sheet, text, limits)
        how = {"delimiter": ",", "encoding": "utf-8", "table": _table(book, sheet, intake, choices)}
        plain = choices.model_copy(update=how)
        content = content_of(copy)
        plain, begins = look_at_csv(content, intake, plain, limits)
        read_csv(content, table_of(intake, plain), intake, plain, limits, begins=begins)
        report.layout = f"the sheet {sheet.name} into {plain.table}"


def is_workbook(path: Path, limits: Limits) -> bool:
    """Return whether a zip is a workbook, of whatever program."""
    with open_input(path) as file:
        return WORKBOOK in files_in(file, limits)


def content_of(path: Path) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    """Return a function that opens a private copy of a file's content."""

    @contextmanager
    def content() -> Iterator[IO[bytes]]:
        with path.open("rb") as file:
            yield file

    return content


def _chosen(book: Book, choices: ImportChoices) -> BookSheet:
    """Return the sheet that was asked for, or the only one with cells that people see."""
    shown = [sheet for sheet in book.sheets if not sheet.hidden]
    names = ", ".join(sheet.name for sheet in shown[:_SHOWN]) + (", …" if len(shown) > _SHOWN else "")
    if choices.sheet is not None:
        found = book.sheet(choices.sheet)
        if found is None:
            raise RequestError(f"The workbook has no sheet {choices.sheet}. It has: {names or 'none'}.")
        return found
    filled = [sheet for sheet in shown if any(cells for rows in book.rows(sheet) for _, cells in rows)]
    if not filled:
        raise UnreadableError("The workbook has no sheet with cells that people see.")
    if len(filled) > 1:
        raise RequestError(f"The workbook has several sheets ({names}): give the argument sheet.")
    return filled[0]


def _table(book: Book, sheet: BookSheet, intake: ColumnMapping, choices: ImportChoices) -> str | None:
    """Return the table that was asked for, or the one called as the sheet, where the sheet's name tells one."""
    if choices.table is not None:
        return choices.table
    there = intake.schema.find(sheet.name)
    if there is not None and (intake.visible is None or there.name in intake.visible):
        return there.name
    return sheet.name if choices.create and len(book.sheets) > 1 else None


def _write(book: Book, sheet: BookSheet, text: IO[str], limits: Limits) -> None:
    """Write the sheet as CSV, each row in the line of its number, as far as no cell holds a line break."""
    lines, last = csv.writer(text), 0
    width = max((cells[-1][0] + 1 for rows in book.rows(sheet) for _, cells in rows if cells), default=0)
    with room_in():
        for rows in book.rows(sheet):
            for number, cells in rows:
                if not last < number:
                    raise UnreadableError(f"The sheet {sheet.name} has its lines in no order.")
                text.write("\r\n" * min(number - last - 1, _MOST_LINES_BETWEEN))
                last = number
                fields = _fields(book, sheet, number, cells)
                lines.writerow([*fields, *[""] * (width - len(fields))] if any(fields) else [])
            if text.tell() > limits.disk:
                raise UnreadableError(f"The sheet takes more than {limits.disk / 1e6:,g} MB (spool_disk_mb).")


def _fields(book: Book, sheet: BookSheet, number: int, cells: list[Cell]) -> list[str]:
    fields: list[str] = []
    for place, kind, text in cells:
        fields += [""] * (place + 1 - len(fields))
        try:
            fields[place] = _field(kind, text, book.counts_from_1904)
        except (ValueError, OverflowError) as error:
            raise unreadable(sheet.name, number, f"cell {place + 1}", error) from None
    return fields


def _field(kind: str, text: str, from_1904: bool) -> str:
    """Return what a cell says, as CSV writes it. Raises ValueError for what is no value."""
    if kind in ("text", "boolean"):
        return text
    if kind == "number":
        if text.lstrip("-").isdigit():
            return text
        number = float(text)
        return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)
    if kind == "formula":
        raise ValueError("holds a formula without a result: save the file in a spreadsheet first")
    if kind == "error":
        raise ValueError(f"shows the error {text[:20]}")
    return moment_of(float(text), kind, from_1904)
