"""Reads the settings for a database from the file with a site's settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..database.schema import fold
from ..errors import SettingsError
from .faults import why_no_yaml
from .settings import Settings, merge, parse_settings


def read_document(path: Path) -> Mapping[str, Any]:
    """Read a Datasette ``metadata.yml`` or ``datasette.yml``. Raises SettingsError if it cannot be read."""
    try:
        document = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path.name} cannot be read: {why_no_yaml(error)}.") from None
    if not isinstance(document, Mapping):
        raise SettingsError(f"{path.name} is not a mapping of settings")
    return document


def parts_of(document: Mapping[str, Any], database: str) -> tuple[Any, Any]:
    """Return the settings in a document as they stand there: those for all databases, those for one."""
    databases = document.get("databases") or {}
    own = (databases.get(database) or {}) if isinstance(databases, Mapping) else {}
    plugins = [(node.get("plugins") or {}) if isinstance(node, Mapping) else {} for node in (document, own)]
    shared, here = (p.get("datasette-program-export") or {} if isinstance(p, Mapping) else {} for p in plugins)
    return shared, here


def read_settings(path: Path, database: str) -> Settings:
    """Read the settings for a database from a Datasette ``metadata.yml`` or ``datasette.yml``.

    Raises SettingsError if the file cannot be read or is invalid."""
    document = read_document(path)
    shared, own = parts_of(document, database)
    settings = parse_settings(merge(shared, own), f"{path.name}: datasette-program-export")
    settings.check_folders()
    return with_descriptions(settings, _inner(_inner(_inner(document, "databases"), database), "tables"))


def with_descriptions(settings: Settings, tables: Mapping[Any, Any]) -> Settings:
    """Return the settings with what Datasette's metadata say of ``tables``, where the settings say nothing.

    ``tables`` have a ``description``, and one for each of their ``columns``; what is of another form is Datasette's to
    complain about."""
    whole, columns = dict(settings.descriptions), {**settings.column_descriptions}
    said, said_columns = set(map(fold, whole)), {fold(name): set(map(fold, found)) for name, found in columns.items()}
    for table in map(str, tables):
        told = _inner(tables, table)
        if isinstance(text := told.get("description"), str) and fold(table) not in said:
            whole[table] = text
        known = said_columns.get(fold(table), ())
        texts = {
            str(c): t for c, t in _inner(told, "columns").items() if isinstance(t, str) and fold(str(c)) not in known
        }
        if texts:
            own = next((name for name in columns if fold(name) == fold(table)), table)
            columns[own] = {**columns.get(own, {}), **texts}
    return settings.model_copy(update={"descriptions": whole, "column_descriptions": columns})


def _inner(node: Mapping[Any, Any], key: str) -> Mapping[Any, Any]:
    found = node.get(key)
    return found if isinstance(found, Mapping) else {}
