"""The schema of the exported tables, as a document describes it."""

from __future__ import annotations

from typing import Any

from ..database.schema import fold
from ..formats.dataset import Field
from ..selection.catalog import Catalog
from ..selection.scopes.base import Scope
from ..selection.table_rows import TableRows
from .create_statements import structure


def fields_of(known: Catalog, chosen: TableRows) -> tuple[Field, ...]:
    """The columns as they are written."""
    if chosen.table.kind == "query":
        return tuple(Field(c.name, c.type) for c in chosen.columns)
    holding_json = known.json_columns(chosen.table)
    return tuple(Field(c.name, c.type, c.name in holding_json, c.generated) for c in chosen.columns)


def described(scope: Scope) -> dict[str, Any]:
    """The schema of what is exported: per table its columns and keys, and the statements that make it anew.

    ``deferred`` are the references that the order of the tables cannot satisfy; ``objects``
    the indexes, views and triggers that work with these tables, ``not_carried`` those that
    do not; ``database`` the facts of the file as a whole."""
    made = structure(scope)
    return {
        "tables": {s.table.name: {**_table(scope, s), "sql": made.tables[s.table.name]} for s in scope.tables},
        "deferred": [e.name for e in scope.graph.deferred()],
        "objects": made.objects,
        "not_carried": made.not_carried,
        "database": made.facts,
    }


def _table(scope: Scope, chosen: TableRows) -> dict[str, Any]:
    table = chosen.table
    referenced = {fold(c) for e in scope.edges if e.other_table == table.name for c in e.other_columns}
    columns = []
    for field in fields_of(scope.catalog, chosen):
        column: dict[str, Any] = {"name": field.name, "type": field.type}
        if fold(field.name) in referenced and (collation := table.collation(field.name)) != "BINARY":
            column["collation"] = collation
        columns.append(column | {k: True for k, v in (("json", field.holds_json), ("generated", field.generated)) if v})
    facts: dict[str, Any] = {"columns": columns, "primary_key": list(table.pk)}
    facts["foreign_keys"] = [
        {"columns": list(e.columns), "table": e.other_table, "other_columns": list(e.other_columns)}
        for e in scope.edges
        if e.table == table.name and table.kind != "query"
    ]
    if table.strict:
        facts["strict"] = True
    if unique := _unique_keys(chosen):
        facts["unique_keys"] = unique
    if table.kind != "table":
        facts["kind"] = table.kind
    return facts


def _unique_keys(chosen: TableRows) -> list[list[str]]:
    """The keys beside the primary one; a partial index, or one on an expression, is none."""
    kept = {c.name for c in chosen.columns}
    found = []
    for index in chosen.table.indexes:
        names = [c for c in index.columns if c is not None]
        whole = index.unique and not index.partial and len(names) == len(index.columns)
        if whole and index.origin != "pk" and kept.issuperset(names):
            found.append(names)
    return found
