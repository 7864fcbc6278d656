"""The schema together with settings and preset: subjects, people, secrets, JSON columns, references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from ..database.guarding.authorizer import JOINS_UNSEEN, OF_STORAGE
from ..database.schema import ForeignKey, Schema, Table, fold, resolve, table_of
from ..database.virtual_tables import OF_INDEXES, indexed_by
from ..errors import RequestError, SettingsError
from ..options.preset import Preset, load_preset, preset_for
from ..options.settings import Settings, Subject
from ..options.virtual_keys import VirtualForeignKey
from .graph import Graph
from .people import People, people_of
from .secret_paths import Path
from .secrets import columns_named, secret_columns, secret_paths, snake_case

_MOST_DERIVED = 50
_MOST_SETTINGS = 5
Made = TypeVar("Made")
_NO_SUBJECT = Subject.model_validate({})
_STATISTICS = ("sqlite_stat1", "sqlite_stat3", "sqlite_stat4")


@dataclass(frozen=True)
class AnnotatedSchema:
    """Everything known about a database before any row is read.

    ``edges`` are the foreign keys, declared and virtual. ``asked_people`` are the tables of people that a request
    names, for a person who may see the ``visible`` tables (None: all). With ``with_secrets``, secret columns are
    exported too. ``derived`` is shared by all that have the same schema, settings and preset: see ``kept``."""

    schema: Schema
    settings: Settings
    preset_name: str | None
    preset: Preset | None
    edges: tuple[ForeignKey, ...]
    with_secrets: bool = False
    _secrets: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    asked_people: tuple[str, ...] = ()
    visible: Set[str] | None = None
    derived: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def kept(self, key: Any, make: Callable[[], Made]) -> Made:
        """Return what ``make`` made of schema, settings and preset before, or does now.

        The ``key`` has whatever else it depends on, above all who asks."""
        if key not in self.derived:
            if len(self.derived) >= _MOST_DERIVED:
                self.derived.clear()
            self.derived[key] = make()
        made: Made = self.derived[key]
        return made

    def graph(self, tables: Iterable[str] | None = None, stopped: Iterable[ForeignKey] = ()) -> Graph:
        """Return the graph of ``tables`` (by default all ordinary tables) without the ``stopped`` edges.

        Edges with a problem and edges through a secret column are not part of it."""
        wanted = None if tables is None else frozenset(tables)
        out = frozenset(stopped)
        return self.kept(("graph", wanted, out, self.with_secrets), lambda: self._graph(wanted, out))

    def _graph(self, wanted: frozenset[str] | None, out: frozenset[ForeignKey]) -> Graph:
        names = [n for n, t in self.schema.items() if t.kind == "table" and (wanted is None or n in wanted)]
        kept = set(names)
        edges = [e for e in self.edges if not e.problem and e not in out and not self.is_secret(e)]
        return Graph(tuple(names), tuple(e for e in edges if e.table in kept and e.other_table in kept))

    @cached_property
    def people(self) -> People:
        """The people of the database. Raises RequestError and SettingsError for names that do not exist."""
        seen = frozenset(self.visible) if self.asked_people and self.visible is not None else None
        key = "people", self.asked_people, seen
        told = self.schema, self.edges, self.settings, self.preset, self.asked_people, self.visible
        return self.kept(key, lambda: people_of(*told))

    @property
    def persons(self) -> tuple[str, ...]:
        """The tables whose rows are people."""
        return self.people.tables

    def subject(self, table: str) -> Subject:
        """Return what the settings, or else the preset, call the table's rows; an empty Subject if neither does."""
        sources = [source.subjects for source in (self.preset, self.settings) if source]
        found = self.kept("subjects", lambda: {fold(n): s for all_ in sources for n, s in reversed(all_.items())})
        return found.get(fold(table), _NO_SUBJECT)

    def labels(self) -> dict[str, str]:
        """Return one-word labels mapped to their tables; the command line offers them beside ``record``."""
        names = {n: t for n in self.schema if (t := self.subject(n).label) and " " not in t}
        return {label: name for name, label in names.items()}

    def client_table(self) -> Table | None:
        """Return the table whose rows are the people that ``client`` means, or None.

        It is the one with that label; else the first that settings or the preset name as people, such as birth records
        in an application without clients; else one called ``clients``."""
        name = self.labels().get("client") or next(iter(self.persons if self.people.declared else ()), "clients")
        return self.schema.find(name)

    def title_columns(self, table: Table) -> list[str]:
        """Return the columns that name a row: the configured ones, else the first usual names that the table has."""
        configured = [c for c in self.subject(table.name).title if table.column(c)]
        if configured:
            return configured
        by_form = {snake_case(c.name): c.name for c in table.visible_columns}
        for names in (("first_name", "last_name"), ("name",), ("title",), ("label",), ("company_name",)):
            if all(n in by_form for n in names):
                return [by_form[n] for n in names]
        return []

    def json_columns(self, table: Table) -> frozenset[str]:
        """Return the columns whose texts may hold JSON: declared as JSON, or named by the settings or the preset."""
        named = columns_named(table, self.settings.json_columns)
        if self.preset is not None:
            named |= columns_named(table, self.preset.json_columns, strict=False)
        return frozenset(c.name for c in table.columns if c.name in named or c.type.upper() == "JSON")

    def secrets(self, table: Table) -> dict[str, str]:
        """Return the columns left out as secret, each with the reason; none if secrets are included."""
        return {} if self.with_secrets else self.secret_columns(table)

    def secret_paths(self, table: Table) -> dict[str, tuple[Path, ...]]:
        """Return the columns of which only a part is left out as secret, each with the paths of that in its JSON."""
        return secret_paths(table, self.settings, self.secrets(table))

    def caches(self) -> set[str]:
        """Return the tables that hold only data that the application can fetch again."""
        names = [*self.settings.caches, *(self.preset.caches if self.preset else ())]
        return {t.name for n in names if (t := self.schema.find(n))}

    def confidential(self) -> list[str]:
        """Return the tables that the export page asks about first, in their order."""
        names = [*self.settings.confidential, *(self.preset.confidential if self.preset else ())]
        return list(dict.fromkeys(t.name for n in names if (t := self.schema.find(n))))

    def secret_columns(self, table: Table) -> dict[str, str]:
        """Return the columns that hold secrets, whether left out or not, each with the reason."""
        return self._secrets.get(table.name, {})

    def is_secret(self, edge: ForeignKey) -> bool:
        """Return whether an edge runs through a secret column: following it would reveal the column's values."""
        secrets = self.secrets(self.schema[edge.table])
        return any(column in secrets for column in edge.reads)

    def drawn_from(self, table: Table) -> set[str]:
        """Return the tables that an index table copies rows from.

        An index table is a search index, one of its shadow tables, or a list of its words. A name that does not
        resolve is returned unchanged; no person may see a table of that name."""
        found: set[str] = set()
        owner = self.schema.find(table.owner) if table.owner else None
        if owner is not None:
            found |= {owner.name, *self.drawn_from(owner)}
        for name in indexed_by(table):
            origin = self.schema.find(name)
            found.add(origin.name if origin is not None else name)
            if origin is not None and origin.kind == "virtual" and origin != table:
                found |= self.drawn_from(origin)
        return found

    def refused_tables(self) -> dict[str, str]:
        """Return the tables and views through which a secret could leak, by folded name, each with the reason."""
        refused = {fold(n): "SQLite keeps samples of other tables in it" for n in _STATISTICS}
        holders = {n for n, t in self.schema.items() if self.secrets(t)}
        if not holders:
            return refused
        refused |= dict.fromkeys(OF_STORAGE, "it shows how the database is stored, secrets too")
        for name, table in self.schema.items():
            if table.kind == "view" and JOINS_UNSEEN.search(table.sql or ""):
                refused[fold(name)] = "it joins by USING or NATURAL, where a secret column could pass unseen"
            elif table.kind == "virtual":
                origins = self.drawn_from(table)
                if name in holders or origins & holders:
                    refused[fold(name)] = "it indexes a column that is left out as secret"
                elif any((t := self.schema.find(o)) is None or t.kind == "view" for o in origins):
                    refused[fold(name)] = "it indexes a view, which may hold what is left out as secret"
                elif table.module in OF_INDEXES:
                    refused[fold(name)] = "it lists the words of an index that may hold secrets"
        for name, table in self.schema.items():
            if table.owner is not None and fold(table.owner) in refused:
                refused[fold(name)] = f"it is a part of {table.owner}"
        return refused

    def hidden(self, visible: Set[str] | None) -> frozenset[str]:
        """Return the folded names of the tables that a person who may see only ``visible`` tables may not read."""
        if visible is None:
            return frozenset()
        return frozenset([fold(n) for n, t in self.schema.items() if not self.readable(t, visible)])

    def holds_unseen(self, visible: Set[str]) -> bool:
        """Return whether there are tables with something of their own that a person who may see only ``visible`` may
        not read. Lists of an index's words hold nothing of their own; Datasette 1.0 shows them to nobody."""
        unseen = [t for t in self.schema.values() if not self.readable(t, visible)]
        return any(t.module not in OF_INDEXES or not visible >= self.drawn_from(t) for t in unseen)

    def readable(self, table: Table, visible: Set[str]) -> bool:
        """Return whether a table may be read.

        A search index is readable only together with the tables that it indexes, a shadow table only with its
        owner."""
        owner = self.schema.find(table.owner) if table.owner else None
        if owner is not None:
            return self.readable(owner, visible)
        return visible >= {table.name, *self.drawn_from(table)}

    def stopped_names(self) -> list[str]:
        """Return the entries of the setting ``stop`` that name tables of this database."""
        return [n for n in self.settings.stop if self.schema.find(table_of(n))]

    def edges_named(self, names: Iterable[str], visible: Set[str] | None = None) -> set[ForeignKey]:
        """Return the edges that ``child.column`` names refer to.

        Raises RequestError for a name without a visible edge."""
        found: set[ForeignKey] = set()
        known: dict[str, set[ForeignKey]] = {}
        for edge in self.edges:
            if visible is None or edge.table in visible:
                for spelled in {fold(edge.name), fold(edge.plain_name)}:
                    known.setdefault(spelled, set()).add(edge)
        for name in names:
            matching = known.get(fold(name))
            if not matching:
                raise RequestError(f"There is no reference {name}; the plan lists them as child.column.")
            found |= matching
        return found


def annotate(
    schema: Schema,
    settings: Settings,
    with_secrets: bool = False,
    people: Sequence[str] = (),
    visible: Set[str] | None = None,
) -> AnnotatedSchema:
    """Combine schema, settings and preset; ``people`` are the tables of people that a request names.

    Without a preset in the settings, the preset that recognises the schema is used. Raises SettingsError for names
    that do not exist, and PluginError for presets of plugins that cannot be used."""
    name, preset = settings.preset, None
    if name is None:
        name, preset = preset_for(schema) or (None, None)
    elif name != "none":
        preset = load_preset(name)
    edges, known, derived = _known(schema, settings, preset)
    made = AnnotatedSchema(
        schema, settings, name if preset else None, preset, edges, with_secrets, known, tuple(people), visible, derived
    )
    try:
        made.edges_named(made.stopped_names())
    except RequestError as error:
        raise SettingsError(f"stop: {error}") from None
    return made


_Known = tuple[tuple[ForeignKey, ...], dict[str, dict[str, str]], dict[Any, Any]]


def _known(schema: Schema, settings: Settings, preset: Preset | None) -> _Known:
    """Return the references, the secret columns, and what was derived from them, as far as nobody's request decides."""
    before: list[tuple[Settings, Preset | None, _Known]] = schema.derived.setdefault("annotated", [])
    for of_settings, of_preset, known in before:
        if of_settings == settings and of_preset == preset:
            return known
    edges = _edges(schema, settings)
    found: _Known = edges, secret_columns(schema, settings, preset, edges), {}
    before[:] = [*before[1 - _MOST_SETTINGS :], (settings, preset, found)]
    return found


def _edges(schema: Schema, settings: Settings) -> tuple[ForeignKey, ...]:
    # settings may serve several databases, so keys of tables that this database does not have are skipped
    virtual = [
        _virtual(key, child, schema) for key in settings.virtual_foreign_keys if (child := schema.find(key.table))
    ]
    declared = [e for t in schema.values() if t.kind == "table" for e in t.foreign_keys]
    edges = dict.fromkeys([*declared, *virtual])  # a key declared twice is one edge
    ends = Counter((e.table, e.columns, e.other_table) for e in edges if e.where)
    if twice := [e for e in edges if ends[e.table, e.columns, e.other_table] > 1]:
        raise SettingsError(
            f"virtual_foreign_keys: {twice[0].plain_name} to {twice[0].other_table} is there twice: list all values of "
            "where in one."
        )
    return tuple(edges)


def _virtual(key: VirtualForeignKey, child: Table, schema: Schema) -> ForeignKey:
    where = tuple((column, tuple(values)) for column, values in key.where.items())
    ends = child.name, tuple(key.columns), key.other_table, tuple(key.other_columns)
    edge = ForeignKey(*ends, virtual=True, where=where)
    edge = resolve(edge, child, {fold(n): t for n, t in schema.items()})
    if edge.problem:
        raise SettingsError(f"virtual_foreign_keys: {edge.name} to {edge.other_table}: {edge.problem}")
    return edge
