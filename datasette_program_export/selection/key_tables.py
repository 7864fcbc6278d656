"""Keeps the keys of chosen rows in TEMP tables, and compares rows in SQL as SQLite does.

TEMP tables work on a read-only database, spill to disk by themselves, and join with the main tables inside the
same read transaction. Their names have a random part, so that no name in the database can collide with them; every
table name in SQL is qualified with ``main.`` or ``temp.``.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..database.schema import ForeignKey, Table, fold, quote
from ..database.snapshot import Snapshot
from ..errors import UnsupportedError

# Both sides of a comparison keep their stored form when their affinities are of one family
# (https://www.sqlite.org/datatype3.html 4.2), so the bare child column, and an index on it, can be used.
_FAMILY = {"INTEGER": "number", "REAL": "number", "NUMERIC": "number", "TEXT": "text", "BLOB": "blob"}


class KeyTable:
    """A TEMP table with one row per key of ``table``.

    ``extra`` is SQL with further column definitions, beginning with a comma. Raises UnsupportedError for a table
    without a key."""

    def __init__(self, snapshot: Snapshot, table: Table, extra: str = "") -> None:
        if not table.key:
            raise UnsupportedError(
                f"The rows of {table.name} cannot be told apart: it has no key, and its rowid cannot be reached. "
                f"Leave it out (without {table.name})."
            )
        self.snapshot = snapshot
        self.table = table
        self.columns = tuple(f"k{i}" for i in range(len(table.key)))
        if table.rowid is not None:
            definition, suffix = f"k0 INTEGER PRIMARY KEY{extra}", ""
        else:
            # declare each column by its affinity: a copied ANY would merge 1 with '1'
            pairs = zip(self.columns, table.key)
            parts = [f"{k} {part.affinity} COLLATE {quote(part.collation or 'BINARY')}" for k, part in pairs]
            definition = f"{', '.join(parts)}{extra}, PRIMARY KEY ({', '.join(self.columns)})"
            suffix = " WITHOUT ROWID"
        self.name = snapshot.temp_table(table.name, f"({definition}){suffix}")

    def index(self, columns: Sequence[str]) -> None:
        """Create an index on columns of ``extra``, once."""
        self.snapshot.temp_index(self.name, columns)

    def drop(self) -> None:
        """Give the table back, to free its space before the snapshot is closed."""
        self.snapshot.empty(self.name)

    def key_of(self, alias: str) -> str:
        """Return the key of a row of the main table (alias ``alias``) as expressions for a SELECT."""
        return ", ".join(f"{alias}.{quote(part.name)}" for part in self.table.key)

    def has_not(self, row: str) -> str:
        """Return the condition that the key of a row of the main table (alias ``row``) is not in this table."""
        return f"NOT EXISTS (SELECT 1 FROM {self.name} AS w WHERE {self.joined('w', row)})"

    def joined(self, keys: str, row: str) -> str:
        """Return the condition that joins this table (alias ``keys``) with the main table (alias ``row``)."""
        return " AND ".join(
            f"{row}.{quote(part.name)} = {keys}.{k}" + (f" COLLATE {quote(part.collation)}" if part.collation else "")
            for k, part in zip(self.columns, self.table.key)
        )


def same_row(
    edge: ForeignKey, child: Table, parent: Table, *, c: str = "c", p: str = "p", indexed: bool = False
) -> str:
    """Return the condition under which SQLite itself takes the child ``c`` to refer to the parent ``p``.

    The parent's affinity and collation decide (https://www.sqlite.org/foreignkeys.html 3), so the parent is the
    left operand, and a unary ``+`` removes the child's affinity where the two differ. With ``indexed``, the ``+``
    is left out where it changes nothing, so that SQLite can use the child's index. Instead of a collation that is not
    known here the one decides that the column has in a copy."""
    same = " AND ".join(
        f"{p}.{quote(there)} = {'' if indexed and _same_family(child, here, parent, there) else '+'}{c}.{quote(here)}"
        f"{' COLLATE BINARY' if fold(there) in parent.incomparable else ''}"
        for here, there in zip(edge.columns, edge.other_columns)
    )
    return same + edge.holds(c)


def _same_family(child: Table, here: str, parent: Table, there: str) -> bool:
    a, b = child.column(here), parent.column(there)
    return a is not None and b is not None and _FAMILY[a.affinity] == _FAMILY[b.affinity]


def index_serves(edge: ForeignKey, child: Table, parent: Table) -> bool:
    """Return whether an index finds the children of a row, so that the child table need not be scanned."""
    pairs = zip(edge.columns, edge.other_columns)
    if not all(_same_family(child, a, parent, b) for a, b in pairs):
        return False
    collations = [parent.collation(c) for c in edge.other_columns]
    types = [child.collation(c) for c, _ in edge.where]
    return child.has_index_on(edge.columns, collations) or child.has_index_on(edge.reads, [*collations, *types])


def filled(edge: ForeignKey, alias: str) -> str:
    """Return the condition that a row refers to some row by this key; a key with a NULL refers to none."""
    return " AND ".join(f"{alias}.{quote(c)} IS NOT NULL" for c in edge.columns) + edge.holds(alias)
