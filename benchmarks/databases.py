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
        connection.execute("PRAGMA cache_size = -2000000")  # keys come in disorder: their index stays in memory
        wanted = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        indexes = connection.execute(wanted, [TABLE]).fetchall()
        for name, _ in indexes:
            connection.execute(f'DROP INDEX "{name}"')
        connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows // there + 1}) "
            f"INSERT INTO {TABLE} SELECT lower(hex(randomblob(16))), {rest} FROM n, {TABLE} "
            f"LIMIT {max(0, rows - there)}"
        )
        for _, made in indexes:  # at the end, when their entries can be sorted
            connection.execute(made)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def make_practice(folder: Path, clients: int) -> Path:
    """The demo with so many clients, each with all that belongs to one."""
    return write_demo(folder / f"clients{clients}.db", clients)
