"""Keeps the target's search and spatial indexes right: rebuilt, filled by their own triggers, or named as out of date.

A full-text table with ``content=`` is rebuilt from its table (https://www.sqlite.org/fts5.html 4.4.3.2,
https://www.sqlite.org/fts3.html 6.2). Another one, and an R-Tree, is filled by triggers alone: those that do nothing
else fire for imported rows. What neither can be done for is out of date afterwards, and needs consent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...database.connections.scratch import refusal
from ...database.guarding.sql_tokens import SQLTextError, names
from ...database.library import sqlite3
from ...database.schema import Schema, Table, fold
from ...database.virtual_tables import OF_INDEXES, contentless, indexed_by, rebuilding
from ..report import FindingCollector, TableReport
from .triggers import Trigger, Triggers

_OTHER_WORK = "its trigger {} writes to other tables, too"


class SearchIndexes:
    """The indexes of ``schema``, an existing target's, of which the ``staged`` tables (folded) may get rows."""

    def __init__(self, connection: sqlite3.Connection, schema: Schema, staged: set[str], triggers: Triggers) -> None:
        self.connection, self.schema, self.staged, self.triggers = connection, schema, staged, triggers
        self.virtual = {fold(n): t for n, t in schema.items() if t.kind == "virtual" and t.module not in OF_INDEXES}
        self._feeding: dict[Trigger, str | None] = {}  # those that fill an index alone, and why they cannot fire

    def choose_triggers(self) -> list[Trigger]:
        """Return the triggers that fire for imported rows: all that only fill an index, each of which can run.

        Call it while the triggers are switched off."""
        for trigger in self.triggers.of_tables:
            filled = [self.virtual[name] for name in trigger.text.writes & self.virtual.keys()]
            if not filled or all(indexed_by(t) or fold(t.name) in self.staged for t in filled):
                continue  # no index, one that is rebuilt, or one whose rows the file brings
            if trigger.text.writes - self.virtual.keys():
                self._feeding[trigger] = _OTHER_WORK.format(trigger.name)
            else:
                self._feeding[trigger] = self.triggers.refusal_of(trigger)
        return [trigger for trigger, why in self._feeding.items() if why is None]

    def refresh(self, reports: Mapping[str, TableReport], findings: FindingCollector, allow: bool) -> set[str]:
        """Rebuild what can be rebuilt, tell the rest, and return the folded names of the indexes that are right."""
        changed = {fold(name) for name, report in reports.items() if report.insert or report.update}
        right = {name for name in self.virtual if name in self.staged}
        for name, index in self.virtual.items():
            origins = self._origins(index) & changed
            if not origins:
                continue
            if name in right and not indexed_by(index):
                continue
            why = self._refreshed(index, reports)
            if why is None:
                right.add(name)
            else:
                _tell(index, self._named(origins), why, findings, allow)
        return right

    def _refreshed(self, index: Table, reports: Mapping[str, TableReport]) -> str | None:
        """Rebuild an index if it can be; return why it is out of date, or None."""
        if indexed_by(index):
            return refusal(self.connection, rebuilding(index.name))
        filling = [t for t in self.triggers.of_tables if fold(index.name) in t.text.writes]
        if not filling:
            return "it keeps no texts, and only its application can fill it"
        counts = {fold(name): report for name, report in reports.items()}
        unfit = (w for t, w in self._feeding.items() if t in filling and w and t.fires_for(counts[fold(t.table)]))
        return next(unfit, None)

    def _origins(self, index: Table) -> set[str]:
        """Return the folded names of the tables that an index shows, as far as the schema tells."""
        named = {fold(name) for name in indexed_by(index)}
        if named:
            return self._below(named)
        if fold(index.name) in self.staged:
            return set()
        fed = {fold(t.table) for t in self.triggers.of_tables if fold(index.name) in t.text.writes}
        if fed or index.problem or not contentless(index):
            return fed
        columns = {fold(c.name) for c in index.visible_columns}  # nothing tells its table but its columns
        return {
            fold(n)
            for n, t in self.schema.items()
            if t.kind == "table" and columns <= {fold(c.name) for c in t.columns}
        }

    def _below(self, found: set[str]) -> set[str]:
        """Add the tables that views among them read."""
        waiting = list(found)
        while waiting:
            table = self.schema.find(waiting.pop())
            if table is not None and table.kind == "view":
                new = set(self._read_by(table)) - found
                found |= new
                waiting += new
        return found

    def _read_by(self, view: Table) -> Iterator[str]:
        try:
            yield from (n for n in names(view.sql or "") if self.schema.find(n) is not None)
        except SQLTextError:
            yield from map(fold, self.schema)

    def _named(self, origins: set[str]) -> str:
        return min(name for name in self.schema if fold(name) in origins)


def _tell(index: Table, table: str, why: str, findings: FindingCollector, allow: bool) -> None:
    what = f"The index {index.name} of {table} cannot be brought up to date here: {why}."
    if allow:
        message = f"{what} It is out of date now; its application must fill it again."
    else:
        message = f"{what} It would be out of date: the argument allow_stale_indexes lets it be."
    findings.add("index", message, table, error=not allow)
