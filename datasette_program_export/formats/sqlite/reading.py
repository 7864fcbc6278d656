"""Reads a SQLite file that this program wrote: its description, its rows, its digest.

The file may come from anyone: it is opened read-only, none of its views and triggers is
run, and a table must be an ordinary table. Generated columns, whose expressions come from the
file, are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...database.library import sqlite3
from ...database.schema import Table, quote
from ...database.sqlite_errors import explain
from ...database.text import decode_text
from ...database.virtual_tables import keeps_rows, module_of
from ...errors import UnreadableError
from ...files.beside import Beside, Hash
from ...files.input_file import open_database_bytes
from ...files.reading_limits import TRUSTING, Limits
from ..dataset import Dataset, Field, Row, TableStream
from ..description.coverage import parsed_coverage
from ..description.integrity import parsed_integrity
from ..description.schema import DocumentSchema, parsed_schema
from ..document import description, tables_of
from ..registry.other_programs import OTHER_DATABASE, refuse
from .rows import open_read_only, stored_rows
from .statements import VERSION, description_among

PLACEHOLDER = "0" * 64
_PIECE = 256 * 1024
_HEX = re.compile("[0-9a-f]{64}")
_TOLD = ("format", "version", "export", "schema", "coverage", "integrity", "document")


def decode(path: Path, limits: Limits = TRUSTING) -> Dataset:
    """Return the export in a file, read lazily. Raises UnreadableError if there is none or it is damaged."""
    try:
        with closing(open_read_only(path, limits)) as connection:
            told = _description(connection, limits)
            parts = {
                name: description(told[name].encode(), f"The description ({name})", limits)
                for name in ("export", "schema", "coverage", "integrity")
            }
            schema = parsed_schema(parts["schema"])
            names = {*_ordinary_tables(connection), *_virtual_tables(connection, schema)}
        fields = {
            name: tuple(field for field in columns if not field.generated)
            for name, columns in tables_of(schema).items()
        }
    except sqlite3.Error as error:
        raise UnreadableError(f"The SQLite file cannot be read: {explain(error)}.") from error
    except (KeyError, AttributeError, UnicodeError):
        raise UnreadableError("The SQLite file is damaged: its description cannot be read.") from None
    for name in fields:
        if name not in names:
            raise UnreadableError(f"The SQLite file is not what it says: {name} is no table in it.")
    return Dataset(
        head=parts["export"],
        schema=schema,
        tables=_tables(path, fields, limits),
        coverage=lambda: parsed_coverage(parts["coverage"]),
        integrity=lambda: parsed_integrity(parts["integrity"]),
    )


def check_document(path: Path, limits: Limits = TRUSTING) -> str | None:
    """Check the digest that a file holds; return what is wrong as a sentence, or None. Uses constant memory."""
    try:
        with closing(open_read_only(path, limits)) as connection:
            digest = _description(connection, limits).get("document")
            (encoding,) = connection.execute("PRAGMA encoding").fetchone()
    except UnreadableError as error:
        return str(error)
    except (sqlite3.Error, UnicodeError) as error:
        return f"It cannot be read: {explain(error)}."
    if not isinstance(digest, str) or not _HEX.fullmatch(digest):
        return "It does not hold the digest that says that it is complete."
    found = sealed(path, digest, encoding, limits)
    if found.times != 1:
        return "It was changed or damaged: its digest does not stand in it exactly once."
    if found.digest != digest:
        return "It was changed or damaged: its digest is of other bytes."
    return None


@dataclass(frozen=True)
class Sealed:
    """Where a digest stands in a file (``times`` over, first at ``place``), and the digest with zeros in its place."""

    times: int
    place: int
    digest: str


def sealed(path: Path, mark: str, encoding: str, limits: Limits = TRUSTING, beside: Beside | None = None) -> Sealed:
    """Read a file once for the SHA-256 that it has with 64 zeros wherever ``mark`` stands, a text of that encoding.

    It is computed ``beside``, or at once."""
    wanted, zeros = mark.encode(encoding), PLACEHOLDER.encode(encoding)
    hashed = Hash(beside or Beside())
    times, place, start, window = 0, -1, 0, b""
    with open_database_bytes(path) as file:
        while piece := file.read(_PIECE):
            limits.go_on()
            window += piece
            if found := window.count(wanted):
                place = start + window.find(wanted) if times == 0 else place
                times += found
                window = window.replace(wanted, zeros)
            known = max(0, len(window) - len(wanted) + 1)  # it may begin in the rest
            hashed.update(window[:known])
            start += known
            window = window[known:]
    hashed.update(window)
    return Sealed(times, place, hashed.hexdigest())


def _description(connection: sqlite3.Connection, limits: Limits) -> dict[str, Any]:
    name = description_among(_ordinary_tables(connection))
    told: dict[Any, Any] = {}
    if name is not None:
        # not sqlite-utils' Table.columns, which lists all tables first and names no schema
        columns = [row[1] for row in connection.execute(f"PRAGMA main.table_xinfo({quote(name)})") if row[6] == 0]
        if columns == ["key", "value"]:
            for key, value in (row for rows in stored_rows(connection, name, columns, limits) for row in rows):
                if key in _TOLD:
                    told[key] = value
                    if isinstance(value, (str, bytes)) and len(value) > limits.description:
                        raise UnreadableError(f"The description ({key}) is far too large.")
    if told.get("format") != "sqlite":
        raise refuse(OTHER_DATABASE)
    if told.get("version") != VERSION:
        raise UnreadableError(f"This SQLite file is of another version; this program reads version {VERSION}.")
    return told


def _ordinary_tables(connection: sqlite3.Connection) -> list[str]:
    connection.text_factory = decode_text
    # not sqlite-utils' table_names, which does not tell virtual and shadow tables from others
    listed = connection.execute("PRAGMA main.table_list").fetchall()
    return [name for schema, name, kind, *_ in listed if schema == "main" and kind == "table"]


def _virtual_tables(connection: sqlite3.Connection, schema: DocumentSchema) -> Iterator[str]:
    """Yield the tables that the description calls virtual, and that are SQLite's own with rows of their own."""
    found = {name for name, table in schema.tables.items() if table.kind == "virtual"}
    for name, sql in (
        connection.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'table'") if found else ()
    ):
        if name in found and keeps_rows(Table(name, "virtual", sql=sql, module=module_of(sql))):
            yield name


def _tables(path: Path, fields: Mapping[str, tuple[Field, ...]], limits: Limits) -> Iterator[TableStream]:
    with closing(open_read_only(path, limits)) as connection:
        for name, columns in fields.items():
            rows = stored_rows(connection, name, [c.name for c in columns], limits)
            yield TableStream(name, columns, _readable(rows, name))


def _readable(found: Iterator[list[Row]], table: str) -> Iterator[list[Row]]:
    try:
        yield from found
    except sqlite3.Error as error:
        raise UnreadableError(f"The SQLite file is damaged: {table} cannot be read: {explain(error)}.") from error


def begun(kept: ExitStack, tables: Iterator[TableStream]) -> Iterator[TableStream]:
    """Return the tables; closing this iterator releases ``kept``, even if no table was read."""

    def given() -> Iterator[Any]:
        with kept:
            yield None
            yield from tables

    begun = given()
    next(begun)
    return begun
