"""``plan(source, request)``: what an export would hold, by the same code, without its rows."""

from __future__ import annotations

from collections.abc import Set
from contextlib import closing
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from .catalog import Catalog, catalog
from .coverage import coverage
from .database import WholeDatabase
from .description import described
from .errors import BusyError
from .request import Request
from .scope import Scope
from .scopes import scope_of
from .selected import Selected
from .settings import Settings
from .snapshot import Snapshot, TimeExpired
from .source import Source
from .values import json_value
from .walk import BELONGS, NEEDED

CHOICES = 50  # rows to pick from, on a page
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
    scope: str = Field(description="`record`, `table`, `query` or `database`.")
    subject: str | None = Field(description="The table that was asked for, if it was one.")
    title: str
    told_apart: str = Field(default="", description="What tells it from others of the same title.")
    tables: list[PlannedTable]
    rows: int
    bytes: int | None
    complete: bool
    coverage: dict[str, Any]
    labels: dict[str, tuple[str, str]] = Field(description="Per table: what one of its rows is called, and several.")
    choices: list[tuple[str, str]] = Field(
        default=[], exclude=True, description="The first rows of a table, by row path and title, to pick from."
    )
    can_cascade: bool = Field(description="Whether references could be followed from the subject's rows.")
    notes: list[str] = Field(description="What is worth knowing before: slow references, unfinished counts.")


def plan(source: Any, request: Request, *, settings: Settings | None = None, visible: Set[str] | None = None) -> Plan:
    """Count what an export would hold. Raises what the export would raise before its first byte."""
    settings = settings or Settings()
    opened = Source.of(source)
    try:
        with closing(Snapshot(opened)) as snapshot:
            known = catalog(snapshot.schema, settings, request.secrets == "include")
            scope = scope_of(snapshot, known, request, visible=visible, max_rows=settings.max_rows)
            title, detail = scope.title(), scope.detail()
            snapshot.expire_after(settings.plan_seconds)
            return _plan(opened.name, request, scope, title, detail, settings)
    except TimeExpired:
        raise BusyError("The database could not be looked at in time. Try again in a moment.") from None


def _plan(source: str, request: Request, scope: Scope, title: str, detail: str, settings: Settings) -> Plan:
    known = scope.catalog
    covered: dict[str, Any] = {}
    choices: list[tuple[str, str]] = []
    try:
        scope.resolve()
        tables = [_planned(scope, chosen) for chosen in scope.tables]
        choices = scope.choices(CHOICES)
        covered = coverage(scope)
    except TimeExpired:
        tables = _so_far(scope)
    return Plan(
        source=source,
        preset=known.preset.title if known.preset else None,
        scope=request.scope,
        subject=scope.subject.name if scope.subject else None,
        title=title,
        told_apart=detail,
        tables=tables,
        rows=sum(t.belongs + t.needed for t in tables),
        bytes=sum(t.bytes or 0 for t in tables) + _frame(scope, covered) if covered else None,
        complete=bool(covered),
        coverage=covered,
        labels=scope.labels(),
        can_cascade=_can_cascade(scope),
        choices=choices if covered else [],
        notes=_notes(scope, bool(covered), settings),
    )


def _planned(scope: Scope, chosen: Selected) -> PlannedTable:
    known, name = scope.catalog, chosen.table.name
    if scope.walk is None:
        if isinstance(scope, WholeDatabase):
            rows = scope.counts[name]
        else:
            rows = scope.snapshot.execute(chosen.count(), chosen.params, chosen.guard).fetchone()[0]
        return _table(known, name, rows, 0, size=_size(scope, chosen, rows))
    reached = scope.walk.reached[name]
    belongs, needed = reached.counts[BELONGS], reached.counts[NEEDED]
    made = _table(known, name, belongs, needed, size=_size(scope, chosen, belongs + needed))
    came = {}
    if (edge := reached.first_edge.get(BELONGS)) is not None:
        came = {"because": edge.name, "under": edge.other_table}
    if (edge := reached.first_edge.get(NEEDED)) is not None:
        came |= {"needed_because": edge.name, "needed_under": edge.table}
    return made.model_copy(update=came)


def _so_far(scope: Scope) -> list[PlannedTable]:
    """The counts as far as they came: each is a lower bound."""
    if isinstance(scope, WholeDatabase):
        return [_table(scope.catalog, name, rows, 0) for name, rows in scope.counts.items()]
    if scope.walk is None:
        return [_table(scope.catalog, chosen.table.name, 0, 0) for chosen in scope.tables]
    counts = {name: r.counts for name, r in scope.walk.reached.items()}
    return [_table(scope.catalog, n, c[BELONGS], c[NEEDED]) for n, c in counts.items()]


def _table(known: Catalog, name: str, belongs: int, needed: int, size: int | None = None) -> PlannedTable:
    words = known.subject(name)
    label = (words.label if belongs + needed == 1 else words.plural) or name
    return PlannedTable(table=name, label=label, belongs=belongs, needed=needed, bytes=size)


def _size(scope: Scope, chosen: Selected, rows: int) -> int:
    sample = chosen.sample(scope.snapshot, _SAMPLE)
    if not sample:
        return 0
    names = [c.name for c in chosen.columns]
    size = sum(len(msgspec.json.encode(dict(zip(names, map(json_value, row))))) for row in sample)
    return size * rows // len(sample)


def _frame(scope: Scope, covered: dict[str, Any]) -> int:
    """The size of what stands around the rows in a document."""
    digests = 110 * len(scope.tables)
    return len(msgspec.json.encode(described(scope))) + len(msgspec.json.encode(covered)) + digests + 500


def _can_cascade(scope: Scope) -> bool:
    table = scope.subject
    if table is None or table.kind != "table" or not table.key:
        return False
    known = [name for name in scope.schema if scope.find(name) is not None]
    return len(scope.catalog.graph(known).reachable_down([table.name])) > 1


def _notes(scope: Scope, complete: bool, settings: Settings) -> list[str]:
    found = []
    if not complete:
        found.append(
            f'Counting was stopped after {settings.plan_seconds:g} seconds: read the numbers as "at least". '
            "The export itself is not cut."
        )
    for edge in scope.walk.without_index if scope.walk is not None else []:
        found.append(f"{edge.name} has no index, so {edge.table} is walked through once; large tables take a moment.")
    return found
