"""What all scopes share: which tables a person may see, what is left out, secrets.

A scope resolves a request against one snapshot. Everything that can be wrong with it is
raised by that, before the first byte; ``coverage`` tells what was left.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Set
from functools import cached_property
from typing import Any

from ...database.guarding.authorizer import Guard
from ...database.guarding.view_names import ViewNames, view_names
from ...database.schema import Column, ForeignKey, Schema, Table, fold
from ...database.snapshot import Snapshot
from ...errors import DeniedError, NotFoundError, RequestError, UnsupportedError
from ...options.request import Request
from ..catalog import Catalog
from ..graph import Graph
from ..table_rows import TableRows
from ..walk import Walk


class Scope(ABC):
    """The rows of ``request`` on ``snapshot``, for somebody who may see the ``visible`` tables (None: all).

    Two steps follow the construction: ``prepare``, which ``scope_of`` calls, and ``resolve``.

    ``subject`` is the table or query that was asked for, None for a database. After
    ``resolve`` the ``tables`` are there, in parents-first order; ``skipped`` tables are not
    in for a reason of their own, ``unreadable`` ones cannot even be looked into. Both steps
    raise NotFoundError, DeniedError, RequestError, UnsupportedError, TooLargeError."""

    subject: Table | None = None
    walk: Walk | None = None
    blame = "The condition"

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
        self.max_rows = max_rows
        self.schema: Schema = catalog.schema
        self.refused = catalog.refused_tables()
        self.secrets: dict[str, dict[str, str]] = {}
        self.skipped: dict[str, str] = {}
        self.unreadable: set[str] = set()
        self.left_out_tables: set[str] = set()
        self.left_out_columns: dict[str, set[str]] = {}
        self.stopped: set[ForeignKey] = set()
        self.tables: list[TableRows] = []

    def prepare(self) -> None:
        """Understand what is asked for, before any row is looked at."""
        self.leave_out()

    @property
    def name(self) -> str:
        """What the scope is called in a file's name."""
        return self.subject.name if self.subject is not None else self.request.scope

    @abstractmethod
    def resolve(self) -> None:
        """Find the rows. When this is interrupted, ``walk`` still tells how far it came."""

    def title(self) -> str:
        """What the one record asked for is called, if one was."""
        return ""

    def detail(self) -> str:
        """What tells the one record asked for from others of the same title."""
        return ""

    def choices(self, most: int, skip: int = 0, find: str = "") -> list[tuple[str, str]]:
        """Rows of a table, by row path and title, to pick from; none where rows have no name."""
        return []

    def labels(self) -> dict[str, tuple[str, str]]:
        """Per table: what one of its rows is called, and several; of tables that this person may see."""
        words = {name: self.catalog.subject(name) for name in self.schema if self.find(name) is not None}
        return {name: (w.label, w.plural) for name, w in words.items() if w.label and w.plural}

    @property
    def graph(self) -> Graph:
        """The tables that are in, and the references between them that were not stopped."""
        return self.catalog.graph([s.table.name for s in self.tables], self.stopped)

    @property
    def edges(self) -> list[ForeignKey]:
        """The references that this person can know of: not those that only the site's settings say of hidden tables."""
        return [e for e in self.catalog.edges if not (e.virtual and self.find(e.other_table) is None)]

    def find(self, name: str) -> Table | None:
        """The table of that name, as far as this person can know of it."""
        table = self.schema.find(name)
        if table is None or (self.visible is not None and table.name not in self.visible):
            return None
        return table

    def table(self, name: str) -> Table:
        """The table of that name, to be exported. Raises what stands against that."""
        table = self.find(name)
        if table is None or fold(name).startswith("sqlite_"):
            seen = "" if self.visible is None else ", or you may not see it"
            raise NotFoundError(f"There is no table {name} in {self.snapshot.source.name}{seen}.")
        if self.visible is not None and not self.catalog.readable(table, self.visible):
            raise DeniedError(f"You may not see all that {table.name} is made from.")
        if table.problem:
            raise UnsupportedError(f"{table.name} cannot be read: {table.problem}.")
        if refusal := self.refused.get(fold(table.name)):
            raise DeniedError(f"{table.name} cannot be exported: {refusal}.")
        return table

    def leave_out(self) -> None:
        """Read ``without``: tables, or columns as ``table.column``."""
        longest = max(map(len, self.schema), default=0)
        for name in self.request.without:
            whole = self.find(name)
            if whole is not None:
                if whole == self.subject:
                    raise RequestError(f"{whole.name} is what was asked for; it cannot be left out.")
                self.left_out_tables.add(whole.name)
                continue
            for at in (i for i, character in enumerate(name[: longest + 1]) if character == "."):
                table = self.find(name[:at])
                column = table.column(name[at + 1 :]) if table else None
                if table and column:
                    self.left_out_columns.setdefault(table.name, set()).add(column.name)
                    break
            else:
                raise RequestError(f"There is no table or column {name} to leave out.")

    def columns(self, table: Table, chosen: tuple[str, ...] | None = None) -> tuple[Column, ...]:
        """The columns that are written: no secrets, nothing left out; ``chosen`` in its own order."""
        secrets = self.catalog.secrets(table)
        if secrets:
            self.secrets[table.name] = secrets
        wanted = table.visible_columns
        if chosen is not None:
            wanted = tuple(self.column(table, name) for name in dict.fromkeys(chosen))
        if told := [c.name for c in wanted if chosen is not None and c.name in secrets]:
            raise DeniedError(f"{table.name}.{told[0]} was asked for, and is left out as secret.")
        gone = self.left_out_columns.get(table.name, set()) | secrets.keys()
        kept = tuple(c for c in wanted if c.name not in gone)
        if not kept:
            raise UnsupportedError(f"Nothing would be left of {table.name}: all its columns are left out or secret.")
        return kept

    def selected(self, table: Table, chosen: tuple[str, ...] | None = None, **more: Any) -> TableRows:
        """Rows of a table with the columns that are written; ``more`` are Selected's other fields."""
        columns = self.columns(table, chosen)
        secrets = self.catalog.secrets(table)
        return TableRows(table, columns, secret_key=any(part.name in secrets for part in table.key), **more)

    def column(self, table: Table, name: str) -> Column:
        """A table's column. Raises RequestError."""
        column = table.column(name)
        if column is None:
            raise RequestError(f"{table.name} has no column {name}.")
        return column

    def guard(self, blame: str, target: str | None = None, text: str = "") -> Guard:
        """The guard for somebody else's SQL, of which ``text`` comes from outside; ``target`` is filled by it."""
        found = {fold(n): self.catalog.secrets(t) for n, t in self.schema.items()}
        secrets = {n: frozenset(map(fold, columns)) for n, columns in found.items() if columns}
        return Guard(
            blame,
            secrets,
            self.refused,
            self._hidden,
            self._view_names,
            target and target.removeprefix("temp.").strip('"'),
            text,
        )

    @cached_property
    def _hidden(self) -> frozenset[str]:
        return self.catalog.hidden(self.visible)

    @cached_property
    def _view_names(self) -> ViewNames:
        return view_names(self.schema, self._hidden) if self._hidden else ViewNames()

    def probe(self) -> None:
        """Have SQLite understand every statement now: what it cannot run is to be known before the first byte."""
        for chosen in self.tables:
            self.snapshot.execute(
                f"SELECT 1 FROM ({chosen.select(ordered=False)}) LIMIT 0", chosen.params, chosen.guard
            )
