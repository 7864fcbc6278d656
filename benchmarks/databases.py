"""The databases that are measured: the demo with many rows in one table, or with many clients."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from datasette_program_export.demo import write_demo

TABLE = "transit_events"


def make_database(folder: Path, rows: int) -> Path:
    """The demo, with so many rows in one table."""
    path = write_demo(folder / f"practice{rows}.db", 50)
    with closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({TABLE})")]
        (there,) = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
        rest = ", ".join(columns[1:])
        connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows // there + 1}) "
            f"INSERT INTO {TABLE} SELECT lower(hex(randomblob(16))), {rest} FROM n, {TABLE} "
            f"LIMIT {max(0, rows - there)}"
        )
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def make_practice(folder: Path, clients: int) -> Path:
    """The demo with so many clients, each with all that belongs to one."""
    return write_demo(folder / f"clients{clients}.db", clients)
