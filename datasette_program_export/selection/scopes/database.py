"""The scope of a whole database: all readable tables that a person may see."""

from __future__ import annotations

from collections.abc import Iterator

from ...database.schema import Table, fold, quote
from ...database.virtual_tables import OF_INDEXES, contentless
from ...errors import DeniedError, RequestError, SourceError, TooLargeError, UnsupportedError
from ..annotated_schema import AnnotatedSchema
from .base import Scope


class DatabaseScope(Scope):
    """The scope ``database``. ``skipped`` holds each visible table that is not in the export, with the reason.

    ``counts`` holds the number of rows of each table, counted by reading its pages: so damaged pages are found
    before the first byte. ``damaged`` is the first such error."""

    damaged: SourceError | None = None

    def resolve(self) -> None:
        """Examine every table. A table that was asked for by name and cannot be exported is an error."""
        self.counts: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        named = {self.table(name).name for name in self.request.tables}
        if named and self.left_out_tables & named:
            raise RequestError(f"{min(self.left_out_tables & named)} is both asked for and left out.")
        wanted = {name for name in self._candidates(named) if name not in self.left_out_tables}
        known = self.annotated.graph([n for n in wanted if self.schema[n].kind == "table"])
        for name in (*known.parents_first(), *(n for n in self.schema if n in wanted and n not in known.tables)):
            self._take(self.schema[name], insist=name in named)
        if not self.tables and self.left_out_tables:
            raise RequestError("Every table was left out: there is nothing to export.")
        if not self.tables and (self.failed or not self._is_empty()):
            why = "".join(f" {name}: {reason}." for name, reason in list(self.failed.items())[:3])
            kind = UnsupportedError if self.damaged is None else SourceError
            raise kind(f"There is nothing in {self.snapshot.source.name} that can be exported.{why}")
        rows = sum(self.counts.values())
        if self.max_rows is not None and rows > self.max_rows:
            raise TooLargeError(
                f"This export would hold {rows:,} rows; max_rows allows {self.max_rows:,}. Leave out a table."
            )

    def _candidates(self, named: set[str]) -> Iterator[str]:
        """Yield the tables to export; record the others in ``skipped`` if they are worth mentioning."""
        caches = self.annotated.caches()
        for name, table in self.schema.items():
            if self.find(name) is None or (
                self.visible is not None and not self.annotated.readable(table, self.visible)
            ):
                continue
            if named:
                if name in named:
                    yield name
                continue
            reason = table.problem or self.refused.get(fold(name)) or _computed(table, self.annotated)
            if name in caches:
                reason = "a cache, which the application fills again; ask for it by name"
            if reason:
                self._skip(table, reason)
            elif table.kind != "shadow":
                yield name

    def _take(self, table: Table, insist: bool) -> None:
        try:
            guard = self.guard(f"The {table.kind} {table.name}", about=table) if table.kind != "table" else None
            chosen = self.selected(table, guard=guard)
            self.snapshot.execute(chosen.trial(), (), guard)
            whole = chosen.count()
            if table.kind == "table":
                whole = f"SELECT count(*) FROM main.{quote(table.name)} NOT INDEXED"
            rows = self.snapshot.execute(whole, (), guard).fetchone()[0]
            self.counts[table.name] = rows - (self.rules.count(table) if table.kind == "table" else 0)
        except (UnsupportedError, SourceError, DeniedError, RequestError) as error:
            if insist:
                raise
            self.secrets.pop(table.name, None)
            if isinstance(error, SourceError):
                self.damaged = self.damaged or error
            self._skip(table, _unreadable(error) if isinstance(error, SourceError) else str(error).rstrip("."))
            self.failed[table.name] = self.skipped[table.name]
            return
        self.tables.append(chosen)

    def _is_empty(self) -> bool:
        """Return whether the database has nothing that holds rows, and this person may know that."""
        seen = self.visible is None or self.visible >= set(self.schema)
        return seen and all(t.kind == "view" and not t.problem for t in self.schema.values())

    def _skip(self, table: Table, reason: str) -> None:
        self.skipped[table.name] = reason
        self.unreadable.add(table.name)


def _unreadable(error: SourceError) -> str:
    """Return why a table cannot be read; the error's own sentence names the database."""
    return f"it cannot be read, {error.reason}" if error.reason else str(error).rstrip(".")


def _computed(table: Table, annotated: AnnotatedSchema) -> str | None:
    """Return why a table holds no data of its own, or None if it does."""
    if table.kind == "view":
        return "a view, computed from tables; export it by itself"
    if table.kind == "virtual" and (annotated.drawn_from(table) or table.module in OF_INDEXES):
        return "a search index, which can be made again from its table"
    if table.kind == "virtual" and contentless(table):
        return "a search index that keeps no texts"
    return None
