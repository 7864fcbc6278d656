"""``ImportService``: imports from Python objects and texts, for programs of one's own.

Everything is done by ``load``: one transaction, all or nothing. Results are plain dicts;
``import_models`` describes and validates them. Wrong arguments raise ValueError; what is wrong with the data is
in the result.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pydantic import ValidationError as Invalid

from .errors import RefusedError, RequestError
from .findings import Finding, ImportReport
from .import_models import ImportOptions
from .importer import load
from .settings import Settings

_POLICIES = {"merge": "update", "replace": "replace", "skip": "skip", "update": "update"}
_TYPES = {
    "conflict": "duplicate_id",
    "duplicate": "duplicate_id",
    "unique": "duplicate_unique",
    "reference": "missing_foreign_key",
    "table": "schema_mismatch",
    "column": "schema_mismatch",
}
Options = ImportOptions | Mapping[str, Any] | None


class ImportService:
    """Imports into one database: a path, a ``sqlite3`` connection, or a ``sqlite_utils`` Database."""

    def __init__(self, db: Any, settings: Settings | None = None) -> None:
        self.db = db
        self.settings = settings or Settings()

    def import_full_database(self, data: Any, options: Options = None, dry_run: bool = False) -> dict[str, Any]:
        """Everything that ``data`` holds: an object, a list, a JSON or CSV text, bytes (also compressed)."""
        return self._import(data, _options(options), dry_run)

    def import_clients(self, clients: Any, options: Options = None, dry_run: bool = False) -> dict[str, Any]:
        """Clients: their rows, or the result of ``export_clients`` with what belongs to them."""
        return self._import(clients, _options(options, "clients"), dry_run)

    def import_charts(self, charts: Any, options: Options = None, dry_run: bool = False) -> dict[str, Any]:
        """Charts: their rows, which may hold ``interpretations``, ``aspect_patterns`` and ``transit_events``."""
        return self._import(charts, _options(options, "charts"), dry_run)

    def import_table(
        self, table_name: str, records: Sequence[Mapping[str, Any]], options: Options = None, dry_run: bool = False
    ) -> dict[str, Any]:
        """Rows of one table; a text or bytes may be CSV."""
        return self._import(records, _options(options, table_name), dry_run)

    def validate(self, data: Any, options: Options = None) -> dict[str, Any]:
        """Whether the data could be imported, and why not: ``valid``, ``errors``, ``warnings``."""
        found: dict[str, Any] = self._import(data, _options(options), True)["validation_result"]
        return found

    def _import(self, data: Any, options: ImportOptions, dry_run: bool) -> dict[str, Any]:
        started, clock = datetime.now(timezone.utc), time.monotonic()
        report = self._load(data, options, dry_run)
        took = round(time.monotonic() - clock, 6)
        if dry_run:
            return _dry_run(report, options, took)
        return _result(report, options, started, took)

    def _load(self, data: Any, options: ImportOptions, dry_run: bool) -> ImportReport:
        with tempfile.TemporaryDirectory(prefix="program-export-") as folder:
            file = Path(folder) / "data"
            file.write_bytes(_bytes(data))
            how: dict[str, Any] = {
                "on_conflict": _POLICIES[options.mode],
                "insert": options.mode != "update",
                "table": options.table,
                "delimiter": options.csv_delimiter,
                "header": options.csv_has_header,
                "backup": options.backup_path or True if options.create_backup else False,
                "leave_out_bad_rows": options.continue_on_error,
                "allow_dangling": options.allow_dangling,
                "triggers": options.triggers,
            }
            if options.max_errors is not None and options.continue_on_error and not dry_run:
                before = load(self.db, file, settings=self.settings, **{**how, "preview": True})
                if before.total("left_out") > options.max_errors:
                    how |= {"leave_out_bad_rows": False}
            try:
                return load(self.db, file, settings=self.settings, preview=dry_run, **how)
            except RefusedError as error:
                report: ImportReport = error.report
                return report


def _options(options: Options, table: str | None = None) -> ImportOptions:
    try:
        found = ImportOptions.model_validate(options or {}) if not isinstance(options, ImportOptions) else options
    except Invalid as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise RequestError(f"Invalid import options: {wrong}") from None
    return found.model_copy(update={"table": table}) if table is not None else found


def _bytes(data: Any) -> bytes:
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    if isinstance(data, str):
        return data.encode("utf-8", "surrogatepass")
    try:
        return json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise RequestError(f"The data cannot be imported: {error}.") from None


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


def _dry_run(report: ImportReport, options: ImportOptions, took: float) -> dict[str, Any]:
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


def _result(report: ImportReport, options: ImportOptions, started: datetime, took: float) -> dict[str, Any]:
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
