"""The rows of one table that an export reaches, in two groups: those that belong, and those that are needed."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..database.schema import ForeignKey
from .key_tables import KeyTable

BELONGS, NEEDED = "belongs", "needed"


@dataclass
class Reached:
    """The rows of one table that are in the export.

    Holds their keys, the number of rows per group, and the edge that first led to each group."""

    keys: KeyTable
    counts: dict[str, int] = field(default_factory=lambda: {BELONGS: 0, NEEDED: 0})
    first_edge: dict[str, ForeignKey] = field(default_factory=dict)
