"""What the site has configured for a table."""

from __future__ import annotations

from typing import Any

from .line import V1
from .protocols import Datasette, on_0, on_1


async def table_settings(datasette: Datasette, database: str, table: str) -> dict[str, Any]:
    """Return the site's configuration of a table: ``sort``, ``sort_desc``, ``sortable_columns``..."""
    found: dict[str, Any]
    if V1:
        found = await on_1(datasette).table_config(database, table)
    else:
        found = on_0(datasette).table_metadata(database, table)
    return found
