"""Decides which person owns a row, and which rows are withheld because they belong to another person.

The owner of a row is the person that its own foreign key to a person table names. Only if that is NULL, or there
is no such foreign key, the owners of its parents count. A person owns itself. A row passes if it has no owner, or
if one of its owners was asked for.
"""

from __future__ import annotations

from ..database.schema import ForeignKey, Table, quote
from ..database.snapshot import Snapshot
from .annotated_schema import AnnotatedSchema
from .graph import Graph
from .key_tables import KeyTable, filled, same_row

# The verdict on a row; with several parents the highest verdict counts. Only FOREIGN rows are withheld.
OWNERLESS, FOREIGN, OWNED = 0, 1, 2


class Owners:
    """The people that were asked for, and the verdict on any row."""

    def __init__(self, snapshot: Snapshot, annotated: AnnotatedSchema) -> None:
        self.snapshot = snapshot
        self.schema = annotated.schema
        self.persons = annotated.persons
        # ownership passes along every reference, including those that the export does not follow
        self.graph = Graph(
            tuple(n for n, t in annotated.schema.items() if t.kind == "table"),
            tuple(e for e in annotated.edges if not e.problem and annotated.schema[e.other_table].key),
        )
        self.asked = {name: KeyTable(snapshot, self.schema[name]) for name in self.persons}
        self.adopted: KeyTable | None = None
        self.known: dict[str, KeyTable] = {}
        self.step = 0

    def ask_for_owners(self, subject: KeyTable) -> None:
        """Mark people as asked for: the subject's rows if they are people, else the owners of those rows."""
        if subject.table.name in self.persons:
            asked = self.asked[subject.table.name]
            self.snapshot.execute(
                f"INSERT OR IGNORE INTO {asked.name} SELECT {', '.join(subject.columns)} FROM {subject.name}"
            )
            return
        self._climb(subject, "1")
        for name, level in self.known.items():
            for edge in self._own_edges(self.schema[name]):
                person, asked = self.schema[edge.other_table], self.asked[edge.other_table]
                self.snapshot.execute(
                    f"INSERT OR IGNORE INTO {asked.name} SELECT {asked.key_of('p')} FROM {level.name} AS v "
                    f"CROSS JOIN main.{quote(name)} AS c ON {level.joined('v', 'c')} "
                    f"CROSS JOIN main.{quote(person.name)} AS p ON {same_row(edge, self.schema[name], person)}"
                )
        self._forget()

    def adopt(self, subject: KeyTable) -> None:
        """Mark the subject's rows whose owner does not exist as asked for, with the rows that depend on them."""
        self.adopted = KeyTable(self.snapshot, subject.table)
        columns = ", ".join(subject.columns)
        self.snapshot.execute(
            f"INSERT INTO {self.adopted.name} SELECT {columns} FROM {subject.name} WHERE verdict = {FOREIGN}"
        )
        self.snapshot.execute(f"UPDATE {subject.name} SET verdict = {OWNED} WHERE verdict = {FOREIGN}")
        self._forget()

    def _forget(self) -> None:
        for level in self.known.values():
            level.drop()
        self.known = {}

    def verdict(self, table: Table, row: str, inherited: str) -> str:
        """Return the verdict on a row of ``table`` (alias ``row``) as SQL.

        It is ``inherited`` (SQL, too) if the row names no owner itself."""
        has, asked = self._own(table, row)
        return f"CASE WHEN {has} THEN CASE WHEN {asked} THEN {OWNED} ELSE {FOREIGN} END ELSE {inherited} END"

    def decide(self, candidates: KeyTable) -> None:
        """Fill in every NULL ``verdict`` of the candidates from the owners of their parents."""
        first = self._climb(candidates, "s.verdict IS NULL")
        edges = [edge for name in self.graph.parents_first() for edge in self._edges_up(name)]
        for step in range(self.step, first - 1, -1):  # farthest rows first: without cycles one pass is enough
            for edge in edges:
                self._inherit(edge, f"v.step = {step}")
        while sum(self._inherit(edge, f"v.step >= {first}") for edge in edges):
            pass
        known = self.known[candidates.table.name]
        same = " AND ".join(f"v.{k} = s.{k}" for k in candidates.columns)
        self.snapshot.execute(
            f"UPDATE {candidates.name} AS s SET verdict = (SELECT v.verdict FROM {known.name} AS v WHERE {same}) "
            "WHERE s.verdict IS NULL"
        )

    def _own_edges(self, table: Table) -> list[ForeignKey]:
        return [e for e in self.graph.up(table.name) if e.other_table in self.persons]

    def _edges_up(self, table: str) -> list[ForeignKey]:
        return [e for e in self.graph.up(table) if e.other_table not in self.persons]

    def _own(self, table: Table, row: str) -> tuple[str, str]:
        """Return two conditions as SQL: that the row itself names an owner, and that this owner was asked for."""
        if table.name in self.persons:
            return "1", self._is_asked(table, row)
        edges = self._own_edges(table)
        has = [f"({filled(e.columns, row)})" for e in edges]
        asked = [self._names_asked(e, row) for e in edges]
        if self.adopted is not None and self.adopted.table == table:
            adopted = f"EXISTS (SELECT 1 FROM {self.adopted.name} AS a WHERE {self.adopted.joined('a', row)})"
            has, asked = [*has, adopted], [*asked, adopted]
        return " OR ".join(has) or "0", " OR ".join(asked) or "0"

    def _is_asked(self, person: Table, row: str) -> str:
        asked = self.asked[person.name]
        return f"EXISTS (SELECT 1 FROM {asked.name} AS a WHERE {asked.joined('a', row)})"

    def _names_asked(self, edge: ForeignKey, row: str) -> str:
        child, person = self.schema[edge.table], self.schema[edge.other_table]
        return (
            f"EXISTS (SELECT 1 FROM main.{quote(person.name)} AS o "
            f"WHERE {same_row(edge, child, person, c=row, p='o')} AND {self._is_asked(person, 'o')})"
        )

    def _level(self, name: str) -> KeyTable:
        if name not in self.known:
            self.known[name] = KeyTable(
                self.snapshot, self.schema[name], ", own INTEGER, verdict INTEGER, step INTEGER"
            )
            self.known[name].index(["step"])
        return self.known[name]

    def _climb(self, start: KeyTable, chosen: str) -> int:
        """Record the ``chosen`` start rows and all rows above them, up to the nearest owners.

        Returns the number of the first step. Rows that are known from an earlier climb are not visited again."""
        self.step += 1
        first, fresh = self.step, {start.table.name}
        self._learn(self._level(start.table.name), f"{start.name} AS s", start.joined("s", "r"), chosen)
        while fresh:
            reached = set()
            for name in fresh:
                for edge in self._edges_up(name):
                    child, parent = self.schema[name], self.schema[edge.other_table]
                    level = self._level(name)
                    source = (
                        f"{level.name} AS v CROSS JOIN main.{quote(name)} AS c ON {level.joined('v', 'c')} "
                        f"AND v.step = {self.step} AND NOT v.own"
                    )
                    on = same_row(edge, child, parent, p="r")
                    if self._learn(self._level(parent.name), source, on, "1", ahead=1):
                        reached.add(parent.name)
            self.step += 1
            fresh = reached
        return first

    def _learn(self, level: KeyTable, source: str, on: str, chosen: str, ahead: int = 0) -> int:
        has, asked = self._own(level.table, "r")
        return self.snapshot.execute(
            f"INSERT OR IGNORE INTO {level.name} SELECT {level.key_of('r')}, {has}, "
            f"CASE WHEN {has} THEN CASE WHEN {asked} THEN {OWNED} ELSE {FOREIGN} END ELSE {OWNERLESS} END, "
            f"{self.step + ahead} FROM {source} CROSS JOIN main.{quote(level.table.name)} AS r ON {on} WHERE {chosen}"
        ).rowcount

    def _inherit(self, edge: ForeignKey, which: str) -> int:
        """Pass verdicts from parents to children along one edge, and return how many rows changed.

        ``which`` is a condition on the known child rows (alias ``v``)."""
        if edge.table not in self.known or edge.other_table not in self.known:
            return 0
        child, parent = self.schema[edge.table], self.schema[edge.other_table]
        below, above = self.known[child.name], self.known[parent.name]
        highest = (
            f"(SELECT max(u.verdict) FROM main.{quote(child.name)} AS c "
            f"CROSS JOIN main.{quote(parent.name)} AS p ON {same_row(edge, child, parent)} "
            f"CROSS JOIN {above.name} AS u ON {above.joined('u', 'p')} WHERE {below.joined('v', 'c')})"
        )
        return self.snapshot.execute(
            f"UPDATE {below.name} AS v SET verdict = {highest} WHERE {which} AND NOT v.own AND v.verdict < {highest}"
        ).rowcount
