"""How a table's page sorts its rows, and what the site has configured for the table."""

from __future__ import annotations

from typing import Any

from datasette.utils.sqlite import sqlite3

from .line import V1
from .protocols import Database, Datasette, on_0, on_1


async def page_order(database: Database, table: str) -> tuple[tuple[str, bool], ...]:
    """Return the order in which a table's page shows unsorted rows: by the declared primary key.

    Empty for the rowid, which is our own order.
    """
    try:
        columns = [c for c in await database.table_column_details(table) if c.is_pk]
    except sqlite3.Error:  # a broken view: the export reports what is wrong with it
        return ()
    if len(columns) == 1 and columns[0].type.upper() == "INTEGER":
        return ()
    return tuple((c.name, False) for c in sorted(columns, key=lambda c: c.is_pk))


async def table_settings(datasette: Datasette, database: str, table: str) -> dict[str, Any]:
    """Return the site's configuration of a table: ``sort``, ``sort_desc``, ``sortable_columns``..."""
    found: dict[str, Any]
    if V1:
        found = await on_1(datasette).table_config(database, table)
    else:
        found = on_0(datasette).table_metadata(database, table)
    return found
