"""One database as an export sees it: its schema, with what settings and preset say of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .errors import RequestError, SettingsError
from .graph import Graph
from .guard import JOINS_UNSEEN
from .schema import ForeignKey, Schema, Table, fold, resolve
from .settings import PRESETS, SECRET_ENDINGS, SECRET_NAMES, Preset, Settings, Subject, VirtualForeignKey, load_preset

_STATISTICS = ("sqlite_stat1", "sqlite_stat3", "sqlite_stat4")
_CONTENT = re.compile(r"\bcontent\s*=\s*[\"'`\[]?([^\"'`\],)]+)", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Catalog:
    """Everything that is known of a database before its rows are looked at."""

    schema: Schema
    settings: Settings
    preset_name: str | None
    preset: Preset | None
    edges: tuple[ForeignKey, ...]

    def graph(self, tables: Iterable[str] | None = None, stopped: Iterable[ForeignKey] = ()) -> Graph:
        """The graph of these tables (all ordinary ones by default) without the stopped edges."""
        names = [n for n, t in self.schema.items() if t.kind == "table"]
        if tables is not None:
            wanted = set(tables)
            names = [n for n in names if n in wanted]
        kept, out = set(names), set(stopped)
        edges = [e for e in self.edges if not e.problem and e not in out]
        return Graph(tuple(names), tuple(e for e in edges if e.table in kept and e.other_table in kept))

    @property
    def persons(self) -> tuple[str, ...]:
        """The tables whose rows are people."""
        named = [t.name for n, s in self.settings.subjects.items() if s.person and (t := self.schema.find(n))]
        if named or self.preset is None:
            return tuple(named)
        found = (self.schema.find(name) for name in self.preset.persons)
        return tuple(t.name for t in found if t is not None)[:1]

    def subject(self, table: str) -> Subject:
        """What the table's rows are called; empty where nobody said."""
        for source in (self.settings, self.preset):
            for name, subject in (source.subjects if source else {}).items():
                if fold(name) == fold(table):
                    return subject
        return Subject.model_validate({})

    def labels(self) -> dict[str, str]:
        """One-word labels and their tables: the commands beside ``record``."""
        names = {n: t for n in self.schema if (t := self.subject(n).label) and " " not in t}
        return {label: name for name, label in names.items()}

    def title_columns(self, table: Table) -> list[str]:
        """The columns that name a row: as configured, else the usual suspects."""
        configured = [c for c in self.subject(table.name).title if table.column(c)]
        if configured:
            return configured
        by_form = {_snake(c.name): c.name for c in table.visible_columns}
        for names in (("first_name", "last_name"), ("name",), ("title",), ("label",), ("company_name",)):
            if all(n in by_form for n in names):
                return [by_form[n] for n in names]
        return []

    def json_columns(self, table: Table) -> frozenset[str]:
        """The columns whose texts may hold JSON: declared so, or named by settings or preset."""
        named = _named(table, self.settings.json_columns)
        if self.preset is not None:
            named |= _named(table, self.preset.json_columns)
        return frozenset(c.name for c in table.columns if c.name in named or c.type.upper() == "JSON")

    def secrets(self, table: Table) -> dict[str, str]:
        """The columns that are left out as secret, each with the reason."""
        named = _named(table, self.settings.secrets)
        if self.preset is not None:
            named |= _named(table, self.preset.secrets)
        taken_back = _named(table, self.settings.not_secrets)
        found = {}
        for column in table.columns:
            if column.name in named:
                found[column.name] = "named as secret"
            elif column.name not in taken_back and _sounds_secret(column.name):
                found[column.name] = "its name sounds like a secret"
        if found:
            # SQLite computes these from columns that nobody can see through
            for column in table.columns:
                if column.generated and column.name not in found and column.name not in taken_back:
                    found[column.name] = "computed in a table that holds a secret"
        return found

    def drawn_from(self, table: Table) -> set[str]:
        """The tables whose rows an index table holds copies of: a search index, or a part of one."""
        found: set[str] = set()
        owner = self.schema.find(table.owner) if table.owner else None
        if owner is not None:
            found |= {owner.name, *self.drawn_from(owner)}
        if table.kind == "virtual" and (content := _CONTENT.search(table.sql or "")):
            origin = self.schema.find(content.group(1).strip())
            found |= {origin.name} if origin is not None else set()
        return found

    def refused_tables(self) -> dict[str, str]:
        """Tables and views through which a secret could pass unseen, by folded name, each with the reason."""
        refused = {fold(n): "SQLite keeps samples of other tables in it" for n in _STATISTICS}
        holders = {fold(n) for n, t in self.schema.items() if self.secrets(t)}
        if not holders:
            return refused
        for name, table in self.schema.items():
            if table.kind == "view" and JOINS_UNSEEN.search(table.sql or ""):
                refused[fold(name)] = "it joins by USING or NATURAL, where a secret column could pass unseen"
            elif table.kind == "virtual":
                content = _CONTENT.search(table.sql or "")
                if fold(name) in holders or (content and fold(content.group(1)) in holders):
                    refused[fold(name)] = "it indexes a column that is left out as secret"
                elif table.module in ("fts5vocab", "fts4aux"):
                    refused[fold(name)] = "it lists the words of an index that may hold secrets"
        for name, table in self.schema.items():
            if table.owner is not None and fold(table.owner) in refused:
                refused[fold(name)] = f"it is a part of {table.owner}"
        return refused

    def stopped_names(self) -> list[str]:
        """The setting ``stop``, as far as it speaks of tables of this database."""
        return [n for n in self.settings.stop if self.schema.find(n.rpartition(".")[0])]

    def edges_named(self, names: Iterable[str]) -> set[ForeignKey]:
        """The edges that ``child.column`` names mean. Raises RequestError for a name without an edge."""
        found: set[ForeignKey] = set()
        for name in names:
            matching = {e for e in self.edges if fold(e.name) == fold(name)}
            if not matching:
                raise RequestError(f"There is no reference {name}; the plan lists them as child.column.")
            found |= matching
        return found


def catalog(schema: Schema, settings: Settings) -> Catalog:
    """Join schema, settings and preset. Raises SettingsError for names that do not exist."""
    name, preset = settings.preset, None
    if name is None:
        for candidate in PRESETS:
            if load_preset(candidate).recognises(schema):
                name, preset = candidate, load_preset(candidate)
    elif name != "none":
        preset = load_preset(name)
    # settings may serve several databases: what names a table of another one is not for this one
    virtual = [
        _virtual(key, child, schema) for key in settings.virtual_foreign_keys if (child := schema.find(key.table))
    ]
    declared = [e for t in schema.values() if t.kind == "table" for e in t.foreign_keys]
    edges = dict.fromkeys([*declared, *virtual])  # a key declared twice is one edge
    made = Catalog(schema, settings, name if preset else None, preset, tuple(edges))
    try:
        made.edges_named(made.stopped_names())
    except RequestError as error:
        raise SettingsError(f"stop: {error}") from None
    return made


def _virtual(key: VirtualForeignKey, child: Table, schema: Schema) -> ForeignKey:
    edge = ForeignKey(child.name, tuple(key.columns), key.other_table, tuple(key.other_columns), virtual=True)
    edge = resolve(edge, child, {fold(n): t for n, t in schema.items()})
    if edge.problem:
        raise SettingsError(f"virtual_foreign_keys: {edge.name} to {edge.other_table}: {edge.problem}")
    return edge


def _named(table: Table, columns_by_table: dict[str, list[str]]) -> set[str]:
    found = set()
    for name, columns in columns_by_table.items():
        if fold(name) == fold(table.name):
            found |= {c.name for n in columns if (c := table.column(n))}
    return found


def _snake(name: str) -> str:
    return fold(_HUMP.sub("_", name)).replace(" ", "_").replace("-", "_")


def _sounds_secret(name: str) -> bool:
    form = _snake(name)
    return form in SECRET_NAMES or form.endswith(SECRET_ENDINGS)


def without_columns(edge: ForeignKey, columns: Iterable[str]) -> ForeignKey:
    """The edge with a problem when one of these columns, which it needs, is not there."""
    gone = set(columns).intersection(edge.columns)
    return replace(edge, problem=f"{sorted(gone)[0]} is left out") if gone else edge
