"""Presets: what is known of one application's database, from a YAML file of ``options/presets/`` or of a plugin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ..database.schema import Schema, Table
from ..errors import PluginError, SettingsError
from .faults import faults
from .hooks.manager import Plugin
from .hooks.preset_sources import Source, preset_sources
from .settings import Subject

NOW = "now"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # of libyaml where it is there: every command reads presets


class Preset(BaseModel):
    """The settings for a known application, and the columns by which its database is recognised."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    about: str
    recognise: dict[str, list[str]]
    persons: list[str] = []
    subjects: dict[str, Subject] = {}
    json_columns: dict[str, list[str]] = {}
    secrets: dict[str, list[str]] = {}
    caches: list[str] = []
    confidential: list[str] = []
    order: list[str] = []
    told_by: dict[str, list[str]] = {}  # the columns that head a row in a document for people, where it has no title
    time_lines: dict[str, str] = {}  # tables whose rows a reader wants in order of a date, and the column that has it
    computed: dict[str, list[str]] = {}  # keys in the application's own exports that are not columns
    defaults: dict[str, dict[str, str | int | float]] = {}  # what it gives new rows, by table; * is every table

    def defaults_of(self, table: str) -> dict[str, str | int | float]:
        """Return what the application gives a table's new rows, by column; ``NOW`` is the present moment."""
        return {**self.defaults.get("*", {}), **self.defaults.get(table, {})}

    def recognises(self, schema: Schema) -> bool:
        """Return whether the schema has all tables and columns that mark the application's database."""
        return all(_has(schema.find(table), columns) for table, columns in self.recognise.items())


def _has(table: Table | None, columns: Iterable[str]) -> bool:
    return table is not None and all(table.column(c) is not None for c in columns)


def load_preset(name: str) -> Preset:
    """Return the preset of that name. Raises SettingsError for an unknown name, PluginError as ``preset_for`` does."""
    sources = preset_sources()
    if name not in sources:
        raise SettingsError(f"preset: there is no preset {name}; known: {', '.join(sources)}")
    return _loaded(name, *sources[name])


def preset_for(schema: Schema) -> tuple[str, Preset] | None:
    """Return the preset that recognises a schema, with its name; None if none does.

    Raises PluginError if a plugin failed, if a preset is not one, or if two recognise the schema."""
    sources = preset_sources()
    found = [(name, preset) for name in sources if (preset := _loaded(name, *sources[name])).recognises(schema)]
    if len(found) > 1:
        told = " and ".join(f"{name} of {_whose(sources[name][0])}" for name, _ in found[:2])
        raise PluginError(f"Two presets know this database: {told}. The setting preset says which to use.")
    return found[0] if found else None


def _whose(plugin: Plugin) -> str:
    return "this program" if plugin.own else f"the plugin {plugin.name}"


def _loaded(name: str, plugin: Plugin, source: Source) -> Preset:
    if isinstance(source, Mapping):
        return _parsed(name, plugin, source)
    return _read(name, plugin, Path(source))


@lru_cache
def _read(name: str, plugin: Plugin, path: Path) -> Preset:
    try:
        found = yaml.load(path.read_text("utf-8"), _LOADER)  # noqa: S506
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise PluginError(f"The preset {name} of {_whose(plugin)} cannot be read ({type(error).__name__}).") from None
    return _parsed(name, plugin, found)


def _parsed(name: str, plugin: Plugin, found: Any) -> Preset:
    try:
        preset = Preset.model_validate(found)
    except ValidationError as error:
        raise PluginError(f"The preset {name} of {_whose(plugin)} is not one: {faults(error)}.") from None
    if not preset.recognise:
        raise PluginError(f"The preset {name} of {_whose(plugin)} would recognise every database.")
    return preset
