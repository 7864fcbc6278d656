"""Reads JSON with a row a line (ndjson), as other programs write it, or as this one does for one table.

A file in our own form says of each value what it is: so it comes in as it stands, whatever the column's type.
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import msgspec

from ....database.schema import Table
from ....errors import UnreadableError
from ....files.reading_limits import LARGE, Limits
from ....formats.values import of_tag
from ...choices import ImportChoices
from ...staging.columns import ColumnMapping
from ..concerns import check_nothing_to_make
from ..destination import destination, table_of
from ..rows import EmbeddedText, ForeignRows, UnfitError, real
from ..survey import Survey
from .source import Content

_rows = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode = msgspec.json.Decoder(float_hook=str).decode
_encode = msgspec.json.Encoder().encode
_MEMBERS = re.compile(rb'"\s*:')
_BYTE = re.compile(r"\(byte (\d+)\)")
_NAN = re.compile(rb"[:\[,\s]-?(?:NaN|Infinity)\b")
_FEW = 200  # lines by which the form is recognised
_BOM = b"\xef\xbb\xbf"


def read_lines(
    opened: Content, intake: ColumnMapping, choices: ImportChoices, limits: Limits
) -> tuple[str, ForeignRows]:
    """Find the table and stage the rows; return a text that says how they were read, and what was met.

    Raises UnreadableError, RequestError."""
    first = next((one.row for one in _lines(opened, choices, limits) if one.fault is None), {})
    choices = choices.model_copy(update={"table": destination(intake, choices, list(first))})
    if choices.create or choices.alter:
        survey = Survey(intake, choices)
        for one in _lines(opened, choices, limits):
            if one.fault is None:
                survey.add(str(choices.table), one.row)
        survey.end()
    else:
        check_nothing_to_make(choices, choices.table)
    table = table_of(intake, choices)
    own = _is_own(opened(), table)
    rows = ForeignRows(intake, choices, "line", limits, own)
    texts: Counter[str] = Counter()
    for one in _lines(opened, choices, limits):
        if one.fault is not None:
            where = f"Line {one.number:,} of {table.name}: {one.column}" if one.column else ""
            told = f"{where} {one.fault}." if where else one.fault
            kind = "value" if one.column else "line"
            intake.findings.add(kind, told, table.name, one.column, one.number, "line", held=one.text)
            continue
        if own:
            texts.update(name for name, value in one.row.items() if isinstance(value, str))
        rows.add(table.name, one.row, one.number)
        del one
    rows.end()
    for column in table.columns if own else ():
        if texts[column.name] and column.affinity in ("INTEGER", "REAL"):
            told = f"{texts[column.name]:,} value(s) of {table.name}.{column.name} are texts, as in the file."
            intake.findings.add("read", told, table.name, column.name, error=False)
    return f"a row a line, into {table.name}", rows


@dataclass(frozen=True)
class _Line:
    """One line: its row, or what is wrong with it, in which column, and its text."""

    number: int
    row: dict[str, object]
    fault: str | None = None
    column: str | None = None
    text: str | None = None


def _lines(opened: Content, choices: ImportChoices, limits: Limits) -> Iterator[_Line]:
    """Yield the lines that hold something. Raises UnreadableError for one that is no row, if all must be good."""
    with opened() as file:
        for number, line in _whole_lines(file, limits):
            if line.isspace():
                continue
            limits.few_parts(line, f"Line {number:,}")
            try:
                found = _members(line, number)
                _check_twice(line, found, number)
                row, fault = _values(found, number, choices)
            except UnreadableError as error:
                if not choices.goes_on:
                    raise
                yield _Line(number, {}, str(error), None, _as_text(line))
                continue
            if fault is not None:
                yield _Line(number, {}, fault[1], fault[0], _as_text(line))
                continue
            del line, found
            yield _Line(number, row)
            del row


def _as_text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n")


def _is_own(opened: AbstractContextManager[IO[bytes]], table: Table) -> bool:
    """Return whether the first lines are as this program writes them: compact, with the table's columns in order."""
    names: list[str] | None = None
    with opened as file:
        for _ in range(_FEW):
            line = file.readline(LARGE)
            if not line or (len(line) == LARGE and not line.endswith(b"\n")):
                break
            try:
                found = _rows(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return False
            names = names or list(found)
            pairs = [_encode(key) + b":" + bytes(memoryview(raw)) for key, raw in found.items()]
            if list(found) != names or b"{" + b",".join(pairs) + b"}\n" != line:
                return False
    known = iter(c.name for c in table.visible_columns)
    return names is not None and all(name in known for name in names)


def _members(line: bytes, number: int) -> dict[str, msgspec.Raw]:
    try:
        return _rows(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        found = _BYTE.search(str(error))
        place = f" (column {_column(line, int(found.group(1))):,})" if found else ""
        hint = ' A bare NaN or Infinity is no JSON: use the argument nan="null".' if _NAN.search(line) else ""
        if isinstance(error, UnicodeDecodeError):
            hint = " It is not UTF-8, as JSON is: use the argument encoding."
        raise UnreadableError(
            f"Line {number:,} is no row: it is not a JSON object that can be read{place}.{hint}"
        ) from None


def _column(line: bytes, byte: int) -> int:
    return sum(one & 0xC0 != 0x80 for one in line[: byte + 1])


def _check_twice(line: bytes, found: dict[str, msgspec.Raw], number: int) -> None:
    """Check that no key is twice in the object. Raises UnreadableError. The parser would keep the last one."""
    if len(_MEMBERS.findall(line)) == len(found):  # each member has one; texts may hold more
        return

    twice: list[str] = []

    def noted(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        twice[:] = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]

    try:
        json.loads(line, object_pairs_hook=noted, parse_float=str, parse_int=str)  # the outermost object comes last
    except (ValueError, RecursionError):
        return  # the parser that reads its values says so
    if twice:
        places = [m.start() for m in re.finditer(re.escape(_encode(twice[0])) + rb"\s*:", line)]
        where = f" (column {_column(line, places[1]):,})" if len(places) > 1 else ""
        raise UnreadableError(f"Line {number:,} has {twice[0]} twice in one object{where}.")


def _values(
    found: dict[str, msgspec.Raw], number: int, choices: ImportChoices
) -> tuple[dict[str, object], tuple[str, str] | None]:
    """Return the row's values, or the first column with a value that cannot be stored, and why."""
    row: dict[str, object] = {}
    for key, raw in found.items():
        try:
            row[key] = _of_raw(raw, choices.kind_of(key) == "number")
        except UnfitError as error:
            return row, (key, str(error))
        except UnicodeDecodeError:
            raise UnreadableError(f"Line {number:,} is not UTF-8, as JSON is: use the argument encoding.") from None
        except (msgspec.MsgspecError, ValueError, KeyError, RecursionError):
            return row, (key, "holds a value that SQLite cannot")
    return row, None


def _whole_lines(file: IO[bytes], limits: Limits) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line, with its line ending and without the file's mark."""
    for number, piece in enumerate(iter(partial(file.readline, LARGE), b""), 1):
        if number == 1:
            piece = piece.removeprefix(_BOM)
        if len(piece) < LARGE - len(_BOM) or piece.endswith(b"\n"):
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


def _of_raw(raw: msgspec.Raw, rounds: bool) -> object:
    """Return the value of a field: embedded JSON as its exact text, and tagged values as SQLite's values."""
    start = bytes(memoryview(raw)[:3])
    if start[:1] in b"-0123456789":
        text = str(memoryview(raw), "ascii")
        if text.lstrip("-").isdigit():
            return of_tag(_decode(raw))
        return real(text, rounds)
    value = _decode(raw)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (dict, list)) and start != b'{"$':
        return EmbeddedText(memoryview(raw), "utf-8")
    return of_tag(value)
