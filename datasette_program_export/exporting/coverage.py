"""The coverage of an export: what it holds, what it leaves out, and why. It is written after the rows.

Counts are of rows. Nothing here identifies a row, and nothing counts a table that the person
may not see.
"""

from __future__ import annotations

from dataclasses import replace

from ..database.schema import ForeignKey, fold, quote
from ..formats.description.coverage import (
    EMPTY,
    Coverage,
    Dangling,
    Group,
    LeftOut,
    NoPermission,
    People,
    Secret,
    Withheld,
    WithheldByRule,
)
from ..formats.description.schema import DocumentSchema
from ..formats.description.schema_text import schema_sentences
from ..formats.registry import get_format
from ..selection.key_tables import filled, same_row
from ..selection.reached import BELONGS, NEEDED
from ..selection.scopes.base import Scope
from ..selection.table_rows import TableRows
from ..selection.walk import DOWN, Direction

_IS_A_PERSON = "a person who was not asked for"
_BELONGS_TO_A_PERSON = "belongs to a person who was not asked for"


def coverage(scope: Scope, schema: DocumentSchema) -> Coverage:
    """Return the coverage of a scope as a document holds it, without the warnings of the format.

    ``schema`` is the one that the document has: what it does not carry is told of a whole database, and where the
    format makes one."""
    whole = scope.request.scope == "database" or get_format(scope.request.format).makes_database
    return replace(
        kept_back(scope),
        tables=_tables(scope),
        withheld=tuple(_withheld(scope)),
        dangling=tuple(dangling(scope)),
        warnings=(*_warnings(scope), *(schema_sentences(schema) if whole else ())),
    )


def kept_back(scope: Scope) -> Coverage:
    """Return the part of the coverage that is known without reading rows."""
    return replace(
        EMPTY,
        no_permission=tuple(_no_permission(scope)),
        secret=tuple(
            Secret(table, column, why) for table, columns in scope.secrets.items() for column, why in columns.items()
        ),
        left_out=tuple(_left_out(scope)),
        people=people_taken(scope),
        by_rules=tuple(
            WithheldByRule(told.rule.table.name, told.rows, told.rule.plugin, told.rule.reason)
            for told in scope.rules.told()
            if scope.find(told.rule.table.name) is not None
        ),
    )


def _exported(scope: Scope) -> dict[str, TableRows]:
    """Return the exported tables by name, except the result of a query, which may have any name."""
    return {s.table.name: s for s in scope.tables if s.table.kind != "query"}


def people_taken(scope: Scope) -> People | None:
    """Return the tables of people that this person may see, where references are followed."""
    if scope.walk is None or scope.request.others == "include":
        return None
    people = scope.annotated.people
    inside = _exported(scope)
    near = {*inside, *(e.other_table for e in scope.edges if e.table in inside)}
    doubtful = {t: tuple(c) for t, c in people.doubtful.items() if t in near and scope.find(t) is not None}
    seen = tuple(t for t in people.tables if scope.find(t) is not None)
    return People(seen, people.known_by, doubtful)


def _tables(scope: Scope) -> dict[str, Group]:
    if scope.walk is None:
        return {}
    return {
        s.table.name: Group(r.counts[BELONGS], r.counts[NEEDED])
        for s in scope.tables
        if (r := scope.walk.reached[s.table.name])
    }


def _withheld(scope: Scope) -> list[Withheld]:
    """Return the rows of people who were not asked for: a foreign key led to them, and they were not followed."""
    if scope.walk is None:
        return []
    return [
        Withheld(
            table=edge.table if direction == DOWN else edge.other_table,
            along=edge.name,
            direction=direction,
            rows=rows,
            why=_IS_A_PERSON if is_person(scope, edge, direction) else _BELONGS_TO_A_PERSON,
        )
        for edge, direction, rows in scope.walk.withheld()
    ]


def is_person(scope: Scope, edge: ForeignKey, direction: Direction) -> bool:
    """Return whether the rows at the far end of a foreign key are people."""
    return (edge.table if direction == DOWN else edge.other_table) in scope.annotated.persons


def _no_permission(scope: Scope) -> list[NoPermission]:
    """Return the tables that the person may not see, but only those to which an exported table refers."""
    if scope.visible is None:
        return []
    exported = _exported(scope)
    return [
        NoPermission(e.other_table, e.name)
        for e in scope.edges
        if e.table in exported and e.other_table in scope.schema and e.other_table not in scope.visible
    ]


def _left_out(scope: Scope) -> list[LeftOut]:
    asked = scope.left_out_tables
    found = [LeftOut(table=name, why=why) for name, why in scope.skipped.items() if name not in asked]
    found += [LeftOut(table=name) for name in sorted(asked)]
    for table, columns in sorted(scope.left_out_columns.items()):
        found += [LeftOut(table=table, column=column) for column in sorted(columns)]
    for chosen in scope.tables:
        columns_lost = [c.name for c in chosen.table.columns if fold(c.name) in chosen.table.unreadable]
        found += [LeftOut(chosen.table.name, c, why=chosen.table.unreadable[fold(c)]) for c in columns_lost]
    if scope.walk is not None:
        stopped = sorted((e for e in scope.stopped if scope.find(e.table)), key=lambda e: e.name)
        found += [LeftOut(reference=edge.name) for edge in stopped]
        tables = scope.walk.reached
        secret = [e for e in scope.edges if e.table in tables and scope.annotated.is_secret(e)]
        found += [LeftOut(reference=e.name, why="its column is left out as secret") for e in secret]
    return found


def dangling(scope: Scope) -> list[Dangling]:
    """Return the references of exported rows whose parents are not in the export, one entry per foreign key.

    ``PRAGMA foreign_key_check`` finds the same after the export is loaded."""
    exported = _exported(scope)
    found = []
    for edge in scope.edges:
        child = exported.get(edge.table)
        written = {c.name for c in child.columns} if child else set()
        if child is None or not written.issuperset(edge.reads):
            continue  # a foreign key that is not in the file cannot dangle
        parent = exported.get(edge.other_table)
        if parent and not {c.name for c in parent.columns}.issuperset(edge.other_columns):
            parent = None  # without its key columns, no row can be found by them
        rows, missing = _count_dangling(scope, edge, child, parent)
        if rows:
            found.append(
                Dangling(
                    table=edge.table,
                    columns=edge.columns,
                    other_table=edge.other_table,
                    other_columns=edge.other_columns,
                    rows=rows,
                    missing_in_source=missing,
                    virtual=edge.virtual,
                )
            )
    return found


def _count_dangling(
    scope: Scope, edge: ForeignKey, child: TableRows, parent: TableRows | None
) -> tuple[int, int | None]:
    """Return how many references dangle, and how many of these dangle in the database too (None: not disclosed)."""
    if parent is not None and scope.walk is not None and scope.walk.reached[child.table.name].has_parents(edge):
        return 0, 0  # the walk came to each row from its parent
    row = child.alias
    points = filled(edge, row)
    hidden = (scope.visible is not None and edge.other_table not in scope.visible) or (
        edge.other_table in scope.unreadable
        or (child.guard is not None and scope.rules.about(edge.other_table))  # which its SQL may not read
    )
    table = scope.schema.get(edge.other_table)
    incomparable = table is not None and any(fold(c) in table.incomparable for c in edge.other_columns)
    if (edge.problem and not incomparable) or hidden or table is None:
        counted = "count(*), NULL" if hidden or table is not None else "count(*), count(*)"
        only_pointing = child.select(counted, points, ordered=False)
    else:
        match = f"SELECT 1 FROM {table.source('p')} WHERE {same_row(edge, child.table, table, c=row)}"
        exists = f"EXISTS ({match})"
        is_in = f"EXISTS ({match} AND {parent.contains('p')})" if parent is not None else "0"
        if _is_counted_by_value(edge, child):
            column, rows_of = quote(edge.columns[0]), quote(f"{edge.columns[0]} rows")  # no other column's name
            named = f"{row}.{column} AS {column}, count(*) AS {rows_of}"
            values = child.select(named, f"{points} GROUP BY 1", ordered=False)
            counted = f"coalesce(sum({row}.{rows_of}), 0), sum({row}.{rows_of} * NOT {exists})"
            only_pointing = f"SELECT {counted} FROM ({values}) AS {row} WHERE NOT {is_in}"
        else:
            only_pointing = child.select(f"count(*), sum(NOT {exists})", f"{points} AND NOT {is_in}", ordered=False)
    rows, missing = scope.snapshot.execute(only_pointing, child.params, child.guard).fetchone()
    return rows, missing if missing is None else int(missing)


def _is_counted_by_value(edge: ForeignKey, child: TableRows) -> bool:
    """Return whether an index has the references of all rows in order, so that each value is looked up only once.

    Values that are grouped must be the same to the parent's affinity and collation too, whatever these are."""
    every = child.keys is None and child.barred is None and child.guard is None and not child.where
    if len(edge.columns) > 1 or edge.where or not every or child.limit is not None or child.offset:
        return False
    table, (name,) = child.table, edge.columns
    column = table.column(name)
    plain = column is not None and column.affinity in ("TEXT", "INTEGER") and name != table.integer_key
    return plain and table.indexed and table.collation(name) == "BINARY" and table.has_index_on((name,), ("BINARY",))


def _warnings(scope: Scope) -> list[str]:
    exported = _exported(scope)
    found = []
    follows = scope.request.scope == "database" or scope.walk is not None
    if follows and scope.visible is not None and scope.annotated.holds_unseen(scope.visible):
        found.append("Only tables that you may see and export were looked at; there are others in this database.")
    if scope.walk is not None and scope.annotated.persons and scope.request.others == "include":
        found.append("Rows of people who were not asked for are in this file, as was asked for (others).")
    if scope.annotated.with_secrets:
        found.append("Columns that hold secrets were not left out, as was asked for (secrets).")
        for name, chosen in exported.items():
            secret = scope.annotated.secret_columns(chosen.table)
            found += [
                f"{name}.{c.name} is in this file, as was asked for ({secret[c.name]})."
                for c in chosen.columns
                if c.name in secret
            ]
    for edge in scope.edges:
        parent = scope.schema.get(edge.other_table)
        if edge.table not in exported or (scope.visible is not None and edge.other_table not in scope.visible):
            continue
        if edge.problem:
            found.append(f"{edge.name} refers to {edge.other_table}, but {edge.problem}; it was not followed.")
        elif parent is not None and not edge.virtual and not parent.is_unique(edge.other_columns):
            columns = ", ".join(edge.other_columns)
            found.append(
                f"{edge.name} refers to {parent.name}, but {columns} is not unique there: SQLite cannot check it."
            )
    return found
