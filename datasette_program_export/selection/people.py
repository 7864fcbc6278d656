"""Which tables hold people, and which references say whose a row is.

People are named by the request, by settings or by a preset; otherwise they are guessed from names and types. The
rules, with examples, are in ``docs/closure.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

from ..database.schema import ForeignKey, Schema, Table, fold, table_of
from ..errors import RequestError, SettingsError
from ..options.preset import Preset
from ..options.request import NOBODY
from ..options.settings import Settings
from .people_names import (
    has_certain_name,
    holds_users,
    is_named_after,
    is_named_anybody,
    is_named_details,
    is_named_like_people,
    is_one_word,
    may_be_a_thing,
    may_be_an_organisation,
    names_a_subject,
    personal_columns,
    says_who_began_it,
    says_who_did_it,
    sounds_like_organisation,
    subject_rank,
)

KnownBy = Literal["request", "settings", "preset", "guess"]


@dataclass(frozen=True)
class People:
    """The tables of people, first those that decide where a row refers to people of several tables.

    ``owning`` are the references that name a row's owner, ``details`` those from a person to rows that are that
    person's own, ``same`` those between rows that are one person. ``shared`` are tables of companies, teams and the
    like, which pass no owners on. ``doubtful`` are tables that were not taken for people although they have personal
    columns, with these columns."""

    tables: tuple[str, ...]
    known_by: KnownBy
    owning: frozenset[ForeignKey] = frozenset()
    details: frozenset[ForeignKey] = frozenset()
    same: frozenset[ForeignKey] = frozenset()
    shared: frozenset[str] = frozenset()
    doubtful: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def passes_owners(self, edge: ForeignKey) -> bool:
        """Return whether a row has the owners of the row that it refers to, unless it names its own."""
        if edge.other_table in self.tables:
            return edge in self.owning
        return edge.other_table not in self.shared

    @property
    def declared(self) -> bool:
        """Whether somebody who knows the database named the people: parents are added only then."""
        return self.known_by in ("settings", "preset")


def people_of(
    schema: Schema,
    edges: Sequence[ForeignKey],
    settings: Settings,
    preset: Preset | None,
    asked: Sequence[str] = (),
    visible: Set[str] | None = None,
) -> People:
    """Return the people of a database.

    ``asked`` are the tables that the request names (``none``: nobody); they replace the tables of people that the
    person may see (``visible``), never those that they may not see. Raises RequestError for an unknown name."""
    base, known_by = _known(schema, edges, settings, preset)
    tables = base
    if asked:
        chosen = () if tuple(asked) == (NOBODY,) else tuple(_asked(schema, name, visible) for name in asked)
        hidden = [n for n in base if visible is not None and n not in visible]
        tables = tuple(dict.fromkeys([*chosen, *hidden]))
        if set(tables) == set(base):  # as the export page writes into its addresses: nobody said otherwise
            tables = base
        else:
            known_by = "request"
    rules = _Rules(schema, edges, settings, tables)
    return People(
        tables,
        known_by,
        frozenset(rules.owning()),
        frozenset(rules.details()),
        frozenset(rules.same()),
        frozenset(t.name for t in schema.values() if t.name not in tables and sounds_like_organisation(t)),
        _doubtful(schema, edges, tables) if known_by in ("guess", "request") else {},
    )


def _known(
    schema: Schema, edges: Sequence[ForeignKey], settings: Settings, preset: Preset | None
) -> tuple[tuple[str, ...], KnownBy]:
    if settings.persons == NOBODY:
        return (), "settings"
    listed = [*(settings.persons or ()), *(n for n, s in settings.subjects.items() if s.person)]
    named = dict.fromkeys(t.name for n in listed if (t := schema.find(n)) is not None)
    for name in named:
        if schema[name].kind != "table" or not schema[name].key:
            raise SettingsError(f"persons: {name} is no table whose rows can be told apart, so it cannot hold people")
    if named:
        return tuple(named), "settings"
    if preset is not None:
        found = (schema.find(name) for name in preset.persons)
        return tuple(t.name for t in found if t is not None)[:1], "preset"
    return _guess(schema, edges), "guess"


def _asked(schema: Schema, name: str, visible: Set[str] | None) -> str:
    table = schema.find(name)
    if table is None or table.kind != "table" or (visible is not None and table.name not in visible):
        seen = "" if visible is None else ", or you may not see it"
        raise RequestError(f"person: there is no table {name}{seen}. Write {NOBODY} if no table holds people.")
    if not table.key:
        raise RequestError(f"person: the rows of {name} cannot be told apart, so it cannot say who is who.")
    return table.name


def _guess(schema: Schema, edges: Sequence[ForeignKey]) -> tuple[str, ...]:
    """Return the tables that sound like people, those whom records are about before those who keep the records."""
    links = [e for e in edges if not e.problem and e.table != e.other_table]
    ranks = {t.name: rank for t in schema.values() if _can_hold_people(t) and (rank := subject_rank(t)) is not None}
    for edge in links:  # `app_patient` with a unique `user_id`: its name and e-mail are the user's
        child = schema[edge.table]
        if (
            edge.other_table in ranks
            and child.name not in ranks
            and has_certain_name(child)
            and _is_unique(edge, child)
        ):
            ranks[child.name] = 0 if names_a_subject([child.name]) else 3
    itself = {e.table for e in edges if e.table == e.other_table}
    whose = {e.table for e in links if e.other_table in ranks and not says_who_did_it(e.columns)}
    for name in [n for n, rank in ranks.items() if rank == 2 and not is_named_like_people(schema[n])]:
        if name in itself | whose:  # a mouse has parents, a pet an owner, an order a customer
            del ranks[name]
    for edge in links:
        if edge.table in ranks and edge.other_table in ranks:
            _drop_things_of_people(edge, schema, ranks)
    # `patients` that refer to `persons` say more of them: a row that names both is the patient's
    same = [e for e in links if e.table in ranks and ranks.get(e.other_table) == ranks[e.table]]
    special = {e.table for e in same if is_named_anybody(schema[e.other_table])}
    return tuple(sorted(ranks, key=lambda name: (ranks[name], name not in special)))


def _drop_things_of_people(edge: ForeignKey, schema: Schema, ranks: dict[str, int]) -> None:
    """Of two connected tables that sound like people, drop one that tells of the other's people.

    That is one called like details (``profiles``); ``accounts`` of customers, or to which customers belong; and one
    of several words that refers to those people by their name (``emergency_contacts.patient_id``)."""
    child, parent = schema[edge.table], schema[edge.other_table]
    own, other = ranks[child.name], ranks[parent.name]
    if says_who_did_it(edge.columns):
        return
    by_name = is_named_after(edge.columns, edge.other_columns, parent) or _is_unique(edge, child)
    of_these = by_name and (other <= own or holds_users(parent))
    if is_named_details(parent) or (may_be_an_organisation(parent) and not may_be_a_thing(child)):
        del ranks[parent.name]
    elif (
        is_named_details(child)
        or (of_these and may_be_a_thing(child))
        or (by_name and other <= own and not is_one_word(child) and not _is_unique(edge, child))
    ):
        del ranks[child.name]


def _is_unique(edge: ForeignKey, child: Table) -> bool:
    return child.is_unique(edge.columns)


def _can_hold_people(table: Table) -> bool:
    usual = table.kind == "table" and not table.problem and not table.name.startswith("sqlite_")
    return usual and bool(table.key) and fold(table.name) != NOBODY


def _doubtful(schema: Schema, edges: Sequence[ForeignKey], persons: Sequence[str]) -> dict[str, list[str]]:
    owned = {e.table for e in edges if e.other_table in persons and not says_who_did_it(e.columns)}
    return {
        t.name: columns
        for t in schema.values()
        if t.name not in persons and t.name not in owned and _can_hold_people(t) and (columns := personal_columns(t))
    }


class _Rules:
    """Sorts the references that touch a table of people by what they say of whose a row is."""

    def __init__(self, schema: Schema, edges: Sequence[ForeignKey], settings: Settings, persons: Sequence[str]) -> None:
        self.schema = schema
        self.persons = set(persons)
        self.edges = [e for e in edges if not e.problem and {e.table, e.other_table} & self.persons]
        self.owns = _named("owns", settings.owns, edges, schema)
        self.mentions = _named("mentions", settings.mentions, edges, schema)
        self.one = _named("same_person", settings.same_person, edges, schema)

    def owning(self) -> Iterable[ForeignKey]:
        """Yield the references that name the owner of a row that is no person.

        Of several to one table: those that settings name; else those called like people whom records are about; else
        those called like the table; else those that do not only say who did something; else who began it; else each."""
        groups: dict[tuple[str, str], list[ForeignKey]] = {}
        for edge in self.edges:
            if edge.other_table in self.persons and edge.table not in self.persons and edge not in self.mentions:
                groups.setdefault((edge.table, edge.other_table), []).append(edge)
        for (_, person), group in groups.items():
            table = self.schema[person]
            own = {e: _own_columns(e, group) for e in group}
            said = [e for e in group if e in self.owns]
            subjects = [e for e in group if len(group) > 1 and names_a_subject(own[e])]
            named = [e for e in group if is_named_after(own[e], e.other_columns, table)]
            about = [e for e in group if not says_who_did_it(own[e])]
            began = [e for e in group if says_who_began_it(own[e])]
            yield from said or subjects or named or about or began or group

    def details(self) -> Iterable[ForeignKey]:
        """Yield the references from a person to rows of their own, such as an address."""
        for edge in self.edges:
            if edge.table not in self.persons or edge.other_table in self.persons or edge in self.mentions:
                continue
            parent = self.schema[edge.other_table]
            if not parent.key or not parent.is_unique(edge.other_columns):
                continue
            one_to_one = _is_unique(edge, self.schema[edge.table]) and not sounds_like_organisation(parent)
            named = is_named_details(parent) or is_named_anybody(parent)
            if edge in self.owns or ((one_to_one or named) and not says_who_did_it(edge.columns)):
                yield edge

    def same(self) -> Iterable[ForeignKey]:
        """Yield the references from one table of people to another by which both rows are one person.

        By default these are a shared primary key, and a unique reference called like a table of a certain name."""
        for edge in self.edges:
            if not {edge.table, edge.other_table} <= self.persons or edge.table == edge.other_table:
                continue
            child, parent = self.schema[edge.table], self.schema[edge.other_table]
            shared = {fold(c) for c in edge.columns} == {fold(c) for c in child.pk}
            named = has_certain_name(parent) and is_named_after(edge.columns, edge.other_columns, parent)
            one = _is_unique(edge, child) and (shared or named)
            if edge in self.one or (one and edge not in self.mentions):
                yield edge


def _own_columns(edge: ForeignKey, group: Sequence[ForeignKey]) -> list[str]:
    """Return the columns of a reference that it does not share with all others of the group, such as a tenant's."""
    shared = set.intersection(*({fold(c) for c in e.columns} for e in group)) if len(group) > 1 else set()
    return [c for c in edge.columns if fold(c) not in shared] or list(edge.columns)


def _named(setting: str, names: Iterable[str], edges: Sequence[ForeignKey], schema: Schema) -> frozenset[ForeignKey]:
    """Return the references that a setting names; tables that this database does not have are skipped."""
    by_name: dict[str, list[ForeignKey]] = {}
    for edge in edges:
        by_name.setdefault(fold(edge.name), []).append(edge)
    found: list[ForeignKey] = []
    for name in names:
        matching = by_name.get(fold(name))
        if matching is None and schema.find(table_of(name)) is not None:
            raise SettingsError(f"{setting}: there is no reference {name}; the plan lists them as child.column.")
        found += matching or []
    return frozenset(found)
