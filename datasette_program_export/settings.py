"""Settings and presets, validated when Datasette starts.

The same keys stand in ``metadata.yml`` under ``plugins: datasette-program-export:`` (for
all databases, and for one), and in the preset files of this package. ``docs/settings.md``
is made from the descriptions here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import SettingsError
from .schema import Schema, Table

PRESETS = ("the-program",)

# Columns that hold secrets by their name alone, in any database; `not_secrets` takes some back.
SECRET_NAMES = ("password", "passwd", "password_hash", "hashed_password", "secret", "api_key")
SECRET_ENDINGS = ("_password", "_password_hash", "_api_key", "_secret", "_secret_key", "_private_key")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Subject(_Model):
    """What a table's rows are called, and whether they are people."""

    label: str | None = Field(default=None, description="One row's name in words, and its command: `client`.")
    plural: str | None = Field(default=None, description="Several rows' name in words: `clients`.")
    title: list[str] = Field(default=[], description="The columns whose values name a row to a reader.")
    told_apart_by: list[str] = Field(default=[], description="The columns that tell rows of the same title apart.")
    person: bool = Field(default=False, description="Whether a row of this table is a person.")


class VirtualForeignKey(_Model):
    """A reference that the schema does not declare."""

    table: str
    columns: list[str]
    other_table: str
    other_columns: list[str]


class Settings(_Model):
    """One database's settings. Every key has a default; none of them cuts an export silently."""

    preset: str | None = Field(
        default=None, description="The preset to use; by default the one that recognises the database; `none` for none."
    )
    subjects: dict[str, Subject] = Field(
        default={}, description="Per table: what its rows are called, which are people."
    )
    virtual_foreign_keys: list[VirtualForeignKey] = Field(
        default=[], description="References that the schema does not declare, followed like the others."
    )
    stop: list[str] = Field(default=[], description="References (`child.column`) along which nothing is followed.")
    json_columns: dict[str, list[str]] = Field(default={}, description="Per table: the text columns that hold JSON.")
    secrets: dict[str, list[str]] = Field(default={}, description="Per table: columns that are left out as secret.")
    not_secrets: dict[str, list[str]] = Field(
        default={}, description="Per table: columns that are no secrets although their names look like it."
    )
    max_rows: int | None = Field(
        default=None, ge=1, description="Refuse, before the first byte, an export of more rows than this."
    )
    plan_seconds: float = Field(
        default=2.0, gt=0, description="How long a plan may count; then its counts read `at least`."
    )
    max_concurrent_exports: int = Field(
        default=4, ge=1, description="Exports that run at once; one more is answered 429."
    )
    send_timeout_seconds: float = Field(
        default=60.0, gt=0, description="How long a reader may take nothing before the download is cut."
    )
    spool_memory_mb: float = Field(default=4.0, gt=0, description="How far a slow reader may fall behind in memory.")
    spool_disk_mb: float = Field(
        default=2048.0, ge=0, description="How far it may fall behind in a temporary file; beyond, the download is cut."
    )
    spool_dir: str | None = Field(default=None, description="Where temporary files go; by default the system's place.")


class Preset(_Model):
    """The settings for a known application, and how to recognise its database."""

    title: str
    about: str
    recognise: dict[str, list[str]]
    persons: list[str] = []
    subjects: dict[str, Subject] = {}
    json_columns: dict[str, list[str]] = {}
    secrets: dict[str, list[str]] = {}

    def recognises(self, schema: Schema) -> bool:
        return all(_has(schema.find(table), columns) for table, columns in self.recognise.items())


def _has(table: Table | None, columns: Iterable[str]) -> bool:
    return table is not None and all(table.column(c) is not None for c in columns)


def parse_settings(value: Mapping[str, Any] | None, where: str = "datasette-program-export") -> Settings:
    """Validate settings from YAML. Raises SettingsError that names every wrong key."""
    try:
        return Settings.model_validate(value or {})
    except ValidationError as error:
        raise SettingsError(f"{where}: " + "; ".join(_sentence(e) for e in error.errors())) from None


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        return f"unknown key {key}"
    return f"{key}: {error['msg']}"


def load_preset(name: str) -> Preset:
    """Read a built-in preset. Raises SettingsError for an unknown name."""
    if name not in PRESETS:
        raise SettingsError(f"preset: there is no preset {name}; known: {', '.join(PRESETS)}")
    text = (resources.files(__package__) / "presets" / f"{name}.yml").read_text("utf-8")
    return Preset.model_validate(yaml.safe_load(text))


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Settings for all databases with those for one on top; mappings of tables are joined."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    return merged


def read_settings(path: Path, database: str) -> Settings:
    """The settings for a database out of a Datasette ``metadata.yml`` or ``datasette.yml``."""
    try:
        document = yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{path.name} cannot be read: {type(error).__name__}") from None
    if not isinstance(document, Mapping):
        raise SettingsError(f"{path.name} is not a mapping of settings")
    own = (document.get("databases") or {}).get(database) or {}
    parts = [(node.get("plugins") or {}).get("datasette-program-export") or {} for node in (document, own)]
    return parse_settings(merge(*parts), f"{path.name}: datasette-program-export")
