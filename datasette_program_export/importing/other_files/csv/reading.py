"""Stages the rows of a CSV file: each cell as its column needs it, each fault with its line.

An empty field is NULL, ``""`` is an empty text. SQLite converts a text by the column's affinity.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from ....database.schema import Column, Table, fold
from ....errors import RequestError, UnreadableError
from ....files.reading_limits import LARGE, Limits
from ....formats.csv.decoding import read_records
from ....formats.dataset import Value
from ....options.delimiters import word_of
from ...choices import ImportChoices
from ...staging.columns import ColumnMapping
from ...staging.database import StagedTable
from .beginning import Beginning, beginning_of, column_of
from .cells import CellError, ColumnReader
from .encoding import Content, decoded, encoding_of, faulty, told
from .form import Form, form_of

_SAMPLE = 1 << 18
_BATCH = 1000


def read_csv(
    opened: Content,
    table: Table,
    intake: ColumnMapping,
    choices: ImportChoices,
    limits: Limits,
    bare: bool = True,
    begins: Beginning | None = None,
) -> str:
    """Stage the rows, and return a text that says how the file was read.

    ``bare`` is false for CSV inside a JSON file; ``begins`` tells how the file begins, if that is known.
    Raises UnreadableError, RequestError."""
    with opened() as file:
        sample = file.read(_SAMPLE)
    encoding, note = (told(choices.encoding, sample), None) if choices.encoding else encoding_of(sample, opened)
    text = _below(decoded(sample, encoding, opened), choices.skip_lines)
    begins = begins or beginning_of(text, table, choices)
    form: Form = "other"
    if bare and begins.header and begins.skip == 1 and not choices.skip_lines:
        form = form_of(text, begins.delimiter, begins.names, table, encoding == "utf-8-sig")
    for sentence in filter(None, [note, *begins.notes]):
        intake.findings.add("read", sentence, table.name, error=False)
    rows = CsvRows(table, intake, choices, begins, form)
    if rows.staged is not None:
        with opened() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as lines:
            for _ in range(choices.skip_lines):
                lines.readline()
            try:
                rows.stage(lines, limits)
            except UnicodeError:
                raise faulty(opened, encoding) from None
    how = f"{encoding}, delimiter {word_of(begins.delimiter)}, {'with' if begins.header else 'without'} a header"
    made = ", made for a spreadsheet by this program" if form == "spreadsheet" and rows.guarded else ""
    return f"CSV into {table.name}: {how}{made}"


def _below(text: str, lines: int) -> str:
    whole = io.StringIO(text, newline="")
    for _ in range(lines):
        whole.readline()
    return whole.read()


def text_at_the_beginning(opened: Content, choices: ImportChoices) -> tuple[str, str]:
    """Return a text from the beginning of the file, and the file's encoding. Raises UnreadableError, RequestError."""
    with opened() as file:
        sample = file.read(_SAMPLE)
    encoding = told(choices.encoding, sample) if choices.encoding else encoding_of(sample, opened)[0]
    return _below(decoded(sample, encoding, opened), choices.skip_lines), encoding


class CsvRows:
    """The rows of one file on their way into the staging database; ``staged`` is None where they cannot be staged."""

    def __init__(
        self, table: Table, intake: ColumnMapping, choices: ImportChoices, begins: Beginning, form: Form
    ) -> None:
        self.table, self._intake, self._choices, self._begins, self._form = table, intake, choices, begins, form
        self._passed: Counter[str] = Counter()
        columns = [column_of(table, name) for name in begins.names]
        self._width = max((i for i, name in enumerate(begins.names, 1) if name.strip()), default=0)
        self._readers = [ColumnReader(c, choices, form, self._width == 1) for c in columns]
        for name in choices.cells:
            if name != "*" and table.column(name) is None:
                raise RequestError(f"{table.name} has no column {name} whose cells could be read so.")
        self._nameless = [not name.strip() for name in begins.names]
        self._has_key = any(c is not None and c.name == table.integer_key for c in columns)
        self.staged = self._room(columns)
        if self.staged is not None:
            self.staged.cells = True
            self._places = [self._place(c, name) for c, name in zip(columns, begins.names)]
            self.staged.as_told = frozenset(r.name for r in self._readers if r.kind is not None)

    @property
    def guarded(self) -> bool:
        """Whether a cell was written for a spreadsheet."""
        return any(reader.met["guards"] for reader in self._readers)

    def _room(self, columns: Sequence[Column | None]) -> StagedTable | None:
        names = [fold(c.name if c else n) for c, n in zip(columns, self._begins.names) if c or n.strip()]
        if len(set(names)) != len(names):
            message = f"The header has a column of {self.table.name} twice."
            self._intake.findings.add("column", message, self.table.name)
            return None
        if self.table.name in self._intake.staging.tables:
            raise UnreadableError(f"The file has {self.table.name} twice.")
        return self._intake.loose(self.table, texts=True, unit="line")

    def _place(self, column: Column | None, name: str) -> int | None:
        assert self.staged is not None
        if column is not None and column.name in self.staged.columns:
            return self.staged.columns.index(column.name)
        preset = self._intake.known.preset if self._intake.known is not None else None
        computed = preset.computed.get(self.table.name, []) if preset is not None else []
        known = not name.strip() or name.strip() in computed
        if column is None and not known and not self._intake.renaming.is_left_away(self.table.name, name.strip()):
            message = self._intake.renaming.why_unknown(self.table.name, name)
            self._intake.findings.add("column", message, self.table.name, name)
        return None

    def stage(self, text: io.TextIOWrapper, limits: Limits) -> None:
        """Stage all rows. Raises UnreadableError, UnicodeError."""
        assert self.staged is not None
        staged, first = self.staged, self._choices.skip_lines
        shape = self._intake.staging.shape(staged, tuple(c for i, c in enumerate(staged.columns) if i in self._places))
        waiting: list[tuple[int, tuple[Value, ...]]] = []
        size = 0
        for line, row, quoted in records(text, self._begins.delimiter, self._begins.skip, limits, first):
            if not any(row) and not any(quoted) and self._is_passed_over():
                continue
            values = self._values(line, row, quoted)
            if values is None:
                continue
            waiting.append((line, tuple(values)))
            size += sum(map(len, row))
            if len(waiting) == _BATCH or size > LARGE:
                row.clear()
                values.clear()
                self._flush(shape, waiting)
                size = 0
        self._flush(shape, waiting)
        self._tell()

    def _is_passed_over(self) -> bool:
        """Return whether a line without any value is no row; it is one only in a file of ours, and without a key."""
        passed = self._form == "other" or self._has_key
        self._passed["passed over" if passed else "read as rows without any value"] += 1
        return passed

    def _values(self, line: int, row: list[str], quoted: Sequence[bool]) -> list[Value] | None:
        """Return the staged values of a row, or None after a finding."""
        assert self.staged is not None
        if not self._width <= len(row) <= len(self._places) and (
            len(row) < self._width or any(row[len(self._places) :])
        ):
            self._say(line, None, f"has {len(row):,} fields, not {self._width:,} as the others", row)
            return None
        values: list[Value] = [None] * len(self.staged.columns)
        whole = True
        for place, cell, as_text, read, nameless in zip(self._places, row, quoted, self._readers, self._nameless):
            try:
                if place is not None:
                    values[place] = read(cell, as_text)
                elif cell and nameless:
                    raise CellError("has a value in a column without a name, which would be lost")
            except CellError as error:
                self._say(line, read.name or None, str(error), row)
                whole = False
        return values if whole else None

    def _say(self, line: int, column: str | None, what: str, row: list[str]) -> None:
        where = f"Line {line:,} of {self.table.name}: {column}" if column else f"Line {line:,}"
        self._intake.findings.add(
            "cell" if column else "line", f"{where} {what}.", self.table.name, column, line, "line", held=list(row)
        )

    def _flush(self, shape: int, waiting: list[tuple[int, tuple[Value, ...]]]) -> None:
        if waiting:
            assert self.staged is not None
            numbers, rows = zip(*waiting)
            self._intake.staging.add(self.staged, numbers, [shape] * len(rows), rows)
            waiting.clear()

    def _tell(self) -> None:
        findings, name = self._intake.findings, self.table.name
        assert self.staged is not None
        self.staged.shortened = frozenset(reader.name for reader in self._readers if not reader.is_exact)
        for what, count in self._passed.items():
            findings.add("read", f"{count:,} line(s) without any value are {what}.", name, error=False)
        for reader in self._readers:
            for sentence in reader.notes(name):
                findings.add("read", sentence, name, reader.name, error=False)
        if self._form == "spreadsheet" and self.guarded:
            told = (
                "The file was made for a spreadsheet, which does not tell nothing (NULL) from an empty text: an empty "
                "cell is nothing, but where the column needs a text."
            )
            findings.add("read", told, name, error=False)


def records(
    text: io.TextIOWrapper, delimiter: str, skip: int, limits: Limits, lines: int
) -> Iterator[tuple[int, list[str], Sequence[bool]]]:
    """Yield the line number, the fields, and for each field whether it was quoted (exact only where it matters).

    ``lines`` are those that were read before."""
    begins = 1
    try:
        for begins, row, held in read_records(text, delimiter, limits):
            if row and skip == 0:
                record = "".join(held)
                held.clear()
                matters = ('""' in record and "" in row) or (len(row) == 1 and record.startswith('"'))
                quoted = _quoted(record, delimiter) if matters else [False] * len(row)
                del record
                yield begins + lines, row, quoted
            elif row:
                skip -= 1
    except csv.Error:
        raise UnreadableError(
            f"Line {begins + lines:,} or a later one is no CSV: a quote is not closed, or stands where none can be."
        ) from None


def _quoted(record: str, delimiter: str) -> list[bool]:
    found, place = [], 0
    while True:
        found.append(record.startswith('"', place))
        if found[-1]:
            place += 1
            while record.startswith('""', end := record.index('"', place)):
                place = end + 2
            place = end + 1
        place = record.find(delimiter, place) + 1
        if not place:
            return found
