"""Pydantic models for the arguments and results of ``ExportService``, for web applications.

FullDatabaseExportResponse.model_validate(service.export_full_database())
service.export_table(**TableExportRequest(table_name="charts", limit=10).model_dump())

The requests have no fields for ``secrets`` and ``others``: those are for the program to decide, not for who asks it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from .exports.options import check_delimiter

Row = dict[str, Any]
Id = str | int | UUID


def _sane(delimiter: str) -> str:
    check_delimiter(delimiter)
    return delimiter


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ExportFormat(_Model):
    """What every request says of the text that it wants."""

    format: Literal["json", "csv"] = "json"
    pretty: bool = Field(default=True, description="json: every value on a line; else no blank at all.")
    csv_delimiter: Annotated[str, AfterValidator(_sane)] = ","


class FullDatabaseExportRequest(ExportFormat):
    """The arguments of ``export_full_database``."""

    include_tables: list[str] | None = Field(default=None, description="Only these, in this order.")
    exclude_tables: list[str] | None = None
    include_metadata: bool = True


class ClientsExportRequest(ExportFormat):
    """The arguments of ``export_clients``."""

    client_ids: list[Id] = Field(min_length=1)
    include_related: bool = True


class ChartsExportRequest(ExportFormat):
    """The arguments of ``export_charts``."""

    chart_ids: list[Id] = Field(min_length=1)
    include_interpretations: bool = Field(default=True, description="Patterns and transits, too.")


class TableExportRequest(ExportFormat):
    """The arguments of ``export_table``."""

    table_name: str
    filters: dict[str, Any] | None = Field(default=None, description="Column: value; null is NULL; all must hold.")
    limit: int | None = Field(default=None, ge=0)
    offset: int | None = Field(default=None, ge=0)


class _Told(_Model):
    left_out: dict[str, Any] = Field(
        default={}, description="What is not in it, and why: withheld, secret, skipped, dangling, people, sentences."
    )


class ExportMetadata(_Told):
    """Facts about a full export; the exported file contains them too."""

    export_timestamp: str = Field(description="UTC, ISO 8601 with microseconds, no zone.")
    export_format: str
    total_tables: int = Field(ge=0)
    total_records: int = Field(ge=0)
    table_counts: dict[str, int] = {}


class FullDatabaseExportResponse(_Told):
    """The result of ``export_full_database``."""

    format: str
    tables: list[str]
    record_counts: dict[str, int]
    metadata: ExportMetadata | None = None
    data: Any = Field(description="json: one text, {table: [rows]}; csv: a text per table; bytes if compressed.")


class ClientsExportResponse(_Told):
    """The result of ``export_clients``; the ``related_`` fields are set only if they were requested."""

    format: str
    table: str = Field(default="clients", description="The table that holds the people.")
    client_count: int = Field(ge=0)
    clients: list[Row] = []
    missing_ids: list[Any] = Field(default=[], description="Asked for, but not there.")
    related_data: dict[str, list[Row]] | None = None
    related_counts: dict[str, int] | None = None
    data: Any


class ChartsExportResponse(_Told):
    """The result of ``export_charts``; interpretations, patterns and transits are set only if they were requested."""

    format: str
    table: str = "charts"
    chart_count: int = Field(ge=0)
    charts: list[Row] = []
    missing_ids: list[Any] = Field(default=[], description="Asked for, but not there.")
    interpretations: list[Row] | None = None
    interpretation_count: int | None = Field(default=None, ge=0)
    aspect_patterns: list[Row] | None = None
    transit_events: list[Row] | None = None
    data: Any


class TableExportResponse(_Told):
    """The result of ``export_table``."""

    format: str
    table: str
    record_count: int = Field(ge=0)
    filters: dict[str, Any] = {}
    limit: int | None = None
    offset: int | None = None
    records: list[Row] | None = Field(default=None, description="json only.")
    data: Any


class ExportValidationResult(_Model):
    """The result of ``validate_export``."""

    valid: bool
    warnings: list[str] = []
    errors: list[str] = []


class ExportSummary(_Model):
    """The result of ``summarize_export``."""

    total_records: int = Field(ge=0)
    tables: list[str]
    format: str
    size_estimate: str | None = Field(default=None, description="The size of data in UTF-8, such as 2.5 MB.")
    timestamp: str = Field(description="UTC, ISO 8601: of the export if it says so, else of the summary.")


class AvailableTablesResponse(_Model):
    """The result of ``available_tables``."""

    tables: list[str]
    default_tables: list[str]
    table_descriptions: dict[str, str] = {}
