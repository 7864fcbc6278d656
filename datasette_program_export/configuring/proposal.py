"""A proposal as data: what was found in a database, the settings that follow from it, and an example."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Found(_Model):
    """One thing that was found: a value for a setting, and why. ``written`` is false for what is only told."""

    setting: str = Field(description="The setting that it is for: `persons`, `virtual_foreign_keys`, …")
    table: str
    value: Any = Field(description="What stands in the setting: a table's columns, words, or a whole reference.")
    why: str
    written: bool = Field(default=True, description="Whether it is a setting, or only a comment to decide about.")


class Example(_Model):
    """What an export of one row would hold, with the settings and without them."""

    table: str
    key: str = Field(description="The row, as in Datasette's addresses.")
    title: str
    rows: dict[str, int] = Field(description="Rows by table, with the settings.")
    rows_without: dict[str, int] = Field(description="Rows by table, without them.")
    labels: dict[str, tuple[str, str]] = Field(description="Per table: what one of its rows is called, and several.")
    complete: bool = Field(description="Whether all was counted in time; else the numbers are lower bounds.")


class Proposal(_Model):
    """Proposed settings for one database.

    ``rows_looked_at`` is None where no rows were to be looked at; ``complete`` is false where the time was over
    before all was."""

    database: str
    tables: int = Field(description="The tables that hold rows; no views, no parts of search indexes.")
    preset: str | None = Field(default=None, description="The preset that recognises the database.")
    rows_looked_at: int | None
    complete: bool
    found: list[Found]
    secret_by_name: list[str] = Field(description="Columns that are left out already, as their names sound secret.")
    settings: dict[str, Any] = Field(description="The settings as data, as they stand in `yaml`.")
    yaml: str = Field(description="The lines for metadata.yml, with comments.")
    example: Example | None = None
    notes: list[str] = []
