"""Pydantic models for the arguments and results of ``ExportService``.

FullDatabaseResult.model_validate(service.export_full_database())
service.export_table(**TableExportRequest(table_name="charts", limit=10).model_dump())
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .export_text import check_delimiter

Row = dict[str, Any]
Data = str | dict[str, str]


def _sane(delimiter: str) -> str:
    check_delimiter(delimiter)
    return delimiter


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Request(_Model):
    format: Literal["json", "csv"] = "json"
    pretty: bool = Field(default=True, description="json: every value on a line; else no blank at all.")
    csv_delimiter: Annotated[str, AfterValidator(_sane)] = ","


class FullDatabaseExportRequest(_Request):
    """The arguments of ``export_full_database``."""

    include_tables: list[str] | None = Field(default=None, description="Only these, in this order.")
    exclude_tables: list[str] | None = None
    include_metadata: bool = True


class ClientExportRequest(_Request):
    """The arguments of ``export_clients``."""

    client_ids: list[str] = Field(min_length=1)
    include_related: bool = True


class ChartExportRequest(_Request):
    """The arguments of ``export_charts``."""

    chart_ids: list[str] = Field(min_length=1)
    include_interpretations: bool = Field(default=True, description="Patterns and transits, too.")


class TableExportRequest(_Request):
    """The arguments of ``export_table``."""

    table_name: str
    filters: dict[str, Any] | None = Field(default=None, description="Column: value; null is NULL; all must hold.")
    limit: int | None = Field(default=None, ge=0)
    offset: int | None = Field(default=None, ge=0)


class ExportMetadata(_Model):
    """Facts about a full export; the exported file contains them too."""

    export_timestamp: str = Field(description="UTC, ISO 8601 with microseconds, no zone.")
    export_format: str
    total_tables: int
    total_records: int
    table_counts: dict[str, int]


class FullDatabaseResult(_Model):
    """The result of ``export_full_database``."""

    format: str
    tables: list[str]
    record_counts: dict[str, int]
    metadata: ExportMetadata | None = None
    data: Data = Field(description="json: one text, {table: [rows]}; csv: a text per table.")


class ClientResult(_Model):
    """The result of ``export_clients``; the ``related_`` fields are set only if they were requested."""

    format: str
    clients: list[Row]
    client_count: int
    missing_ids: list[Any] = Field(description="Asked for, but not there.")
    related_data: dict[str, list[Row]] | None = None
    related_counts: dict[str, int] | None = None
    data: Data


class ChartResult(_Model):
    """The result of ``export_charts``; interpretations, patterns and transits are set only if they were requested."""

    format: str
    charts: list[Row]
    chart_count: int
    missing_ids: list[Any]
    interpretations: list[Row] | None = None
    interpretation_count: int | None = None
    aspect_patterns: list[Row] | None = None
    transit_events: list[Row] | None = None
    data: Data


class TableResult(_Model):
    """The result of ``export_table``."""

    format: str
    table: str
    record_count: int
    filters: dict[str, Any]
    limit: int | None
    offset: int | None
    records: list[Row] | None = Field(default=None, description="json only.")
    data: str


class ValidationReport(_Model):
    """The result of ``validate_export``."""

    valid: bool
    warnings: list[str]
    errors: list[str]


class TableDescription(_Model):
    """One table that can be exported."""

    name: str
    description: str


class AvailableTablesResponse(_Model):
    """The result of ``available_tables``."""

    tables: list[TableDescription]
    default_tables: list[str]
