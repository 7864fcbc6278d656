"""What an export holds: which tables, which of their columns, which rows.

``Closure(snapshot, ...)`` resolves a request against one snapshot. Everything that can be
wrong with it is raised here, before the first byte; ``coverage`` tells what was left.
"""

from __future__ import annotations

from collections.abc import Set

from .catalog import Catalog
from .errors import DeniedError, NotFoundError, RequestError, UnsupportedError
from .graph import Graph
from .guard import Guard
from .keys import KeyTable
from .request import Request
from .schema import Column, Schema, Table, fold, quote
from .selected import Selected
from .snapshot import Snapshot
from .walk import Walk


class Closure:
    """The rows of ``request`` on ``snapshot``, for somebody who may see the ``visible`` tables (None: all).

    After ``resolve`` the ``tables`` are there, in parents-first order. Both steps raise
    NotFoundError, DeniedError, RequestError, UnsupportedError, TooLargeError."""

    def __init__(
        self,
        snapshot: Snapshot,
        catalog: Catalog,
        request: Request,
        *,
        visible: Set[str] | None = None,
        max_rows: int | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.catalog = catalog
        self.request = request
        self.visible = visible
        self.schema: Schema = catalog.schema
        self.subject = self._subject()
        self.left_out_tables, self.left_out_columns = self._left_out()
        self.stopped = catalog.edges_named([*catalog.stopped_names(), *request.stop])
        self.parents = request.parents or ("needed" if catalog.persons else "none")
        self.secrets: dict[str, dict[str, str]] = {}
        self.walk = self._new_walk(max_rows) if request.cascades else None
        self.tables: list[Selected] = []

    def resolve(self) -> None:
        """Find the rows. When this is interrupted, ``walk`` still tells how far it came."""
        if self.walk is None:
            self.tables = [self._rows_only()]
            self._probe()
            return
        self.walk.start(self.subject, self._fill)
        self.walk.down()
        if self.parents == "needed":
            self.walk.up()
        self.tables = [self._reached(name) for name in self.walk.graph.parents_first() if self._is_reached(name)]
        self._probe()

    def _probe(self) -> None:
        """Have SQLite understand every statement now: what it cannot run is to be known before the first byte."""
        for chosen in self.tables:
            self.snapshot.execute(
                f"SELECT 1 FROM ({chosen.select(ordered=False)}) LIMIT 0", chosen.params, chosen.guard
            )

    @property
    def graph(self) -> Graph:
        """The tables that are in, and the references between them that were not stopped."""
        return self.catalog.graph([s.table.name for s in self.tables], self.stopped)

    def title(self) -> str:
        """What the record asked for is called: its title columns, else its key; for several, their number."""
        records = self.request.records
        if len(records) != 1:
            return f"{len(records)}-records" if records else ""
        return self.row_title(records[0])

    def row_title(self, record: tuple[str, ...]) -> str:
        """What one row of the subject is called."""
        secrets = self.catalog.secrets(self.subject)
        columns = [c for c in self.catalog.title_columns(self.subject) if c not in secrets]
        if columns:
            texts = ", ".join(f"CAST(r.{quote(c)} AS BLOB)" for c in columns)
            row = self.snapshot.execute(f"SELECT {texts} {self._named(record)}", record).fetchone()
            title = " ".join(value.decode("utf-8", "replace") for value in row if value)
            if title.strip():
                return title
        return ",".join(record)

    def _subject(self) -> Table:
        table = self.schema.find(self.request.table)
        if table is None or fold(self.request.table).startswith("sqlite_"):
            raise NotFoundError(f"There is no table {self.request.table} in {self.snapshot.source.name}.")
        if self.visible is not None and not self.visible >= {table.name, *self.catalog.drawn_from(table)}:
            raise DeniedError(f"You may not see the table {table.name}.")
        if table.problem:
            raise UnsupportedError(f"{table.name} cannot be read: {table.problem}.")
        refusal = self.catalog.refused_tables().get(fold(table.name))
        if refusal:
            raise DeniedError(f"{table.name} cannot be exported: {refusal}.")
        return table

    def _left_out(self) -> tuple[set[str], dict[str, set[str]]]:
        tables: set[str] = set()
        columns: dict[str, set[str]] = {}
        for name in self.request.without:
            whole = self.schema.find(name)
            if whole is not None:
                if whole == self.subject:
                    raise RequestError(f"{whole.name} is what was asked for; it cannot be left out.")
                tables.add(whole.name)
                continue
            for at in (i for i, character in enumerate(name) if character == "."):
                table = self.schema.find(name[:at])
                column = table.column(name[at + 1 :]) if table else None
                if table and column:
                    columns.setdefault(table.name, set()).add(column.name)
                    break
            else:
                raise RequestError(f"There is no table or column {name} to leave out.")
        return tables, columns

    def _columns(self, table: Table, chosen: tuple[str, ...] | None = None) -> tuple[Column, ...]:
        """The columns that are written: no secrets, nothing left out; ``chosen`` in its own order."""
        secrets = self.catalog.secrets(table)
        if secrets:
            self.secrets[table.name] = secrets
        wanted = table.visible_columns
        if chosen is not None:
            wanted = tuple(self._column(table, name) for name in dict.fromkeys(chosen))
        gone = self.left_out_columns.get(table.name, set()) | secrets.keys()
        kept = tuple(c for c in wanted if c.name not in gone)
        if not kept:
            raise UnsupportedError(f"Nothing would be left of {table.name}: all its columns are left out or secret.")
        return kept

    def _column(self, table: Table, name: str) -> Column:
        column = table.column(name)
        if column is None:
            raise RequestError(f"{table.name} has no column {name}.")
        return column

    def _new_walk(self, max_rows: int | None) -> Walk:
        if self.subject.kind == "view" or not self.subject.key:
            raise UnsupportedError(
                f"References cannot be followed from {self.subject.name}: "
                + ("it is a view" if self.subject.kind == "view" else "its rows cannot be told apart")
                + ". Export its rows only (cascade=0)."
            )
        kept = [
            name
            for name in self.schema
            if name not in self.left_out_tables and (self.visible is None or name in self.visible)
        ]
        graph = self.catalog.graph(kept, self.stopped)
        if self.subject.kind != "table":  # a virtual table has no references, but its row can be asked for
            graph = Graph((*graph.tables, self.subject.name), graph.edges)
        withhold = self.request.others == "withhold"
        return Walk(self.snapshot, self.catalog, graph, withhold=withhold, max_rows=max_rows)

    def _fill(self, keys: KeyTable) -> None:
        if self.request.records:
            for record in dict.fromkeys(self.request.records):
                self._fill_record(keys, record)
            return
        chosen = self._condition(target=keys.name)
        limited = chosen.limit is not None or bool(chosen.offset)
        select = chosen.select(keys.key_of(chosen.alias), ordered=limited)
        self.snapshot.execute(f"INSERT INTO {keys.name} {select}", chosen.params, chosen.guard)

    def _fill_record(self, keys: KeyTable, record: tuple[str, ...]) -> None:
        key = keys.key_of("r")
        self.snapshot.execute(f"INSERT OR IGNORE INTO {keys.name} SELECT {key} {self._named(record)}", record)

    def _named(self, record: tuple[str, ...]) -> str:
        """The one row (alias ``r``) that a row path names, as FROM and WHERE; the path's parts are the parameters."""
        table = self.subject
        names = table.pk or ((table.rowid,) if table.rowid else ())
        if len(record) != len(names):
            raise RequestError(f"A row of {table.name} is named by {len(names)} value(s): {', '.join(names)}.")
        conditions = [" AND ".join(f"r.{quote(n)} = ?" for n in names)]
        if any((c := table.column(n)) and c.affinity == "BLOB" for n in names):
            # a column without a type holds 1 and '1' apart, but a path spells them alike
            conditions.append(" AND ".join(f"CAST(r.{quote(n)} AS TEXT) = ?" for n in names))
        for condition in conditions:
            rows = f"FROM main.{quote(table.name)} AS r WHERE {condition}"
            found = self.snapshot.execute(f"SELECT count(*) {rows}", record).fetchone()[0]
            if found > 1:
                raise RequestError(f"{', '.join(record)} names {found} rows of {table.name}, not one.")
            if found:
                return rows
        raise NotFoundError(f"There is no row {', '.join(record)} in {table.name}.")

    def _is_reached(self, name: str) -> bool:
        """Whether a table is in: it holds rows of this export, or could have held children of its subject."""
        assert self.walk is not None
        reached = self.walk.reached.get(name)
        if reached is not None and any(reached.counts.values()):
            return True
        return name in self.walk.graph.reachable_down([self.subject.name])

    def _reached(self, name: str) -> Selected:
        assert self.walk is not None
        table = self.schema[name]
        reached = self.walk.reach(name)
        sort = self._sort() if table == self.subject else ()
        return Selected(table, self._columns(table), reached.keys, sort=sort)

    def _rows_only(self) -> Selected:
        if not self.request.records and not self._needs_keys():
            return self._condition()
        keys = KeyTable(self.snapshot, self.subject)
        self._fill(keys)
        return Selected(self.subject, self._columns(self.subject, self.request.columns), keys, sort=self._sort())

    def _needs_keys(self) -> bool:
        """Whether it must be known of each row that it is in, to say which references dangle."""
        request = self.request
        limited = request.limit is not None or bool(request.offset)
        edges = [e for e in self.catalog.edges if e.table == self.subject.name]
        to_itself = any(e.other_table == self.subject.name for e in edges)
        return bool(self.subject.key) and ((limited and bool(edges)) or (bool(request.where) and to_itself))

    def _condition(self, target: str | None = None) -> Selected:
        """The subject's rows by the request's conditions; ``target`` is a key table to be filled with them."""
        request = self.request
        guard = self._guard(target)
        for clause in request.where:
            guard.check_text(clause)
        return Selected(
            self.subject,
            self._columns(self.subject, request.columns),
            where=request.where,
            params=request.params,
            sort=self._sort(),
            limit=request.limit,
            offset=request.offset,
            guard=guard if request.where or self.subject.kind != "table" else None,
        )

    def _sort(self) -> tuple[tuple[str, bool], ...]:
        secrets = self.catalog.secrets(self.subject)
        for name, _ in self.request.sort:
            if name != self.subject.rowid and self._column(self.subject, name).name in secrets:
                raise DeniedError(f"{self.subject.name} cannot be sorted by {name}, which is left out as secret.")
        return self.request.sort

    def _guard(self, target: str | None = None) -> Guard:
        found = {fold(n): self.catalog.secrets(t) for n, t in self.schema.items()}
        secrets = {n: frozenset(map(fold, columns)) for n, columns in found.items() if columns}
        blame = "The condition" if self.request.where else f"The {self.subject.kind} {self.subject.name}"
        return Guard(blame, secrets, self.catalog.refused_tables(), target and target.removeprefix("temp.").strip('"'))
