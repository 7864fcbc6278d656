"""``ImportService``: imports as Python functions.

``load`` does the work: one transaction, all or nothing. Wrong arguments raise ValueError; errors in the data are
reported in the result.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal, overload

from ..database.schema import fold
from ..database.source import CANNOT_BE_SENT, Source
from ..errors import ArgumentTypeError, ExportError, RefusedError, RequestError, UnsupportedError
from ..files.decompression import compression_of
from ..files.reading_limits import TRUSTING
from ..files.temporary.folder import TemporaryFolder
from ..formats.registry import detect
from ..importing.choices import Choices
from ..importing.importer import load
from ..importing.report import ImportReport
from ..importing.running.hooks import AppliedImport
from ..importing.staging.columns import ColumnMapping
from ..options.arguments import kind_of, optional, path_of, yes_or_no
from ..options.settings import Settings
from .import_data import bytes_of
from .import_models import ConflictReport, DryRunResult, ImportResult, ValidationResult
from .import_options import ImportFormat, ImportOptions, Options, options_of
from .import_progress import Calling
from .import_results import conflicts, dry_run_result, import_result

Rows = Sequence[Mapping[str, Any]]
Data = Mapping[str, Any] | Rows | str | bytes | bytearray
_COMPRESSIONS = {"gzip": "gzip", "bz2": "bzip2", "zstd": "zstd"}


class ImportService:
    """Import into one database: a path, a ``sqlite3`` connection, or a ``sqlite_utils`` Database.

    ``backup_dir`` is the folder for safety copies (it is made if need be); by default they lie in ``safety-copies``
    beside the database. ``settings`` are those of a site. Raises RequestError (a ValueError), NotFoundError.

    Every method takes ``options`` (ImportOptions, or a dict of them) and ``dry_run``, which changes nothing and
    returns what the import would do. Wrong arguments raise RequestError, which is a ValueError. What is wrong in the
    data is in the result: then ``success`` is False, ``errors`` says why, and nothing was changed. An import raises
    BusyError while another program writes, SourceError for a database that cannot be written. Example::

        service = ImportService("practice.db")
        preview = service.import_table("charts", rows, {"mode": "skip"}, dry_run=True)
        if not preview.would_fail:
            print(service.import_table("charts", rows, {"mode": "skip"}).inserted_records)
    """

    def __init__(self, db: Any, backup_dir: str | Path | None = None, settings: Settings | None = None) -> None:
        self.db = db
        self.backup_dir = path_of("backup_dir", backup_dir) if backup_dir is not None else None
        self.settings = optional("settings", settings, Settings) or Settings()
        if not isinstance(db, (str, bytes, os.PathLike)):
            Source.of(db)  # what is no database is said now; a path may be that of a new one
        if self.backup_dir is not None:
            self.backup_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.settings = self.settings.model_copy(update={"safety_copy_dir": str(self.backup_dir.absolute())})

    def __getstate__(self) -> dict[str, Any]:
        if not isinstance(self.db, (str, bytes, os.PathLike)):
            raise UnsupportedError(CANNOT_BE_SENT)
        return self.__dict__

    @overload
    def import_full_database(
        self, data: Data, options: Options = None, dry_run: Literal[False] = False
    ) -> ImportResult: ...
    @overload
    def import_full_database(self, data: Data, options: Options = None, *, dry_run: Literal[True]) -> DryRunResult: ...
    @overload
    def import_full_database(
        self, data: Data, options: Options = None, dry_run: bool = False
    ) -> ImportResult | DryRunResult: ...
    def import_full_database(
        self, data: Data, options: Options = None, dry_run: bool = False
    ) -> ImportResult | DryRunResult:
        """Import everything in ``data``: a dict {table: rows}, a text (JSON or CSV), or bytes (also compressed).

        Results of ``export_full_database`` and its ``data``, and files of this program as bytes, are understood. For
        a list of rows say ``table`` in the options; CSV goes into the only table that has all columns of its header.
        Example::

            result = service.import_full_database({"clients": [{"id": "7", "first_name": "Anna"}]})
            print(result.success, result.inserted_records, result.errors, result.backup_path)
        """
        return self._import(data, options_of(options), dry_run)

    @overload
    def import_clients(
        self, data: Data, options: Options = None, include_related: bool = True, dry_run: Literal[False] = False
    ) -> ImportResult: ...
    @overload
    def import_clients(
        self, data: Data, options: Options = None, include_related: bool = True, *, dry_run: Literal[True]
    ) -> DryRunResult: ...
    @overload
    def import_clients(
        self, data: Data, options: Options = None, include_related: bool = True, dry_run: bool = False
    ) -> ImportResult | DryRunResult: ...
    def import_clients(
        self, data: Data, options: Options = None, include_related: bool = True, dry_run: bool = False
    ) -> ImportResult | DryRunResult:
        """Import clients: their rows, or the result of ``export_clients`` with the rows that belong to them.

        ``include_related=False`` imports the clients alone, and says in ``warnings`` what it left out."""
        return self._import(data, options_of(options, "clients"), dry_run, _only("clients", include_related))

    @overload
    def import_charts(
        self, data: Data, options: Options = None, include_interpretations: bool = True, dry_run: Literal[False] = False
    ) -> ImportResult: ...
    @overload
    def import_charts(
        self, data: Data, options: Options = None, include_interpretations: bool = True, *, dry_run: Literal[True]
    ) -> DryRunResult: ...
    @overload
    def import_charts(
        self, data: Data, options: Options = None, include_interpretations: bool = True, dry_run: bool = False
    ) -> ImportResult | DryRunResult: ...
    def import_charts(
        self, data: Data, options: Options = None, include_interpretations: bool = True, dry_run: bool = False
    ) -> ImportResult | DryRunResult:
        """Import charts: rows that may contain ``interpretations``, ``aspect_patterns`` and ``transit_events``.

        ``include_interpretations=False`` imports the charts alone, and says in ``warnings`` what it left out."""
        only = _only("charts", include_interpretations, "include_interpretations")
        return self._import(data, options_of(options, "charts"), dry_run, only)

    @overload
    def import_table(
        self, table_name: str, data: Data, options: Options = None, dry_run: Literal[False] = False
    ) -> ImportResult: ...
    @overload
    def import_table(
        self, table_name: str, data: Data, options: Options = None, *, dry_run: Literal[True]
    ) -> DryRunResult: ...
    @overload
    def import_table(
        self, table_name: str, data: Data, options: Options = None, dry_run: bool = False
    ) -> ImportResult | DryRunResult: ...
    def import_table(
        self, table_name: str, data: Data, options: Options = None, dry_run: bool = False
    ) -> ImportResult | DryRunResult:
        """Import rows into one table; ``data`` as text or bytes may be CSV. UUIDs, dates and times become texts.

        Raises RequestError if there is no such table, and none is to be made (``create``)."""
        if not isinstance(table_name, str):
            raise ArgumentTypeError(f"table_name: the name of a table is needed, not {kind_of(table_name)}.")
        return self._import(data, options_of(options, table_name), dry_run)

    def validate(self, data: Data, options: Options = None) -> ValidationResult:
        """Check whether the data could be imported, by a preview: ``valid``, ``errors`` and ``warnings``."""
        return self._import(data, options_of(options), True).validation_result

    def detect_conflicts(self, data: Data, options: Options = None) -> ConflictReport:
        """Find the rows that are there with other values, and those that cannot be imported, by a preview."""
        return conflicts(self._load(data, options_of(options), True, None))

    _detect_conflicts_full_database = detect_conflicts  # as the forerunner called it

    def _import(
        self, data: Data, options: ImportOptions, dry_run: bool, only: Callable[[ColumnMapping], None] | None = None
    ) -> DryRunResult | ImportResult:
        yes_or_no("dry_run", dry_run)
        started, clock = datetime.now(timezone.utc), time.monotonic()
        report = self._load(data, options, dry_run, only)
        took = round(time.monotonic() - clock, 6)
        if dry_run:
            return dry_run_result(report, options, took)
        if (expire := getattr(self.db, "expire_all", None)) is not None:
            expire()  # objects of a session would show what was there before
        return import_result(report, options, started, took)

    def _load(
        self, data: Data, options: ImportOptions, dry_run: bool, only: Callable[[ColumnMapping], None] | None
    ) -> ImportReport:
        content = bytes_of(data)
        _check_compression(content, options)

        def fits(found: AppliedImport) -> None:
            _check_format(found.report.format, options)

        with TemporaryFolder(self.settings.spool_dir) as folder:
            file = folder / "data"
            file.write_bytes(content)

            of_files = options.of_files()
            if _is_document(content):  # which says itself what its tables are
                of_files["table"] = None
                if options.table is not None and only is None:
                    only = _only_asked(options.table)

            def loaded(preview: bool, leave_out_bad_rows: bool) -> ImportReport:
                choices: Choices = {
                    **of_files,
                    "preview": preview,
                    "on_conflict": options.policy(),
                    "on_conflict_for": options.policies(),
                    "insert": options.mode != "update",
                    "backup": options.backup_path or True if options.create_backup else False,
                    "leave_out_bad_rows": leave_out_bad_rows,
                    "allow_dangling": options.allow_dangling,
                    "triggers": options.triggers,
                }
                hooks: dict[str, Any] = {"inspect": fits, "inspect_staged": only, "file_name": ""}
                with Calling(options) as watch:
                    return load(self.db, file, settings=self.settings, watch=watch, **hooks, **choices)

            leave_out = options.continue_on_error
            if options.max_errors is not None and leave_out and not dry_run:
                leave_out = loaded(True, True).total("left_out") <= options.max_errors
            try:
                return loaded(dry_run, leave_out)
            except RefusedError as error:
                report: ImportReport = error.report
                return report


def _is_document(content: bytes) -> bool:
    with suppress(ExportError):  # of damaged data: told when they are read
        return detect(io.BytesIO(content), TRUSTING)[0] is not None
    return False


def _only(table: str, with_others: bool, argument: str = "include_related") -> Callable[[ColumnMapping], None] | None:
    """Return a function that drops the staged rows of all other tables, unless they are wanted."""
    return None if yes_or_no(argument, with_others) else lambda intake: intake.keep_only(table, f"{argument} is False")


def _only_asked(table: str) -> Callable[[ColumnMapping], None]:
    """Return a function that drops the rows of all tables but the one that was asked for, which must be there."""

    def keep(intake: ColumnMapping) -> None:
        if intake.document is not None and fold(table) not in map(fold, intake.document.tables):
            intake.findings.add("table", f"The data hold no table {table}.", table)
        intake.keep_only(table, f"only {table} was asked for")

    return keep


def _check_compression(content: bytes, options: ImportOptions) -> None:
    found, named = compression_of(content), options.compression_format
    if named is not None and found != _COMPRESSIONS[named]:
        raise RequestError(f"compression_format says {named}, but the data are {found or 'not compressed'}.")


def _check_format(found: str | None, options: ImportOptions) -> None:
    """Check that the data are of the format that the options name: every format but csv is made of JSON here."""
    is_csv = found == "csv"
    if options.format is not None and is_csv != (options.format is ImportFormat.CSV):
        raise RequestError(f"format says {options.format.value}, but the data are {found}.")
