"""``load(target, file)``: imports a file in one transaction, all of it or nothing.

First every row is staged, checked and digested in a private database, so that a truncated or
inconsistent file never reaches the target. Then one transaction compares the rows, writes them and
checks every reference. It is committed, or rolled back for a preview: a preview differs from an
import only in this last step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NoReturn

from ..database.source import belongs_to
from ..errors import RefusedError, RequestError
from ..files.reading_limits import Limits
from ..options.arguments import optional, path_of
from ..options.settings import Settings
from .choices import Dates, Decimal, ImportChoices, Kind, NotANumber, Policy
from .import_run import ImportHooks, ImportRun, Inspect, RunOn
from .log import logged
from .progress import ImportProgress
from .reading import limits_of
from .report import ImportReport
from .staging.columns import ColumnMapping
from .staging.database import StagingDatabase
from .target import Target

_FOR_NO_TABLE: Mapping[str, Policy] = {}
_OF_NO_COLUMN: Mapping[str, Kind] = {}


def load(
    target: Any,
    file: str | Path,
    *,
    settings: Settings | None = None,
    inspect: Inspect | None = None,
    inspect_staged: Callable[[ColumnMapping], None] | None = None,
    run_on: RunOn | None = None,
    watch: ImportProgress | None = None,
    limits: Limits | None = None,
    on_conflict: Policy = "fail",
    on_conflict_for: Mapping[str, Policy] = _FOR_NO_TABLE,
    preview: bool = False,
    insert: bool = True,
    allow_dangling: bool = False,
    triggers: bool = False,
    allow_stale_indexes: bool = False,
    backup: bool | str | Path = True,
    expect: str | None = None,
    leave_out_bad_rows: bool = False,
    without: Sequence[str] = (),
    table: str | None = None,
    find_table: bool = True,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    skip_lines: int = 0,
    decimal: Decimal | None = None,
    dates: Dates | None = None,
    cells: Mapping[str, Kind] = _OF_NO_COLUMN,
    nan: NotANumber | None = None,
    rows_at: str | None = None,
    trusted: bool = False,
    keys: Literal["kept", "new"] = "kept",
    match: Sequence[str] = (),
    **unknown: NoReturn,
) -> ImportReport:
    """Import a file into a database, and return the report. ``ImportChoices`` explains the choices.

    Example: ``load("copy.db", "client-3.json", on_conflict="update", preview=True)``. ``target`` is a path, a
    connection or a sqlite_utils Database. ``inspect`` is called in the transaction after everything is written,
    ``inspect_staged`` before the first row is compared; an exception from them rolls back.
    ``run_on`` calls its argument once, on any thread, with another connection to the same database, which writes.
    ``watch`` counts the rows and can stop it (CancelledError); ``limits`` (of ``settings``) hold if not ``trusted``.
    A refused import raises RefusedError with its report. Also raises RequestError for invalid or unknown choices,
    NotFoundError, SourceError, BusyError, OSError."""
    choices = {name: value for name, value in locals().items() if name in ImportChoices.model_fields}
    asked, hooks = ImportChoices.of({**choices, **unknown}), ImportHooks(inspect, inspect_staged, run_on)
    known, seen = optional("settings", settings, Settings) or Settings(), watch or ImportProgress()
    return _imported(target, path_of("file", file), asked, known, hooks, seen, limits)


def _imported(
    target: Any,
    file: Path,
    asked: ImportChoices,
    settings: Settings,
    hooks: ImportHooks,
    watch: ImportProgress,
    limits: Limits | None,
) -> ImportReport:
    with ExitStack() as stack:
        if isinstance(asked.backup, (str, Path)) and Path(asked.backup).exists():
            raise RequestError(f"{Path(asked.backup).name} is there already; a safety copy replaces nothing.")
        goal = stack.enter_context(Target(target, preview=asked.preview, spool_dir=settings.spool_dir))
        if isinstance(asked.backup, (str, Path)) and goal.path and belongs_to(goal.path, Path(asked.backup)):
            raise RequestError(f"{Path(asked.backup).name} is a part of the database itself. Choose another name.")
        staging = stack.enter_context(StagingDatabase(settings.spool_dir, watch))
        reading = replace(limits or limits_of(settings), go_on=watch.check)
        run = ImportRun(goal, staging, asked, settings, file, hooks, watch, reading)
        report = logged(goal.name, asked.preview, run.through)
    if not report.ok and not asked.preview:
        first = report.findings[0].message
        more = f" (and {len(report.findings) - 1:,} more)" if len(report.findings) > 1 else ""
        raise RefusedError(f"Nothing was imported: {first}{more}", report)
    return report
