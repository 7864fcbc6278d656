"""``plan(source, request)``: what an export would hold, by the same code, without its rows."""

from __future__ import annotations

from collections.abc import Set
from contextlib import closing
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from .catalog import Catalog, catalog
from .closure import Closure
from .coverage import coverage
from .request import Request
from .selected import Selected
from .settings import Settings
from .snapshot import Snapshot, TimeExpired
from .source import Source
from .values import json_value
from .walk import BELONGS, NEEDED

_SAMPLE = 40  # rows whose size stands for the others'


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlannedTable(_Model):
    """One table of the plan. References are spelled ``child.column``."""

    table: str
    label: str = Field(description="What so many of its rows are called, where somebody said.")
    belongs: int = Field(description="Rows that belong to what was asked for.")
    needed: int = Field(description="Rows that the others point to.")
    because: str | None = Field(default=None, description="The first reference by which rows came that belong.")
    under: str | None = Field(default=None, description="The table from which that reference was followed.")
    needed_because: str | None = None
    needed_under: str | None = None
    bytes: int | None = Field(default=None, description="About how large its rows are as JSON, by a sample.")


class Plan(_Model):
    """What an export would hold.

    ``complete`` is false when the counting took longer than ``plan_seconds``: the counts
    then read "at least", and there is no coverage."""

    source: str
    preset: str | None
    subject: str
    title: str
    tables: list[PlannedTable]
    rows: int
    bytes: int | None
    complete: bool
    coverage: dict[str, Any]
    labels: dict[str, tuple[str, str]] = Field(description="Per table: what one of its rows is called, and several.")
    notes: list[str] = Field(description="What is worth knowing before: slow references, unfinished counts.")


def plan(source: Any, request: Request, *, settings: Settings | None = None, visible: Set[str] | None = None) -> Plan:
    """Count what an export would hold. Raises what the export would raise before its first byte."""
    settings = settings or Settings()
    opened = Source.of(source)
    with closing(Snapshot(opened)) as snapshot:
        known = catalog(snapshot.schema, settings)
        closure = Closure(snapshot, known, request, visible=visible, max_rows=settings.max_rows)
        title, covered = closure.title(), {}
        snapshot.expire_after(settings.plan_seconds)
        try:
            closure.resolve()
            tables = [_planned(closure, chosen) for chosen in closure.tables]
            covered = coverage(closure)
        except TimeExpired:
            tables = _so_far(closure)
        return Plan(
            source=opened.name,
            preset=known.preset.title if known.preset else None,
            subject=closure.subject.name,
            title=title,
            tables=tables,
            rows=sum(t.belongs + t.needed for t in tables),
            bytes=sum(t.bytes or 0 for t in tables) if covered else None,
            complete=bool(covered),
            coverage=covered,
            labels={n: (w.label, w.plural) for n in known.schema if (w := known.subject(n)).label and w.plural},
            notes=_notes(closure, bool(covered), settings),
        )


def _planned(closure: Closure, chosen: Selected) -> PlannedTable:
    known, name = closure.catalog, chosen.table.name
    if closure.walk is None:
        rows = closure.snapshot.execute(chosen.count(), chosen.params, chosen.guard).fetchone()[0]
        return _table(known, name, rows, 0, size=_size(closure, chosen, rows))
    reached = closure.walk.reached[name]
    belongs, needed = reached.counts[BELONGS], reached.counts[NEEDED]
    made = _table(known, name, belongs, needed, size=_size(closure, chosen, belongs + needed))
    came = {}
    if (edge := reached.first_edge.get(BELONGS)) is not None:
        came = {"because": edge.name, "under": edge.other_table}
    if (edge := reached.first_edge.get(NEEDED)) is not None:
        came |= {"needed_because": edge.name, "needed_under": edge.table}
    return made.model_copy(update=came)


def _so_far(closure: Closure) -> list[PlannedTable]:
    """The counts as far as they came: each is a lower bound."""
    reached = closure.walk.reached if closure.walk is not None else {}
    counts = {name: r.counts for name, r in reached.items()}
    return [_table(closure.catalog, n, c[BELONGS], c[NEEDED]) for n, c in counts.items()]


def _table(known: Catalog, name: str, belongs: int, needed: int, size: int | None = None) -> PlannedTable:
    words = known.subject(name)
    label = (words.label if belongs + needed == 1 else words.plural) or name
    return PlannedTable(table=name, label=label, belongs=belongs, needed=needed, bytes=size)


def _size(closure: Closure, chosen: Selected, rows: int) -> int:
    sample = closure.snapshot.sample(chosen.select(), chosen.params, chosen.guard, _SAMPLE)
    if not sample:
        return 0
    names = [c.name for c in chosen.columns]
    size = sum(len(msgspec.json.encode(dict(zip(names, map(json_value, row))))) for row in sample)
    return size * rows // len(sample)


def _notes(closure: Closure, complete: bool, settings: Settings) -> list[str]:
    found = []
    if not complete:
        found.append(
            f'Counting was stopped after {settings.plan_seconds:g} seconds: read the numbers as "at least". '
            "The export itself is not cut."
        )
    for edge in closure.walk.without_index if closure.walk is not None else []:
        found.append(f"{edge.name} has no index, so {edge.table} is walked through once; large tables take a moment.")
    return found
