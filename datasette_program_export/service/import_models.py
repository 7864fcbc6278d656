"""Pydantic models for the options and results of ``ImportService``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Mode = Literal["merge", "replace", "skip", "update"]
ConflictType = Literal["duplicate_id", "duplicate_unique", "missing_foreign_key", "invalid_data", "schema_mismatch"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ImportOptions(_Model):
    """The options of an import; an unknown name is an error.

    ``merge`` inserts new rows and sets the given values in existing rows; ``replace`` sets all values
    of existing rows and keeps their children; ``skip`` only inserts new rows; ``update`` inserts none."""

    mode: Mode = "merge"
    table: str | None = Field(default=None, description="For a list of rows and for CSV.")
    csv_delimiter: str | None = Field(default=None, description="Else it is found out.")
    csv_has_header: bool | None = None
    create_backup: bool = Field(default=True, description="A safety copy; a database in memory has none.")
    backup_path: str | None = Field(
        default=None, description="Its name; by default in `safety-copies` beside the database."
    )
    continue_on_error: bool = Field(default=False, description="Leave bad rows out, and import the others.")
    max_errors: int | None = Field(default=None, ge=0, description="With continue_on_error: more stop the import.")
    allow_dangling: bool = False
    triggers: bool = False
    use_transactions: Literal[True] = Field(default=True, description="It is always one transaction.")


class ValidationError(_Model):
    """An error in a row, or in the file."""

    table: str | None
    field: str | None
    error: str
    line_number: int | None = Field(description="The row in its table, or the line of the file.")


class ValidationResult(_Model):
    """The result of ``validate``."""

    valid: bool
    errors: list[ValidationError]
    warnings: list[str]


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
    resolution: Literal["overwrite", "keep_existing", "none"]


class ConflictReport(_Model):
    """The counts of all conflicts, and the first of them in detail."""

    total_conflicts: int
    conflicts_by_type: dict[str, int]
    conflicts: list[Conflict]


class TablePreview(_Model):
    """What an import would do with the rows of one table."""

    table_name: str
    would_insert: int
    would_update: int
    would_skip: int
    would_fail: int
    sample_inserts: list[dict[str, Any]]
    sample_updates: list[dict[str, Any]]


class DryRunResult(_Model):
    """The result of an import with ``dry_run``: exactly what the import would do."""

    mode: Mode
    format: str | None
    total_records: int
    would_insert: int
    would_update: int
    would_skip: int
    would_fail: int
    table_previews: dict[str, TablePreview]
    validation_result: ValidationResult
    conflict_report: ConflictReport
    estimated_duration_seconds: float
    warnings: list[str]


class TableStats(_Model):
    """What an import did with the rows of one table."""

    table_name: str
    total_records: int
    inserted: int
    updated: int
    skipped: int
    failed: int
    errors: list[str]


class ImportResult(_Model):
    """The result of an import."""

    success: bool
    format: str | None
    mode: Mode
    started_at: str
    completed_at: str
    duration_seconds: float
    total_records: int
    inserted_records: int
    updated_records: int
    skipped_records: int
    failed_records: int
    table_stats: dict[str, TableStats]
    validation_result: ValidationResult
    conflict_report: ConflictReport
    errors: list[str]
    backup_path: str | None
    rollback_available: bool = Field(description="Whether there is a safety copy to go back to.")
