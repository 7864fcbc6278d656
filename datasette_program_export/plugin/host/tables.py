"""What the site has configured for a table, and says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .line import V1
from .protocols import Datasette, on_0, on_1

_DESCRIBED = """
SELECT resource_name, NULL, value FROM metadata_resources WHERE database_name = :database AND key = 'description'
UNION ALL
SELECT resource_name, column_name, value FROM metadata_columns WHERE database_name = :database AND key = 'description'
"""


async def table_settings(datasette: Datasette, database: str, table: str) -> dict[str, Any]:
    """Return the site's configuration of a table: ``sort``, ``sort_desc``, ``sortable_columns``..."""
    found: dict[str, Any]
    if V1:
        found = await on_1(datasette).table_config(database, table)
    else:
        found = on_0(datasette).table_metadata(database, table)
    return found


async def described_tables(datasette: Datasette, database: str, tables: frozenset[str]) -> Mapping[str, Any]:
    """Return what the site's metadata say of these tables: of each its ``description``, and that of its ``columns``."""
    if not V1:
        found = on_0(datasette).metadata("databases") or {}
        for key in (database, "tables"):
            found = found.get(key) if isinstance(found, Mapping) else None
        return {name: told for name, told in found.items() if name in tables} if isinstance(found, Mapping) else {}
    # in one look for all: get_column_metadata would ask for each column
    rows = (await on_1(datasette).get_internal_database().execute(_DESCRIBED, {"database": database})).rows
    described: dict[str, dict[str, Any]] = {}
    for table, column, value in rows:
        if table in tables:
            about = described.setdefault(table, {"columns": {}})
            about |= {"description": value} if column is None else {}
            about["columns"] |= {} if column is None else {column: value}
    return described
