"""Gives staged rows other keys before they are written, and changes the references to them along.

A row that is matched by a unique column takes the key of the target's row; with fresh keys, every other row takes
the next free number. The old keys are kept beside the new ones in TEMP tables, so that rows of children find theirs.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from ...database.schema import ForeignKey, Table, fold, literal, quote
from ...selection.annotated_schema import AnnotatedSchema
from ...selection.graph import Graph
from ..choices import ImportChoices
from ..report import FindingCollector, NewKeys
from ..staging.columns import ColumnMapping
from ..staging.database import StagedTable
from ..target import Target
from .row_matching import unique_collations
from .samples import HIDDEN, shown

_LARGEST = 2**63 - 1
_TOLD = 10_000  # runs of keys in a table's report


class OtherKeys:
    """Changes keys in the staging database, which is attached as ``schema``, inside the import's transaction."""

    def __init__(
        self,
        target: Target,
        schema: str,
        intake: ColumnMapping,
        known: AnnotatedSchema,
        choices: ImportChoices,
        findings: FindingCollector,
    ) -> None:
        self.connection, self.schema, self.known = target.connection, schema, known
        self.choices, self.findings = choices, findings
        self.staged, self.document = intake.staging.tables, intake.document
        self.edges = [e for e in known.edges if e.problem is None and self._gives(e.table, e.reads)]
        inside = tuple(e for e in self.edges if self._gives(e.other_table, e.other_columns))
        self.graph = Graph(tuple(n for n, t in known.schema.items() if n in self.staged and t.storable), inside)
        self._before: dict[str, str] = {}  # TEMP tables: line, and the columns by which rows are found
        self._after: dict[str, str] = {}

    def _gives(self, table: str, columns: Sequence[str]) -> bool:
        return table in self.staged and set(columns) <= set(self.staged[table].columns)

    def run(self) -> dict[str, list[NewKeys]]:
        """Change keys and references, and return the keys that were changed, by table."""
        if self.choices.keys == "new":
            self._refuse_what_would_stay()
            if self.findings.errors:
                return {}
        for name in self.graph.parents_first():
            staged, table = self.staged[name], self.staged[name].table
            edges = [e for e in self.graph.up(name) if e.other_table in self._after]
            fresh = self.choices.keys == "new" and self._numbered(table)
            if not (edges or fresh or staged.match):
                continue
            self._before[name] = self._copied(staged)
            for edge in edges:
                self._follow(edge)
            found = self._match(staged) if staged.match and table.pk and self._gives(name, table.pk) else None
            if fresh:
                self._number(staged, found)
            self._after[name] = self._copied(staged)
        for edge in self.graph.edges:
            if edge.other_table in self._after and edge in self.graph.deferred():
                self._close(edge)
        if self.choices.keys == "new":
            self._tell_outside()
        return {name: list(self._changed(name)) for name in self._after}

    def _refuse_what_would_stay(self) -> None:
        """Refuse what could not go along with new keys: it would be, or refer to, another row's."""
        for name, staged in self.staged.items():
            if not staged.table.storable and staged.rows:
                self.findings.add(
                    "key",
                    f"The rows of {name}, a virtual table, cannot get new keys: leave it out, by the argument without.",
                    name,
                )
        known = {(fold(e.table), tuple(map(fold, e.columns)), fold(e.other_table)) for e in self.known.edges}
        for name, table in self.document.tables.items() if self.document is not None else ():
            for key in table.foreign_keys:
                told = (fold(name), tuple(map(fold, key.columns)), fold(key.table))
                if told in known or not self._gives(name, key.columns) or key.table not in self.staged:
                    continue
                if self._may_change(key.table, key.other_columns):
                    columns = f"{name}.{','.join(key.columns)}"
                    self.findings.add(
                        "key",
                        f"In the file {columns} refers to {key.table}, here it does not: with new keys it would name "
                        "other rows. Declare it in the settings (virtual_foreign_keys).",
                        name,
                        ", ".join(key.columns),
                    )

    def _may_change(self, name: str, columns: Sequence[str]) -> bool:
        """Return whether rows may get other values in these columns, or in the key where none are named."""
        staged = self.staged[name]
        changing = set(staged.table.pk) if staged.match or self._numbered(staged.table) else set()
        changing |= {column for edge in self.edges if edge.table == name for column in edge.columns}
        return bool({fold(c) for c in columns or staged.table.pk} & {fold(c) for c in changing})

    def _numbered(self, table: Table) -> bool:
        """Return whether the rows have a number of their own for a key, which may be another."""
        if len(table.pk) != 1 or not self._gives(table.name, table.pk):
            return False
        column = table.column(table.pk[0])
        own = not any(table.pk[0] in e.columns for e in self.known.edges if e.table == table.name)
        if own and (column is None or column.affinity != "INTEGER"):
            told = f"The rows of {table.name} keep their keys: these are no numbers."
            self.findings.add("key", told, table.name, table.pk[0], error=False)
            return False
        return own

    def _columns(self, name: str) -> list[str]:
        """Return the columns by which rows of a table are found: the key, and those that references name."""
        staged = self.staged[name]
        wanted = {*staged.table.pk, *(c for e in self.graph.down(name) for c in e.other_columns)}
        return [c for c in staged.columns if c in wanted]

    def _copied(self, staged: StagedTable) -> str:
        """Return a TEMP table with the line, and as ``k0``, ``k1``, … the values by which rows are found now."""
        name, table = f'temp."program_export_{secrets.token_hex(8)}"', staged.table
        columns = self._columns(table.name)
        parts = ["line INTEGER PRIMARY KEY"]
        for place, column in enumerate(columns):
            facts = table.column(column)
            affinity = facts.affinity if facts is not None else "BLOB"
            parts.append(f"k{place} {affinity} COLLATE {quote(table.collation(column))}")
        self.connection.execute(f"CREATE TABLE {name} ({', '.join(parts)})")
        values = "".join(f", {staged.value(c)}" for c in columns)
        self.connection.execute(f"INSERT INTO {name} SELECT s.line{values} FROM {staged.source(self.schema)}")
        for edge in self.graph.down(table.name):
            places = ", ".join(f"k{columns.index(c)}" for c in edge.other_columns)
            index = f'temp."program_export_{secrets.token_hex(8)}"'
            self.connection.execute(f"CREATE INDEX {index} ON {name.removeprefix('temp.')} ({places})")
        return name

    def _follow(self, edge: ForeignKey) -> None:
        """Let the child's rows refer to what their parents' keys have become."""
        child, columns = self.staged[edge.table], self._columns(edge.other_table)
        places = [columns.index(c) for c in edge.other_columns]
        # the parent's column is the left operand: its affinity and collation decide, as for SQLite's foreign keys
        same = " AND ".join(f"o.k{p} = +{child.value(c)}" for p, c in zip(places, edge.columns))
        self._set(
            child,
            edge.columns,
            f"SELECT s.line, {', '.join(f'n.k{p}' for p in places)} FROM {child.source(self.schema)} "
            f"CROSS JOIN {self._before[edge.other_table]} AS o ON {same}{self._holds(edge)} "
            f"CROSS JOIN {self._after[edge.other_table]} AS n ON n.line = o.line",
        )

    def _holds(self, edge: ForeignKey) -> str:
        child = self.staged[edge.table]
        return "".join(f" AND {child.value(c)} IN ({', '.join(map(literal, values))})" for c, values in edge.where)

    def _set(self, staged: StagedTable, columns: Sequence[str], query: str) -> str:
        """Set columns of the rows that a query yields as line and values; return a TEMP table of them."""
        moved = f'temp."program_export_{secrets.token_hex(8)}"'
        names = [f"k{i}" for i in range(len(columns))]
        self.connection.execute(f"CREATE TABLE {moved} (line INTEGER PRIMARY KEY, {', '.join(names)})")
        self.connection.execute(f"INSERT OR IGNORE INTO {moved} {query}")
        for name, column in zip(names, columns):
            place = staged.columns.index(column)
            self.connection.execute(
                f"UPDATE {self.schema}.{staged.holder(place)} AS x SET {staged.raw[place]} = m.{name} "
                f"FROM {moved} AS m WHERE m.line = x.line"
            )
        return moved

    def _match(self, staged: StagedTable) -> str:
        """Give the rows that the target has, by their unique columns, the target's key; return which these are."""
        table = staged.table
        collations = unique_collations(table, staged.match)
        same = " AND ".join(f't.{quote(c)} = {staged.value(c)} COLLATE "{o}"' for c, o in zip(staged.match, collations))
        keys = ", ".join(f"t.{quote(c)}" for c in table.pk)
        source = f"{staged.source(self.schema)} CROSS JOIN main.{quote(table.name)} AS t ON {same}"
        return self._set(staged, table.pk, f"SELECT s.line, {keys} FROM {source}")

    def _number(self, staged: StagedTable, matched: str | None) -> None:
        """Give the rows that have a key, but are not matched, the numbers after the highest that was ever given."""
        table = staged.table
        key = table.pk[0]
        execute = self.connection.execute
        (highest,) = execute(
            f"SELECT max({quote(key)}) FROM main.{quote(table.name)} WHERE typeof({quote(key)}) = 'integer'"
        ).fetchone()
        counted = "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'"
        if execute(counted).fetchone() is not None:
            row = execute("SELECT seq FROM main.sqlite_sequence WHERE name = ?", (table.name,)).fetchone()
            highest = max(highest or 0, row[0] if row is not None and isinstance(row[0], int) else 0)
        highest = max(highest or 0, 0)
        if highest > _LARGEST - staged.rows:
            self.findings.add("key", f"{table.name} has no numbers left for new keys.", table.name, key)
            return
        others = f" AND s.line NOT IN (SELECT line FROM {matched})" if matched is not None else ""
        self._set(
            staged,
            table.pk,
            f"SELECT s.line, {highest} + row_number() OVER (ORDER BY s.line) FROM {staged.source(self.schema)} "
            f"WHERE {staged.value(key)} IS NOT NULL{others}",
        )

    def _close(self, edge: ForeignKey) -> None:
        """Follow a reference that closes a circle, now that all keys are there."""
        if set(edge.columns) & set(self._columns(edge.table)):
            told = f"{edge.name} is a key and closes a circle of references: such keys cannot be changed here."
            self.findings.add("key", told, edge.table, ", ".join(edge.columns))
            return
        self._follow(edge)

    def _tell_outside(self) -> None:
        """Tell of references to rows that are not in the file, and may be other rows in the target."""
        for edge in self.edges:
            child = self.staged[edge.table]
            filled = " AND ".join(f"{child.value(c)} IS NOT NULL" for c in edge.columns) + self._holds(edge)
            sql = f"SELECT count(*) FROM {child.source(self.schema)} WHERE {filled}"
            parent = self._after.get(edge.other_table)
            if parent is not None:
                columns = self._columns(edge.other_table)
                pairs = zip(edge.other_columns, edge.columns)
                same = " AND ".join(f"n.k{columns.index(a)} = +{child.value(b)}" for a, b in pairs)
                sql += f" AND NOT EXISTS (SELECT 1 FROM {parent} AS n WHERE {same})"
            elif self._gives(edge.other_table, edge.other_columns):
                continue
            if rows := self.connection.execute(sql).fetchone()[0]:
                who = f"{rows:,} row{'s' if rows != 1 else ''} of {edge.table} refer{'' if rows != 1 else 's'}"
                message = (  # without the other table: a virtual key may name one that this person may not see
                    f"{who} by {', '.join(edge.columns)} to rows that are not in the file: it means the target's rows "
                    "of these keys."
                )
                self.findings.add("reference", message, edge.table, ", ".join(edge.columns), error=False)

    def _changed(self, name: str) -> Iterator[NewKeys]:
        """Yield the keys that became others, in the file's order; numbers that follow each other in one."""
        pk, columns = self.staged[name].table.pk, self._columns(name)
        places = [columns.index(c) for c in pk if c in columns]
        if not pk or len(places) != len(pk):
            return
        secret = set(pk) & set(self.known.secret_columns(self.staged[name].table))
        both = ", ".join(f"{alias}.k{p}" for alias in "on" for p in places)
        cursor = self.connection.execute(
            f"SELECT {both} FROM {self._before[name]} AS o CROSS JOIN {self._after[name]} AS n ON n.line = o.line "
            f"WHERE ({' OR '.join(f'o.k{p} IS NOT n.k{p}' for p in places)}) AND o.k{places[0]} IS NOT NULL "
            "ORDER BY o.line"
        )
        last: NewKeys | None = None
        told = 0
        for row in cursor:
            old, new = (_key(half, bool(secret)) for half in (row[: len(pk)], row[len(pk) :]))
            if last is not None and _follows(last, old, new):
                last.rows += 1
                continue
            if last is not None:
                yield last
            told += 1
            if told > _TOLD:
                message = f"{name} has more new keys than are listed here."
                self.findings.add("key", message, name, ", ".join(pk), error=False)
                return
            last = NewKeys(file=old, target=new)
        if last is not None:
            yield last


def _key(values: Sequence[Any], secret: bool) -> Any:
    found = [HIDDEN if secret else shown(value) for value in values]
    return found[0] if len(found) == 1 else found


def _follows(last: NewKeys, old: Any, new: Any) -> bool:
    numbers = all(isinstance(value, int) for value in (last.file, last.target, old, new))
    return numbers and (old - last.file, new - last.target) == (last.rows, last.rows)
