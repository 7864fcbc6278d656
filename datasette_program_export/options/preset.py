"""Presets: what this package knows of one application's database, from a YAML file of ``options/presets/``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

from ..database.schema import Schema, Table
from ..errors import SettingsError
from .settings import PRESETS, Subject


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
    order: list[str] = []
    computed: dict[str, list[str]] = {}  # keys in the application's own exports that are not columns

    def recognises(self, schema: Schema) -> bool:
        """Return whether the schema has all tables and columns that mark the application's database."""
        return all(_has(schema.find(table), columns) for table, columns in self.recognise.items())


def _has(table: Table | None, columns: Iterable[str]) -> bool:
    return table is not None and all(table.column(c) is not None for c in columns)


@lru_cache
def load_preset(name: str) -> Preset:
    """Return a built-in preset. Raises SettingsError for an unknown name."""
    if name not in PRESETS:
        raise SettingsError(f"preset: there is no preset {name}; known: {', '.join(PRESETS)}")
    text = (resources.files(__package__) / "presets" / f"{name}.yml").read_text("utf-8")
    return Preset.model_validate(yaml.safe_load(text))
