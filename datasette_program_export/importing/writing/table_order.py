"""The order in which the tables of an import are written."""

from __future__ import annotations

from ...database.schema import Schema
from ...selection.graph import Graph


def parents_first(schema: Schema) -> tuple[str, ...]:
    """Return the tables in the order in which they are written."""
    tables = tuple(n for n, t in schema.items() if t.kind == "table")
    edges = tuple(k for n in tables for k in schema[n].foreign_keys if k.problem is None)
    virtual = (n for n, t in schema.items() if t.kind == "virtual")  # after those whose triggers fill them
    return (*Graph(tables, edges).parents_first(), *virtual)
