"""The results of ``ImportService``."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone
from typing import Any

from ..importing.report import Finding, ImportReport
from .import_models import ImportOptions

_TYPES = {
    "conflict": "duplicate_id",
    "duplicate": "duplicate_id",
    "unique": "duplicate_unique",
    "reference": "missing_foreign_key",
    "table": "schema_mismatch",
    "column": "schema_mismatch",
}


def _counts(report: ImportReport) -> dict[str, int]:
    """What happens in all; nothing does where the import is refused."""
    happens = report.ok
    return {
        "insert": report.total("insert") if happens else 0,
        "update": report.total("update") if happens else 0,
        "skip": report.total("skip") + report.total("unchanged") if happens else 0,
        "fail": report.total("left_out") if happens else report.bad_rows,
        "all": report.total("rows") + report.total("left_out"),
    }


def dry_run_result(report: ImportReport, options: ImportOptions, took: float) -> dict[str, Any]:
    """What an import would do; ``took`` is in seconds."""
    counts, happens = _counts(report), report.ok
    previews = {
        name: {
            "table_name": name,
            "would_insert": table.insert if happens else 0,
            "would_update": table.update if happens else 0,
            "would_skip": table.skip + table.unchanged if happens else 0,
            "would_fail": table.left_out if happens else _failed(report, name),
            "sample_inserts": table.new_rows[:5],
            "sample_updates": [
                {**one.key, **{d.column: d.file for d in one.differences}} for one in table.samples[:5] if table.update
            ],
        }
        for name, table in report.tables.items()
    }
    return {
        "mode": options.mode,
        "format": report.format,
        "total_records": counts["all"],
        "would_insert": counts["insert"],
        "would_update": counts["update"],
        "would_skip": counts["skip"],
        "would_fail": counts["fail"],
        "table_previews": previews,
        "validation_result": _validation(report),
        "conflict_report": _conflicts(report, options),
        "estimated_duration_seconds": took,
        "warnings": [note.message for note in report.notes],
    }


def _failed(report: ImportReport, table: str) -> int:
    return len({f.row or f.line for f in report.findings if f.table == table and (f.row or f.line)})


def import_result(report: ImportReport, options: ImportOptions, started: datetime, took: float) -> dict[str, Any]:
    """What an import did."""
    counts, happens = _counts(report), report.ok
    findings = [*report.findings, *report.left_out]
    stats = {
        name: {
            "table_name": name,
            "total_records": table.rows + table.left_out,
            "inserted": table.insert if happens else 0,
            "updated": table.update if happens else 0,
            "skipped": table.skip + table.unchanged if happens else 0,
            "failed": table.left_out if happens else _failed(report, name),
            "errors": [f.message for f in findings if f.table == name],
        }
        for name, table in report.tables.items()
    }
    return {
        "success": happens,
        "format": report.format,
        "mode": options.mode,
        "started_at": started.isoformat(),
        "completed_at": datetime.now(timezone.utc).isoformat(),
        "duration_seconds": took,
        "total_records": counts["all"],
        "inserted_records": counts["insert"],
        "updated_records": counts["update"],
        "skipped_records": counts["skip"],
        "failed_records": counts["fail"],
        "table_stats": stats,
        "validation_result": _validation(report),
        "conflict_report": _conflicts(report, options),
        "errors": [f.message for f in findings],
        "backup_path": report.safety_copy,
        "rollback_available": report.safety_copy is not None,
    }


def _validation(report: ImportReport) -> dict[str, Any]:
    findings = [*report.findings, *report.left_out]
    return {
        "valid": not findings,
        "errors": [
            {"table": f.table, "field": f.column, "error": f.message, "line_number": f.row or f.line} for f in findings
        ],
        "warnings": [note.message for note in report.notes],
    }


def _conflicts(report: ImportReport, options: ImportOptions) -> dict[str, Any]:
    found = []
    counts: Counter[str] = Counter()
    for name, table in report.tables.items():
        if differing := table.update + table.conflict:
            counts["duplicate_id"] += differing
        for one in table.samples:
            found += [
                {
                    "conflict_type": "duplicate_id",
                    "table_name": name,
                    "record_id": next(iter(one.key.values())) if len(one.key) == 1 else one.key,
                    "field_name": d.column,
                    "import_value": d.file,
                    "existing_value": d.target,
                    "description": f"Record with this key already exists in {name}",
                    "line_number": one.number,
                    "resolution": "keep_existing" if options.mode == "skip" else "overwrite",
                }
                for d in one.differences
            ]
    for finding in (*report.findings, *report.left_out):
        found.append(_conflict(finding))
        counts[found[-1]["conflict_type"]] += 1
    return {"total_conflicts": sum(counts.values()), "conflicts_by_type": dict(counts), "conflicts": found}


def _conflict(finding: Finding) -> dict[str, Any]:
    return {
        "conflict_type": _TYPES.get(finding.kind, "invalid_data"),
        "table_name": finding.table,
        "record_id": None,
        "field_name": finding.column,
        "import_value": None,
        "existing_value": None,
        "description": finding.message,
        "line_number": finding.row or finding.line,
        "resolution": "none",
    }
