"""``plan(source, request)``: what an export would hold, computed by the export's own code without writing rows."""

from __future__ import annotations

from collections.abc import Mapping, Set
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from math import sqrt
from threading import Event
from typing import Any

import msgspec

from ..database.snapshot import Snapshot, TimeExpired
from ..database.source import Source
from ..errors import BusyError
from ..exporting.coverage import coverage, kept_back
from ..exporting.document_schema import described, fields_of
from ..files.rooted.reading import FileStore
from ..formats.description.coverage import EMPTY, Coverage
from ..formats.description.parsing import dumped
from ..formats.description.schema import DocumentSchema
from ..formats.registry import check_members
from ..options.arguments import optional
from ..options.request import Request
from ..options.settings import Settings
from ..selection.annotated_schema import AnnotatedSchema, annotate
from ..selection.reached import BELONGS, NEEDED
from ..selection.scopes import scope_of
from ..selection.scopes.base import Scope
from ..selection.scopes.database import DatabaseScope
from ..selection.scopes.records import RecordScope
from ..selection.table_rows import TableRows
from .estimates import estimated
from .foretold_files import ForetoldFiles
from .index_advice import index_notes
from .plan import Plan, PlannedColumn, PlannedTable
from .references import planned_references

__all__ = ["Plan", "PlannedTable", "plan"]


def plan(
    source: Any,
    request: Request | None = None,
    *,
    settings: Settings | None = None,
    visible: Set[str] | None = None,
    cancelled: Event | None = None,
    stores: Mapping[str, FileStore] | None = None,
) -> Plan:
    """Return what an export would hold: rows per table, sizes, references, coverage.

    ``source`` is whatever ``Source.of`` takes: a path, a sqlite3 connection, a sqlite_utils Database, a SQLAlchemy
    Session. ``request`` says what to export (None: the whole database). ``visible`` are the tables
    that the person may see (None: all). Counting stops after the setting ``plan_seconds``; the plan is then not
    ``complete`` and its counts are lower bounds. Raises the errors that the export would raise before its first
    byte, BusyError if the database cannot be read in time, and CancelledError when ``cancelled`` is set.

        made = plan("practice.db", Request(table="clients", records=[(client_id,)]))
        print(made.rows, made.bytes, [(t.table, t.rows) for t in made.tables])"""
    settings = optional("settings", settings, Settings) or Settings()
    request = optional("request", request, Request) or Request()
    check_members(request)
    opened = Source.of(source)
    try:
        with closing(Snapshot(opened, cancelled=cancelled)) as snapshot:
            known = annotate(snapshot.schema, settings, request.secrets == "include", request.person, visible)
            scope = scope_of(snapshot, known, request, visible=visible, max_rows=settings.max_rows)
            title, detail = scope.title(), scope.detail()
            snapshot.expire_after(settings.plan_seconds)
            return _plan(opened.name, request, scope, title, detail, settings, stores or {})
    except TimeExpired:
        raise BusyError("The database could not be looked at in time. Try again in a moment.") from None


def _plan(
    source: str,
    request: Request,
    scope: Scope,
    title: str,
    detail: str,
    settings: Settings,
    stores: Mapping[str, FileStore],
) -> Plan:
    known = scope.annotated
    covered: Coverage | None = None
    schema: DocumentSchema | None = None
    pictures = 0
    try:
        scope.find_rows()
        tables = [_planned(scope, chosen) for chosen in scope.tables]
        schema = described(scope)
        files = ForetoldFiles(scope, stores)
        covered = replace(coverage(scope, schema), files=tuple(files.all()))
        pictures = files.pictures
    except TimeExpired:
        tables = _so_far(scope)
    names = [t.table for t in tables]
    references = planned_references(scope, names, covered or EMPTY) if request.scope != "query" else []
    return Plan(
        source=source,
        preset=known.preset.title if known.preset else None,
        scope=request.scope,
        subject=scope.subject.name if scope.subject else None,
        title=title,
        told_apart=detail,
        tables=tables,
        references=references,
        rows=sum(t.rows for t in tables),
        bytes=sum(t.bytes or 0 for t in tables) + _frame(schema, covered) if schema and covered else None,
        # the errors of the tables are independent, so their squares add up
        bytes_error=round(sqrt(sum((t.bytes_error or 0) ** 2 for t in tables))) if covered is not None else None,
        picture_bytes=pictures,
        complete=covered is not None,
        coverage=covered or kept_back(scope),
        labels=scope.labels(),
        parents=scope.parents if isinstance(scope, RecordScope) and scope.walk is not None else None,
        person=list(scope.people_to_name()) if _guessed(scope) else [],
        confidential=[name for name in known.confidential() if scope.find(name) is not None],
        can_cascade=_can_cascade(scope),
        notes=_notes(scope, covered is not None, settings),
    )


def _planned(scope: Scope, chosen: TableRows) -> PlannedTable:
    name = chosen.table.name
    if scope.walk is None:
        if isinstance(scope, DatabaseScope):
            rows = scope.counts[name]
        else:
            rows = scope.snapshot.execute(chosen.count(), chosen.params, chosen.guard).fetchone()[0]
        return _looked_at(scope, chosen, rows, 0)
    reached = scope.walk.reached[name]
    belongs, needed = reached.counts[BELONGS], reached.counts[NEEDED]
    made = _looked_at(scope, chosen, belongs, needed)
    came = {}
    if (edge := reached.first_edge.get(BELONGS)) is not None:
        under = edge.other_table if edge.table == name else edge.table  # a person's detail is above the person
        came = {"because": edge.name, "under": under}
    if (edge := reached.first_edge.get(NEEDED)) is not None:
        came |= {"needed_because": edge.name, "needed_under": edge.table}
    return made.model_copy(update=came)


def _so_far(scope: Scope) -> list[PlannedTable]:
    """Return the tables with the counts reached so far; each is a lower bound."""
    if isinstance(scope, DatabaseScope):
        return [_table(scope.annotated, name, rows, 0) for name, rows in scope.counts.items()]
    if scope.walk is None:
        return [_table(scope.annotated, chosen.table.name, 0, 0) for chosen in scope.tables]
    counts = {name: r.counts for name, r in scope.walk.reached.items()}
    return [_table(scope.annotated, n, c[BELONGS], c[NEEDED]) for n, c in counts.items()]


def _table(known: AnnotatedSchema, name: str, belongs: int, needed: int, **more: Any) -> PlannedTable:
    words = known.subject(name)
    label = (words.label if belongs + needed == 1 else words.plural) or name
    return PlannedTable(table=name, label=label, belongs=belongs, needed=needed, **more)


def _looked_at(scope: Scope, chosen: TableRows, belongs: int, needed: int) -> PlannedTable:
    """Return a table with its columns and what a sample of its rows shows."""
    seen = estimated(scope.snapshot, chosen, fields_of(scope.annotated, chosen), belongs + needed)
    return _table(
        scope.annotated,
        chosen.table.name,
        belongs,
        needed,
        bytes=seen.bytes,
        bytes_error=seen.error,
        spreadsheet_bytes=seen.sizes.spreadsheet,
        zipped_bytes=seen.sizes.zipped,
        page_bytes=seen.sizes.page,
        value_bytes=seen.sizes.values,
        columns=_columns(scope, chosen),
        sampled=seen.sampled,
    )


def _columns(scope: Scope, chosen: TableRows) -> list[PlannedColumn]:
    """Return the columns in the table's order, each with the reason if it is left out."""
    written = {c.name for c in chosen.columns}
    secrets = scope.secrets.get(chosen.table.name, {})
    asked = scope.left_out_columns.get(chosen.table.name, set())
    found = []
    for column in chosen.table.visible_columns:
        why = "as you asked" if column.name in asked else "not among the columns that were chosen"
        why = secrets.get(column.name, why)
        found.append(_column(column.name, column.type, None if column.name in written else why))
    return found


@lru_cache(maxsize=4096)  # most plans have the same columns as one before
def _column(name: str, declared: str, left_out: str | None) -> PlannedColumn:
    return PlannedColumn(name=name, type=declared, left_out=left_out)


def _frame(schema: DocumentSchema, covered: Coverage) -> int:
    """Return the size in bytes of a document without its rows."""
    digests = 110 * len(schema.tables)
    parts = dumped(schema), dumped(covered)
    return sum(len(msgspec.json.encode(part)) for part in parts) + digests + 500


def _guessed(scope: Scope) -> bool:
    return scope.walk is not None and scope.annotated.people.known_by == "guess"


def _can_cascade(scope: Scope) -> bool:
    table = scope.subject
    if table is None or table.kind != "table" or not table.key:
        return False
    known = [name for name in scope.schema if scope.find(name) is not None]
    return len(scope.annotated.graph(known).reachable_down([table.name])) > 1


def _notes(scope: Scope, complete: bool, settings: Settings) -> list[str]:
    found = []
    if not complete:
        found.append(
            f'Counting was stopped after {settings.plan_seconds:g} seconds: read the numbers as "at least". '
            "The export itself is not cut."
        )
    if scope.walk is not None:
        found += index_notes(scope.walk.without_index, scope.snapshot.schema, scope.snapshot.source)
    return found
