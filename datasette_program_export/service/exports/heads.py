"""What stands before the tables in the JSON of a result; it is known when all rows were read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .checks import now
from .filters import json_filter
from .results import LeftOut, Metadata
from .text import Taken

Head = Callable[[Mapping[str, Taken], LeftOut], Mapping[str, Any]]


def nothing(tables: Mapping[str, Taken], left_out: LeftOut) -> dict[str, Any]:
    """Return no members: only the tables are wanted."""
    return {}


def anything_left_out(tables: Mapping[str, Taken], left_out: LeftOut) -> dict[str, Any]:
    """Return ``left_out``, if it says anything."""
    return {_free("left_out", tables): left_out} if left_out["sentences"] else {}


def metadata_of(format: str) -> Head:
    """Return the head of a full export: its ``metadata``."""

    def head(tables: Mapping[str, Taken], left_out: LeftOut) -> dict[str, Any]:
        counts = {name: table.count for name, table in tables.items()}
        metadata = Metadata(
            export_timestamp=now(),
            export_format=format,
            total_tables=len(counts),
            total_records=sum(counts.values()),
            table_counts=counts,
            left_out=left_out,
        )
        return {_free("metadata", tables): metadata}

    return head


def facts_of(format: str, table: str, filters: Mapping[str, Any], limit: int | None, offset: int | None) -> Head:
    """Return the head of an export of one table: all that its result says beside the rows."""

    def head(tables: Mapping[str, Taken], left_out: LeftOut) -> dict[str, Any]:
        told = {name: json_filter(value) for name, value in filters.items()}
        facts = {"format": format, "table": table, "record_count": tables[table].count, "filters": told}
        return {**facts, "limit": limit, "offset": offset, "left_out": left_out}

    return head


def _free(key: str, tables: Mapping[str, Taken]) -> str:
    """Return the key, with underscores before it if tables are called so."""
    while key in tables:
        key = f"_{key}"
    return key
