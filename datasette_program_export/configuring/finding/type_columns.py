"""References of which a second column says to which table they lead: ``owner_type`` and ``owner_id``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...database.schema import ForeignKey, Table
from ..look import Look
from ..names import TableNames
from ..proposal import Found
from .references import ENOUGH, SOME, key_column, reference_of, type_and_id, types_fit

_LONGEST = 200


def find_type_references(
    tables: Mapping[str, Table], look: Look, secrets: Mapping[str, Mapping[str, str]]
) -> Iterator[Found]:
    """Yield a reference with ``where`` for each value of a type column that speaks of a table. It takes rows."""
    names = TableNames(tables.values())
    for table in tables.values():
        for kind, column in type_and_id(table):
            if {kind.name, column.name} & set(secrets.get(table.name, ())):
                continue
            by_table: dict[str, list[str]] = {}
            for value in look.distinct(table, kind.name):
                meant = names.said(value) if isinstance(value, str) and len(value) <= _LONGEST else None
                if meant is not None:
                    by_table.setdefault(meant.name, []).append(value)
            for name, values in sorted(by_table.items()):
                parent = tables[name]
                key = key_column(parent, look)
                if key is None or not types_fit(column, key):
                    continue
                where = ((kind.name, tuple(sorted(values))),)
                edge = ForeignKey(table.name, (column.name,), name, (key.name,), virtual=True, where=where)
                matching = look.match(edge, table, parent)
                if matching is not None and matching.share >= SOME:
                    yield Found(
                        setting="virtual_foreign_keys",
                        table=table.name,
                        value=reference_of(edge),
                        why=f"{kind.name} says to which table {column.name} leads; {matching}",
                        written=matching.share >= ENOUGH,
                    )
