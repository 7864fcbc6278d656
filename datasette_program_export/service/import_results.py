"""Convert an ImportReport into the results of ``ImportService``."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

from ..importing.report import Finding, ImportReport, TableReport
from .import_models import (
    Conflict,
    ConflictReport,
    ConflictType,
    DryRunPreview,
    DryRunResult,
    FieldError,
    ImportResult,
    ImportStats,
    ValidationResult,
)
from .import_options import ConflictResolution, ImportOptions

_TYPES: dict[str, ConflictType] = {
    "conflict": ConflictType.DUPLICATE_ID,
    "duplicate": ConflictType.DUPLICATE_ID,
    "unique": ConflictType.DUPLICATE_UNIQUE,
    "reference": ConflictType.MISSING_FOREIGN_KEY,
    "table": ConflictType.SCHEMA_MISMATCH,
    "column": ConflictType.SCHEMA_MISMATCH,
}

_RESOLUTIONS = {
    "skip": ConflictResolution.KEEP_EXISTING,
    "update": ConflictResolution.MERGE_FIELDS,
    "replace": ConflictResolution.OVERWRITE,
}


def _counts(report: ImportReport) -> dict[str, int]:
    """Return the totals of all tables; a refused import inserts, updates and skips nothing."""
    happens = report.ok
    return {
        "insert": report.total("insert") if happens else 0,
        "update": report.total("update") if happens else 0,
        "skip": report.total("skip") + report.total("unchanged") if happens else 0,
        "fail": report.total("left_out") if happens else report.bad_rows,
        "all": report.total("rows") + report.total("left_out"),
    }


def dry_run_result(report: ImportReport, options: ImportOptions, took: float) -> DryRunResult:
    """Return what an import would do; ``took`` is in seconds."""
    counts = _counts(report)
    return DryRunResult(
        mode=options.mode,
        format=report.format,
        total_records=counts["all"],
        would_insert=counts["insert"],
        would_update=counts["update"],
        would_skip=counts["skip"],
        would_fail=counts["fail"],
        table_previews={name: _preview(report, name, table) for name, table in report.tables.items()},
        validation_result=_validation(report),
        conflict_report=conflicts(report),
        estimated_duration_seconds=took,
        warnings=[note.message for note in report.notes],
    )


def _preview(report: ImportReport, name: str, table: TableReport) -> DryRunPreview:
    happens = report.ok
    return DryRunPreview(
        table_name=name,
        would_insert=table.insert if happens else 0,
        would_update=table.update if happens else 0,
        would_skip=table.skip + table.unchanged if happens else 0,
        would_fail=table.left_out if happens else _failed(report, name),
        sample_inserts=table.new_rows[:5],
        sample_updates=[
            {**one.key, **{d.column: d.file for d in one.differences}} for one in table.samples[:5] if table.update
        ],
    )


def _failed(report: ImportReport, table: str) -> int:
    return len({f.row or f.line for f in report.findings if f.table == table and (f.row or f.line)})


def import_result(report: ImportReport, options: ImportOptions, started: datetime, took: float) -> ImportResult:
    """Return what an import did; ``took`` is in seconds."""
    counts = _counts(report)
    return ImportResult(
        success=report.ok,
        format=report.format,
        mode=options.mode,
        started_at=started,
        completed_at=datetime.now(timezone.utc),
        duration_seconds=took,
        total_records=counts["all"],
        inserted_records=counts["insert"],
        updated_records=counts["update"],
        skipped_records=counts["skip"],
        failed_records=counts["fail"],
        table_stats={name: _stats(report, name, table) for name, table in report.tables.items()},
        validation_result=_validation(report),
        conflict_report=conflicts(report),
        errors=[f.message for f in _findings(report)],
        backup_path=report.safety_copy,
        rollback_available=report.safety_copy is not None,
    )


def _stats(report: ImportReport, name: str, table: TableReport) -> ImportStats:
    happens = report.ok
    return ImportStats(
        table_name=name,
        total_records=table.rows + table.left_out,
        inserted=table.insert if happens else 0,
        updated=table.update if happens else 0,
        skipped=table.skip + table.unchanged if happens else 0,
        failed=table.left_out if happens else _failed(report, name),
        errors=[f.message for f in _findings(report) if f.table == name],
    )


def _findings(report: ImportReport) -> list[Finding]:
    """Return the reasons why the import was refused, and why rows were left out."""
    return [*report.findings, *report.left_out]


def _validation(report: ImportReport) -> ValidationResult:
    errors = [
        FieldError(table=f.table, field=f.column, error=f.message, line_number=f.row or f.line)
        for f in _findings(report)
    ]
    rows = report.total("rows") + report.total("left_out")
    bad = report.total("left_out") if report.ok else report.bad_rows
    return ValidationResult(
        valid=not errors,
        errors=errors,
        warnings=[note.message for note in report.notes],
        record_count=max(rows, bad),
        valid_records=max(rows - bad, 0),
        invalid_records=bad,
    )


def conflicts(report: ImportReport) -> ConflictReport:
    """Return the rows that are there with other values, and the rows that cannot be imported."""
    found = []
    counts: Counter[ConflictType] = Counter()
    for name, table in report.tables.items():
        if differing := table.update + table.conflict:
            counts[ConflictType.DUPLICATE_ID] += differing
        resolution = _RESOLUTIONS.get(table.policy)
        for one in table.samples:
            found += [
                Conflict(
                    conflict_type=ConflictType.DUPLICATE_ID,
                    table_name=name,
                    record_id=next(iter(one.key.values())) if len(one.key) == 1 else one.key,
                    field_name=d.column,
                    import_value=d.file,
                    existing_value=d.target,
                    description=f"Record with this key already exists in {name}",
                    line_number=one.number,
                    resolution=resolution,
                )
                for d in one.differences
            ]
    for finding in _findings(report):
        conflict = _conflict(finding)
        found.append(conflict)
        counts[conflict.conflict_type] += 1
    return ConflictReport(total_conflicts=sum(counts.values()), conflicts_by_type=dict(counts), conflicts=found)


def _conflict(finding: Finding) -> Conflict:
    return Conflict(
        conflict_type=_TYPES.get(finding.kind, ConflictType.INVALID_DATA),
        table_name=finding.table,
        field_name=finding.column,
        description=finding.message,
        line_number=finding.row or finding.line,
    )
