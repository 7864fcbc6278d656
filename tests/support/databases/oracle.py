"""The rules of the closure, said a second time and as plainly as can be: over sets of rows in Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datasette_program_export.database.schema import ForeignKey, Schema
from datasette_program_export.selection.people import People
from tests.support.databases.building import quoted

Row = tuple[str, Any]  # table, key
MISSING: Row = ("nobody", None)


class Oracle:
    """Every reference between rows, as SQLite sees it, and what follows from the rules."""

    def __init__(self, connection: Any, schema: Schema, edges: Iterable[ForeignKey], people: People) -> None:
        self.people = people
        self.persons = people.tables
        self.adopted: set[Row] = set()
        self.up: dict[Row, list[tuple[ForeignKey, Row]]] = {}
        self.down: dict[Row, list[tuple[ForeignKey, Row]]] = {}
        self.points: dict[Row, set[ForeignKey]] = {}  # the references of a row that are not NULL
        for edge in edges:
            child, parent = schema[edge.table], schema[edge.other_table]
            on = " AND ".join(f"p.{quoted(b)} = +c.{quoted(a)}" for a, b in zip(edge.columns, edge.other_columns))
            both = f"{quoted(child.name)} c, {quoted(parent.name)} p"
            pairs = connection.execute(
                f"SELECT {keys(child, 'c')}, {keys(parent, 'p')} FROM {both} WHERE {on}"
            ).fetchall()
            for pair in pairs:
                width = len(child.key)
                a, b = (child.name, pair[:width]), (parent.name, pair[width:])
                self.up.setdefault(a, []).append((edge, b))
                self.down.setdefault(b, []).append((edge, a))
            filled = " AND ".join(f"c.{quoted(a)} IS NOT NULL" for a in edge.columns)
            for key in connection.execute(f"SELECT {keys(child, 'c')} FROM {quoted(child.name)} c WHERE {filled}"):
                self.points.setdefault((child.name, key), set()).add(edge)

    def owners(self, row: Row) -> set[Row]:
        """The owners in the first table of people in which the row, or what is above it, has any."""
        return next(filter(None, (self.owners_in(row, place) for place in range(len(self.persons)))), set())

    def owners_in(self, row: Row, place: int) -> set[Row]:
        found, seen, queue = set(), {row}, [row]
        while queue:
            here = queue.pop()
            if here in self.adopted:
                found.add(here)
                continue
            if here[0] in self.persons:
                found |= {here} if here[0] == self.persons[place] else set()
                continue
            if own := self.own(here, self.persons[place]):
                found |= own
                continue
            for edge, parent in self.up.get(here, ()):
                if parent not in seen and edge.other_table not in {*self.persons, *self.people.shared}:
                    seen.add(parent)
                    queue.append(parent)
        return found

    def own(self, row: Row, table: str) -> set[Row]:
        """The people of one table that a row names as its owners, or who name it as a detail of theirs."""
        naming = {e for e in self.points.get(row, ()) if e.other_table == table and e in self.people.owning}
        found = {p for e, p in self.up.get(row, ()) if e in naming} or ({MISSING} if naming else set())
        return found | self.naming(row, table)

    def naming(self, row: Row, table: str) -> set[Row]:
        return {c for e, c in self.down.get(row, ()) if e.table == table and e in self.people.details}

    def same(self, rows: set[Row]) -> set[Row]:
        """These people, and the rows of other tables that are the same people."""
        found, queue = set(rows), list(rows)
        while queue:
            here = queue.pop()
            for edge, other in (*self.up.get(here, ()), *self.down.get(here, ())):
                if edge in self.people.same and other not in found:
                    found.add(other)
                    queue.append(other)
        return found

    def parts(self, row: Row, asked: set[Row], withhold: bool) -> list[tuple[ForeignKey, Row]]:
        """The rows above a person that are the same person, or details of this person alone."""
        found = []
        for edge, parent in self.up.get(row, ()):
            if edge in self.people.details:
                named = [c for e, c in self.down[parent] if e == edge]
                others = {o for table in self.persons for o in self.naming(parent, table)} - asked
                if others if withhold else len(named) != 1:
                    continue
            if edge in self.people.details or edge in self.people.same:
                found.append((edge, parent))
        return found if self.people.declared else []

    def closure(self, subject: set[Row], withhold: bool, up: bool) -> tuple[set[Row], set[Row], dict]:
        """What belongs, what is needed, and how many rows are withheld per edge and direction."""
        asked = {o for row in subject for o in self.owners(row)} - {MISSING}
        # a row that was asked for is nobody else's, even when its owner is not to be found
        self.adopted = {row for row in subject if self.owners(row) and not self.owners(row) & asked}
        asked = self.same(asked) | self.adopted

        def passes(row: Row) -> bool:
            owners = self.owners(row)
            return not withhold or not self.persons or row in subject or not owners or bool(owners & asked)

        left: dict[tuple[ForeignKey, str], set[Row]] = {}
        belongs, queue = set(subject), list(subject)
        while queue:
            row = queue.pop()
            ways = [("down", e, c) for e, c in self.down.get(row, ())]
            ways += [("up", e, p) for e, p in self.parts(row, asked, withhold)]
            for way, edge, other in ways:
                if not passes(other):
                    left.setdefault((edge, way), set()).add(other)
                elif other not in belongs:
                    belongs.add(other)
                    queue.append(other)
        everything, queue, behind = set(belongs), list(belongs) if up else [], []
        while queue:
            for edge, parent in self.up.get(queue.pop(), ()):
                if not passes(parent):
                    left.setdefault((edge, "up"), set()).add(parent)
                    behind.append(parent)
                elif parent not in everything:
                    everything.add(parent)
                    queue.append(parent)
        seen = set(behind)
        while behind:
            for edge, parent in self.up.get(behind.pop(), ()):
                left.setdefault((edge, "up"), set()).add(parent)
                if parent not in seen:
                    seen.add(parent)
                    behind.append(parent)
        counts = {key: len(rows - everything) for key, rows in left.items()}
        return belongs, everything - belongs, {key: n for key, n in counts.items() if n}


def keys(table: Any, alias: str) -> str:
    return ", ".join(f"{alias}.{quoted(part.name)}" for part in table.key)
