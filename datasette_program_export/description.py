"""The schema of what is exported, as it stands in a document."""

from __future__ import annotations

from typing import Any

from .catalog import Catalog
from .records import Field
from .scope import Scope
from .selected import Selected


def fields_of(known: Catalog, chosen: Selected) -> tuple[Field, ...]:
    """The columns as they are written."""
    if chosen.table.kind == "query":
        return tuple(Field(c.name, c.type) for c in chosen.columns)
    holding_json = known.json_columns(chosen.table)
    return tuple(Field(c.name, c.type, c.name in holding_json, c.generated) for c in chosen.columns)


def described(scope: Scope) -> dict[str, Any]:
    """The schema of what is exported: per table its columns and keys; references that order cannot satisfy."""
    return {
        "tables": {s.table.name: _table(scope, s) for s in scope.tables},
        "deferred": [e.name for e in scope.graph.deferred()],
    }


def _table(scope: Scope, chosen: Selected) -> dict[str, Any]:
    table = chosen.table
    columns = []
    for field in fields_of(scope.catalog, chosen):
        column: dict[str, Any] = {"name": field.name, "type": field.type}
        column |= {k: True for k, v in (("json", field.holds_json), ("generated", field.generated)) if v}
        columns.append(column)
    facts: dict[str, Any] = {"columns": columns, "primary_key": list(table.pk)}
    facts["foreign_keys"] = [
        {"columns": list(e.columns), "table": e.other_table, "other_columns": list(e.other_columns)}
        for e in scope.edges
        if e.table == table.name and table.kind != "query"
    ]
    if table.kind != "table":
        facts["kind"] = table.kind
    return facts
