"""Settings and presets, validated when Datasette starts.

``metadata.yml`` has the same keys under ``plugins: datasette-program-export:`` (for all databases, and for one),
and so do the preset files of this package. ``docs/settings.md`` is generated from the descriptions here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..database.schema import table_of
from ..errors import PluginError, SettingsError
from .faults import faults, reason
from .hooks.preset_sources import preset_sources
from .virtual_keys import VirtualForeignKey

_Megabytes = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_BY_TABLE = ("subjects", "json_columns", "secrets", "not_secrets")
FOR_THE_SITE = (  # not for one database
    "audit_log", "allow_audit", "allow_profiles", "jobs_dir", "retention_hours", "max_jobs", "max_jobs_per_person",
    "jobs_disk_mb", "verify_mb", "import_mb", "upload_seconds", "allow_verify",
)  # fmt: skip
_BY_REFERENCE = ("stop", "owns", "mentions", "same_person")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Subject(_Model):
    """What a table's rows are called, and whether they are people."""

    label: str | None = Field(default=None, description="One row's name in words: `client`.")
    plural: str | None = Field(default=None, description="Several rows' name in words: `clients`.")
    title: list[str] = Field(default=[], description="The columns whose values name a row to a reader.")
    told_apart_by: list[str] = Field(default=[], description="The columns that tell rows of the same title apart.")
    person: bool = Field(default=False, description="Whether a row of this table is a person.")


class Settings(_Model):
    """The settings of one database. Every key has a default; no default cuts an export silently."""

    preset: str | None = Field(
        default=None, description="The preset to use; by default the one that recognises the database; `none` for none."
    )
    subjects: dict[str, Subject] = Field(
        default={}, description="Per table: what its rows are called, which are people."
    )
    persons: list[str] | Literal["none"] | None = Field(
        default=None,
        description="The tables of people; where a row refers to people of several, the first of them decides whose it "
        "is. By default those of `subjects`, else those of the preset, else a guess. `none`: no table holds people.",
    )
    owns: list[str] = Field(
        default=[],
        description="References (`child.column`) that say whose a row is: of a row to its person, or of a person to a "
        "row of their own, such as an address.",
    )
    mentions: list[str] = Field(
        default=[], description="References (`child.column`) to or from people that do not say whose a row is."
    )
    same_person: list[str] = Field(
        default=[],
        description="References (`child.column`) from one table of people to another where both rows are one person; "
        "by default those that are unique.",
    )
    virtual_foreign_keys: list[VirtualForeignKey] = Field(
        default=[],
        description="References that the schema does not declare, followed like the others. With `where` they hold "
        "only for rows with these values, such as `{owner_type: Client}`.",
    )
    stop: list[str] = Field(default=[], description="References (`child.column`) along which nothing is followed.")
    json_columns: dict[str, list[str]] = Field(default={}, description="Per table: the text columns that hold JSON.")
    secrets: dict[str, list[str]] = Field(
        default={},
        description="Per table: columns that are left out as secret; `data.login.password` is a key in the JSON of "
        "`data`.",
    )
    not_secrets: dict[str, list[str]] = Field(
        default={}, description="Per table: columns that are no secrets although their names look like it."
    )
    caches: list[str] = Field(
        default=[], description="Tables that the application can fill again: left out of a whole database."
    )
    confidential: list[str] = Field(
        default=[], description="Tables that the export page asks about first, such as notes on a person."
    )
    files: dict[str, str] = Field(
        default={},
        description="Per column (`table.column`) that holds paths of files: the folder that they lie in. A package "
        "and a dossier then hold the files. [More](files.md).",
    )
    file_mb: _Megabytes = Field(default=200.0, description="How large a file that a row names may be.")
    files_mb: _Megabytes = Field(default=2000.0, description="How large all such files of one export may be.")
    files_most: int = Field(default=5000, ge=0, le=5000, description="How many such files an export may hold.")
    descriptions: dict[str, str] = Field(
        default={}, description="Per table: what it is, for a dossier; without it, Datasette's own `description`."
    )
    column_descriptions: dict[str, dict[str, str]] = Field(
        default={}, description="Per table and column: what it is; without it, Datasette's own `columns`."
    )
    profiles: dict[str, dict[str, Any]] = Field(
        default={}, description="Saved choices by name: options of an export (`format: package`, `without: [notes]`)."
    )
    allow: dict[str, Any] | bool | None = Field(
        default=None,
        description="Who may export, as a Datasette `allow` block; by default everybody who may see the table.",
    )
    allow_secrets: dict[str, Any] | bool | None = Field(
        default=None, description="Who may have columns with secrets included; by default only root."
    )
    allow_audit: dict[str, Any] | bool | None = Field(
        default=None, description="Who may read the audit log; by default only root."
    )
    allow_profiles: dict[str, Any] | bool | None = Field(
        default=None, description="Who may save a choice for everybody; by default only root."
    )
    allow_verify: dict[str, Any] | bool | None = Field(
        default=None,
        description="Who may have files checked on the site; by default everybody who may see it, with `false` nobody.",
    )
    allow_import: dict[str, Any] | bool | None = Field(
        default=None,
        description="Who may import files on the site; by default only root. They must also be allowed to insert and "
        "update rows (on Datasette 0.x that is root alone).",
    )
    allow_setup: dict[str, Any] | bool | None = Field(
        default=None, description="Who may have settings proposed, by a look at the rows; by default only root."
    )
    audit_log: str | None = Field(
        default=None,
        description="A file that gets one line (JSON) for each export over HTTP; without the line, no export ends.",
    )
    max_rows: int | None = Field(
        default=None,
        ge=1,
        description="Refuse, before the first byte, an export of more rows than this; a query is cut, visibly.",
    )
    max_seconds: float = Field(
        default=600.0, gt=0, description="How long somebody's SQL may run over HTTP; then the download is cut, visibly."
    )
    plan_seconds: float = Field(
        default=2.0, gt=0, description="How long a plan may count; then its counts read `at least`."
    )
    max_concurrent_exports: int = Field(
        default=4,
        ge=1,
        description="Exports that run at once; one more is answered 429. One person never has the last place.",
    )
    send_timeout_seconds: float = Field(
        default=60.0, gt=0, description="How long a reader may take nothing before the download is cut."
    )
    spool_memory_mb: float = Field(default=4.0, gt=0, description="How far a slow reader may fall behind in memory.")
    spool_disk_mb: float = Field(
        default=2048.0, ge=0, description="How far it may fall behind in a temporary file; beyond, the download is cut."
    )
    upload_seconds: float = Field(
        default=1800.0,
        gt=0,
        description="How long sending a file to be checked or imported may take in all; then it is answered 408.",
    )
    verify_mb: _Megabytes = Field(
        default=500.0, description="How much may be sent to the page that checks a file; more is answered 413."
    )
    import_mb: _Megabytes = Field(
        default=500.0, description="How much may be sent to the import page; more is answered 413."
    )
    cell_mb: _Megabytes = Field(
        default=56.0,
        description="How large a row of a file to be checked or imported may be; less where it is not plain ASCII. "
        "At the command line `--trust` takes any.",
    )
    safety_copy_dir: str | None = Field(
        default=None,
        description="Where imports keep their copies of the database as it was before; by default in a private "
        "folder `safety-copies` beside the database.",
    )
    safety_copy_days: float | None = Field(
        default=None, gt=0, description="How long these copies are kept; by default until somebody deletes them."
    )
    spool_dir: str | None = Field(
        default=None,
        description="Where temporary files go, also those of SQLite; by default the system's places. "
        "[More](#where-temporary-files-go).",
    )
    jobs_dir: str | None = Field(
        default=None,
        description="Where results of jobs and saved choices are kept; by default a private temporary folder. One that "
        "is there already must be the server's user's alone (`chmod 700`), or the site does not start.",
    )
    retention_hours: float = Field(default=24.0, gt=0, description="How long the result of a job is kept.")
    max_jobs: int = Field(
        default=3,
        ge=0,
        description="Jobs that run at once, the others wait; 0: there are no jobs. One person never has the last "
        "place.",
    )
    max_jobs_per_person: int = Field(
        default=3, ge=1, description="Jobs of one person that run or wait; one more is answered 429."
    )
    jobs_disk_mb: float = Field(
        default=10240.0,
        gt=0,
        description="What the results of all jobs may fill; a job beyond it fails, and says so. Visitors who are not "
        "signed in may fill half of it together, one person nine tenths.",
    )
    job_bytes: int = Field(
        default=50_000_000,
        ge=0,
        description="From this size on, the export page proposes a job in place of a download.",
    )

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, value: str | None) -> str | None:
        if value not in (None, "none"):
            try:
                known = preset_sources()
            except PluginError:  # told before the first byte of any export; a site starts
                return value
            if value not in known:
                raise ValueError(f"there is no preset {value}; known: none, {', '.join(known)}")
        return value

    @field_validator("files")
    @classmethod
    def _columns_with_folders(cls, value: dict[str, str]) -> dict[str, str]:
        for name, folder in value.items():
            if not all(name.rpartition(".")):
                raise ValueError(f"{name} is no column: write table.column, with the folder of its files")
            if not folder or "\0" in folder:
                raise ValueError(f"{name} has no folder")
        return value

    @model_validator(mode="after")
    def _no_people_and_people(self) -> Settings:
        if self.persons == "none" and (named := [n for n, s in self.subjects.items() if s.person]):
            raise ValueError(f"persons says none, and subjects says that {named[0]} is people: take one of them back")
        if both := set(self.owns) & set(self.mentions):
            raise ValueError(f"{min(both)} cannot both own and mention: take it from owns or from mentions")
        return self

    def check_folders(self) -> None:
        """Raise SettingsError unless the folders exist. Called only at start-up, as the message contains the path."""
        if self.spool_dir is not None and not Path(self.spool_dir).is_dir():
            raise SettingsError(f"spool_dir: {self.spool_dir} is not a folder")

    def tables_named(self) -> dict[str, str]:
        """Return every table that a setting names, mapped to the name of the setting."""
        found = {table: key for key in _BY_TABLE for table in getattr(self, key)}
        found |= dict.fromkeys(self.caches, "caches") | dict.fromkeys(self.confidential, "confidential")
        found |= {} if self.persons == "none" else dict.fromkeys(self.persons or (), "persons")
        found |= {table_of(name): "files" for name in self.files}
        for key in _BY_REFERENCE:
            found |= {table_of(name): key for name in getattr(self, key)}
        return found | {key.table: "virtual_foreign_keys" for key in self.virtual_foreign_keys}


def parse_settings(value: Mapping[str, Any] | None, where: str = "datasette-program-export") -> Settings:
    """Validate settings from YAML and return them.

    ``where`` is their place, for messages. Raises SettingsError, which names every invalid key."""
    if not isinstance(value or {}, Mapping):
        raise SettingsError(f"{where}: must be a mapping of settings")
    try:
        return Settings.model_validate(value or {})
    except ValidationError as error:
        raise SettingsError(f"{where}: {faults(error, _worded)}") from None


def _worded(key: str, fault: Any) -> str | None:
    if fault["type"] == "extra_forbidden":
        return f"unknown key {key}"
    if key.startswith("allow"):
        return f"{key.partition('.')[0]}: must be an allow block, such as {{id: anna}}"
    return f"settings: {reason(fault)}" if not key else None


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the settings for one database (``over``) into those for all; mappings by table are joined.

    Raises SettingsError if either is not a mapping."""
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        raise SettingsError("datasette-program-export: must be a mapping of settings")
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping) and not key.startswith("allow"):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    return merged
