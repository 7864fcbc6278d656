"""A reader of Parquet files that knows nothing of the package: DuckDB's, and the rule of the columns beside."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.files.cells import Cell, Found, Read
from tests.support.files.json_reader import json_cell
from tests.support.files.package_reader import read_package


def read_parquet(data: bytes) -> Found:
    """One table with what it says of itself; several tables are a package."""
    if data.startswith(b"PK"):
        return read_package(data, read_parquet_table)
    table, told = _read(data)
    assert told["integrity"]["complete"] is True
    (name,) = told["schema"]["tables"]
    names = tuple(column["name"] for column in told["schema"]["tables"][name]["columns"])
    return Found([Read(name, names, table.rows)], told["integrity"]["tables"])


def read_parquet_table(title: str, names: tuple[str, ...], data: bytes) -> Read:
    """A file of a package, which says the names of its columns."""
    return Read(title, names, _read(data)[0].rows)


def _read(data: bytes) -> tuple[Read, dict]:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB, which reads Parquet by itself, is not installed")
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "t.parquet"
        path.write_bytes(data)
        pairs = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(path)]).fetchall()
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(path)])
        rows = found.fetchall()
        schema = connection.execute("SELECT name FROM parquet_schema(?)", [str(path)]).fetchall()[1:]
    told = json.loads(dict(pairs)[b"program_export"])
    places = {name: place for place, (name,) in enumerate(schema)}
    columns = [(places[c["name"]], places[c["any"]] if "any" in c else None) for c in told["columns"]]
    cells = [tuple(_cell(row[own], None if beside is None else row[beside]) for own, beside in columns) for row in rows]
    return Read(None, tuple(c["name"] for c in told["columns"]), cells), told


def _cell(value: object, beside: str | None) -> Cell:
    if beside is not None:
        return json_cell(beside)
    if value is None:
        return "null", None
    if isinstance(value, int):
        return "integer", value
    if isinstance(value, float):
        return "real", struct.pack(">d", value)
    return ("text", value.encode()) if isinstance(value, str) else ("blob", value)
