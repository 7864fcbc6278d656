"""Decides which person owns a row, and which rows are withheld because they belong to another person.

The owners of a row are the people that its own foreign keys name, and the people who refer to it as a detail of
theirs, such as an address. Only if there are none, the owners of its parents count. A person owns itself. Where these
are in several tables of people, only those in the first of these tables count, even if a parent has them and the row
itself names others. A row passes if it has no owner, or if one of its owners was asked for. ``docs/closure.md`` has
the rules with examples.

A verdict is a number: 0 for a row without owner, else ``2 * (n - i)`` for an owner in table ``i`` of the ``n`` tables
of people, plus 1 if one of these owners was asked for. So of several parents the highest verdict counts.
"""

from __future__ import annotations

from ...database.schema import ForeignKey, Table, quote
from ...database.snapshot import Snapshot
from ..annotated_schema import AnnotatedSchema
from ..graph import Graph
from ..key_tables import KeyTable, filled, same_row
from .details import Details

OWNED = 1  # the verdict on every row where nothing is withheld


def is_foreign(verdict: str) -> str:
    """Return the condition that a verdict withholds its row: all its owners are people who were not asked for."""
    return f"({verdict} > 0 AND NOT {verdict} & 1)"


class Owners:
    """The people that were asked for, and the verdict on any row."""

    def __init__(self, snapshot: Snapshot, annotated: AnnotatedSchema) -> None:
        self.snapshot = snapshot
        self.schema = annotated.schema
        self.people = annotated.people
        self.persons = self.people.tables
        # ownership passes along every reference, including those that the export does not follow
        self.graph = Graph(
            tuple(n for n, t in annotated.schema.items() if t.kind == "table"),
            tuple(e for e in annotated.edges if not e.problem and annotated.schema[e.other_table].key),
        )
        self.asked = {name: KeyTable(snapshot, self.schema[name]) for name in self.persons}
        self.adopted: KeyTable | None = None
        self.known: dict[str, KeyTable] = {}
        self.details = Details(snapshot, annotated.schema)
        self.step = 0
        self._climbed: set[str] = set()  # the tables of which the last climb found rows
        self._settled: dict[str, tuple[int, bool]] = {}  # per key table: how many rows it had, and whether all were

    @property
    def settled(self) -> int:
        """The verdict on a row of a person asked for in the first table of people: no parent can change it."""
        return self._level_of(0) + 1

    def _level_of(self, place: int) -> int:
        return 2 * (len(self.persons) - place)

    def ask_for_owners(self, subject: KeyTable) -> None:
        """Mark people as asked for: the subject's rows if they are people, else the owners of those rows.

        ``subject`` has a column ``verdict``, which is NULL before and after."""
        if subject.table.name in self.persons:
            asked = self.asked[subject.table.name]
            self.snapshot.execute(
                f"INSERT OR IGNORE INTO {asked.name} SELECT {', '.join(subject.columns)} FROM {subject.name}"
            )
        else:
            if len(self.persons) > 1:
                self.decide(subject)  # nobody is asked for yet: it tells in which table the owners are
            for place, person in enumerate(self.persons):
                chosen = f"s.verdict = {self._level_of(place)}" if len(self.persons) > 1 else "1"
                self._forget()
                self._climb(subject, chosen, self._level_of(place) + 1)
                for level in self.known.values():
                    self._ask_for_owners_of(level, person)
            self.snapshot.execute(f"UPDATE {subject.name} SET verdict = NULL")
        self._ask_for_same_people()
        self._forget()

    def _ask_for_owners_of(self, level: KeyTable, person: str) -> None:
        table, asked = level.table, self.asked[person]
        for edge in self._owners_by_table(table).get(person, ()):
            on = same_row(edge, table, self.schema[person], c="r", p="p")
            if edge.table == person:  # a detail: its person refers to it
                on = same_row(edge, self.schema[person], table, c="p", p="r")
            self.snapshot.execute(
                f"INSERT OR IGNORE INTO {asked.name} SELECT {asked.key_of('p')} FROM {level.name} AS v "
                f"CROSS JOIN {table.source('r')} ON {level.joined('v', 'r')} "
                f"CROSS JOIN main.{quote(person)} AS p ON {on}"
            )

    def _ask_for_same_people(self) -> None:
        """Mark the rows of other tables that are the same people as asked for."""
        edges = [e for e in self.people.same if {e.table, e.other_table} <= self.asked.keys()]
        more = bool(edges)
        while more:
            more = sum(self._ask_for_same(edge, up) for edge in edges for up in (True, False)) > 0

    def _ask_for_same(self, edge: ForeignKey, up: bool) -> int:
        child, parent = self.schema[edge.table], self.schema[edge.other_table]
        known, other = (child, parent) if up else (parent, child)
        k, o = ("c", "p") if up else ("p", "c")
        source, target = self.asked[known.name], self.asked[other.name]
        return self.snapshot.execute(
            f"INSERT OR IGNORE INTO {target.name} SELECT {target.key_of(o)} FROM {source.name} AS a "
            f"CROSS JOIN {known.source(k)} ON {source.joined('a', k)} "
            f"CROSS JOIN {other.source(o)} ON {same_row(edge, child, parent, indexed=not up)}"
        ).rowcount

    def adopt(self, subject: KeyTable) -> None:
        """Mark the subject's rows whose owner does not exist as asked for, with the rows that depend on them."""
        self.adopted = KeyTable(self.snapshot, subject.table)
        columns = ", ".join(subject.columns)
        self.snapshot.execute(
            f"INSERT INTO {self.adopted.name} SELECT {columns} FROM {subject.name} WHERE {is_foreign('verdict')}"
        )
        self.snapshot.execute(f"UPDATE {subject.name} SET verdict = {self.settled} WHERE {is_foreign('verdict')}")
        self._forget()

    def _forget(self) -> None:
        for level in self.known.values():
            level.drop()
        self.known = {}
        self.details.forget()

    def verdict(self, table: Table, row: str, inherited: str) -> str:
        """Return the verdict on a row of ``table`` (alias ``row``) as SQL.

        It is ``inherited`` (SQL, too) if the row itself names no owner in the first table of people."""
        own, verdict = self._own(table, row)
        return f"CASE WHEN {own} >= {self.settled} THEN {verdict} ELSE {inherited} END"

    def sure(self, edge: ForeignKey, down: bool, above: KeyTable, rows: int) -> int | None:
        """Return the verdict on all rows below the ``rows`` rows ``above`` if it is sure without a look at them.

        So it is where all rows above are settled, and those below name a person asked for by this very edge, or have no
        owner but by their parents."""
        if not down or not self.people.passes_owners(edge):
            return None
        table = self.schema[edge.table]
        by_edge = edge.other_table == self.persons[0] and table.name not in self.persons
        if not by_edge and self._own(table, "c")[0] != "0":
            return None
        if self._settled.get(above.name, (0, False))[0] != rows:
            others = f"SELECT EXISTS (SELECT 1 FROM {above.name} WHERE verdict IS NOT {self.settled})"
            self._settled[above.name] = rows, not self.snapshot.execute(others).fetchone()[0]
        return self.settled if self._settled[above.name][1] else None

    def decide(self, candidates: KeyTable) -> None:
        """Fill in every NULL ``verdict`` of the candidates from the owners of their parents."""
        unknown = f"SELECT EXISTS (SELECT 1 FROM {candidates.name} WHERE verdict IS NULL)"
        if not self.snapshot.execute(unknown).fetchone()[0]:
            return
        first = self._climb(candidates, "s.verdict IS NULL")
        for component in self.graph.components:  # parents first: so one pass is enough for a table outside of cycles
            edges = [e for name in component if name in self._climbed for e in self._edges_up(name)]
            if any(e.other_table in component for e in edges):
                for step in range(self.step, first - 1, -1):  # farthest rows first: most cycles need one pass, too
                    for edge in edges:
                        self._inherit(edge, f"v.step = {step}")
                while sum(self._inherit(edge, f"v.step >= {first}") for edge in edges):
                    pass
            else:
                for edge in edges:
                    self._inherit(edge, f"v.step >= {first}")
        known = self.known[candidates.table.name]
        same = " AND ".join(f"v.{k} = s.{k}" for k in candidates.columns)
        self.snapshot.execute(
            f"UPDATE {candidates.name} AS s SET verdict = (SELECT v.verdict FROM {known.name} AS v WHERE {same}) "
            "WHERE s.verdict IS NULL"
        )

    def _owners_by_table(self, table: Table) -> dict[str, list[ForeignKey]]:
        """Return the tables of people that may own rows of a table, in order, with the references that say so."""
        found = {}
        for person in self.persons:
            edges = [e for e in self.graph.up(table.name) if e.other_table == person and e in self.people.owning]
            edges += [e for e in self.graph.down(table.name) if e.table == person and e in self.people.details]
            if edges:
                found[person] = edges
        return found

    def _edges_up(self, table: str) -> list[ForeignKey]:
        """Return the references along which a row may inherit owners: not from people, nor from what many share."""
        shared = self.people.shared
        return [e for e in self.graph.up(table) if e.other_table not in self.persons and e.other_table not in shared]

    def _own(self, table: Table, row: str) -> tuple[str, str]:
        """Return two numbers as SQL: the highest verdict that a row's own owners could bring, and the verdict.

        A parent's verdict counts only if it is higher than the first number, which is 0 without own owners."""
        if table.name in self.persons:
            level = self._level_of(self.persons.index(table.name))
            return str(self.settled), f"{level} + {self._is_asked(table, row)}"
        possible, verdicts = [], []
        if self.adopted is not None and self.adopted.table == table:
            has = f"EXISTS (SELECT 1 FROM {self.adopted.name} AS a WHERE {self.adopted.joined('a', row)})"
            possible.append(f"WHEN {has} THEN {self.settled}")
            verdicts.append(possible[0])
        for person, edges in self._owners_by_table(table).items():
            level, has = self._level_of(self.persons.index(person)), self._has_owner(table, edges, row)
            asked = " OR ".join(self._has_asked(e, row) for e in edges)
            possible.append(f"WHEN {has} THEN {level + 1}")
            verdicts.append(f"WHEN {has} THEN {level} + ({asked})")
        if not possible:
            return "0", "0"
        return f"CASE {' '.join(possible)} ELSE 0 END", f"CASE {' '.join(verdicts)} ELSE 0 END"

    def _is_asked(self, person: Table, row: str) -> str:
        asked = self.asked[person.name]
        return f"EXISTS (SELECT 1 FROM {asked.name} AS a WHERE {asked.joined('a', row)})"

    def _has_owner(self, table: Table, edges: list[ForeignKey], row: str) -> str:
        """Return the condition that a row has an owner by one of these references, asked for or not."""
        return " OR ".join(
            f"({filled(e, row)})" if e.table == table.name else self._is_detail(e, row, "1") for e in edges
        )

    def _has_asked(self, edge: ForeignKey, row: str) -> str:
        if edge in self.people.details:
            return self._is_detail(edge, row, "asked")
        child, person = self.schema[edge.table], self.schema[edge.other_table]
        return (
            f"EXISTS (SELECT 1 FROM {person.source('o')} "
            f"WHERE {same_row(edge, child, person, c=row, p='o')} AND {self._is_asked(person, 'o')})"
        )

    def _is_detail(self, edge: ForeignKey, row: str, condition: str) -> str:
        named = self.detail_rows(edge)
        return f"EXISTS (SELECT 1 FROM {named.name} AS d WHERE {named.joined('d', row)} AND {condition})"

    def detail_rows(self, edge: ForeignKey) -> KeyTable:
        """Return the rows that people name by a reference as details of theirs; columns ``asked`` and ``people``."""
        return self.details.named(edge, self._is_asked(self.schema[edge.table], "c"))

    def _level(self, name: str) -> KeyTable:
        if name not in self.known:
            self.known[name] = KeyTable(
                self.snapshot, self.schema[name], ", own INTEGER, verdict INTEGER, step INTEGER"
            )
            self.known[name].index(["step"])
        return self.known[name]

    def _climb(self, start: KeyTable, chosen: str, enough: int | None = None) -> int:
        """Record the ``chosen`` start rows and all rows above them, up to rows whose own owners are ``enough``.

        By default these are owners that no parent's can outdo. Returns the number of the first step. Rows that are
        known from an earlier climb are not visited again."""
        self.step += 1
        first, enough = self.step, enough or self.settled
        begun = self._learn(self._level(start.table.name), f"{start.name} AS s", start.joined("s", "r"), chosen)
        fresh = {start.table.name} if begun else set()
        self._climbed = set(fresh)
        while fresh:
            reached = set()
            for name in fresh:
                for edge in self._edges_up(name):
                    child, parent = self.schema[name], self.schema[edge.other_table]
                    level = self._level(name)
                    source = (
                        f"{level.name} AS v CROSS JOIN main.{quote(name)} AS c ON {level.joined('v', 'c')} "
                        f"AND v.step = {self.step} AND v.own < {enough}"
                    )
                    on = same_row(edge, child, parent, p="r")
                    if self._learn(self._level(parent.name), source, on, "1", ahead=1):
                        reached.add(parent.name)
            self.step += 1
            fresh = reached
            self._climbed |= reached
        return first

    def _learn(self, level: KeyTable, source: str, on: str, chosen: str, ahead: int = 0) -> int:
        own, verdict = self._own(level.table, "r")
        return self.snapshot.execute(
            f"INSERT OR IGNORE INTO {level.name} SELECT {level.key_of('r')}, {own}, {verdict}, "
            f"{self.step + ahead} FROM {source} CROSS JOIN {level.table.source('r')} ON {on} WHERE {chosen}"
        ).rowcount

    def _inherit(self, edge: ForeignKey, which: str) -> int:
        """Pass verdicts from parents to children along one edge, and return how many rows changed.

        ``which`` is a condition on the known child rows (alias ``v``)."""
        if edge.table not in self.known or edge.other_table not in self.known:
            return 0
        child, parent = self.schema[edge.table], self.schema[edge.other_table]
        below, above = self.known[child.name], self.known[parent.name]
        highest = (
            f"(SELECT max(u.verdict) FROM {child.source('c')} "
            f"CROSS JOIN {parent.source('p')} ON {same_row(edge, child, parent)} "
            f"CROSS JOIN {above.name} AS u ON {above.joined('u', 'p')} WHERE {below.joined('v', 'c')})"
        )
        return self.snapshot.execute(
            f"UPDATE {below.name} AS v SET verdict = {highest} WHERE {which} AND max(v.own, v.verdict) < {highest}"
        ).rowcount
