"""The models of ``ImportService``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Mode = Literal["merge", "replace", "skip", "update"]
ConflictType = Literal["duplicate_id", "duplicate_unique", "missing_foreign_key", "invalid_data", "schema_mismatch"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ImportOptions(_Model):
    """Every option that there is; another name is an error, not passed over.

    ``merge``: new rows go in, others get the given values; ``replace``: they get all of the
    file's row, and keep what hangs on them; ``skip``: new rows only; ``update``: no new rows."""

    mode: Mode = "merge"
    table: str | None = Field(default=None, description="For a list of rows and for CSV.")
    csv_delimiter: str | None = Field(default=None, description="Else it is found out.")
    csv_has_header: bool | None = None
    create_backup: bool = Field(default=True, description="A safety copy; a database in memory has none.")
    backup_path: str | None = Field(default=None, description="Its name; by default beside the database.")
    continue_on_error: bool = Field(default=False, description="Leave bad rows out, and import the others.")
    max_errors: int | None = Field(default=None, ge=0, description="With continue_on_error: more stop the import.")
    allow_dangling: bool = False
    triggers: bool = False
    use_transactions: Literal[True] = Field(default=True, description="It is always one transaction.")


class ValidationError(_Model):
    """What is wrong with a row, or with the file."""

    table: str | None
    field: str | None
    error: str
    line_number: int | None = Field(description="The row in its table, or the line of the file.")


class ValidationResult(_Model):
    """What ``validate`` gives."""

    valid: bool
    errors: list[ValidationError]
    warnings: list[str]


class Conflict(_Model):
    """One field of a row that is there with another value, or one row that cannot go in."""

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
    """All conflicts counted, and the first of them."""

    total_conflicts: int
    conflicts_by_type: dict[str, int]
    conflicts: list[Conflict]


class TablePreview(_Model):
    """What would become of one table's rows."""

    table_name: str
    would_insert: int
    would_update: int
    would_skip: int
    would_fail: int
    sample_inserts: list[dict[str, Any]]
    sample_updates: list[dict[str, Any]]


class DryRunResult(_Model):
    """What an import with ``dry_run`` gives: exactly what the import would do."""

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
    """What became of one table's rows."""

    table_name: str
    total_records: int
    inserted: int
    updated: int
    skipped: int
    failed: int
    errors: list[str]


class ImportResult(_Model):
    """What an import gives."""

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
