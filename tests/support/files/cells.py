"""What a reader that knows nothing of the package gives back: tables, cell by cell.

A cell is its storage class and its exact content, so that 1, 1.0 and '1' differ, and -0.0 from 0.0.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from dataclasses import dataclass
from typing import Any

from tests.support.databases.building import quoted

Cell = tuple[str, Any]


@dataclass
class Read:
    """One table as a reader found it. ``name`` is None where a file does not tell it."""

    name: str | None
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


@dataclass
class Found:
    """What a file holds: tables, and the digests that it tells of them, where it tells any."""

    tables: list[Read]
    digests: dict[str, Any] | None = None


# --- what a database holds, by SQLite itself


def cell(storage_class: str, value: Any) -> Cell:
    """A value as SQLite gave it, text as bytes."""
    if storage_class == "real":
        return "real", struct.pack(">d", value)
    assert {"null": type(None), "integer": int}.get(storage_class, bytes) is type(value), storage_class
    return storage_class, value


def stored(connection: sqlite3.Connection, table: str, order: str = "") -> Read:
    """A table or view with every cell's ``typeof`` and exact content."""
    connection.text_factory = bytes
    columns = [name.decode() for _, name, *_, hidden in _xinfo(connection, table) if hidden != 1]
    if _numbered(connection, table):
        columns.insert(0, "rowid")
    asked = ", ".join(f"typeof({quoted(c)}), {quoted(c)}" for c in columns)
    rows = connection.execute(f"SELECT {asked} FROM {quoted(table)} {order}")
    kinds = [tuple(cell(k.decode(), v) for k, v in zip(row[::2], row[1::2])) for row in rows]
    return Read(table, tuple(columns), kinds)


def _numbered(connection: sqlite3.Connection, table: str) -> bool:
    """Whether it is a full-text table with texts of its own: other tables refer to its rows by their numbers."""
    connection.text_factory = bytes
    found = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    words = (found[0] if found else b"").lower()
    return words.startswith(b"create virtual") and b"using fts" in words and b"content=" not in words


def _xinfo(connection: sqlite3.Connection, table: str) -> list[Any]:
    connection.text_factory = bytes
    return connection.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()


def in_order(connection: sqlite3.Connection, table: str) -> str:
    """The ORDER BY that gives a table's own order: by rowid, or by key where there is none to see."""
    names = {name.decode().lower() for _, name, *_ in _xinfo(connection, table)}
    for alias in ("rowid", "_rowid_", "oid"):
        if alias not in names:
            try:
                connection.execute(f"SELECT {alias} FROM {quoted(table)} LIMIT 0")
            except sqlite3.OperationalError:
                break  # WITHOUT ROWID, or a view
            return f"ORDER BY {alias}"
    keyed = sorted((pk, name.decode()) for _, name, _, _, _, pk, _ in _xinfo(connection, table) if pk)
    return f"ORDER BY {', '.join(quoted(name) for _, name in keyed)}" if keyed else ""


def table_names(connection: sqlite3.Connection) -> list[str]:
    """The tables of a database without SQLite's own and the parts of search indexes."""
    connection.text_factory = bytes
    kinds = {name.decode(): kind for _, name, kind, *_ in connection.execute("PRAGMA main.table_list")}
    return [n for n, kind in kinds.items() if kind in (b"table", b"virtual") and not n.startswith("sqlite_")]


def computed_columns(connection: sqlite3.Connection, table: str) -> set[str]:
    """The columns that SQLite makes from others."""
    return {name.decode() for _, name, *_, hidden in _xinfo(connection, table) if hidden in (2, 3)}


# --- MessagePack, as far as the digest needs it (https://github.com/msgpack/msgpack/blob/master/spec.md)


def digest(rows: list[tuple[Cell, ...]]) -> str:
    """The SHA-256 of the rows, each as a MessagePack array."""
    found = hashlib.sha256()
    for row in rows:
        found.update(_sized(len(row), (0x90, 16), (None, None, 0xDC, 0xDD)) + b"".join(map(_packed, row)))
    return found.hexdigest()


def _packed(found: Cell) -> bytes:
    kind, value = found
    if kind == "null":
        return b"\xc0"
    if kind == "real":
        return b"\xcb" + value
    if kind == "integer":
        return _packed_integer(value)
    if kind == "blob":
        return _sized(len(value), None, (0xC4, 0xC5, 0xC6)) + value
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        fixed = {1: 0xD4, 2: 0xD5, 4: 0xD6, 8: 0xD7, 16: 0xD8}.get(len(value))
        head = bytes([fixed]) if fixed else _sized(len(value), None, (0xC7, 0xC8, 0xC9))
        return head + b"\x01" + value
    return _sized(len(value), (0xA0, 32), (0xD9, 0xDA, 0xDB)) + value


def _packed_integer(value: int) -> bytes:
    if -32 <= value < 128:
        return struct.pack(">b" if value < 0 else ">B", value)
    forms = ((0xCC, "B"), (0xCD, "H"), (0xCE, "I"), (0xCF, "Q"))
    if value < 0:
        forms = ((0xD0, "b"), (0xD1, "h"), (0xD2, "i"), (0xD3, "q"))
    for first, form in forms:
        try:
            return bytes([first]) + struct.pack(">" + form, value)
        except struct.error:
            continue
    raise OverflowError(value)


def _sized(size: int, small: tuple[int, int] | None, firsts: tuple[int | None, ...]) -> bytes:
    if small is not None and size < small[1]:
        return bytes([small[0] + size])
    places = [1, 2, 4] if len(firsts) == 3 else [0, 1, 2, 4]
    for width, first in zip(places, firsts):
        if first is not None and size < 256**width:
            return bytes([first]) + size.to_bytes(width, "big")
    raise OverflowError(size)
