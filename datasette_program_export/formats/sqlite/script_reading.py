"""Reads an SQL script that this program wrote: its description, its rows, its digest.

The script may come from anyone. It is never run: of its statements only the INSERTs of the tables that it describes
are looked at, and these may hold nothing but literals as ``literals.py`` writes them. SQLite evaluates
those as a bare VALUES, in an empty database where they can reach nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import IO

from ...database.guarding.script_text import NoEndError, ScriptStatement, statements
from ...database.library import sqlite3
from ...database.schema import quote
from ...database.sqlite_errors import explain
from ...database.text import decode_text, is_undecodable
from ...errors import UnreadableError
from ...files.local import local
from ...files.reading_limits import TRUSTING, Limits
from ..dataset import Dataset, Field, Row, TableStream
from ..description.coverage import parsed_coverage
from ..description.integrity import parsed_integrity
from ..description.schema import DocumentSchema, parsed_schema
from ..document import description, tables_of
from .reading import begun
from .statements import insertion

HOW = "For a new database: sqlite3 -bail new.db < this-file"
HOW_ROWS = "For a database that has these tables: sqlite3 -bail that.db < this-file"
LAST_LINE = "-- complete; sha256 of every byte before this line: "
PARTS = ("export", "schema", "coverage", "integrity")
_LAST_LINE = re.compile(re.escape(LAST_LINE.encode()) + rb"([0-9a-f]{64})\n")
_IN_TABLE = re.compile(rb"\('([a-z]+)','((?:[^']|'')*)'\)[,;]")
_IN_COMMENT = re.compile(rb"-- (export|schema|coverage|integrity) (\{.*\})")
_LONGEST_LAST_LINE = 256
_PIECE = 256 * 1024
_MOST_VALUES = 400_000  # of one statement that are evaluated at once
_ROW_END = re.compile(rb"'[^']*'|\),\n\(")
_TEXT = re.compile(rb"'[^']*'")
_FORMS = (b"replace(',',char(13))", b"CAST(X' AS TEXT)", b"X'", b"NULL")  # with texts reduced to a quote
_REST = b"0123456789-+*/.e,()\n;'"
_CALLED = {"char", "replace"}


def decode(file: IO[bytes], limits: Limits) -> Dataset:
    """Return the export in a script that is byte for byte as it was written, read lazily. Raises UnreadableError."""
    with ExitStack() as stack:
        path = stack.enter_context(local(file, limits))
        if not _begins_as_ours(path):
            raise UnreadableError("This file cannot prove itself: it is no SQL script of this program.", "unknown")
        if problem := check_script(path, limits):
            raise UnreadableError(problem, "cut" if "does not end" in problem else "changed")
        told = _description(path, limits)
        try:
            parts = {name: description(told[name].encode(), f"The description ({name})", limits) for name in PARTS}
        except (KeyError, UnicodeError):
            raise UnreadableError("The script does not describe itself as this program writes it.") from None
        schema = parsed_schema(parts["schema"])
        found = Dataset(
            head=parts["export"],
            schema=schema,
            tables=iter(()),
            coverage=lambda: parsed_coverage(parts["coverage"]),
            integrity=lambda: parsed_integrity(parts["integrity"]),
        )
        kept = stack.pop_all()
    return replace(found, tables=begun(kept, _tables(path, schema, limits)), release=kept.close)


def check_script(path: Path, limits: Limits = TRUSTING) -> str | None:
    """Check a script by its last line; return what is wrong as a sentence, or None. Uses constant memory."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _LONGEST_LAST_LINE))
        tail = file.read()
        start = tail.rfind(b"\n", 0, -1) + 1
        found = _LAST_LINE.fullmatch(tail[start:])
        if found is None:
            return "It does not end in the line that says that it is complete."
        hashed = hashlib.sha256()
        left = size - (len(tail) - start)
        file.seek(0)
        while left:
            piece = file.read(min(left, _PIECE))
            if not piece:
                return "It became shorter while it was read."
            hashed.update(piece)
            left -= len(piece)
            limits.go_on()
    if hashed.hexdigest().encode() != found[1]:
        return "It was changed or damaged: the digest in its last line is of other bytes."
    return None


def _begins_as_ours(path: Path) -> bool:
    """Return whether the second line, as far as it is there, is the one that every script has."""
    with path.open("rb") as file:
        whole = file.readline(_PIECE).endswith(b"\n")
        second = file.readline(_PIECE).replace(b"\r\n", b"\n")
    usual = [f"-- {how}\n".encode() for how in (HOW, HOW_ROWS)]
    return any(line.startswith(second) for line in usual) if whole and second else not whole


def _description(path: Path, limits: Limits) -> dict[str, str]:
    """Return the description: it comes after all other rows, so the last line of each key counts. Skip other lines."""
    found = {}
    most = 2 * limits.description  # because quotes are doubled
    with path.open("rb") as file:
        begins = True
        while line := file.readline(_PIECE):
            if begins and line.startswith((b"('", b"-- ")):
                while not line.endswith(b"\n") and len(line) < most and (more := file.readline(_PIECE)):
                    line += more
                said = line.removesuffix(b"\n")
                if match := _IN_TABLE.fullmatch(said):
                    found[match[1].decode()] = match[2].decode("utf-8", "replace").replace("''", "'")
                elif match := _IN_COMMENT.fullmatch(said):
                    found[match[1].decode()] = match[2].decode("utf-8", "replace")
            begins = line.endswith(b"\n")
            limits.go_on()
    return found


def _tables(path: Path, schema: DocumentSchema, limits: Limits) -> Iterator[TableStream]:
    fields = {name: tuple(f for f in columns if not f.generated) for name, columns in tables_of(schema).items()}
    with path.open("rb") as file, closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA encoding={quote(schema.database.encoding)}")
        connection.set_authorizer(_authorized)
        limits.watch(connection)
        reading = _Reading(connection, file, fields, limits)
        for name, columns in fields.items():
            yield TableStream(name, columns, reading.rows(name))


def _authorized(action: int, _first: object, second: object, *_: object) -> int:
    allowed = action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_FUNCTION and second in _CALLED)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


class _Reading:
    """Reads the INSERTs of one table after the other; ``_next`` is the statement that was met last."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        file: IO[bytes],
        fields: Mapping[str, tuple[Field, ...]],
        limits: Limits,
    ) -> None:
        self._connection, self._limits = connection, limits
        self._widths = {name: len(columns) for name, columns in fields.items()}
        starts = {insertion(name, [c.name for c in columns]): name for name, columns in fields.items()}
        self._starts = {start.encode(): name for start, name in starts.items()}
        self._inserted = self._insertions(statements(file, self._seen))
        self._next = next(self._inserted, None)

    def rows(self, table: str) -> Iterator[list[Row]]:
        """Yield the rows of a table, whose statements follow one another. Raises UnreadableError."""
        while self._next is not None and self._next[0] == table:
            _, line, text = self._next
            self._next = None
            yield from self._values(table, line, text)
            del text
            self._next = next(self._inserted, None)

    def _insertions(self, found: Iterator[ScriptStatement]) -> Iterator[tuple[str, int, bytes]]:
        """Yield table, line and values of the statements that insert rows of the tables."""
        try:
            for line, text in found:
                self._limits.go_on()
                start, sign, values = text.partition(b" VALUES\n")
                if sign and (table := self._starts.get(start + b" VALUES")) is not None:
                    yield table, line, values
        except NoEndError as error:
            raise UnreadableError(f"The script ends within the statement of line {error}.") from None

    def _seen(self, held: bytearray) -> None:
        self._limits.go_on()
        self._limits.fits_row(held, "A statement of the script")  # type: ignore[arg-type]

    def _values(self, table: str, line: int, text: bytes) -> Iterator[list[Row]]:
        skeleton = re.sub(b"'+", b"'", _TEXT.sub(b"'", text))
        values = skeleton.count(b",")
        for form in _FORMS:
            skeleton = skeleton.replace(form, b"'")
        if skeleton.translate(None, _REST) or skeleton.find(b";") != len(skeleton) - 1 or not text.endswith(b");"):
            raise self._other(table, line)
        del skeleton
        width = self._widths[table]
        most = max(1, _MOST_VALUES // max(1, width))
        for piece in [text[:-1]] if values < _MOST_VALUES else _pieces(text[:-1], most):
            rows = self._evaluated(table, line, piece)
            if len(rows[0]) != width:
                raise self._other(table, line)
            yield rows
            del rows

    def _evaluated(self, table: str, line: int, piece: bytes) -> list[Row]:
        try:
            sql = f"VALUES {piece.decode()}"
            try:
                return self._connection.execute(sql).fetchall()
            except sqlite3.OperationalError as error:
                if not is_undecodable(error):
                    raise
            self._connection.text_factory = decode_text
            try:
                return self._connection.execute(sql).fetchall()
            finally:
                self._connection.text_factory = str
        except (UnicodeDecodeError, ValueError, sqlite3.ProgrammingError, sqlite3.Warning):
            raise self._other(table, line) from None
        except sqlite3.Error as error:
            raise UnreadableError(f"Line {line:,} of the script cannot be read: {explain(error)}.") from None

    def _other(self, table: str, line: int) -> UnreadableError:
        return UnreadableError(
            f"Line {line:,} of the script: the values for {table} are not written as this program writes them."
        )


def _pieces(text: bytes, most: int) -> Iterator[bytes]:
    """Yield the rows of a VALUES list, at most so many at once."""
    begin, rows = 0, 0
    for found in _ROW_END.finditer(text):
        if found[0][:1] == b")":
            rows += 1
            if rows == most:
                yield text[begin : found.start() + 1]
                begin, rows = found.end() - 1, 0
    yield text[begin:]
