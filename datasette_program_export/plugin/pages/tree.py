"""The plan as a tree with check boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...database.schema import fold
from ...planning.plan import Plan, PlannedReference, PlannedTable
from ...planning.wording import because, counted, needed_because
from ..http.numbers import Numbers


@dataclass
class ColumnBox:
    """A column with its check box.

    ``value`` is the option value that leaves it out; None if that cannot be chosen (``why``).
    """

    name: str
    type: str
    value: str | None
    checked: bool
    why: str = ""


@dataclass
class Node:
    """A table in the tree, below the table that led to it."""

    table: str
    rows: int
    text: str
    because: str | None
    size: str
    can_be_left_out: bool
    columns: list[ColumnBox] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether a column was left out: then the list of columns is open."""
        return any(column.checked for column in self.columns)


@dataclass
class Connection:
    """A reference in words, and whether it can be stopped."""

    reference: PlannedReference
    state: str
    can_be_stopped: bool


def size(planned: PlannedTable, number: Numbers) -> str:
    """Return ``about 17 kB``, with the error of the estimate if it is relevant."""
    if planned.bytes is None or not planned.rows:
        return ""
    return about(planned.bytes, planned.bytes_error or 0, number)


def about(size: int, error: int, number: Numbers) -> str:
    """Return a size that was estimated from a sample, as text."""
    close = error < size / 200  # smaller than the precision shown
    return f"about {number.size(size)}" + ("" if close else f", give or take {number.size(error)}")


def tree(plan: Plan, number: Numbers) -> list[Node]:
    """Return the tables that belong to the record, each below the table whose rows led to it."""
    nodes: dict[str, Node] = {}
    for planned in plan.tables:
        if planned.belongs or not planned.needed:
            text = counted(planned.table if plan.scope != "query" else "", planned.belongs, plan.labels, number)
            leave = planned.table != plan.subject and plan.scope != "query"
            node = Node(planned.table, planned.belongs, text, because(planned, plan), size(planned, number), leave)
            node.columns = columns(planned, plan)
            nodes[planned.table] = node
    roots = []
    for planned in plan.tables:
        found = nodes.get(planned.table)
        above = nodes.get(planned.under or "")
        if found is None:
            continue
        if above is None or planned.table == plan.subject:
            roots.append(found)
        else:
            above.children.append(found)
    return sorted(roots, key=lambda node: node.table != plan.subject)


def needed(plan: Plan, number: Numbers) -> list[Node]:
    """Return the tables with rows that were added because others reference them."""
    found = []
    for planned in plan.tables:
        if planned.needed:
            text, shown = counted(planned.table, planned.needed, plan.labels, number), bool(planned.belongs)
            leave = planned.table != plan.subject and not shown  # a table in the first tree has its boxes there
            how_large = "" if shown else size(planned, number)
            node = Node(planned.table, planned.needed, text, needed_because(planned, plan), how_large, leave)
            node.columns = [] if shown else columns(planned, plan)
            found.append(node)
    return found


def columns(planned: PlannedTable, plan: Plan) -> list[ColumnBox]:
    """Return a table's columns as boxes to leave them out; secret columns have no box."""
    tables = {fold(t.table) for t in plan.tables}
    found = []
    for column in planned.columns:
        name = f"{planned.table}.{column.name}"
        asked = column.left_out == "as you asked"
        free = plan.scope != "query" and (asked or column.left_out is None) and fold(name) not in tables
        found.append(ColumnBox(column.name, column.type, name if free else None, asked, column.left_out or ""))
    return found


def not_in_tree(without: Sequence[str], nodes: Sequence[Node]) -> list[str]:
    """Return the names in ``without`` that have no box in the tree: whole tables and their columns."""
    found: set[str] = set()
    queue = list(nodes)
    while queue:
        node = queue.pop()
        queue += node.children
        found |= {fold(column.value) for column in node.columns if column.value}
    return [name for name in dict.fromkeys(without) if fold(name) not in found]


def connections(plan: Plan) -> list[Connection]:
    """Return the references of the plan in words."""
    followed = plan.scope in ("record", "table") and plan.parents is not None
    return [_connection(reference, followed) for reference in plan.references]


def _connection(reference: PlannedReference, followed: bool) -> Connection:
    asked = reference.why_not == "not followed, as you asked"
    if not followed:
        state = "" if reference.why_not in (None, "not asked for") else f"{reference.why_not}"
    else:
        state = f"not followed: {reference.why_not}" if reference.why_not else "followed"
    if asked:
        state = "not followed, as you asked"
    if reference.cyclic and reference.followed:
        state = f"{state}, closes a circle".lstrip(", ")
    return Connection(reference, state, followed and (asked or reference.followed))
