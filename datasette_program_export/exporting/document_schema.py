"""The schema of the exported tables as a document describes it."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from ..database.schema import fold
from ..formats.dataset import Field
from ..formats.description.schema import DocumentColumn, DocumentReference, DocumentSchema, DocumentTable, TableKind
from ..selection.annotated_schema import AnnotatedSchema
from ..selection.scopes.base import Scope
from ..selection.table_rows import TableRows
from .create_statements import Structure, structure, told


def fields_of(known: AnnotatedSchema, chosen: TableRows) -> tuple[Field, ...]:
    """Return the columns of a table as they are written."""
    if chosen.table.kind == "query":
        return tuple(Field(c.name, c.type) for c in chosen.columns)
    holding_json = known.json_columns(chosen.table)
    return tuple(Field(c.name, c.type, c.name in holding_json, c.generated) for c in chosen.columns)


def described(scope: Scope) -> DocumentSchema:
    """Return the schema of the exported tables: their columns and keys, and the statements that create them.

    ``deferred`` are the references that the order of the tables cannot satisfy; ``objects`` are the
    indexes, views and triggers that work with these tables, ``not_carried`` those that do not;
    ``database`` has the facts of the file as a whole."""
    made = structure(scope)
    if scope.request.scope == "query":
        return _described(scope, made)
    key = "described", *told(scope), frozenset(scope.stopped)
    return replace(scope.annotated.kept(key, lambda: _described(scope, made)), database=made.facts)


def _described(scope: Scope, made: Structure) -> DocumentSchema:
    return DocumentSchema(
        tables={s.table.name: _table(scope, s, made.tables[s.table.name]) for s in scope.tables},
        deferred=tuple(e.name for e in scope.graph.deferred()),
        objects=tuple(made.objects),
        not_carried=tuple(made.not_carried),
        database=made.facts,
    )


def _table(scope: Scope, chosen: TableRows, sql: str) -> DocumentTable:
    table = chosen.table
    return DocumentTable(
        columns=_columns(scope, chosen),
        primary_key=tuple(table.pk),
        foreign_keys=tuple(
            DocumentReference(e.columns, e.other_table, e.other_columns, dict(e.where))
            for e in scope.edges
            if e.table == table.name and table.kind != "query"
        ),
        strict=table.strict,
        unique_keys=_unique_keys(chosen),
        kind=cast(TableKind, table.kind) if table.kind != "table" else None,
        sql=sql,
    )


def _columns(scope: Scope, chosen: TableRows) -> tuple[DocumentColumn, ...]:
    table = chosen.table
    referenced = {fold(c) for e in scope.edges if e.other_table == table.name for c in e.other_columns}
    referenced |= {fold(c) for e in scope.edges if e.table == table.name for c, _ in e.where}
    columns = []
    for field in fields_of(scope.annotated, chosen):
        compared = fold(field.name) in referenced and fold(field.name) not in table.incomparable
        collation = table.collation(field.name) if compared else "BINARY"
        kept = collation if collation != "BINARY" else None
        columns.append(DocumentColumn(field.name, field.type, kept, field.holds_json, field.generated))
    return tuple(columns)


def _unique_keys(chosen: TableRows) -> tuple[tuple[str, ...], ...]:
    """Return the unique keys except the primary key; a partial index, or one on an expression, is not a key."""
    parts = chosen.secret_paths.paths if chosen.secret_paths is not None else {}  # these may have become the same
    kept = {c.name for place, c in enumerate(chosen.columns) if place not in parts}
    found = []
    for index in chosen.table.indexes:
        names = tuple(c for c in index.columns if c is not None)
        whole = index.unique and not index.partial and len(names) == len(index.columns)
        if whole and index.origin != "pk" and kept.issuperset(names):
            found.append(names)
    return tuple(found)
