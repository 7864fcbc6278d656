"""Rows written in C inside SQLite, by the optional package datasette-program-export-native.

SQLite runs the package's functions in its own library, under the same transaction, authorizer and progress
handler as any statement; Python's lock is free meanwhile. Python's code in ``formats/`` is the definition of the
bytes. Where the package is missing or cannot be loaded, that code runs instead.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import IntFlag
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from ..library import sqlite3
from ..schema import quote

PACKAGE = "datasette_program_export_native"
MOST_COLUMNS = 100  # SQLite accepts 127 arguments of a function, older ones 100 (SQLITE_MAX_FUNCTION_ARG)
INSERT = "program_export_insert"
FUNCTIONS = (*(f"program_export_{name}" for name in ("open", "row", "last", "rest", "end", "read")), INSERT)
_HEAD = struct.Struct("<2I")


@dataclass(frozen=True)
class RowPlan:
    """How rows are written: as ``csv``, as JSON, with ``only_packed`` as MessagePack only, or as ``survey`` not at all.

    ``before`` holds what stands before each column's value, ``row_end`` what ends a row. ``delimiter`` and ``null``
    are those of csv. ``holds_json`` and ``computed`` are places of columns: whose texts are embedded if they are
    JSON, and which SQLite computes, so that they are not part of the digest. ``packed``: the rows are wanted as
    MessagePack too, for the digest."""

    before: Sequence[bytes]
    row_end: bytes
    csv: bool = False
    delimiter: bytes = b","
    null: bytes = b""
    holds_json: Sequence[int] = ()
    computed: Sequence[int] = ()
    only_packed: bool = False
    survey: bool = False
    packed: bool = True

    def __bytes__(self) -> bytes:
        kind = b"s" if self.survey else b"p" if self.only_packed else b"c" if self.csv else b"j"
        parts = [kind, b"d" if self.packed else b"-", *map(sized, (self.row_end, self.delimiter, self.null))]
        for place, before in enumerate(self.before):
            parts += [bytes([(place in self.holds_json) + 2 * (place in self.computed)]), sized(before)]
        return b"".join(parts)


def packed_only(width: int) -> RowPlan:
    """Return the plan for the digest of a table with so many columns."""
    return RowPlan([b""] * width, b"", only_packed=True)


class Seen(IntFlag):
    """Kinds of values. ``ODD_TEXT`` is not UTF-8, or has a NUL; the last two are seen by a survey only."""

    NULL = 1
    INTEGER = 2
    REAL = 4
    TEXT = 8
    BLOB = 16
    EMPTY = 32
    ODD_TEXT = 64
    INFINITE = 128
    CARRIAGE_RETURN = 256


@dataclass(frozen=True)
class Chunk:
    """Some rows as ``written``, and as MessagePack (``packed``), for the digest.

    For each column, ``not_embedded`` counts the texts that are not embedded as JSON, and ``seen`` has the kinds of its
    values, as bits of ``Seen``; in the last chunk perhaps also those of a row that is left to Python. ``stopped``: a
    row follows that is left to Python, as are all rows after it."""

    rows: int
    written: bytes
    packed: memoryview
    not_embedded: tuple[int, ...]
    seen: tuple[int, ...]
    stopped: bool


def is_loadable() -> bool:
    """Return whether connections to this process's SQLite library can write rows in C."""
    with closing(connect(sqlite3, ":memory:")) as connection:
        return load(connection, sqlite3)


def connect(library: ModuleType, *args: Any, **options: Any) -> sqlite3.Connection:
    """Open a connection as ``library.connect`` does; ``load`` says then whether it can write rows in C."""
    with _registered(library):
        connection: sqlite3.Connection = library.connect(*args, **options)
        return connection


def load(connection: Any, library: ModuleType) -> bool:
    """Load the functions into a connection that ``connect`` opened; return whether it has them.

    SQL can load nothing, neither before nor afterwards."""
    path = _path()
    if path is None:
        return False
    try:
        if hasattr(connection, "enable_load_extension"):
            connection.enable_load_extension(True)
            try:
                connection.load_extension(path)
            finally:
                connection.enable_load_extension(False)
        connection.execute("SELECT program_export_end(0)").fetchone()  # an older package has no such function
    except library.Error:
        return False
    return True


@contextmanager
def _registered(library: ModuleType) -> Iterator[None]:
    """Have SQLite add the functions to the connections that this thread opens, if Python itself cannot load them."""
    extension = _added_by_sqlite(library)
    if extension is None:
        yield
        return
    extension.program_export_in_this_thread(1)
    try:
        yield
    finally:
        extension.program_export_in_this_thread(0)


def row_calls(
    select: Callable[[str, str], str],
    number: int,
    columns: Sequence[str],
    explain: Callable[[str], Iterable[tuple[Any, ...]]],
) -> str:
    """Return the statement that hands each row to an opened plan, after any sorting, and yields the chunks.

    The LIMITs keep SQLite from computing the call twice, or for rows that are not in order yet."""
    rows = select(f"program_export_row({number}, {', '.join(columns)}) AS chunk", "LIMIT -1")
    if any("TEMP B-TREE" in step[3] for step in explain(rows)):
        names = [f"c{place}" for place in range(len(columns))]
        inner = select(", ".join(f"{c} AS {n}" for c, n in zip(columns, names)), "LIMIT -1")
        rows = f"SELECT program_export_row({number}, {', '.join(names)}) AS chunk FROM ({inner}) LIMIT -1"
    return f"SELECT chunk, program_export_rest({number}) FROM ({rows}) WHERE chunk IS NOT NULL"


def read_chunk(written: bytes, rest: bytes, columns: int) -> Chunk:
    """Return the chunk that the extension gave for a table of so many columns: its rows, and what else is of it."""
    reason, rows = _HEAD.unpack_from(rest)
    facts = struct.unpack_from(f"<{2 * columns}I", rest, _HEAD.size)
    packed = memoryview(rest)[_HEAD.size + 8 * columns :]
    return Chunk(rows, written, packed, facts[::2], facts[1::2], bool(reason))


def stored_in_c(connection: sqlite3.Connection, table: str, columns: Sequence[str]) -> Iterator[Chunk]:
    """Yield the rows of a table as MessagePack, in the order of their storage, on a connection of its own.

    The connection is closed afterwards. Raises sqlite3.Error, also where it has no functions."""

    def select(expressions: str, limit: str) -> str:
        return f"SELECT {expressions} FROM main.{quote(table)} AS r NOT INDEXED {limit}"

    plan, width = packed_only(len(columns)), len(columns)
    (number,) = connection.execute("SELECT program_export_open(?)", [bytes(plan)]).fetchone()
    names = [f"r.{quote(name)}" for name in columns]
    rows = row_calls(select, number, names, lambda sql: connection.execute(f"EXPLAIN QUERY PLAN {sql}"))
    for written, rest in connection.execute(rows):
        yield (chunk := read_chunk(written, rest, width))
        if chunk.stopped:
            return
    last, rest = connection.execute("SELECT program_export_last(?1), program_export_rest(?1)", [number]).fetchone()
    yield read_chunk(last, rest, width)


def sized(data: bytes) -> bytes:
    """Return bytes of a plan, with their length before them."""
    return struct.pack("<I", len(data)) + data


@cache
def _path() -> str | None:
    if find_spec(PACKAGE) is None:
        return None
    found = Path(import_module(PACKAGE).PATH)
    return str(found) if found.is_file() else None


@cache
def _added_by_sqlite(library: ModuleType) -> Any:
    """Register the extension with SQLite, if this Python was built without extension loading; return it then.

    SQLite offers it to each new connection of the process (https://www.sqlite.org/c3ref/auto_extension.html); the
    extension adds its functions only in a thread that asks for them."""
    path = _path()
    if path is None or library.__name__ != "sqlite3" or hasattr(library.Connection, "enable_load_extension"):
        return None
    place = getattr(import_module("_sqlite3"), "__file__", None)
    if place is None:
        return None
    sqlite, extension = ctypes.CDLL(place), ctypes.CDLL(path)
    if not hasattr(sqlite, "sqlite3_auto_extension"):
        return None
    sqlite.sqlite3_auto_extension.argtypes = [ctypes.c_void_p]
    sqlite.sqlite3_auto_extension(ctypes.cast(extension.program_export_auto_init, ctypes.c_void_p))
    return extension
