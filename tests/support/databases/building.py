"""Databases for the tests, and the road back: a small loader, independent of the package."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from datasette_program_export import Request, export
from datasette_program_export.formats.document import Document, json_schema

VALIDATOR = Draft202012Validator(json_schema(Document))


def database(path: Path | None, *statements: str, journal: str = "wal") -> sqlite3.Connection:
    """A new database from SQL; in memory when there is no path."""
    connection = sqlite3.connect(path or ":memory:", isolation_level=None)
    if path is not None:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("PRAGMA synchronous=OFF")  # the machine does not crash; its disk may be slow
    for statement in statements:
        connection.execute(statement)
    return connection


def exported(
    source: Any, table: str, *records: str | tuple[str, ...], settings: Any = None, visible: Any = None, **how: Any
) -> bytes:
    """All bytes of an export."""
    keys = tuple(r if isinstance(r, tuple) else (r,) for r in records)
    with export(source, Request(table=table, records=keys, **how), settings=settings, visible=visible) as made:
        return b"".join(made)


def document(source: Any, table: str, *records: Any, **how: Any) -> dict:
    """A programjson document, read by Python's own json; it must say that it is complete."""
    found = json.loads(exported(source, table, *records, **how))
    assert list(found) == ["format", "version", "export", "schema", "tables", "coverage", "integrity"]
    assert found["integrity"]["complete"] is True
    VALIDATOR.validate(found)
    return found


def value(written: Any, holds_json: bool = False) -> Any:
    """A value of a document, as SQLite is to store it. Embedded JSON must be read from the text: see ``raw_rows``."""
    if isinstance(written, dict) and "$real" in written:
        return float(written["$real"])
    if isinstance(written, dict) and "$base64" in written:
        raw = base64.b64decode(written["encoded"], validate=True)
        return _Text(raw) if written.get("type") == "text" else raw
    if isinstance(written, (dict, list)):
        assert holds_json
        return json.dumps(written)
    return written


class _Text(bytes):
    """The bytes of a text that is not UTF-8."""


def load(into: sqlite3.Connection, found: dict, definitions: Iterable[str]) -> None:
    """Load a document's rows into an empty copy of the schema."""
    into.execute("PRAGMA foreign_keys=OFF")
    for sql in definitions:
        into.execute(sql)
    for table, rows in found["tables"].items():
        columns = [c for c in found["schema"]["tables"][table]["columns"] if not c.get("generated")]
        for row in rows:
            values = [value(row[c["name"]], c.get("json", False)) for c in columns]
            slots = ", ".join("CAST(? AS TEXT)" if isinstance(v, _Text) else "?" for v in values)
            names = ", ".join(quoted(c["name"]) for c in columns)
            into.execute(f"INSERT INTO {quoted(table)} ({names}) VALUES ({slots})", values)


def definitions(connection: sqlite3.Connection) -> list[str]:
    """The CREATE TABLE statements of a database, in order."""
    rows = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [sql for (sql,) in rows]


def violations(connection: sqlite3.Connection) -> Counter:
    """``foreign_key_check``, counted: (child, parent) -> references that point to nothing."""
    found: Counter = Counter()
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        try:
            rows = connection.execute(f"PRAGMA foreign_key_check({quoted(table)})").fetchall()
        except sqlite3.OperationalError as error:
            assert "mismatch" in str(error)  # a reference that SQLite itself cannot check
            continue
        for child, _, parent, _ in rows:
            found[child, parent.lower()] += 1
    return found


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
