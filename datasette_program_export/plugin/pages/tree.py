"""The plan as lines of a table with check boxes: ticked is what will be in the file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ...database.schema import fold
from ...planning.plan import Plan, PlannedReference, PlannedTable
from ...planning.wording import because, counted, needed_because
from ..words import Words

MOST_BOXES = 100  # tables with a box that says what is in; an address has no room for more. The others: what is not
_MOST_COLUMNS = 40  # shown at once; of more, only those of the tables that are chosen or changed


@dataclass
class ColumnBox:
    """A column with its check box.

    ``value`` is the option value that leaves it out; None if that cannot be chosen (``why``).
    """

    name: str
    type: str
    value: str | None
    ticked: bool
    why: str = ""


@dataclass
class Node:
    """A table in the tree, below the table that led to it.

    ``box`` is ``with`` for a box that is ticked when the table is in, ``without`` for one that is ticked when it is
    not, None for none. ``shown``: its columns are shown, with boxes."""

    table: str
    name: str
    rows: int
    text: str
    because: str | None
    size: str
    box: str | None
    columns: list[ColumnBox] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    depth: int = 0
    shown: bool = False

    @property
    def changed(self) -> bool:
        """Whether a column was left out."""
        return any(column.value and not column.ticked for column in self.columns)


@dataclass
class Connection:
    """A reference in words, and whether it can be stopped."""

    reference: PlannedReference
    state: str
    can_be_stopped: bool


def size(planned: PlannedTable, words: Words) -> str:
    """Return ``about 17 kB``, with the error of the estimate if it is relevant."""
    if planned.bytes is None or not planned.rows:
        return ""
    return about(planned.bytes, planned.bytes_error or 0, words)


def about(size: int, error: int, words: Words) -> str:
    """Return a size that was estimated from a sample, as text."""
    if error < size / 200:  # smaller than the precision shown
        return words("export.about", size=words.size(size))
    return words("export.about_so_far", size=words.size(size), error=words.size(error))


def lines(nodes: Sequence[Node], depth: int = 0) -> Iterator[Node]:
    """Yield the nodes and those below them, in their order, each with its depth."""
    for node in nodes:
        node.depth = depth
        yield node
        yield from lines(node.children, depth + 1)


def show_columns(nodes: Sequence[Node], chosen: str) -> None:
    """Mark the nodes whose columns are shown with boxes: ``chosen``, what is changed, and all where they are few."""
    few = sum(len(node.columns) for node in nodes) <= _MOST_COLUMNS
    for node in nodes:
        node.shown = bool(node.columns) and (few or node.changed or fold(node.table) == fold(chosen))


def limit_boxes(nodes: Sequence[Node], asked_first: Collection[str]) -> None:
    """Take away the boxes of tables that are ``asked_first``, and turn those of too many tables."""
    for place, node in enumerate(node for node in nodes if node.box):
        if node.table in asked_first:
            node.box = None
        elif place >= MOST_BOXES:
            node.box = "without"


def tree(plan: Plan, words: Words) -> list[Node]:
    """Return the tables that belong to the record, each below the table whose rows led to it."""
    nodes: dict[str, Node] = {}
    for planned in plan.tables:
        if planned.belongs or not planned.needed:
            text = counted(planned.table if plan.scope != "query" else "", planned.belongs, plan.labels, words)
            leave = planned.table != plan.subject and plan.scope != "query"
            box = "with" if leave and (planned.belongs or plan.scope == "database") else None
            why = because(planned, plan, words)
            node = Node(planned.table, _name(planned, plan), planned.belongs, text, why, size(planned, words), box)
            if planned.belongs or plan.scope != "record":
                node.columns = columns(planned, plan, words)
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


def needed(plan: Plan, words: Words) -> list[Node]:
    """Return the tables with rows that were added because others reference them."""
    found = []
    for planned in plan.tables:
        if planned.needed:
            text, shown = counted(planned.table, planned.needed, plan.labels, words), bool(planned.belongs)
            leave = planned.table != plan.subject and not shown  # a table in the first tree has its boxes there
            how_large = "" if shown else size(planned, words)
            why, box = needed_because(planned, plan, words), "with" if leave else None
            node = Node(planned.table, _name(planned, plan), planned.needed, text, why, how_large, box)
            node.columns = [] if shown else columns(planned, plan, words)
            found.append(node)
    return found


def columns(planned: PlannedTable, plan: Plan, words: Words) -> list[ColumnBox]:
    """Return a table's columns as boxes to leave them out; secret columns have no box."""
    tables = {fold(t.table) for t in plan.tables}
    found = []
    for column in planned.columns:
        name = f"{planned.table}.{column.name}"
        asked = column.left_out == "as you asked"
        free = plan.scope != "query" and (asked or column.left_out is None) and fold(name) not in tables
        why = words.known(column.left_out) if column.left_out is not None else ""
        found.append(ColumnBox(column.name, column.type, name if free else None, not asked, why))
    return found


def _name(planned: PlannedTable, plan: Plan) -> str:
    """Return what the rows of a table are called."""
    return plan.labels[planned.table][1] if planned.table in plan.labels else planned.table


def not_in_tree(without: Sequence[str], nodes: Sequence[Node]) -> list[str]:
    """Return the names in ``without`` that have no box in the tree: whole tables and their columns."""
    found: set[str] = set()
    queue = list(nodes)
    while queue:
        node = queue.pop()
        queue += node.children
        found |= {fold(column.value) for column in node.columns if column.value and node.shown}
    return [name for name in dict.fromkeys(without) if fold(name) not in found]


def connections(plan: Plan, words: Words) -> list[Connection]:
    """Return the references of the plan in words."""
    followed = plan.scope in ("record", "table") and plan.parents is not None
    return [_connection(reference, followed, words) for reference in plan.references]


def _connection(reference: PlannedReference, followed: bool, words: Words) -> Connection:
    why = reference.why_not
    asked = why == "not followed, as you asked"
    if asked:
        state = words.known("not followed, as you asked")
    elif not followed:
        state = "" if why in (None, "not asked for") else words.known(str(why))
    else:
        state = words("export.not_followed", why=words.known(why)) if why else words("export.is_followed")
    if reference.cyclic and reference.followed:
        state = ", ".join(filter(None, (state, words("export.closes_a_circle"))))
    return Connection(reference, state, followed and (asked or reference.followed))
