"""``propose(source)``: settings for a database, from its names and a bounded look at its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import closing
from dataclasses import replace
from threading import Event
from typing import Any

from ..database.schema import Schema, Table
from ..database.snapshot import Snapshot
from ..database.source import Source
from ..options.settings import Settings, parse_settings
from ..selection.annotated_schema import AnnotatedSchema, annotate
from .example import example_of
from .finding.caches import find_caches
from .finding.json_texts import find_json, found_json
from .finding.path_texts import find_paths
from .finding.references import find_references
from .finding.secret_values import find_secrets
from .finding.titles import find_subject
from .finding.type_columns import find_type_references
from .look import Look
from .proposal import Found, Proposal
from .yaml_text import as_settings, as_yaml

SECONDS = 10.0
_MOST_SUBJECTS = 50  # tables that are described; the others keep their names


def propose(
    source: Any,
    *,
    database: str | None = None,
    rows: bool = True,
    visible: Set[str] | None = None,
    seconds: float = SECONDS,
    cancelled: Event | None = None,
) -> Proposal:
    """Return settings that fit a database, each with the reason, as data and as lines for ``metadata.yml``.

    ``source`` is whatever ``Source.of`` takes, ``database`` the name under ``databases:`` (by default the file's).
    With ``rows``, some rows of each table are looked at, for ``seconds`` in all; without, names and types alone.
    ``visible`` are the tables that the person may see (None: all); others are as if they did not exist. The same
    database gives the same proposal, as long as there is time. Raises SourceError if it cannot be read, BusyError if
    it stays locked, and CancelledError when ``cancelled`` is set."""
    opened = Source.of(source)
    with closing(Snapshot(opened, cancelled=cancelled)) as snapshot:
        look = Look(snapshot, rows, seconds)
        made = _Proposing(_seen(snapshot.schema, visible), look).proposal(database or opened.name)
    if rows and made.tables:
        settings = parse_settings(made.settings)
        example = example_of(opened, settings, visible=visible, cancelled=cancelled)
        made = made.model_copy(update={"example": example})
    return made


def _seen(schema: Schema, visible: Set[str] | None) -> Schema:
    """Return the schema of the tables that a person may see, without references to others."""
    if visible is None:
        return schema
    kept = [
        replace(t, foreign_keys=tuple(k for k in t.foreign_keys if k.other_table in visible))
        for t in schema.values()
        if t.name in visible
    ]
    return Schema(kept, schema.encoding, schema.numbers)


class _Proposing:
    def __init__(self, schema: Schema, look: Look) -> None:
        self.schema, self.look = schema, look
        self.known = annotate(schema, Settings())
        self.tables = {n: t for n, t in schema.items() if t.kind == "table" and not t.problem}
        self.secrets = {n: self.known.secret_columns(t) for n, t in self.tables.items()}
        self.values: dict[str, Mapping[str, Sequence[Any]]] = {}

    def proposal(self, database: str) -> Proposal:
        self.values = {n: self.look.sample(t, self.secrets[n]) for n, t in self.tables.items()}
        found = self._undescribed() if self.known.preset is None else self._beside_the_preset()
        notes = []
        settings = as_settings(found)
        known = annotate(self.schema, parse_settings(settings))
        if self.look.late:
            notes.append("The time was over before all rows were looked at: what was not seen goes by names alone.")
        if self.tables and self.known.preset is None and not known.persons:
            notes.append(
                "No table looks like people: one record's export holds all that hangs off it, whoever's it is."
            )
        for table, columns in known.people.doubtful.items():
            told = ", ".join(columns)
            notes.append(f"{table} has columns such as a person's ({told}): if its rows are people, add it to persons.")
        without_key = [n for n, t in self.tables.items() if not t.key]
        if without_key:
            notes.append(f"Rows of {', '.join(without_key[:10])} cannot be told apart, so none of them goes by itself.")
        secret = [f"{n}.{c}" for n, columns in self.secrets.items() for c in columns]
        title = self.known.preset.title if self.known.preset is not None else None
        return Proposal(
            database=database,
            tables=len(self.tables),
            preset=self.known.preset_name,
            rows_looked_at=self.look.rows if self.look.allowed else None,
            complete=not self.look.late,
            found=found,
            secret_by_name=secret,
            settings=settings,
            yaml=as_yaml(database, found, secret, self.known.preset_name, title),
            notes=notes,
        )

    def _beside_the_preset(self) -> list[Found]:
        """Return what the preset does not know; whom records are about, and what rows are called, it says itself."""
        preset = self.known.preset
        assert preset is not None
        told = {*preset.caches}
        found = [f for f in [*self._references(), *self._secrets(), *self._json()] if f.written]
        caches = find_caches(self.tables, self.known.edges)
        return [*found, *(c for c in caches if c.table not in told and c.written), *self._files()]

    def _undescribed(self) -> list[Found]:
        references = self._references()
        known = self._with(references)
        persons = [
            Found(setting="persons", table=name, value=name, why=_why_people(known, name)) for name in known.persons
        ]
        secrets = self._secrets()
        hidden = {(f.table, column) for f in secrets for column in f.value}
        caches = list(find_caches(self.tables, known.edges))
        left = {c.table for c in caches if c.written}
        subjects = [
            find_subject(
                self.tables[n],
                self.values.get(n, {}),
                {*self.secrets[n], *(column for table, column in hidden if table == n)},
                n in known.persons,
            )
            for n in self._described(known, left)
        ]
        return [*persons, *subjects, *references, *secrets, *self._json(), *caches, *self._files()]

    def _described(self, known: AnnotatedSchema, caches: Set[str]) -> list[str]:
        """Return the tables to describe: people, then those that most others refer to; no caches, no mere links."""
        referring = {n: len({e.table for e in known.edges if e.other_table == n and e.table != n}) for n in self.tables}
        usual = [n for n, t in self.tables.items() if t.key and n not in caches and not _is_link(t)]
        order = sorted(usual, key=lambda n: (n not in known.persons, -referring[n]))
        return order[:_MOST_SUBJECTS]

    def _with(self, found: Sequence[Found]) -> AnnotatedSchema:
        return annotate(self.schema, parse_settings(as_settings(found)))

    def _references(self) -> list[Found]:
        declared = {(e.table, e.columns) for e in self.known.edges}
        found = [
            *find_references(self.tables, self.look, self.secrets),
            *find_type_references(self.tables, self.look, self.secrets),
        ]
        return [f for f in found if (f.table, tuple(f.value["columns"])) not in declared]

    def _secrets(self) -> list[Found]:
        return [f for n, t in self.tables.items() for f in find_secrets(t, self.values.get(n, {}))]

    def _files(self) -> list[Found]:
        return [
            f
            for n, t in self.tables.items()
            for f in find_paths(t, self.values.get(n, {}), set(self.secrets[n]), self.look.allowed)
        ]

    def _json(self) -> list[Found]:
        found = []
        for name, table in self.tables.items():
            known = self.known.json_columns(table) | set(self.secrets[name])
            columns = [c for c in find_json(table, self.values.get(name, {}), self.look.allowed) if c not in known]
            if columns:
                found.append(found_json(table, columns, self.look.allowed))
        return found


def _is_link(table: Table) -> bool:
    """Return whether a table only links others: its key is made of its references."""
    referring = {c for key in table.foreign_keys for c in key.columns}
    return len(table.pk) > 1 and set(table.pk) <= referring and len(table.columns) <= len(table.pk) + 1


def _why_people(known: AnnotatedSchema, name: str) -> str:
    place = known.persons.index(name)
    return "its name and columns are those of people" + ("" if place == 0 else "; after the tables above it")
