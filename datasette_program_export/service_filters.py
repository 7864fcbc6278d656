"""The filters of ``ExportService.export_table``: column and value pairs, as SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .catalog import Catalog
from .errors import RequestError
from .schema import Table, quote


def conditions(known: Catalog, table: Table, filters: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Filters as SQL. Raises RequestError for an unknown column, and for a value that no column holds."""
    where, params = [], {}
    for number, (name, value) in enumerate(filters.items()):
        column = table.column(name)
        if column is None:
            raise RequestError(f"Unknown column: {name} in {table.name}")
        if isinstance(value, (dict, list, tuple)):
            if column.name not in known.json_columns(table):
                raise RequestError(f"{name} holds no JSON, so it cannot be filtered by a list or an object")
            value = msgspec.json.encode(value).decode()
        if value is None:
            where.append(f"{quote(column.name)} IS NULL")
            continue
        where.append(f"{quote(column.name)} = :f{number}")
        params[f"f{number}"] = value
    return tuple(where), params
