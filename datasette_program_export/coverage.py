"""What is in an export, and what is not and why: told in the document, after the rows.

Counts are of rows; nothing here names a row, and nothing counts a table that the person
may not see.
"""

from __future__ import annotations

from typing import Any

from .closure import Closure
from .keys import filled, same_row
from .schema import ForeignKey, quote
from .selected import Selected
from .walk import BELONGS, DOWN, NEEDED


def coverage(closure: Closure) -> dict[str, Any]:
    """The coverage of a closure, as it stands in a document (without what only the format knows)."""
    return {
        "tables": _tables(closure),
        "withheld": _withheld(closure),
        "no_permission": _no_permission(closure),
        "secret": [
            {"table": table, "column": column, "why": why}
            for table, columns in closure.secrets.items()
            for column, why in columns.items()
        ],
        "left_out": _left_out(closure),
        "dangling": dangling(closure),
        "warnings": _warnings(closure),
    }


def _tables(closure: Closure) -> dict[str, dict[str, int]]:
    if closure.walk is None:
        return {}
    return {
        s.table.name: {BELONGS: r.counts[BELONGS], NEEDED: r.counts[NEEDED]}
        for s in closure.tables
        if (r := closure.walk.reached[s.table.name])
    }


def _withheld(closure: Closure) -> list[dict[str, Any]]:
    """Rows of people who were not asked for: met along a reference, and left."""
    if closure.walk is None:
        return []
    return [
        {
            "table": edge.table if direction == DOWN else edge.other_table,
            "along": edge.name,
            "direction": direction,
            "rows": rows,
            "why": "belongs to a person who was not asked for",
        }
        for edge, direction, rows in closure.walk.withheld()
    ]


def _no_permission(closure: Closure) -> list[dict[str, Any]]:
    """Tables that were not followed into, named only where an exported table names them itself."""
    if closure.visible is None:
        return []
    exported = {s.table.name for s in closure.tables}
    return [
        {"table": e.other_table, "along": e.name}
        for e in closure.catalog.edges
        if e.table in exported and e.other_table in closure.schema and e.other_table not in closure.visible
    ]


def _left_out(closure: Closure) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{"table": name} for name in sorted(closure.left_out_tables)]
    for table, columns in sorted(closure.left_out_columns.items()):
        found += [{"table": table, "column": column} for column in sorted(columns)]
    if closure.walk is not None:
        found += [{"reference": edge.name} for edge in sorted(closure.stopped, key=lambda e: e.name)]
    return found


def dangling(closure: Closure) -> list[dict[str, Any]]:
    """References of exported rows whose parents are not in the export, by reference.

    This is what ``PRAGMA foreign_key_check`` finds after the export was loaded."""
    exported = {s.table.name: s for s in closure.tables}
    found = []
    for edge in closure.catalog.edges:
        child = exported.get(edge.table)
        written = {c.name for c in child.columns} if child else set()
        if child is None or not written.issuperset(edge.columns):
            continue  # a key that is not in the file points nowhere
        rows, missing = _count_dangling(closure, edge, child, exported.get(edge.other_table))
        if rows:
            entry: dict[str, Any] = {
                "table": edge.table,
                "columns": list(edge.columns),
                "other_table": edge.other_table,
            }
            entry |= {"other_columns": list(edge.other_columns), "rows": rows}
            if missing is not None:
                entry["missing_in_source"] = missing
            if edge.virtual:
                entry["virtual"] = True
            found.append(entry)
    return found


def _count_dangling(
    closure: Closure, edge: ForeignKey, child: Selected, parent: Selected | None
) -> tuple[int, int | None]:
    """How many references dangle; how many of them in the database itself (None: not to be told)."""
    row = child.alias
    points = filled(edge.columns, row)
    hidden = closure.visible is not None and edge.other_table not in closure.visible
    table = closure.schema.get(edge.other_table)
    if edge.problem or hidden or table is None:
        counted = "count(*), NULL" if hidden or table is not None else "count(*), count(*)"
        only_pointing = child.select(counted, points, ordered=False)
    else:
        match = f"SELECT 1 FROM main.{quote(table.name)} AS p WHERE {same_row(edge, child.table, table, c=row)}"
        exists = f"EXISTS ({match})"
        is_in = f"EXISTS ({match} AND {parent.contains('p')})" if parent is not None else "0"
        only_pointing = child.select(f"count(*), sum(NOT {exists})", f"{points} AND NOT {is_in}", ordered=False)
    rows, missing = closure.snapshot.execute(only_pointing, child.params, child.guard).fetchone()
    return rows, missing if missing is None else int(missing)


def _warnings(closure: Closure) -> list[str]:
    exported = {s.table.name for s in closure.tables}
    found = []
    for edge in closure.catalog.edges:
        parent = closure.schema.get(edge.other_table)
        if edge.table not in exported or (closure.visible is not None and edge.other_table not in closure.visible):
            continue
        if edge.problem:
            found.append(f"{edge.name} refers to {edge.other_table}, but {edge.problem}; it was not followed.")
        elif parent is not None and not edge.virtual and not parent.is_unique(edge.other_columns):
            columns = ", ".join(edge.other_columns)
            found.append(
                f"{edge.name} refers to {parent.name}, but {columns} is not unique there: SQLite cannot check it."
            )
    return found
