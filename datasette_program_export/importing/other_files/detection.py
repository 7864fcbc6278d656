"""Detects the kind of another program's file by its first bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import msgspec

from ...database.schema import Table
from ...errors import RequestError, UnreadableError
from ...files.input_file import open_input
from ...files.reading_limits import LARGE, Limits
from ...formats.registry import detect
from ...formats.values import of_tag
from ..choices import ImportChoices
from ..report import ImportReport
from ..staging.columns import ColumnMapping
from .csv import read_csv
from .csv_table import find_table
from .json import JsonDocument, from_text
from .rows import ForeignRows

Content = Callable[[], AbstractContextManager[IO[bytes]]]
_START = 1 << 20
_rows = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode = msgspec.json.Decoder().decode


def read_foreign(
    path: Path, intake: ColumnMapping, choices: ImportChoices, report: ImportReport, limits: Limits
) -> None:
    """Stage all rows of such a file. Raises UnreadableError, and RequestError if a choice is missing."""

    @contextmanager
    def content() -> Iterator[IO[bytes]]:
        with open_input(path) as file:
            yield detect(file, limits)[2]

    with content() as file:
        start = file.read(_START)
    if start.startswith((b"PK\3\4", b"SQLite format 3")):
        raise UnreadableError("This file is none that can be imported: no package of this program, no JSON, no CSV.")
    if not intake.schema:
        raise RequestError(
            "The target has no tables, and the file does not say how they are made. Import it into a database that "
            "has them; programjson, ndjson with its envelope and packages of this program bring theirs along."
        )
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if first[:1] in (b"{", b"["):
        report.format = "ndjson" if _is_lines(path, first) else "json"
        if report.format == "ndjson":
            report.layout = _lines(content, _named(intake, choices), intake, report, limits)
        else:
            report.layout = _json(content, intake, choices, report, limits)
        return
    report.format = "csv"
    if b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableError("This file is none that can be imported: no JSON, no CSV, and nothing of this program.")
    table = find_table(content, intake, choices) if choices.table is None else _named(intake, choices)
    report.layout = read_csv(content, table, intake, choices, limits)


def _named(intake: ColumnMapping, choices: ImportChoices) -> Table:
    if choices.table is None:
        raise RequestError("The file names no table: give the argument table.")
    table = intake.find(choices.table)
    if table is None:
        raise UnreadableError(f"Rows cannot go into {choices.table}.", "unknown")
    return table


def _is_lines(path: Path, first: bytes) -> bool:
    """Return whether each line is one object, by the file's suffix or because a second line looks like the first."""
    line, end, rest = first.partition(b"\n")
    names = {suffix.lower() for suffix in path.suffixes}
    if not end and len(first) > _START // 2:  # the first line is longer than the part that was read
        return line.startswith(b"{") and bool(names & {".ndjson", ".jsonl", ".nl"})
    if not line.startswith(b"{") or not line.rstrip().endswith(b"}"):
        return False
    return bool(names & {".ndjson", ".jsonl", ".nl"}) or rest.lstrip()[:1] == b"{"


def _json(content: Content, intake: ColumnMapping, choices: ImportChoices, report: ImportReport, limits: Limits) -> str:
    rows = ForeignRows(intake, limits=limits)
    document = JsonDocument(content, rows, choices.table, limits)
    document.read()
    layout = document.layout
    if not any(rows.seen.values()):
        for name, text in document.texts.items():
            _text(name or document.facts.get("table") or choices.table, text, rows, intake, choices, limits)
    rows.end()
    _tell(rows, intake, report)
    if not rows.seen and not document.texts and layout == "tables of rows":
        raise UnreadableError(
            "There is no table of rows in the file, in none of the layouts that are known.", "unknown"
        )
    return layout


def _text(
    table: object, text: str, rows: ForeignRows, intake: ColumnMapping, choices: ImportChoices, limits: Limits
) -> None:
    """Stage what an export's ``data`` text holds: a JSON document, or a table as CSV."""
    named = table if isinstance(table, str) else None
    if text.lstrip()[:1] in ("{", "["):
        inner = JsonDocument(from_text(text), rows, named, limits)
        inner.read()
        return
    if not text.strip():
        return
    if named is None:
        raise RequestError("The file holds CSV and names no table: give the argument table.")
    found = intake.find(named)
    rows.seen.setdefault(named, 0)
    if found is not None:
        plain = ImportChoices(header=choices.header, delimiter=choices.delimiter, encoding="utf-8")
        read_csv(from_text(text), found, intake, plain, limits)


def _tell(rows: ForeignRows, intake: ColumnMapping, report: ImportReport) -> None:
    for name, keys in rows.ignored.items():
        if not name.startswith("\0"):
            told = f"{', '.join(sorted(keys))} of {name}: computed, not stored; ignored."
            intake.findings.add("computed", told, name, error=False)
    for name in rows.seen:
        if intake.schema.find(name) is None and not rows.seen[name]:
            intake.findings.add(
                "table", f"{name} has no rows in the file, and is not in the target.", name, error=False
            )


def _lines(content: Content, table: Table, intake: ColumnMapping, report: ImportReport, limits: Limits) -> str:
    rows = ForeignRows(intake, "line", limits)
    with content() as file:
        for number, line in _whole_lines(file, limits):
            if line.isspace():
                continue
            limits.few_parts(line, f"Line {number:,}")
            try:
                row = {key: _of_raw(raw) for key, raw in _rows(line).items()}
            except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, KeyError, RecursionError):
                raise UnreadableError(f"Line {number:,} is no row: it is not a JSON object that can be read.") from None
            del line
            rows.add(table.name, row, number)
            del row
    rows.end()
    _tell(rows, intake, report)
    return f"a row a line, into {table.name}"


def _whole_lines(file: IO[bytes], limits: Limits) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line, with its line ending."""
    for number, piece in enumerate(iter(partial(file.readline, LARGE), b""), 1):
        if len(piece) < LARGE or piece.endswith(b"\n"):
            yield number, piece
            continue
        line = io.BytesIO()
        while piece:
            line.write(piece)
            limits.fits(line.tell(), f"Line {number:,}")
            if piece.endswith(b"\n"):
                break
            piece = file.readline(LARGE)
        limits.fits_row(line.getvalue(), f"Line {number:,}")
        yield number, line.getvalue()
        del line


def _of_raw(raw: msgspec.Raw) -> object:
    """Return the value of a field: embedded JSON as its exact text, and tagged values as SQLite's values."""
    value = _decode(raw)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (dict, list)) and bytes(memoryview(raw)[:3]) != b'{"$':
        return str(memoryview(raw), "utf-8")
    return of_tag(value)
