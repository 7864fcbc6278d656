"""Finds the rows that an export reaches: down to children, then up to the parents that they need.

The keys of the rows are collected in TEMP tables, one per table, by a few statements per edge; no row is read into
Python. ``docs/closure.md`` explains the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..database.schema import ForeignKey, quote
from ..database.snapshot import Snapshot
from ..errors import TooLargeError
from .annotated_schema import AnnotatedSchema
from .graph import Graph
from .key_tables import KeyTable, filled, index_serves, same_row
from .owners.details import Details
from .owners.rules import Rules
from .owners.verdicts import OWNED, Owners, is_foreign
from .reached import BELONGS, NEEDED, Reached

Direction = Literal["down", "up"]
DOWN: Direction = "down"
UP: Direction = "up"


class Walk:
    """One walk over one snapshot.

    ``reached`` holds the result, even if the walk was interrupted. With ``withhold``, rows of people who were not
    asked for are left out, and always those that ``rules`` withhold. The methods raise TooLargeError when more than
    ``max_rows`` rows are in."""

    def __init__(
        self,
        snapshot: Snapshot,
        annotated: AnnotatedSchema,
        graph: Graph,
        *,
        withhold: bool,
        rules: Rules | None = None,
        max_rows: int | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.schema = annotated.schema
        self.graph = graph
        self.max_rows = max_rows
        self.rules = rules
        self.reached: dict[str, Reached] = {}
        self.without_index: list[ForeignKey] = []
        self.people = annotated.people
        self.owners = Owners(snapshot, annotated) if withhold and self.people.tables else None
        self.details = Details(snapshot, annotated.schema)
        self.roots: set[str] = set()
        self._withheld: dict[tuple[ForeignKey, Direction], KeyTable] = {}
        self._cyclic = {e.table for e in graph.edges if any({e.table, e.other_table} <= {*c} for c in graph.components)}
        self._edge_copies: dict[ForeignKey, KeyTable] = {}

    @property
    def total(self) -> int:
        """The number of rows reached so far."""
        return sum(r.total for r in self.reached.values())

    def start(self, chosen: KeyTable) -> None:
        """Add the subject's rows, whose keys are in ``chosen``, and drop that table."""
        subject = self.reach(chosen.table.name)
        verdict = OWNED if self.owners is None else "NULL"
        subject.counts[BELONGS] = self.snapshot.execute(
            f"INSERT INTO {subject.keys.name} SELECT {', '.join(chosen.columns)}, 0, {verdict} FROM {chosen.name}"
        ).rowcount
        if self.owners is not None:
            self.owners.ask_for_owners(subject.keys)
            self.owners.decide(subject.keys)
            self.owners.adopt(subject.keys)
        self.roots = {chosen.table.name}
        chosen.drop()
        self._guard(None)
        self._add_parts_of_people()

    def down(self) -> None:
        """Follow every edge from parents to children, and on from those, until no new rows are found."""
        more = True
        while more:
            for component in self.graph.components:
                self._follow(component, [e for t in component for e in self.graph.down(t)], DOWN)
            more = self._add_parts_of_people()  # of people who were reached just now

    def up(self) -> None:
        """Follow every edge from the rows reached so far to their parents, and on from those; never down again."""
        for table in self._cyclic & self.reached.keys():
            self.snapshot.execute(f"UPDATE {self.reached[table].keys.name} SET step = 0 WHERE step > 0")
        for component in reversed(self.graph.components):
            self._follow(component, [e for t in component for e in self.graph.up(t)], UP)
        self._look_behind_withheld()

    def _add_parts_of_people(self) -> bool:
        """Add the rows that are one person with a reached one, and the details of one person alone.

        They belong, although the reference to them leads up. A guess adds nothing. Returns whether any are new."""
        edges = [e for e in self.graph.edges if e in self.people.same or e in self.people.details]
        found, more = False, self.people.declared and bool(edges)
        while more:
            more = sum(self._cross(edge, UP, None, BELONGS) for edge in edges) > 0
            found = found or more
        return found

    def withheld(self) -> list[tuple[ForeignKey, Direction, int]]:
        """Return the rows of other people that were met and left out: the edge, the direction, the number of rows."""
        found = []
        for (edge, direction), keys in self._withheld.items():
            target = keys.table.name
            outside = f"WHERE NOT {self._is_in(target, keys)}" if target in self.reached else ""
            count = self.snapshot.execute(f"SELECT count(*) FROM {keys.name} AS n {outside}").fetchone()[0]
            if count:
                found.append((edge, direction, count))
        return found

    def reach(self, table: str) -> Reached:
        """Return the rows of a table that are in the export; none if the walk has not reached the table."""
        if table not in self.reached:
            keys = KeyTable(self.snapshot, self.schema[table], ", step INTEGER, verdict INTEGER")
            if table in self._cyclic:
                keys.index(["step"])  # else each step round the cycle would scan all rows reached
            self.reached[table] = Reached(keys)
        return self.reached[table]

    def _is_in(self, table: str, keys: KeyTable, alias: str = "n") -> str:
        same = " AND ".join(f"x.{k} = {alias}.{k}" for k in keys.columns)
        return f"EXISTS (SELECT 1 FROM {self.reached[table].keys.name} AS x WHERE {same})"

    def _follow(self, component: Sequence[str], edges: Sequence[ForeignKey], direction: Direction) -> None:
        inside = [e for e in edges if e.table in component and e.other_table in component]
        step, fresh = 0, bool(inside)
        while fresh:
            fresh = sum(self._cross(e, direction, step) for e in inside) > 0
            step += 1
        for edge in edges:
            if edge not in inside:
                self._cross(edge, direction, None)

    def _cross(self, edge: ForeignKey, direction: Direction, step: int | None, group: str | None = None) -> int:
        """Add the rows that one edge leads to, and return how many are new.

        Inside a component (``step`` is not None), only the rows of that step are followed. The ``group`` is that of
        the direction, except for parts of people: they belong, though up."""
        source, target = (edge.other_table, edge.table) if direction == DOWN else (edge.table, edge.other_table)
        if direction == UP and not self.schema[target].key:
            return 0  # without a key its rows cannot be told apart, so they are not added; these references dangle
        reached = self.reach(target) if source in self.reached else None
        if reached is None or not (rows := self.reached[source]).total:
            return 0
        if direction == UP and rows.has_all_parents(edge, self.schema[target]):
            return 0
        path = self._path(edge, direction, inside=step is not None)
        if step is not None:
            path += f" AND k.step = {step}"
        if group is not None and edge in self.people.details:
            path += self._of_nobody_else(edge)
        row = "c" if direction == DOWN else "p"
        key = reached.keys.key_of(row)
        if self.rules is not None and self.rules.about(target):
            path += self.rules.met_on(path, self.schema[target], row)
        new_step = 0 if step is None else step + 1
        verdict = OWNED if self.owners is None else self.owners.sure(edge, direction == DOWN, rows.keys, rows.total)
        if verdict is not None:
            new = self.snapshot.execute(
                f"INSERT OR IGNORE INTO {reached.keys.name} SELECT {key}, {new_step}, {verdict} FROM {path}"
            ).rowcount
        else:
            new = self._cross_as_asked(edge, direction, key, path, new_step, row)
        if group is not None and new:
            self.roots.add(target)
        if new:
            reached.add(new, group or (BELONGS if direction == DOWN else NEEDED), edge, direction == DOWN)
            self._guard(edge)
        return new

    def _of_nobody_else(self, edge: ForeignKey) -> str:
        """Return the condition that no other person names the detail ``p``; with all included, that one person does."""
        if self.owners is None:
            named = self.details.named(edge, "0")
            return f" AND EXISTS (SELECT 1 FROM {named.name} AS d WHERE {named.joined('d', 'p')} AND people = 1)"
        found = ""
        for other in self.people.details:
            if other.other_table == edge.other_table:
                named = self.owners.detail_rows(other)
                rows = f"SELECT 1 FROM {named.name} AS d WHERE {named.joined('d', 'p')} AND people > asked"
                found += f" AND NOT EXISTS ({rows})"
        return found

    def _path(self, edge: ForeignKey, direction: Direction, inside: bool) -> str:
        """Return a crossing as a FROM clause: the keys ``k``, their rows, and the rows that the edge leads to."""
        child, parent = self.schema[edge.table], self.schema[edge.other_table]
        keys = self.reached[parent.name if direction == DOWN else child.name].keys
        c, p = child.source("c"), parent.source("p")
        if direction == UP:
            return (
                f"{keys.name} AS k CROSS JOIN {c} ON {keys.joined('k', 'c')} "
                f"CROSS JOIN {p} ON {same_row(edge, child, parent)}"
            )
        if index_serves(edge, child, parent):
            return (
                f"{keys.name} AS k CROSS JOIN {p} ON {keys.joined('k', 'p')} "
                f"CROSS JOIN {c} ON {same_row(edge, child, parent, indexed=True)}"
            )
        if edge not in self.without_index:
            self.without_index.append(edge)
        inexact = any((o := parent.column(n)) and o.affinity == "REAL" for n in edge.other_columns)
        if not inside or inexact:  # scan the child table; a copy would round integers to REAL
            return (
                f"{c} CROSS JOIN {p} ON {same_row(edge, child, parent)} "
                f"CROSS JOIN {keys.name} AS k ON {keys.joined('k', 'p')}"
            )
        copy = self._edge_copy(edge)
        on = " AND ".join(f"p.{quote(there)} = e.f{i}" for i, there in enumerate(edge.other_columns))
        return (
            f"{keys.name} AS k CROSS JOIN {p} ON {keys.joined('k', 'p')} "
            f"CROSS JOIN {copy.name} AS e ON {on} CROSS JOIN {c} ON {copy.joined('e', 'c')}"
        )

    def _edge_copy(self, edge: ForeignKey) -> KeyTable:
        """Return an indexed copy of the child's foreign key, so that a cycle scans the child table only once."""
        if edge not in self._edge_copies:
            child, parent = self.schema[edge.table], self.schema[edge.other_table]
            fields = ""
            for i, name in enumerate(edge.other_columns):
                column = parent.column(name)
                fields += f", f{i} {column.affinity if column else 'BLOB'} COLLATE {quote(parent.collation(name))}"
            copy = KeyTable(self.snapshot, child, fields)
            columns = ", ".join(f"c.{quote(name)}" for name in edge.columns)
            rows = f"SELECT {copy.key_of('c')}, {columns} FROM {child.source('c')} WHERE {filled(edge, 'c')}"
            self.snapshot.execute(f"INSERT INTO {copy.name} {rows}")
            copy.index([f"f{i}" for i in range(len(edge.columns))])
            self._edge_copies[edge] = copy
        return self._edge_copies[edge]

    def _cross_as_asked(self, edge: ForeignKey, direction: Direction, key: str, path: str, step: int, row: str) -> int:
        """Cross an edge and return how many rows are new; rows of people not asked for are withheld and counted."""
        assert self.owners is not None
        target, top = self.schema[edge.table if direction == DOWN else edge.other_table], self.owners.settled
        keys = self.reached[target.name].keys
        # children of an owned row have the same owner, unless they only mention it; else the parents decide
        passes = direction == DOWN and self.people.passes_owners(edge)
        inherited = f"CASE k.verdict WHEN {top} THEN {top} END" if passes else "NULL"
        met = KeyTable(self.snapshot, target, ", verdict INTEGER")  # most edges lead to nothing new: one statement
        found = self.snapshot.execute(
            f"INSERT INTO {met.name} SELECT {key}, {self.owners.verdict(target, row, inherited)} FROM {path} "
            f"WHERE {keys.has_not(row)} ON CONFLICT DO UPDATE SET verdict = coalesce(verdict, excluded.verdict)"
        ).rowcount
        new = self._divide(edge, direction, met, step, found) if found else 0
        met.drop()
        return new

    def _divide(self, edge: ForeignKey, direction: Direction, met: KeyTable, step: int, most: int) -> int:
        """Add the rows that were met, at ``most`` so many, without those of people not asked for; return how many."""
        assert self.owners is not None
        keys = self.reached[met.table.name].keys
        self.owners.decide(met)
        columns, foreign = ", ".join(met.columns), is_foreign("verdict")
        rows = f"SELECT {columns}, {step}, verdict FROM {met.name} WHERE NOT {foreign}"
        new = self.snapshot.execute(f"INSERT INTO {keys.name} {rows}").rowcount
        left = f"SELECT {columns}, 0 FROM {met.name} WHERE {foreign}"
        if new < most and self.snapshot.execute(f"SELECT EXISTS ({left})").fetchone()[0]:
            self.snapshot.execute(f"INSERT OR IGNORE INTO {self._withhold(edge, direction).name} {left}")
        return new

    def _withhold(self, edge: ForeignKey, direction: Direction) -> KeyTable:
        if (edge, direction) not in self._withheld:
            target = self.schema[edge.table if direction == DOWN else edge.other_table]
            self._withheld[edge, direction] = made = KeyTable(self.snapshot, target, ", step INTEGER")
            made.index(["step"])
        return self._withheld[edge, direction]

    def _look_behind_withheld(self) -> None:
        """Withhold and count the parents that are reached only through withheld rows, too."""
        step, fresh = 0, True
        while fresh:
            met = [(edge, keys) for (edge, direction), keys in self._withheld.items() if direction == UP]
            pairs = [(above, keys, step) for edge, keys in met for above in self.graph.up(edge.other_table)]
            fresh = sum(self._look_behind(*pair) for pair in pairs) > 0
            step += 1

    def _look_behind(self, edge: ForeignKey, keys: KeyTable, step: int) -> int:
        child, parent = self.schema[edge.table], self.schema[edge.other_table]
        behind = self._withhold(edge, UP)
        return self.snapshot.execute(
            f"INSERT OR IGNORE INTO {behind.name} SELECT {behind.key_of('p')}, {step + 1} "
            f"FROM {keys.name} AS k CROSS JOIN {child.source('c')} "
            f"ON {keys.joined('k', 'c')} AND k.step = {step} "
            f"CROSS JOIN {parent.source('p')} ON {same_row(edge, child, parent)}"
        ).rowcount

    def _guard(self, edge: ForeignKey | None) -> None:
        if self.max_rows is not None and self.total > self.max_rows:
            where = f" after following {edge.name}" if edge else ""
            raise TooLargeError(
                f"This export would hold {self.total:,} rows or more{where}; max_rows allows {self.max_rows:,}. "
                "Leave out a table, stop a reference, or ask for fewer records."
            )
