"""What all scopes share: the tables that a person may see, what is left out, secrets.

A scope resolves a request against one snapshot. Every error in the request is raised then, before the first byte;
``coverage`` lists what was left out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Set
from functools import cached_property
from typing import Any

from ...database.guarding.authorizer import ForeignSqlGuard
from ...database.guarding.view_names import ViewNames, view_names
from ...database.schema import Column, ForeignKey, Schema, Table, fold
from ...database.snapshot import Snapshot
from ...database.virtual_tables import row_number
from ...errors import DeniedError, NotFoundError, RequestError, SourceError, UnsupportedError
from ...options.request import NOBODY, Request
from ...options.suggestion import meant
from ..annotated_schema import AnnotatedSchema
from ..graph import Graph
from ..owners.rules import Rules
from ..secret_paths import Path, SecretPaths
from ..table_rows import TableRows
from ..walk import Walk

_NO_PATHS: Mapping[str, tuple[Path, ...]] = {}


class Scope(ABC):
    """The rows of ``request`` on ``snapshot``, for a person who may see the ``visible`` tables (None: all).

    Two steps follow the construction: ``prepare``, which ``scope_of`` calls, and ``resolve``.

    ``subject`` is the table or query that was asked for, None for a database. ``resolve`` sets ``tables``, in
    parents-first order. ``skipped`` holds the tables that are not in the export for some other reason,
    ``unreadable`` those that cannot be read at all. Both steps raise NotFoundError, DeniedError, RequestError,
    UnsupportedError and TooLargeError; PluginError for a plugin's rules that cannot be applied."""

    subject: Table | None = None
    walk: Walk | None = None
    sql_name = "The condition"

    def __init__(
        self,
        snapshot: Snapshot,
        annotated: AnnotatedSchema,
        request: Request,
        *,
        visible: Set[str] | None = None,
        max_rows: int | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.annotated = annotated
        self.request = request
        self.visible = visible
        self.max_rows = max_rows
        self.schema: Schema = annotated.schema
        self.rules = Rules(snapshot, annotated)
        self.refused = self.rules.refused() | annotated.refused_tables()
        self.secrets: dict[str, dict[str, str]] = {}
        self.skipped: dict[str, str] = {}
        self.unreadable: set[str] = set()
        self.left_out_tables: set[str] = set()
        self.left_out_columns: dict[str, set[str]] = {}
        self.stopped: set[ForeignKey] = set()
        self.tables: list[TableRows] = []

    def prepare(self) -> None:
        """Check the request before any row is read."""
        self.leave_out()

    @property
    def name(self) -> str:
        """The scope's name, as used in file names."""
        return self.subject.name if self.subject is not None else self.request.scope

    @abstractmethod
    def resolve(self) -> None:
        """Find the rows. If this is interrupted, ``walk`` holds what was reached so far."""

    def find_rows(self) -> None:
        """Do as ``resolve``. Raises SourceError that names the table, where just one is asked for."""
        try:
            self.resolve()
        except SourceError as error:
            if self.subject is None or self.walk is not None:
                raise
            raise error.of_table(self.subject.name, self.snapshot.source.name) from error

    def title(self) -> str:
        """Return the title of the one record that was asked for; empty if there is not exactly one."""
        return ""

    def detail(self) -> str:
        """Return what distinguishes the one record asked for from others with the same title."""
        return ""

    def choices(self, most: int, skip: int = 0, find: str = "") -> list[tuple[str, str]]:
        """Return rows of a table to pick from, as (row path, title) pairs; none if rows have no name."""
        return []

    def labels(self) -> dict[str, tuple[str, str]]:
        """Return the singular and plural name of a row, per table that this person may see."""
        words = {name: self.annotated.subject(name) for name in self.schema if self.find(name) is not None}
        return {name: (w.label, w.plural) for name, w in words.items() if w.label and w.plural}

    def people_to_name(self) -> tuple[str, ...]:
        """Return the tables of people that this person may see, as a request names them: ``none`` for none."""
        return tuple(t for t in self.annotated.persons if self.find(t) is not None) or (NOBODY,)

    @property
    def graph(self) -> Graph:
        """The tables of the export, and the references between them that were not stopped."""
        return self.annotated.graph([s.table.name for s in self.tables], self.stopped)

    @property
    def edges(self) -> list[ForeignKey]:
        """The references that this person may know of.

        Virtual foreign keys (from the site's settings) to hidden tables are not among them."""
        return [e for e in self.annotated.edges if not (e.virtual and self.find(e.other_table) is None)]

    def find(self, name: str) -> Table | None:
        """Return the table of that name, or None if there is none or this person may not see it."""
        table = self.schema.find(name)
        if table is None or (self.visible is not None and table.name not in self.visible):
            return None
        return table

    def table(self, name: str) -> Table:
        """Return the table of that name, to be exported.

        Raises NotFoundError, DeniedError or UnsupportedError if it cannot be."""
        table = self.find(name)
        if table is None or fold(name).startswith("sqlite_"):
            seen = "" if self.visible is None else ", or you may not see it"
            likely = meant(name, (n for n in self.schema if self._may_be_meant(n)))
            raise NotFoundError(f"There is no table {name} in {self.snapshot.source.name}{seen}.{likely}")
        if self.visible is not None and not self.annotated.readable(table, self.visible):
            raise DeniedError(f"You may not see all that {table.name} is made from.")
        if table.problem:
            raise UnsupportedError(f"{table.name} cannot be read: {table.problem}.")
        if refusal := self.refused.get(fold(table.name)):
            raise DeniedError(f"{table.name} cannot be exported: {refusal}.")
        return table

    def _may_be_meant(self, name: str) -> bool:
        """Return whether a table is offered in place of a name that is none: this person may export it."""
        table = self.find(name)
        if table is None or table.problem or fold(name) in self.refused or fold(name).startswith("sqlite_"):
            return False
        return table.kind != "shadow" and (self.visible is None or self.annotated.readable(table, self.visible))

    def leave_out(self) -> None:
        """Parse the request's ``without``: names of tables, or of columns as ``table.column``.

        Raises RequestError for an unknown name, and for the subject itself."""
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
                known = [n for n in self.schema if self._may_be_meant(n)]
                table = self.find(name.partition(".")[0])
                if table is not None and table.name in known:
                    known = [f"{table.name}.{c.name}" for c in table.visible_columns]
                raise RequestError(f"There is no table or column {name} to leave out.{meant(name, known)}")

    def columns(
        self, table: Table, chosen: tuple[str, ...] | None = None, paths: Mapping[str, tuple[Path, ...]] = _NO_PATHS
    ) -> tuple[Column, ...]:
        """Return the columns to write, without secret and left-out columns; ``chosen`` columns in their own order.

        ``paths`` are columns that are written without the secret part of their JSON. Raises DeniedError if a secret
        column was chosen, UnsupportedError if no column remains."""
        secrets = {name: why for name, why in self.annotated.secrets(table).items() if name not in paths}
        parts = {".".join((name, *path)): "named as secret" for name, found in paths.items() for path in found}
        if secrets or parts:
            self.secrets[table.name] = secrets | parts
        number = row_number(table)
        wanted = table.visible_columns if number is None else (number, *table.visible_columns)
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
        """Return the table's rows with the columns to write; ``more`` are further fields of TableRows."""
        # SQL from outside could read the whole text, as it may read each column that is written
        paths = self.annotated.secret_paths(table) if more.get("guard") is None else {}
        columns = self.columns(table, chosen, paths)
        secrets = self.annotated.secrets(table)
        places = {place: paths[column.name] for place, column in enumerate(columns) if column.name in paths}
        parts = SecretPaths(places) if places else None
        secret_key = any(part.name in secrets for part in table.key)
        if more.get("keys") is None:
            self.rules.meet(table)
            more["barred"] = self.rules.barred(table)
        return TableRows(table, columns, secret_paths=parts, secret_key=secret_key, **more)

    def column(self, table: Table, name: str) -> Column:
        """Return a table's column. Raises RequestError if there is none of that name."""
        column = table.column(name)
        if column is None:
            likely = meant(name, (c.name for c in table.visible_columns if c.name not in self.annotated.secrets(table)))
            raise RequestError(f"{table.name} has no column {name}.{likely}")
        return column

    def guard(
        self, sql_name: str, target: str | None = None, text: str = "", about: Table | None = None
    ) -> ForeignSqlGuard:
        """Return the guard for a statement with SQL from outside.

        ``sql_name`` names that SQL in messages, ``target`` is the TEMP table that the statement fills, ``text`` is
        the part of the SQL that comes from outside, and ``about`` the table whose rows the statement selects."""
        found = {fold(n): self.annotated.secrets(t) for n, t in self.schema.items()}
        secrets = {n: frozenset(map(fold, columns)) for n, columns in found.items() if columns}
        barred = self.rules.barred(about) if about is not None else None
        return ForeignSqlGuard(
            sql_name,
            secrets,
            self.refused,
            self._hidden,
            self._view_names,
            target and target.removeprefix("temp.").strip('"'),
            text,
            barred.name.removeprefix("temp.").strip('"') if barred is not None else None,
            self.rules.closed(text, about),
        )

    @cached_property
    def _hidden(self) -> frozenset[str]:
        return self.annotated.hidden(self.visible)

    @cached_property
    def _view_names(self) -> ViewNames:
        return view_names(self.schema, self._hidden) if self._hidden else ViewNames()

    def probe(self) -> None:
        """Compile every statement now, so that SQL that SQLite cannot run is found before the first byte."""
        for chosen in self.tables:
            self.snapshot.execute(chosen.trial(), chosen.params, chosen.guard)
