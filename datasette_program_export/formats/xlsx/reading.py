"""Reads a workbook of this program, as it was written or as a person has changed it since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import IO, Any

from ...errors import UnreadableError
from ...files.reading_limits import Limits
from ..dataset import Dataset, Row, TableStream, Value
from ..description.coverage import parsed_coverage
from ..description.integrity import parsed_integrity
from ..description.schema import parsed_schema
from ..document import tables_of
from .book_reading import Book, SharedTexts
from .cells import spelled
from .description import parsed_description
from .sheet_names import DESCRIPTION, LONG_TEXTS
from .sheet_reading import Cell
from .values import Meaning, unreadable


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the dataset of a workbook; ``file`` must be seekable. Raises UnreadableError."""
    with ExitStack() as stack:
        book = stack.enter_context(Book(file, limits))
        found = _read(book, limits, stack)
        kept = stack.pop_all()
    return replace(found, release=kept.close)


def _read(book: Book, limits: Limits, stack: ExitStack) -> Dataset:
    described = book.sheet(DESCRIPTION)
    if described is None:
        raise UnreadableError("This workbook is none of this program, so it cannot prove itself.", "unknown")
    lines = (cells[0][2] for rows in book.rows(described) for _, cells in rows if cells)
    about = parsed_description(lines, limits)
    try:
        schema = parsed_schema(about["schema"])
        if about["integrity"]["complete"] is not True or about["sheets"].keys() != schema.tables.keys():
            raise ValueError
        fields = tables_of(schema)
        stack.callback((long := SharedTexts(limits)).close)
        _keep_long_texts(book, limits, long)
        return Dataset(
            head=about["export"],
            schema=schema,
            tables=_tables(book, about["sheets"], fields, long),
            coverage=partial(parsed_coverage, dict(about["coverage"])),
            integrity=partial(
                parsed_integrity, {name: part for name, part in about["integrity"].items() if name != "complete"}
            ),
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise UnreadableError("The hidden sheet is not as this program writes it.") from None


def _keep_long_texts(book: Book, limits: Limits, kept: SharedTexts) -> None:
    """Keep the texts of the sheet for long ones, to be found by their number, from 1."""
    kept.keep("")
    sheets = [s for s in book.sheets if s.name == LONG_TEXTS or s.name.startswith(f"{LONG_TEXTS} (")]
    number, pieces = 1, list[str]()
    for sheet in sheets:
        for rows in book.rows(sheet):
            for line, cells in rows:
                if line == 1 or len(cells) != 3:
                    continue
                if (found := int(float(cells[0][2]))) != number:
                    kept.keep("".join(pieces))
                    number, pieces = found, []
                pieces.append(cells[2][2])
                if sum(map(len, pieces[-1:])):
                    limits.fits(sum(map(len, pieces)), f"Text {number:,} of the sheet {LONG_TEXTS}")
    kept.keep("".join(pieces))


def _tables(
    book: Book, sheets: Mapping[str, Any], fields: Mapping[str, Any], long: SharedTexts
) -> Iterator[TableStream]:
    with book:
        for name, found in sheets.items():
            meanings = [
                Meaning(field, empty, long.text_of, book.counts_from_1904)
                for field, empty in zip(fields[name], found["empty"])
            ]
            yield TableStream(name, fields[name], _rows(book, found["names"], meanings))
        long.close()


def _rows(book: Book, sheets: Sequence[str], meanings: Sequence[Meaning]) -> Iterator[list[Row]]:
    nothing = [meaning.empty for meaning in meanings]
    for name in sheets:
        sheet = book.sheet(name)
        if sheet is None:
            raise UnreadableError(f"The workbook has no sheet {name} any more.", "changed")
        headed = False
        for batch in book.rows(sheet):
            if not headed:
                _check_header(name, batch.pop(0)[1], meanings)
                headed = True
            yield [_row(name, number, cells, meanings, nothing) for number, cells in batch if cells]
        if not headed:
            raise UnreadableError(f"The sheet {name} has lost its first line, which names the columns.", "changed")


def _check_header(sheet: str, cells: Sequence[Cell], meanings: Sequence[Meaning]) -> None:
    found = {place: text for place, _, text in cells if text}
    if found != {place: spelled(meaning.name) for place, meaning in enumerate(meanings)}:
        raise UnreadableError(
            f"The first line of the sheet {sheet} does not name its columns as they were written, in their order.",
            "changed",
        )


def _row(sheet: str, number: int, cells: Sequence[Cell], meanings: Sequence[Meaning], nothing: Sequence[Value]) -> Row:
    values = list(nothing)
    for place, kind, text in cells:
        if place >= len(meanings):
            if text:
                raise unreadable(sheet, number, "there", "is a value beside the columns, which would be lost")
            continue
        try:
            values[place] = meanings[place](kind, text)
        except (ValueError, OverflowError) as error:
            raise unreadable(sheet, number, meanings[place].name, error) from None
    return tuple(values)
