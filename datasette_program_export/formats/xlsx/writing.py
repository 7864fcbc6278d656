"""xlsx: a workbook with a sheet for each table, for Excel, LibreOffice and others, that is read back exactly.

It is written as a stream; ``cells`` says how values are written, ``description`` how the workbook proves itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count

from ...database.schema import affinity
from ...errors import UnsupportedError
from ...files.zip_writing import Member, zipped
from ..csv.spreadsheet import MOST_COLUMNS, MOST_LINES
from ..dataset import Dataset, Field, Row, TableStream, Value
from ..description.column_facts import ColumnFacts
from ..registry import Format, Options
from .cells import Column, Empty, header_cells, is_moment, line_cell, style_for_new, text_cell
from .description import WrittenTable, description_lines, readme_lines
from .long_texts import HEADER, LongTexts
from .pages import Pages
from .parts import ROOT_LINKS, WORKBOOK, Sheet, styles, workbook
from .reading import decode
from .sheet_names import DESCRIPTION, LONG_TEXTS, README, SheetNames

_ROWS = 500  # in a piece
_MOMENT = 20  # the width in which a day with its time is shown, and not ###
_WIDE = '<col min="1" max="1" width="100" customWidth="1"/>'


def encode(dataset: Dataset, options: Options) -> Iterator[bytes]:
    """Yield the workbook in pieces; memory holds one piece at most. Raises UnsupportedError for too many columns."""
    for name, table in dataset.schema.tables.items():
        if len(table.columns) > MOST_COLUMNS:
            raise UnsupportedError(
                f"{name} has {len(table.columns):,} columns, and a sheet holds {MOST_COLUMNS:,}: take package."
            )
    return zipped(_members(dataset, options), options.moment, any_size=False)


def _members(dataset: Dataset, options: Options) -> Iterator[Member]:
    yield _part(ROOT_LINKS)
    names, sheets, written = SheetNames(), list[Sheet](), list[WrittenTable]()
    wanted = names.of(dataset.schema.tables)

    def added(name: str, hidden: bool = False) -> str:
        sheets.append(Sheet(name, f"xl/worksheets/sheet{len(sheets) + 1}.xml", hidden))
        return sheets[-1].path

    def all_of(name: str, pages: Pages) -> Iterator[Member]:
        number = 1
        while not pages.ended:
            shown = name if number == 1 else names.next(name, number)
            yield Member(added(shown), pages.page())
            number += 1

    with LongTexts(options.folder) as long:
        for table in dataset.tables:
            begun = len(sheets)
            writing = _Writing(table, long.keep)
            yield from all_of(wanted[table.name], writing.pages)
            named = tuple(sheet.name for sheet in sheets[begun:])
            written.append(WrittenTable(table.name, named, [column.empty for column in writing.columns]))
            table.warnings.extend(writing.warnings(named))
        if long:
            pages = Pages(header_cells(HEADER), '<col min="3" max="3" width="100" customWidth="1"/>', long.rows())
            yield from all_of(LONG_TEXTS, pages)
    lines = _lines(readme_lines(dataset, written), line_cell, chosen=True)
    yield Member(added(README), lines)
    yield Member(added(DESCRIPTION, hidden=True), _lines(description_lines(dataset, written), text_cell))
    yield _part(styles())
    first = [sheet for sheet in sheets if sheet.name == README]  # the order of the files is not that of the sheets
    yield from map(_part, workbook([*first, *(sheet for sheet in sheets if sheet.name != README)]))


def _part(part: tuple[str, str]) -> Member:
    return Member(part[0], iter([part[1].encode()]))


def _lines(lines: Iterable[str], cell: Callable[[str], str], chosen: bool = False) -> Iterator[bytes]:
    """Yield a sheet of lines of text."""
    return Pages((), _WIDE, ([(cell(line),)] for line in lines), chosen).page()


class _Writing:
    """Writes one table, and looks at its columns before."""

    def __init__(self, table: TableStream, keep: Callable[[str], int]) -> None:
        self.table = table
        facts = table.facts() if table.facts is not None else [None] * len(table.fields)
        self.columns = [Column(field, _empty(known), keep) for field, known in zip(table.fields, facts)]
        self._first = next(table.batches, [])
        beginnings = list(zip(*self._first)) or [()] * len(table.fields)
        widths = "".join(map(_width, count(1), table.fields, beginnings))
        self.pages = Pages(header_cells(field.name for field in table.fields), widths, self._cells())

    def _cells(self) -> Iterator[Sequence[Sequence[str]]]:
        for batch in chain([self._first], self.table.batches):
            self._first = []
            for first in range(0, len(batch), _ROWS):
                rows = batch[first : first + _ROWS]
                cells: list[Sequence[str]] = list(zip(*(c.cells(v) for c, v in zip(self.columns, zip(*rows)))))
                if not all(row[0] for row in cells):
                    cells = [row if any(row) else self._not_empty(old) for old, row in zip(rows, cells)]
                yield cells

    def _not_empty(self, row: Row) -> Sequence[str]:
        """Return the cells of a row of empty ones: as such, programs would lose it."""
        return (self.columns[0].marked(row[0]),)

    def warnings(self, sheets: Sequence[str]) -> Iterator[str]:
        """Yield sentences about what stands in the workbook in another way than people expect."""
        name = self.table.name
        if len(sheets) > 1:
            yield f"{name} goes on in further sheets, as one holds {MOST_LINES:,} lines: {', '.join(sheets)}."
        for column in self.columns:
            if column.digits:
                yield _told(
                    name, column, column.digits, "number", "of more than 15 digits stand as text: \\ and digits"
                )
            if column.binary:
                yield _told(name, column, column.binary, "value", "of binary data stand as text: \\ and base64 in JSON")
            if column.long:
                yield _told(name, column, column.long, "text", f"too long for a cell stand on the sheet {LONG_TEXTS}")


def _told(table: str, column: Column, count: int, what: str, how: str) -> str:
    return f"{table}.{column.name}: {count:,} {what}(s) {how}."


def _empty(facts: ColumnFacts | None) -> Empty:
    return "text" if facts is not None and facts.has_empty and not facts.has_null and str in facts.classes else "null"


def _width(place: int, field: Field, values: Sequence[Value]) -> str:
    """Return a column's width, and the style of its new cells, from its first values."""
    style = style_for_new(values, affinity(field.type))
    moments = any(isinstance(value, str) and len(value) == 19 and is_moment(value) for value in values)
    width = min(max(len(field.name) + 4, _MOMENT if moments else 11), 40)
    return f'<col min="{place}" max="{place}" width="{width}" style="{style}" customWidth="1"/>'


FORMAT = Format(
    name="xlsx",
    help="A workbook with a sheet for each table, for Excel and LibreOffice; it says what it holds.",
    extension="xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    lossless=True,
    self_verifying=True,
    encode=encode,
    decode=decode,
    good_for="reading, sorting and changing tables in a spreadsheet, and loading the changes again",
    beginnings=(b"PK\x03\x04",),
    holds=WORKBOOK,
    purpose="spreadsheet",
    ending="xlsx",
    compressed=True,
    edited=True,
)
