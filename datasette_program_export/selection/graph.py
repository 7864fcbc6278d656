"""Tables and foreign keys as a graph: its components, and an order with parents first.

parent     the table that a foreign key points to
child      the table that holds the foreign key
edge       one foreign key, simple or compound, from child to parent
component  tables that reach each other along edges (a cycle), or one table alone
deferred   an edge whose parent row may come after the child row in parents-first order
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..database.schema import ForeignKey


@dataclass(frozen=True)
class Graph:
    """The edges that rows can be followed along, between tables in the schema's order."""

    tables: tuple[str, ...]
    edges: tuple[ForeignKey, ...]
    components: tuple[tuple[str, ...], ...] = field(init=False)
    _down: dict[str, list[ForeignKey]] = field(init=False, repr=False, compare=False)
    _up: dict[str, list[ForeignKey]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        down: dict[str, list[ForeignKey]] = {t: [] for t in self.tables}
        up: dict[str, list[ForeignKey]] = {t: [] for t in self.tables}
        for edge in self.edges:
            up[edge.table].append(edge)
            down[edge.other_table].append(edge)
        object.__setattr__(self, "_down", down)
        object.__setattr__(self, "_up", up)
        parents = {t: [e.other_table for e in up[t]] for t in self.tables}
        object.__setattr__(self, "components", tuple(_components(self.tables, parents)))

    def down(self, table: str) -> Sequence[ForeignKey]:
        """Return the edges by which children point to this table."""
        return self._down[table]

    def up(self, table: str) -> Sequence[ForeignKey]:
        """Return the edges by which this table points to its parents."""
        return self._up[table]

    def parents_first(self) -> tuple[str, ...]:
        """Return all tables, each after its parents; tables of a cycle are in the schema's order."""
        return tuple(t for component in self.components for t in component)

    def deferred(self) -> tuple[ForeignKey, ...]:
        """Return the edges that no parents-first order satisfies: self-references and one side of each cycle."""
        place = {t: i for i, t in enumerate(self.parents_first())}
        return tuple(e for e in self.edges if place[e.other_table] >= place[e.table])

    def reachable_down(self, start: Iterable[str]) -> set[str]:
        """Return the ``start`` tables and all tables below them: children, their children, and so on."""
        found = set(start)
        queue = list(found)
        while queue:
            for edge in self.down(queue.pop()):
                if edge.table not in found:
                    found.add(edge.table)
                    queue.append(edge.table)
        return found


def _components(tables: Sequence[str], parents: dict[str, list[str]]) -> list[tuple[str, ...]]:
    """Return the strongly connected components, parents first; Tarjan's algorithm without recursion.

    R. Tarjan, Depth-First Search and Linear Graph Algorithms, SIAM J. Comput. 1 (1972)."""
    place = {t: i for i, t in enumerate(tables)}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[tuple[str, ...]] = []
    for root in tables:
        if root in index:
            continue
        work = [(root, iter(parents[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            table, rest = work[-1]
            for parent in rest:
                if parent not in index:
                    index[parent] = low[parent] = len(index)
                    stack.append(parent)
                    on_stack.add(parent)
                    work.append((parent, iter(parents[parent])))
                    break
                if parent in on_stack:
                    low[table] = min(low[table], index[parent])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[table])
                if low[table] == index[table]:
                    at = stack.index(table)
                    members, stack[at:] = stack[at:], []
                    on_stack.difference_update(members)
                    found.append(tuple(sorted(members, key=place.__getitem__)))
    return found
