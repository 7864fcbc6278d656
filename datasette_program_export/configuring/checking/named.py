"""Checks that the tables, columns and references that settings name are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...database.schema import Schema, Table, fold, table_of
from ...errors import PluginError, RequestError, SettingsError
from ...formats.registry import get_format
from ...options.grammar import check_profile
from ...options.profiles import Profile
from ...options.request import DEFAULT_FORMAT
from ...options.settings import Settings
from ...options.suggestion import meant
from ...selection.annotated_schema import annotate
from .report import Problem

_BY_TABLE = ("json_columns", "secrets", "not_secrets")


def check_names(settings: Settings, schema: Schema, needed: dict[str, str]) -> Iterator[Problem]:
    """Yield the names that are of no table or column; ``needed`` are the tables that have to be in this database."""
    for name, key in needed.items():
        if schema.find(name) is None:
            yield Problem(setting=key, message=f"there is no table {name}.{meant(name, list(schema))}")
    for name, subject in settings.subjects.items():
        yield from _columns(schema.find(name), f"subjects: {name}", [*subject.title, *subject.told_apart_by])
    for key in _BY_TABLE:
        for name, columns in getattr(settings, key).items():
            yield from _columns(schema.find(name), f"{key}: {name}", columns, paths=key == "secrets")
    for reference in settings.virtual_foreign_keys:
        child, parent = schema.find(reference.table), schema.find(reference.other_table)
        where = "virtual_foreign_keys"
        yield from _columns(child, where, [*reference.columns, *reference.where])
        yield from _columns(parent, where, reference.other_columns)
        if child is not None and parent is None:
            yield Problem(
                setting=where,
                message=f"there is no table {reference.other_table}.{meant(reference.other_table, list(schema))}",
            )


def _columns(table: Table | None, setting: str, names: Iterable[str], paths: bool = False) -> Iterator[Problem]:
    if table is None:
        return
    known = [c.name for c in table.columns]
    for name in names:
        starts = [name[:at] for at, character in enumerate(name) if character == "."] if paths else []
        if table.column(name) is None and not any(table.column(start) for start in starts):
            likely = meant(starts[0] if starts else name, known) or f" It has: {', '.join(known[:12])}."
            yield Problem(setting=setting, message=f"{table.name} has no column {name}.{likely}")


def check_references_named(settings: Settings, schema: Schema) -> Iterator[Problem]:
    """Yield the references that settings name as ``child.column`` and that there are not."""
    known = annotate(schema, settings.model_copy(update={"stop": []}))
    names = sorted({n for e in known.edges for n in (e.name, e.plain_name)})
    folded = set(map(fold, names))
    for key in ("owns", "mentions", "same_person", "stop"):
        for name in getattr(settings, key):
            if schema.find(table_of(name)) is not None and fold(name) not in folded:
                yield Problem(
                    setting=key,
                    message=f"there is no reference {name}, declared or in virtual_foreign_keys.{meant(name, names)}",
                )


def check_profiles(settings: Settings, schema: Schema, database: str) -> Iterator[Problem]:
    """Yield the profiles that cannot be used: with a wrong option, or a table or column that there is not."""
    for name, fields in settings.profiles.items():
        where = f"profiles: {name}"
        try:
            check_profile(name, fields)
            get_format(fields.get("format", DEFAULT_FORMAT))
        except (SettingsError, RequestError, PluginError) as error:
            yield Problem(setting=where, message=str(error).removeprefix(f"{where}: "))
            continue
        for unknown in Profile(name, database, None, fields).unknown(frozenset(schema)):
            yield Problem(
                setting=where, message=f"there is no table or column {unknown}.{meant(unknown, list(schema))}"
            )


def check_people(settings: Settings, schema: Schema) -> Iterator[Problem]:
    """Yield what is wrong with the settings as a whole, in the words in which a site would refuse to start."""
    try:
        _ = annotate(schema, settings).people
    except SettingsError as error:
        setting, found, message = str(error).partition(": ")
        known = setting in Settings.model_fields and bool(found)
        yield Problem(setting=setting if known else "", message=message if known else str(error))
