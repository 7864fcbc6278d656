"""Reads CSV of other programs: detects encoding, delimiter and header, and reports them.

An empty field is NULL, ``""`` is an empty text. SQLite converts a text by the column's affinity.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from itertools import islice
from typing import IO

import msgspec

from ...database.schema import Column, Table, fold
from ...errors import RequestError, UnreadableError
from ...files.reading_limits import LARGE, Limits
from ...formats.csv.decoding import read_records
from ...formats.dataset import Value
from ...options.delimiters import NEVER_READ, WORDS, delimiter_of, word_of
from ..choices import ImportChoices
from ..staging.columns import ColumnMapping
from ..staging.database import StagedTable

_SAMPLE = 1 << 18
_BATCH = 1000
_LINES = 20  # at the beginning, by which delimiter and header are detected
_INFINITE = {"Infinity": float("inf"), "-Infinity": float("-inf")}
_BOOLEAN = {"True": 1, "False": 0, "true": 1, "false": 0}
_FORMULA = re.compile(r'="(?:[^"]|"")*"\Z')


def read_csv(
    opened: Callable[[], AbstractContextManager[IO[bytes]]],
    table: Table,
    intake: ColumnMapping,
    choices: ImportChoices,
    limits: Limits,
) -> str:
    """Stage the rows, and return a text that says how the file was read. Raises UnreadableError, RequestError."""
    text, encoding = text_at_the_beginning(opened, choices)
    columns = [c for c in table.columns if not c.generated and c.hidden == 0]
    delimiter = _named(choices.delimiter) or _delimiter(text, table)
    first = next(iter(_first_rows(text, delimiter, _LINES)), [])
    known = [name for name in first if table.column(name.strip()) is not None]
    header = choices.header if choices.header is not None else bool(known) or len(first) != len(columns)
    if any(_FORMULA.match(name) for name in first):
        raise UnreadableError(
            "This file was made for a spreadsheet: its values were changed for it, so they are not imported.", "unknown"
        )
    if header and not known:
        raise UnreadableError(f"The first line names no column of {table.name}. Is another delimiter meant?", "unknown")
    names = [name.strip() for name in first] if header else [c.name for c in columns]
    staged = _room(table, names, intake)
    if staged is not None:
        with opened() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as lines:
            _stage(lines, staged, names, delimiter, header, intake, limits)
    return (
        f"CSV into {table.name}: {encoding}, delimiter {word_of(delimiter)}, {'with' if header else 'without'} a header"
    )


def text_at_the_beginning(
    opened: Callable[[], AbstractContextManager[IO[bytes]]], choices: ImportChoices
) -> tuple[str, str]:
    """Return a text from the beginning of the file, and the file's encoding. Raises UnreadableError, RequestError."""
    with opened() as file:
        sample = file.read(_SAMPLE)
    encoding = choices.encoding or _encoding(sample)
    return _decoded(sample, encoding), encoding


def header_for(text: str, table: Table, choices: ImportChoices) -> list[str]:
    """Return the fields of the first line, read as for this table."""
    delimiter = _named(choices.delimiter) or _delimiter(text, table)
    return [name.strip() for name in next(iter(_first_rows(text, delimiter, _LINES)), [])]


def _room(table: Table, names: Sequence[str], intake: ColumnMapping) -> StagedTable | None:
    folded = [fold(name) for name in names]
    if len(set(folded)) != len(folded):
        intake.findings.add("column", f"The header has a column of {table.name} twice.", table.name)
        return None
    if table.name in intake.staging.tables:
        raise UnreadableError(f"The file has {table.name} twice.")
    return intake.loose(table, texts=True, unit="line")


def _first_rows(text: str, delimiter: str, most: int) -> list[list[str]]:
    """Return the first non-empty rows, up to a field that is too large for Python's reader."""
    rows: list[list[str]] = []
    with suppress(csv.Error):
        for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), most):
            rows += [row] if row else []
    return rows


def _stage(
    text: io.TextIOWrapper,
    staged: StagedTable,
    names: Sequence[str],
    delimiter: str,
    header: bool,
    intake: ColumnMapping,
    limits: Limits,
) -> None:
    places = [_place(staged, name, intake) for name in names]
    given = tuple(c for i, c in enumerate(staged.columns) if i in places)
    shape = intake.staging.shape(staged, given)
    readers = [_reader(staged.table.column(name), len(names) == 1) for name in names]
    waiting: list[tuple[int, tuple[Value, ...]]] = []
    size = 0
    for line, row, quoted in _records(text, delimiter, 1 if header else 0, limits):
        if len(row) != len(names):
            message = f"Line {line:,} has {len(row):,} fields, not {len(names):,} as the others."
            intake.findings.add("line", message, staged.table.name, None, line, "line")
            continue
        values: list[Value] = [None] * len(staged.columns)
        for place, cell, as_text, read in zip(places, row, quoted, readers):
            if place is not None:
                values[place] = read(cell, as_text)
        waiting.append((line, tuple(values)))
        size += sum(map(len, row))
        if len(waiting) == _BATCH or size > LARGE:
            row.clear()
            values.clear()
            _flush(intake, staged, shape, waiting)
            size = 0
    _flush(intake, staged, shape, waiting)


def _flush(
    intake: ColumnMapping, staged: StagedTable, shape: int, waiting: list[tuple[int, tuple[Value, ...]]]
) -> None:
    if waiting:
        numbers, rows = zip(*waiting)
        intake.staging.add(staged, numbers, [shape] * len(rows), rows)
        waiting.clear()


def _place(staged: StagedTable, name: str, intake: ColumnMapping) -> int | None:
    table = staged.table
    column = table.column(name)
    if column is not None and column.name in staged.columns:
        return staged.columns.index(column.name)
    preset = intake.known.preset if intake.known is not None else None
    computed = preset.computed.get(table.name, []) if preset is not None else []
    if column is None and name not in computed:
        message = f"{table.name} has no column {name or '(without a name)'} in the target. Its values would be lost."
        intake.findings.add("column", message, table.name, name)
    return None


def _records(
    text: io.TextIOWrapper, delimiter: str, skip: int, limits: Limits
) -> Iterator[tuple[int, list[str], Sequence[bool]]]:
    """Yield the line number, the fields, and for each field whether it was quoted (exact only where it matters)."""
    begins = 1
    try:
        for begins, row, held in read_records(text, delimiter, limits):
            if row and skip == 0:
                record = "".join(held)
                held.clear()
                matters = ('""' in record and "" in row) or (len(row) == 1 and record.startswith('"'))
                quoted = _quoted(record, delimiter) if matters else [False] * len(row)
                del record
                yield begins, row, quoted
            elif row:
                skip -= 1
    except csv.Error:
        raise UnreadableError(
            f"Line {begins:,} or a later one is no CSV: a quote is not closed, or stands where none can be."
        ) from None
    except UnicodeError:
        raise UnreadableError(
            f"Behind line {begins:,} there is a character that is not {text.encoding}: give the argument encoding."
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


def _reader(column: Column | None, alone: bool) -> Callable[[str, bool], Value]:
    """Return the function that converts a field of this column; ``alone`` means that the file has one column."""
    kind = column.affinity if column is not None else "TEXT"
    blob = column is not None and "BLOB" in column.type.upper()
    words: dict[str, Value] = {}
    if kind in ("INTEGER", "NUMERIC"):
        words.update(_BOOLEAN)
    if kind in ("REAL", "NUMERIC"):
        words.update(_INFINITE)
    if alone:
        words["NULL"] = None  # in a file with one column an empty line would be no row

    def read(cell: str, quoted: bool) -> Value:
        if not cell:
            return (b"" if blob else "") if quoted else None
        if cell in words and not quoted:
            return words[cell]
        if blob:
            try:
                return msgspec.convert(cell, bytes)  # base64, without a copy of the text
            except msgspec.ValidationError:
                return cell
        return cell

    return read


def _encoding(sample: bytes) -> str:
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=False)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig" if sample.startswith(codecs.BOM_UTF8) else "utf-8"


def _decoded(sample: bytes, encoding: str) -> str:
    try:
        found = codecs.lookup(encoding)
        if not found._is_text_encoding or found.incrementaldecoder is None:  # such as zlib, base64, rot13
            raise LookupError
        return found.incrementaldecoder().decode(sample, final=False)
    except UnicodeError:
        raise UnreadableError(f"The file is not {encoding}: give the argument encoding.", "unknown") from None
    except (LookupError, ValueError):  # ValueError: a name with a NUL
        raise RequestError(f"There is no encoding {encoding} of texts.") from None


def _named(delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    found = delimiter_of(delimiter)
    if len(found) != 1 or found in NEVER_READ:
        raise RequestError(f"A delimiter is one sign, or {', '.join(WORDS)}.")
    return found


def _delimiter(text: str, table: Table) -> str:
    """Return the delimiter that finds the most columns of the table; ties go to rows of equal length."""

    def fit(delimiter: str) -> tuple[int, bool, int]:
        rows = _first_rows(text, delimiter, _LINES)
        first = rows[0] if rows else []
        named = sum(table.column(name.strip()) is not None for name in first)
        return named, len({len(row) for row in rows[:-1]}) == 1, len(first)

    return max(WORDS.values(), key=fit)
