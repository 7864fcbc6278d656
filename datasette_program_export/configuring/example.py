"""An example row of a database's main subject, and what its export would hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from contextlib import closing
from threading import Event
from typing import Any

from ..database.schema import ForeignKey, Table, quote
from ..database.snapshot import Snapshot, TimeExpired
from ..database.source import Source
from ..errors import ExportError
from ..options.grammar import parse_row_path, row_path
from ..options.request import Request
from ..options.settings import Settings
from ..planning.plan import Plan
from ..planning.planner import plan
from ..planning.row_picker import pick
from ..selection.annotated_schema import AnnotatedSchema, annotate
from .proposal import Example

_LOOKED_AT = 1_000  # child rows among which the example is chosen


def example_of(
    source: Source, settings: Settings, *, visible: Set[str] | None = None, cancelled: Event | None = None
) -> Example | None:
    """Return what the export of a row of the main subject would hold; None if no table has a row to name.

    The main subject are the first people, else the table that most others refer to."""
    with closing(Snapshot(source, cancelled=cancelled)) as snapshot:
        snapshot.expire_after(settings.plan_seconds)
        try:
            known = annotate(snapshot.schema, settings, visible=visible)
            main = _main(known, visible)
            key = _with_children(snapshot, known, main, visible) if main is not None else None
        except TimeExpired:
            return None
    if main is None:
        return None
    return example_row(source, settings, main.name, key, visible=visible, cancelled=cancelled)


def example_row(
    source: Source,
    settings: Settings,
    table: str,
    key: tuple[str, ...] | None = None,
    *,
    visible: Set[str] | None = None,
    cancelled: Event | None = None,
    compare: bool = True,
) -> Example | None:
    """Return what the export of one row of a table would hold; by default of the first. None if there is no row.

    ``compare`` also tells what it would hold without settings."""

    def planned(settings: Settings) -> Plan:
        request = Request(table=table, records=(key,))
        return plan(source, request, settings=settings, visible=visible, cancelled=cancelled)

    if key is None:
        rows = Request(table=table)
        found = pick(source, rows, None, "", 1, settings=settings, visible=visible, cancelled=cancelled).offered
        if not found:
            return None
        key = parse_row_path(found[0][0])
    made = planned(settings)
    without = planned(Settings(plan_seconds=settings.plan_seconds)) if compare else made
    return Example(
        table=table,
        key=row_path(key),
        title=", ".join(filter(None, (made.title, made.told_apart))),
        rows={t.table: t.rows for t in made.tables if t.rows},
        rows_without={t.table: t.rows for t in without.tables if t.rows},
        labels=made.labels,
        complete=made.complete and without.complete,
    )


def _main(known: AnnotatedSchema, visible: Set[str] | None) -> Table | None:
    usual = [
        t
        for t in known.schema.values()
        if t.kind == "table" and t.key and not t.problem and (visible is None or t.name in visible)
    ]
    persons = [t for name in known.persons for t in usual if t.name == name]
    if persons:
        return persons[0]
    referring = Counter(e.other_table for e in known.edges if not e.problem and e.table != e.other_table)
    return max(usual, key=lambda t: referring[t.name], default=None)


def _with_children(
    snapshot: Snapshot, known: AnnotatedSchema, main: Table, visible: Set[str] | None
) -> tuple[str, ...] | None:
    """Return the key of a row that many rows refer to; None if that cannot be told."""
    for edge in known.edges:
        if visible is not None and edge.table not in visible:
            continue
        if edge.other_table == main.name and edge.table != main.name and _by_key(edge, main, known):
            own = quote(edge.columns[0])
            source = known.schema[edge.table].source("c")
            values = f"SELECT c.{own} AS v FROM {source} WHERE c.{own} IS NOT NULL{edge.holds('c')} LIMIT {_LOOKED_AT}"
            there = f"v IN (SELECT {quote(edge.other_columns[0])} FROM {main.source()})"
            sql = f"SELECT v FROM ({values}) WHERE {there} GROUP BY v ORDER BY count(*) DESC, v LIMIT 1"
            try:
                found: list[Any] = snapshot.sample(sql, (), None, 1)
            except ExportError:
                continue
            if found and isinstance(found[0][0], (int, str)):
                return (str(found[0][0]),)
    return None


def _by_key(edge: ForeignKey, main: Table, known: AnnotatedSchema) -> bool:
    """Return whether the values of a reference are keys of rows as addresses name them."""
    same = edge.other_columns == main.pk and len(main.pk) == 1
    return same and not edge.problem and not known.is_secret(edge)
