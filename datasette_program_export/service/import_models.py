"""Pydantic models for the data and results of ``ImportService``.

Each value of a result is an attribute, and also a key: ``result.success`` and ``result["success"]`` are the same."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .import_options import ConflictResolution, ImportMode


class _Model(BaseModel):
    """A model whose values are keys as well; ``dict(result)`` and ``json.dumps(result.model_dump())`` work."""

    model_config = ConfigDict(extra="forbid")

    def __getitem__(self, name: str) -> Any:
        if name not in type(self).model_fields:
            raise KeyError(name)
        return getattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in type(self).model_fields

    def __len__(self) -> int:
        return len(type(self).model_fields)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value by its name, or ``default`` if there is none of this name."""
        return dict(self.items()).get(name, default)

    def keys(self) -> KeysView[str]:
        """Return the names of the values."""
        return type(self).model_fields.keys()

    def values(self) -> ValuesView[Any]:
        """Return the values, nested results as models."""
        return dict(self.items()).values()

    def items(self) -> ItemsView[str, Any]:
        """Return pairs of name and value, nested results as models."""
        return {name: getattr(self, name) for name in type(self).model_fields}.items()


class ConflictType(str, Enum):
    """What stands between a row of the data and the database."""

    DUPLICATE_ID = "duplicate_id"
    DUPLICATE_UNIQUE = "duplicate_unique"
    MISSING_FOREIGN_KEY = "missing_foreign_key"
    INVALID_DATA = "invalid_data"
    SCHEMA_MISMATCH = "schema_mismatch"


class FieldError(_Model):
    """An error in a row, or in the data."""

    table: str | None = None
    field: str | None
    value: None = Field(default=None, description="Always None: no error shows a value.")
    error: str
    line_number: int | None = Field(default=None, description="The row in its table, or the line of CSV, from 1.")


class ValidationResult(_Model):
    """The result of ``validate``."""

    valid: bool
    errors: list[FieldError] = []
    warnings: list[str] = []
    record_count: int = Field(default=0, description="Rows of the data.")
    valid_records: int = Field(default=0, description="Rows that no error names.")
    invalid_records: int = Field(default=0, description="Rows that an error names.")


class Conflict(_Model):
    """A field of an existing row that has another value, or a row that cannot be imported."""

    conflict_type: ConflictType
    table_name: str | None
    record_id: Any = None
    field_name: str | None = None
    import_value: Any = None
    existing_value: Any = None
    description: str
    line_number: int | None = None
    resolution: ConflictResolution | None = Field(default=None, description="What happens; None: it stops the import.")


class ConflictReport(_Model):
    """The counts of all conflicts, and the first of them in detail."""

    total_conflicts: int = 0
    conflicts_by_type: dict[ConflictType, int] = {}
    conflicts: list[Conflict] = []


class DryRunPreview(_Model):
    """What an import would do with the rows of one table."""

    table_name: str
    would_insert: int
    would_update: int
    would_skip: int
    would_fail: int
    sample_inserts: list[dict[str, Any]] = Field(description="At most 5.")
    sample_updates: list[dict[str, Any]] = Field(description="At most 5: the key, and the values of the data.")


class DryRunResult(_Model):
    """The result of an import with ``dry_run``: exactly what the import would do."""

    mode: ImportMode
    format: str | None = Field(description="As what the data were read: json, csv, ndjson, programjson, package, …")
    total_records: int
    would_insert: int
    would_update: int
    would_skip: int
    would_fail: int
    table_previews: dict[str, DryRunPreview]
    validation_result: ValidationResult
    conflict_report: ConflictReport
    estimated_duration_seconds: float = Field(description="As long as the preview took.")
    warnings: list[str]


class ImportStats(_Model):
    """What an import did with the rows of one table."""

    table_name: str
    total_records: int
    inserted: int
    updated: int
    skipped: int
    failed: int
    errors: list[str]


class ImportResult(_Model):
    """The result of an import. Where ``success`` is False, nothing was changed."""

    success: bool
    format: str | None = Field(description="As what the data were read: json, csv, ndjson, programjson, package, …")
    mode: ImportMode
    started_at: datetime = Field(description="In UTC, as completed_at.")
    completed_at: datetime
    duration_seconds: float
    total_records: int
    inserted_records: int
    updated_records: int
    skipped_records: int
    failed_records: int
    table_stats: dict[str, ImportStats]
    validation_result: ValidationResult
    conflict_report: ConflictReport
    errors: list[str] = Field(description="Sentences without values of rows.")
    backup_path: str | None
    rollback_available: bool = Field(description="Whether there is a safety copy to go back to.")


class ImportMetadata(BaseModel):
    """What an export says of itself in its data."""

    export_timestamp: str | None = None
    export_format: str | None = None
    total_tables: int | None = None
    total_records: int | None = None
    table_counts: dict[str, int] | None = None
    version: str | None = None
    application: str | None = None


class ImportData(BaseModel):
    """The data of an import with what is known of them; accepted wherever data are."""

    format: str
    metadata: ImportMetadata | None = None
    data: str | dict[str, Any] | list[dict[str, Any]]
    tables: list[str] | None = None
