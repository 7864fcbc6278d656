"""The rules of the closure, said a second time and as plainly as can be: over sets of rows in Python."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datasette_program_export.database.schema import ForeignKey, Schema
from tests.support.databases.building import quoted

Row = tuple[str, Any]  # table, key
MISSING: Row = ("nobody", None)


class Oracle:
    """Every reference between rows, as SQLite sees it, and what follows from the rules."""

    def __init__(self, connection: Any, schema: Schema, edges: Iterable[ForeignKey], persons: Iterable[str]) -> None:
        self.persons = set(persons)
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
        found, seen, queue = set(), {row}, [row]
        while queue:
            here = queue.pop()
            if here[0] in self.persons or here in self.adopted:
                found.add(here)
                continue
            own = [e for e in self.points.get(here, ()) if e.other_table in self.persons]
            if own:
                named = {p for e, p in self.up.get(here, ()) if e in own}
                found |= named or {MISSING}
                continue
            for _, parent in self.up.get(here, ()):
                if parent not in seen:
                    seen.add(parent)
                    queue.append(parent)
        return found

    def closure(self, subject: set[Row], withhold: bool, up: bool) -> tuple[set[Row], set[Row], dict]:
        """What belongs, what is needed, and how many rows are withheld per edge and direction."""
        asked = {o for row in subject for o in self.owners(row)} - {MISSING}
        # a row that was asked for is nobody else's, even when its owner is not to be found
        self.adopted = {row for row in subject if self.owners(row) and not self.owners(row) & asked}
        asked |= self.adopted

        def passes(row: Row) -> bool:
            owners = self.owners(row)
            return not withhold or not self.persons or row in subject or not owners or bool(owners & asked)

        left: dict[tuple[ForeignKey, str], set[Row]] = {}
        belongs, queue = set(subject), list(subject)
        while queue:
            for edge, child in self.down.get(queue.pop(), ()):
                if not passes(child):
                    left.setdefault((edge, "down"), set()).add(child)
                elif child not in belongs:
                    belongs.add(child)
                    queue.append(child)
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
