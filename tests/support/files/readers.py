"""Readers of every format that know nothing of the package: each gives back the tables, cell by cell.

A new format needs a line in ``READERS``.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.dossiers.reader import read_dossier
from tests.support.files.cells import Found, in_order, stored, table_names
from tests.support.files.csv_reader import read_csv, read_tsv
from tests.support.files.json_reader import read_ndjson, read_programjson
from tests.support.files.package_reader import read_package
from tests.support.markup.xml_reader import read_xml
from tests.support.markup.yaml_reader import read_yaml
from tests.support.tables.parquet_reader import read_parquet
from tests.support.workbooks.xlsx_reader import read_xlsx


def _tables_of(connection: sqlite3.Connection) -> Found:
    """The tables; of those called program_export the one of the highest number describes the rest."""
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    tables = [stored(connection, name, in_order(connection, name)) for name in table_names(connection)]
    numbers = {str(t.name): re.fullmatch("program_export(?:_([0-9]+))?", str(t.name)) for t in tables}
    describing = max((int(found.group(1) or 1), name) for name, found in numbers.items() if found)[1]
    (rows,) = (table.rows for table in tables if table.name == describing)
    integrity = json.loads({key: value for (_, key), (_, value) in rows}[b"integrity"])
    assert integrity["complete"] is True
    return Found([table for table in tables if table.name != describing], integrity["tables"])


def read_sqlite(data: bytes) -> Found:
    """The bytes are a database file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export.db"
        path.write_bytes(data)
        with closing(sqlite3.connect(path)) as connection:
            return _tables_of(connection)


def read_sql(data: bytes) -> Found:
    """The statements make a database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(data.decode("utf-8"))
        assert not connection.in_transaction
        return _tables_of(connection)


READERS: dict[str, Callable[[bytes], Found]] = {
    "programjson": read_programjson,
    "ndjson": read_ndjson,
    "csv": read_csv,
    "tsv": read_tsv,
    "package": read_package,
    "sqlite": read_sqlite,
    "sql": read_sql,
    "xlsx": read_xlsx,
    "parquet": read_parquet,
    "xml": read_xml,
    "yaml": read_yaml,
    "dossier": read_dossier,
}


def reader_of(name: str) -> Callable[[bytes], Found]:
    """The foreign reader of a format."""
    assert name in READERS, f"no foreign reader for format {name}: add one to tests/support/files/readers.py"
    return READERS[name]
