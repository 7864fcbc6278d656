"""``check_settings(path, sources)``: a file of settings against the databases that it is for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ...database.schema import Schema
from ...database.snapshot import Snapshot
from ...database.source import Source
from ...errors import ExportError, SettingsError
from ...options.settings import FOR_THE_SITE, Settings, merge, parse_settings
from ...options.settings_file import parts_of, read_document
from ...options.suggestion import meant
from ...selection.annotated_schema import AnnotatedSchema, annotate
from ...selection.secrets import PARTLY
from ..example import example_row
from ..look import Look
from ..yaml_text import PLUGIN
from .files import check_files, count_files
from .folders import check_folders
from .named import check_names, check_people, check_profiles, check_references_named
from .references import check_references, check_undeclared
from .report import CheckedDatabase, CheckReport, Problem

SECONDS = 10.0  # for the values of one database's references
_MOST_EXAMPLES = 8


def check_settings(metadata: Path, sources: Mapping[str, Source]) -> CheckReport:
    """Check a ``metadata.yml`` or ``datasette.yml`` against databases, by their names under ``databases:``.

    Nothing is written. Raises SourceError for a database that cannot be read; what is wrong with the settings is in
    the report."""
    report = CheckReport(settings=metadata.name)
    try:
        document = read_document(metadata)
    except SettingsError as error:
        report.problems.append(Problem(setting="", message=f"{error}."))
        return report
    report.problems += _of_the_file(document, list(sources))
    schemas = {name: _schema(source) for name, source in sources.items()}
    for name, source in sources.items():
        report.databases.append(_checked(document, name, source, schemas))
    return report


def _schema(source: Source) -> Schema:
    with closing(Snapshot(source)) as snapshot:
        return snapshot.schema


def _of_the_file(document: Mapping[str, Any], databases: Sequence[str]) -> Iterator[Problem]:
    """Yield what makes settings count for nothing: a misspelt plugin, settings of a database of another name."""
    named = list(_mapping(document.get("databases")))
    for name in named:
        own = parts_of(document, name)[1]
        missing = [d for d in databases if d not in named]
        if own and name not in databases and (likely := meant(str(name), missing)):
            yield Problem(setting="databases", message=f"no database that was given is called {name}.{likely}")
    nodes = {"": document} | {f"databases: {n}: ": document["databases"][n] for n in named}
    for where, node in nodes.items():
        for name in _mapping(_mapping(node).get("plugins")):
            if name != PLUGIN and meant(str(name), [PLUGIN]):
                yield Problem(
                    setting=f"{where}plugins",
                    message=f"{name} is no plugin's name, so nothing below it counts. Write {PLUGIN}.",
                )
        for table, said in _mapping(_mapping(node).get("tables")).items():
            if PLUGIN in _mapping(_mapping(said).get("plugins")):
                told = f"settings under the table {table} count for nothing; they go under its database."
                yield Problem(setting=f"{where}tables", message=told)
        if PLUGIN in _mapping(node):
            yield Problem(
                setting=f"{where}{PLUGIN}", message="it stands beside plugins:, not below it, so it counts for nothing."
            )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _checked(document: Mapping[str, Any], name: str, source: Source, schemas: Mapping[str, Schema]) -> CheckedDatabase:
    checked = CheckedDatabase(database=name)
    schema = schemas[name]
    checked.tables = sum(t.kind == "table" for t in schema.values())
    shared, own = parts_of(document, name)
    if not shared and not own and name not in _mapping(document.get("databases")):
        told = f"the file says nothing about it. Settings go under databases: {name}: plugins: {PLUGIN}:"
        checked.problems.append(Problem(level="warning", setting="", message=told))
    checked.problems += [
        Problem(setting=key, message=f"it is for the whole site: it goes under plugins: {PLUGIN}:, not under {name}.")
        for key in (own if isinstance(own, Mapping) else ())
        if key in FOR_THE_SITE
    ]
    try:
        settings = parse_settings(merge(shared, own), PLUGIN)
        needed = parse_settings(own, PLUGIN).tables_named() | _nowhere(parse_settings(shared, PLUGIN), schemas)
    except SettingsError as error:
        checked.problems += _of_keys(str(error), shared, own)
        return checked
    paths = [source.path] if source.path is not None else []
    checked.problems += check_folders(settings, paths)
    checked.problems += check_names(settings, schema, needed)
    checked.problems += check_files(settings, schema)
    checked.problems += check_profiles(settings, schema, name)
    if not checked.problems or all(
        p.setting.startswith(("profiles", "audit", "spool", "jobs")) for p in checked.problems
    ):
        checked.problems += _of_references(settings, schema)
    if any(p.level == "error" for p in checked.problems):
        return checked
    _look(checked, source, settings)
    count_files(checked, source, settings)
    return checked


def _of_references(settings: Settings, schema: Schema) -> Iterator[Problem]:
    try:
        found = list(check_references_named(settings, schema))
    except SettingsError:
        found = []
    yield from found or check_people(settings, schema)


def _nowhere(shared: Settings, schemas: Mapping[str, Schema]) -> dict[str, str]:
    """Return the tables that the settings for all databases name, and that none of these has."""
    named = shared.tables_named().items()
    return {table: key for table, key in named if not any(s.find(table) for s in schemas.values())}


def _of_keys(message: str, shared: Any, own: Any) -> Iterator[Problem]:
    """Yield what the reader of settings said, a problem for each key, with the key that was meant."""
    for part in message.removeprefix(f"{PLUGIN}: ").split("; "):
        unknown = part.removeprefix("unknown key ")
        likely = meant(unknown, list(Settings.model_fields)) if unknown != part and "." not in unknown else ""
        yield Problem(setting="", message=f"{part.rstrip('.')}.{likely}")


def _look(checked: CheckedDatabase, source: Source, settings: Settings) -> None:
    """Add what the rows tell: of references, and of an example of each subject."""
    with closing(Snapshot(source)) as snapshot:
        known = annotate(snapshot.schema, settings)
        look = Look(snapshot, True, SECONDS)
        checked.problems += check_references(known, look)
        checked.problems += check_undeclared(known, look)
        checked.persons, checked.known_by = list(known.persons), known.people.known_by
        checked.secrets = [
            f"{n}.{c}" + (" (a part of it)" if why == PARTLY else "")
            for n, t in known.schema.items()
            for c, why in known.secret_columns(t).items()
        ]
        subjects = _subjects(known, settings)
    begun = time.monotonic()
    for table in subjects[:_MOST_EXAMPLES]:
        if time.monotonic() - begun > SECONDS:
            break
        try:
            example = example_row(source, settings, table, compare=False)
        except ExportError as error:
            checked.problems.append(Problem(setting=f"subjects: {table}", message=str(error)))
            continue
        if example is not None:
            checked.examples.append(example)


def _subjects(known: AnnotatedSchema, settings: Settings) -> list[str]:
    """Return the tables whose records somebody may ask for: people first, then what settings describe."""
    described = [t.name for n in settings.subjects if (t := known.schema.find(n)) and t.kind == "table" and t.key]
    return list(dict.fromkeys([*known.persons, *described]))
