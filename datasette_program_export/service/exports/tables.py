"""The tables that ``ExportService`` offers, and their order."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from ...database.schema import Table
from ...database.snapshot import Snapshot
from ...database.source import Source
from ...errors import RequestError
from ...options.request import Request
from ...options.settings import Settings
from ...selection.annotated_schema import AnnotatedSchema, annotate
from ...selection.scopes.database import DatabaseScope
from .results import AvailableTables

_INTERPRETING = ("chart_interpretations", "aspect_patterns", "transit_events")
_NOT_OF_CHARTS = "an export of charts has their readings, patterns and transits only"


def available(source: Source, settings: Settings) -> AvailableTables:
    """Return the tables that can be exported; raises the error of a table that cannot be read."""
    with closing(Snapshot(source)) as snapshot:
        known = annotate(snapshot.schema, settings)
        default = DatabaseScope(snapshot, known, Request())
        default.prepare()
        default.resolve()
        if default.damaged is not None:
            raise default.damaged
        names = [chosen.table.name for chosen in default.tables]
        caches = [name for name in known.schema if name in known.caches() and name in default.skipped]
    tables = [*names, *caches]
    return AvailableTables(
        tables=tables,
        default_tables=in_usual_order(known, names),
        table_descriptions={n: known.subject(n).plural or f"{len(known.schema[n].columns)} columns" for n in tables},
    )


def in_usual_order(known: AnnotatedSchema, names: Iterable[str]) -> list[str]:
    """Return the names in the order of the preset; without a preset, keep their order."""
    order = known.preset.order if known.preset else []
    place = {t.name: i for i, n in enumerate(order) if (t := known.schema.find(n))}
    return sorted(names, key=lambda name: place.get(name, len(place)))


def named(known: AnnotatedSchema, names: Iterable[str]) -> tuple[str, ...]:
    """Return the tables of these names, each once. Raises RequestError, which lists all unknown names."""
    found = {name: known.schema.find(name) for name in names}
    bad = [name for name, table in found.items() if table is None]
    if bad:
        raise RequestError(f"Invalid table names: {bad}")
    return tuple(dict.fromkeys(t.name for t in found.values() if t is not None))


def interpreting(known: AnnotatedSchema, charts: Table) -> tuple[dict[str, str], dict[str, str]]:
    """Return the tables of charts' parts, by their usual names, and the other tables below charts with the reason why
    they are not exported with them."""
    parts = {name: table.name for name in _INTERPRETING if (table := known.schema.find(name)) is not None}
    below = known.graph().reachable_down([charts.name]) if charts.kind == "table" else set()
    others = sorted(below - {charts.name, *parts.values()})
    return parts, dict.fromkeys(others, _NOT_OF_CHARTS)
