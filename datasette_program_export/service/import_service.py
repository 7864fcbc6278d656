"""``ImportService``: imports as Python functions.

``load`` does the work: one transaction, all or nothing. Results are plain dicts; ``import_models``
describes and validates them. Wrong arguments raise ValueError; errors in the data are reported in
the result.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from pydantic import ValidationError as Invalid

from ..errors import RefusedError, RequestError
from ..files.temporary.folder import TemporaryFolder
from ..importing.choices import Policy
from ..importing.importer import load
from ..importing.report import ImportReport
from ..options.faults import faults
from ..options.settings import Settings
from .import_models import DryRunResult, ImportOptions, ImportResult, Mode
from .import_results import dry_run_result, import_result

_POLICIES: dict[Mode, Policy] = {"merge": "update", "replace": "replace", "skip": "skip", "update": "update"}
Options = ImportOptions | Mapping[str, Any] | None


class ImportService:
    """Import into one database: a path, a ``sqlite3`` connection, or a ``sqlite_utils`` Database.

    Example::

        service = ImportService("practice.db")
        preview = service.import_table("charts", rows, {"mode": "skip"}, dry_run=True)
    """

    def __init__(self, db: Any, settings: Settings | None = None) -> None:
        self.db = db
        self.settings = settings or Settings()

    def import_full_database(self, data: Any, options: Options = None, dry_run: bool = False) -> dict[str, Any]:
        """Import everything in ``data``: an object, a list, a JSON or CSV text, or bytes (also compressed)."""
        return self._import(data, _options(options), dry_run).model_dump()

    def import_clients(self, clients: Any, options: Options = None, dry_run: bool = False) -> dict[str, Any]:
        """Import clients: their rows, or the result of ``export_clients`` with the rows that belong to them."""
        return self._import(clients, _options(options, "clients"), dry_run).model_dump()

    def import_charts(self, charts: Any, options: Options = None, dry_run: bool = False) -> dict[str, Any]:
        """Import charts: rows that may contain ``interpretations``, ``aspect_patterns`` and ``transit_events``."""
        return self._import(charts, _options(options, "charts"), dry_run).model_dump()

    def import_table(
        self, table_name: str, records: Sequence[Mapping[str, Any]], options: Options = None, dry_run: bool = False
    ) -> dict[str, Any]:
        """Import rows into one table; ``records`` as text or bytes may be CSV."""
        return self._import(records, _options(options, table_name), dry_run).model_dump()

    def validate(self, data: Any, options: Options = None) -> dict[str, Any]:
        """Check whether the data could be imported: return ``valid``, ``errors`` and ``warnings``."""
        return self._import(data, _options(options), True).validation_result.model_dump()

    def _import(self, data: Any, options: ImportOptions, dry_run: bool) -> DryRunResult | ImportResult:
        started, clock = datetime.now(timezone.utc), time.monotonic()
        report = self._load(data, options, dry_run)
        took = round(time.monotonic() - clock, 6)
        if dry_run:
            return dry_run_result(report, options, took)
        return import_result(report, options, started, took)

    def _load(self, data: Any, options: ImportOptions, dry_run: bool) -> ImportReport:
        with TemporaryFolder(self.settings.spool_dir) as folder:
            file = folder / "data"
            file.write_bytes(_bytes(data))

            def loaded(preview: bool, leave_out_bad_rows: bool) -> ImportReport:
                return load(
                    self.db,
                    file,
                    settings=self.settings,
                    preview=preview,
                    on_conflict=_POLICIES[options.mode],
                    insert=options.mode != "update",
                    table=options.table,
                    delimiter=options.csv_delimiter,
                    header=options.csv_has_header,
                    backup=options.backup_path or True if options.create_backup else False,
                    leave_out_bad_rows=leave_out_bad_rows,
                    allow_dangling=options.allow_dangling,
                    triggers=options.triggers,
                )

            leave_out = options.continue_on_error
            if options.max_errors is not None and leave_out and not dry_run:
                leave_out = loaded(True, True).total("left_out") <= options.max_errors
            try:
                return loaded(dry_run, leave_out)
            except RefusedError as error:
                report: ImportReport = error.report
                return report


def _options(options: Options, table: str | None = None) -> ImportOptions:
    try:
        found = ImportOptions.model_validate(options or {}) if not isinstance(options, ImportOptions) else options
    except Invalid as error:
        raise RequestError(f"Invalid import options: {faults(error)}") from None
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
