"""The CREATE statements that rebuild the exported tables, with their indexes, views and triggers.

Nothing is guessed: before any row is read, the statements run in an empty database in memory.
What SQLite refuses there is reported with its reason.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, cast

from ..database.connections.scratch import firing, refusal, scratch_database
from ..database.library import sqlite3
from ..database.schema import Column, ForeignKey, Table, fold, quote
from ..database.virtual_tables import OF_INDEXES, indexed_by, keeps_rows, rebuilding
from ..formats.description.schema import NOT_HERE, DatabaseFacts, DocumentObject, Encoding, NotCarried, ObjectKind
from ..selection.scopes.base import Scope
from ..selection.table_rows import TableRows

_KINDS = ("index", "view", "virtual", "trigger")  # in the order of their creation
# not sqlite-utils' schema, which has no names, and the tables that SQLite makes by itself
_DEFINITIONS = "SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
_ALL = 1_000_000


@dataclass
class Structure:
    """The statements, and what could not be kept.

    ``tables`` has a CREATE TABLE per exported table, with the columns that are written. ``objects`` are
    the name, type, table and statement of what is created after the rows; ``not_carried`` is what cannot
    be created, and why. ``facts`` describe the database: its encoding and, for the scope ``database``,
    user_version, application_id and sequences."""

    facts: DatabaseFacts
    tables: dict[str, str] = field(default_factory=dict)
    objects: list[DocumentObject] = field(default_factory=list)
    not_carried: list[NotCarried] = field(default_factory=list)


def structure(scope: Scope) -> Structure:
    """Return the statements that create the tables of this scope in another database."""
    facts = _facts(scope)
    if scope.request.scope == "query":
        return _made(scope, facts)
    return replace(scope.annotated.kept(("statements", *told(scope)), lambda: _made(scope, facts)), facts=facts)


def told(scope: Scope) -> tuple[Hashable, ...]:
    """Return all that the statements depend on, beside the schema, the settings and the preset."""
    tables = tuple((s.table.name, tuple(c.name for c in s.columns)) for s in scope.tables)
    seen = None if scope.visible is None else frozenset(scope.visible)
    left_out = frozenset(scope.left_out_tables), frozenset(scope.refused)
    return scope.annotated.with_secrets, tables, scope.request.scope, seen, *left_out


def _made(scope: Scope, facts: DatabaseFacts) -> Structure:
    made = Structure(facts)
    source = scope.snapshot.source
    with scratch_database(source.library, source.prepare) as scratch:
        building = _Building(scratch, scope, made)
        for chosen in scope.tables:
            made.tables[chosen.table.name] = building.table(chosen)
        if scope.request.scope != "query":
            building.objects()
    return made


def _facts(scope: Scope) -> DatabaseFacts:
    facts = DatabaseFacts(cast(Encoding, scope.schema.encoding))
    if scope.request.scope != "database":
        return facts
    numbers = scope.schema.numbers
    facts = replace(facts, user_version=numbers.get("user_version", 0), application_id=numbers.get("application_id", 0))
    if _read(scope, "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_stat1'"):
        facts = replace(facts, analyzed=True)
    if _read(scope, "SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'"):
        tables = {s.table.name for s in scope.tables}
        counted = _read(scope, "SELECT name, seq FROM main.sqlite_sequence ORDER BY name")
        facts = replace(facts, sequences={name: number for name, number in counted if name in tables})
    return facts


def _read(scope: Scope, sql: str) -> list[Any]:
    return scope.snapshot.sample(sql, (), None, _ALL)


class _Building:
    """Runs the source's statements in the scratch database and records what SQLite refuses."""

    def __init__(self, scratch: sqlite3.Connection, scope: Scope, made: Structure) -> None:
        self.scratch = scratch
        self.scope = scope
        self.made = made
        self.hidden = bool(scope.annotated.hidden(scope.visible))
        self.others = scope.visible is not None and scope.annotated.holds_unseen(scope.visible)

    def table(self, chosen: TableRows) -> str:
        """Create the table and return the statement that did."""
        table = chosen.table
        kept = {c.name for c in chosen.columns}
        partly = self.scope.annotated.secret_paths(table)
        if kept & partly.keys():
            return self._without_parts(chosen, set(partly))
        if keeps_rows(table) and kept >= {c.name for c in table.visible_columns} and table.sql is not None:
            if (why := refusal(self.scratch, table.sql)) is None:
                return table.sql
            self.made.not_carried.append(NotCarried(type="virtual", table=table.name, why=why))
        if table.kind == "table" and table.sql is not None:
            with suppress(sqlite3.Error, self.scratch.Error):
                return self._as_written(table, kept)
            with suppress(self.scratch.Error):
                self.scratch.execute(f"DROP TABLE IF EXISTS main.{quote(table.name)}")
        sql = anew(table, chosen.columns, self.scope.edges)
        if table.kind == "table":
            why = (
                "its definition needs a column that is left out: checks, collations and generated columns are not kept"
            )
            self.made.not_carried.append(NotCarried(type="constraints", table=table.name, why=why))
        refusal(self.scratch, sql)  # fails for a name reserved by SQLite: its rows are exported all the same
        return sql

    def _without_parts(self, chosen: TableRows, partly: set[str]) -> str:
        """Create the table without the columns of which a part is secret: what names them may hold that part too.

        Return a statement with these columns, but without their defaults."""
        why = "its definition names a column of which a part is secret: checks, collations and defaults are not kept"
        self.made.not_carried.append(NotCarried(type="constraints", table=chosen.table.name, why=why))
        bare = tuple(replace(c, default=None) if c.name in partly else c for c in chosen.columns)
        others = tuple(c for c in bare if c.name not in partly)
        if others:
            refusal(self.scratch, anew(chosen.table, others, self.scope.edges))
        return anew(chosen.table, bare, self.scope.edges)

    def _as_written(self, table: Table, kept: set[str]) -> str:
        self.scratch.execute(table.sql or "")
        gone = [c for c in table.columns if c.name not in kept]
        for column in sorted(gone, key=lambda c: not c.generated):  # first those that are computed from others
            self.scratch.execute(f"ALTER TABLE main.{quote(table.name)} DROP COLUMN {quote(column.name)}")
        query = "SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?"
        return str(self.scratch.execute(query, (table.name,)).fetchone()[0])

    def objects(self) -> None:
        """Create the indexes, views and triggers of the tables, in this order; each must work."""
        candidates = list(self._candidates())
        for kind in _KINDS:
            for found in (c for c in candidates if c.type == kind):
                why = self._trigger(found) if kind == "trigger" else refusal(self.scratch, found.sql)
                if kind == "virtual" and why is None:
                    why = self._filled(found)
                self._keep(found, why)
            if kind == "view":
                self._drop_broken_views()

    def _candidates(self) -> Iterator[DocumentObject]:
        """Yield the source's objects that concern these tables and that this person may know of."""
        scope = self.scope
        tables = {fold(s.table.name) for s in scope.tables if s.table.kind == "table"}
        views: set[str] = set()
        whole = scope.request.scope == "database"
        for kind, name, table, sql in sorted(_read(scope, _DEFINITIONS), key=_after_what_it_needs):
            if kind == "view":
                view = scope.find(name)
                wanted = whole and view is not None and name not in scope.left_out_tables
                views |= {fold(name)} if wanted else set()
            elif kind == "table":
                shown = self._search_index(name, tables, views) if whole else None
                kind, table, wanted = "virtual", shown or table, shown is not None
            elif kind == "trigger" and self.others:
                wanted = False  # it may name a table that they may not see
                if fold(table) in tables:
                    self._no_triggers(table)
            else:
                wanted = kind in _KINDS and fold(table) in tables | views
            if wanted and fold(name) not in scope.refused:
                yield DocumentObject(cast(ObjectKind, kind), name, table, sql)

    def _no_triggers(self, table: str) -> None:
        told = NotCarried(type="triggers", table=table, why="they may name tables that you may not see")
        if told not in self.made.not_carried:
            self.made.not_carried.append(told)

    def _search_index(self, name: str, tables: set[str], views: set[str]) -> str | None:
        """Return the table that a search index shows, if all that it shows is here and this person may know of it."""
        scope = self.scope
        index = scope.find(name)
        if index is None or index.problem or name in scope.left_out_tables or index.module in OF_INDEXES:
            return None
        origins = indexed_by(index)
        if self.others and scope.visible is not None and not scope.annotated.readable(index, scope.visible):
            return None
        return origins[0] if origins and tables | views >= set(map(fold, origins)) else None

    def _filled(self, found: DocumentObject) -> str | None:
        """Fill a search index from its table, here without rows; drop it and return the reason if that fails."""
        why = refusal(self.scratch, rebuilding(found.name))
        if why is not None:
            refusal(self.scratch, f"DROP TABLE main.{quote(found.name)}")
        return why

    def _trigger(self, found: DocumentObject) -> str | None:
        """Create a trigger if SQLite still prepares the statements that fire it; return the reason if not."""
        fired_by = list(firing(self.scratch, found.table))
        before = [refusal(self.scratch, f"EXPLAIN {sql}") for sql in fired_by]
        if why := refusal(self.scratch, found.sql):
            return why
        for sql, known in zip(fired_by, before):
            if (why := refusal(self.scratch, f"EXPLAIN {sql}")) and why != known:
                self.scratch.execute(f"DROP TRIGGER main.{quote(found.name)}")
                return why
        return None

    def _drop_broken_views(self) -> None:
        """Drop the views that do not work: SQLite creates any view. Repeat for the views that use them."""
        while True:
            views = [o for o in self.made.objects if o.type == "view"]
            broken = [
                (o, why) for o in views if (why := refusal(self.scratch, f"SELECT 1 FROM main.{quote(o.name)} LIMIT 0"))
            ]
            if not broken:
                return
            for found, why in broken:
                self.scratch.execute(f"DROP VIEW main.{quote(found.name)}")
                self.made.objects.remove(found)
                self._keep(found, why)

    def _keep(self, found: DocumentObject, why: str | None) -> None:
        if why is None:
            self.made.objects.append(found)
            return
        if self.hidden and found.type in ("view", "virtual", "trigger"):
            why = NOT_HERE  # SQLite's own message would name it
        self.made.not_carried.append(NotCarried(type=found.type, name=found.name, table=found.table, why=why))


def _after_what_it_needs(definition: tuple[str, str, str, str]) -> int:
    """Return where a definition comes: search indexes after the views that they may show, triggers last."""
    return {"trigger": 2, "table": 1}.get(definition[0], 0)


def anew(table: Table, columns: tuple[Column, ...], edges: list[ForeignKey]) -> str:
    """Return a CREATE TABLE made from the reflected schema, for a table whose own statement cannot be used.

    For a query, a view or a virtual table it declares no types, so that no value is converted."""
    if table.kind != "table":
        return f"CREATE TABLE {quote(table.name)} ({', '.join(quote(c.name) for c in columns)})"
    kept = {c.name for c in columns}
    keyed = bool(table.pk) and kept.issuperset(table.pk)
    parts = []
    for column in columns:
        part = f"{quote(column.name)} {column.type}".rstrip()
        if keyed and table.integer_key == column.name:
            part += " PRIMARY KEY"
        part += " NOT NULL" if column.notnull else ""
        parts.append(part + (f" DEFAULT ({column.default})" if column.default is not None else ""))
    if keyed and table.integer_key is None:
        parts.append(f"PRIMARY KEY ({', '.join(map(quote, table.pk))})")
    for edge in edges:
        if edge.table == table.name and not edge.virtual and kept.issuperset(edge.columns):
            others = ", ".join(map(quote, edge.other_columns))
            own = ", ".join(map(quote, edge.columns))
            parts.append(
                f"FOREIGN KEY ({own}) REFERENCES {quote(edge.other_table)}"
                + (f" ({others})" if others else "")
                + f" ON DELETE {edge.on_delete} ON UPDATE {edge.on_update}"
            )
    options = [
        o for o, wanted in (("STRICT", table.strict), ("WITHOUT ROWID", table.without_rowid and keyed)) if wanted
    ]
    return f"CREATE TABLE {quote(table.name)} ({', '.join(parts)})" + (f" {', '.join(options)}" if options else "")
