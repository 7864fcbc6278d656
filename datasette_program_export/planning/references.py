"""The references from and to an export's tables, and why some are not followed.

It reveals nothing that coverage would not: a table that this person may not see is named only where an exported
table's own reference names it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..database.schema import ForeignKey
from ..formats.description.coverage import Coverage
from ..selection.scopes.base import Scope
from .plan import PlannedReference

_TABLE_LEFT_OUT = "left out, as you asked"


def planned_references(scope: Scope, tables: Iterable[str], covered: Coverage) -> list[PlannedReference]:
    """Return the references between these tables and from them, in the schema's order."""
    inside = set(tables)
    withheld: Counter[str] = Counter()
    for met in covered.withheld:
        withheld[met.along] += met.rows
    dangling = covered.dangling_by_reference
    closing = set(scope.annotated.graph(inside).deferred())
    found = []
    for edge in scope.edges:
        why_not = _why_not(scope, edge, inside)
        if why_not == "":
            continue
        found.append(
            PlannedReference(
                name=edge.name,
                table=edge.table,
                columns=list(edge.columns),
                other_table=edge.other_table,
                where={column: list(values) for column, values in edge.where},
                followed=why_not is None,
                why_not=why_not,
                stopped=edge in scope.stopped,
                withheld=withheld[edge.name],
                dangling=dangling.get((edge.table, edge.columns, edge.other_table), 0),
                cyclic=edge in closing,
            )
        )
    return found


def _why_not(scope: Scope, edge: ForeignKey, inside: set[str]) -> str | None:
    """Return why an edge was not followed; None if it was, an empty string if the edge is not to be listed."""
    child, parent = scope.find(edge.table), scope.find(edge.other_table)
    if child is None or child.name not in inside | _around(scope):
        return ""
    if parent is None:
        if child.name not in inside or (scope.visible is not None and edge.other_table not in scope.schema):
            return ""
        hidden = edge.other_table in scope.schema
        return "you may not see that table" if hidden else "the table does not exist"
    if child.name not in inside and parent.name not in inside:
        return "not followed, as you asked" if edge in scope.stopped else ""
    reason: str | None = None
    if edge.problem:
        reason = edge.problem
    elif scope.annotated.is_secret(edge):
        reason = "its column is left out as secret"
    elif {child.name, parent.name} & scope.left_out_tables:
        reason = _TABLE_LEFT_OUT
    elif edge in scope.stopped:
        reason = "not followed, as you asked" if scope.request.stop else "not followed on this site"
    elif not {child.name, parent.name} <= inside:
        # the walk goes down from the subject and up to needed parents; this edge is on neither path
        reason = "not asked for" if scope.walk is None or child.name in inside else ""
    return reason


def _around(scope: Scope) -> set[str]:
    """Return tables outside the export whose references are listed: left out, or cut off by a stop."""
    return scope.left_out_tables | {edge.table for edge in scope.stopped}
