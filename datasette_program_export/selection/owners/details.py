"""The rows that people name as details of theirs, such as an address, with who names them."""

from __future__ import annotations

from ...database.schema import ForeignKey, Schema
from ...database.snapshot import Snapshot
from ..key_tables import KeyTable, same_row


class Details:
    """Per reference from people to details a TEMP table: one row per detail, with the number of ``people`` who
    name it, and how many of these were ``asked`` for."""

    def __init__(self, snapshot: Snapshot, schema: Schema) -> None:
        self.snapshot = snapshot
        self.schema = schema
        self._named: dict[ForeignKey, KeyTable] = {}

    def named(self, edge: ForeignKey, is_asked: str) -> KeyTable:
        """Return the details that people name by one reference; ``is_asked`` is SQL about the person ``c``.

        They are found in one pass over the people: no index may lead from a detail to its person."""
        if edge not in self._named:
            person, detail = self.schema[edge.table], self.schema[edge.other_table]
            named = KeyTable(self.snapshot, detail, ", asked INTEGER, people INTEGER")
            self.snapshot.execute(
                f"INSERT INTO {named.name} SELECT {named.key_of('p')}, {is_asked}, 1 "
                f"FROM {person.source('c')} CROSS JOIN {detail.source('p')} "
                f"ON {same_row(edge, person, detail)} WHERE 1 "
                "ON CONFLICT DO UPDATE SET asked = asked + excluded.asked, people = people + 1"
            )
            self._named[edge] = named
        return self._named[edge]

    def forget(self) -> None:
        """Drop all tables; who is asked for has changed."""
        for table in self._named.values():
            table.drop()
        self._named = {}
