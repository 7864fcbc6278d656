"""The rows of one table that an export reaches, in two groups: those that belong, and those that are needed."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..database.schema import ForeignKey, Table
from .key_tables import KeyTable

BELONGS, NEEDED = "belongs", "needed"


@dataclass
class Reached:
    """The rows of one table that are in the export.

    Holds their keys, the number of rows per group, the edge that first led to each group, and how many rows each edge
    led down to."""

    keys: KeyTable
    counts: dict[str, int] = field(default_factory=lambda: {BELONGS: 0, NEEDED: 0})
    first_edge: dict[str, ForeignKey] = field(default_factory=dict)
    from_parents: dict[ForeignKey, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The number of rows in all groups."""
        return sum(self.counts.values())

    def add(self, rows: int, group: str, edge: ForeignKey, down: bool) -> None:
        """Count rows to which an edge led, ``down`` from their parents or up."""
        self.counts[group] += rows
        self.first_edge.setdefault(group, edge)
        if down:
            self.from_parents[edge] = self.from_parents.get(edge, 0) + rows

    def has_parents(self, edge: ForeignKey) -> bool:
        """Return whether this edge led down to every row: then a parent of each, by this edge, is in the export."""
        return self.total == self.from_parents.get(edge, 0)

    def has_all_parents(self, edge: ForeignKey, parent: Table) -> bool:
        """Return whether, moreover, no row can have a second parent by this edge, so that following it adds nothing."""
        return parent.tells_apart(edge.other_columns) and self.has_parents(edge)
