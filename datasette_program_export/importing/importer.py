"""``load(target, file)``: imports a file in one transaction, all of it or nothing.

First every row is staged, checked and digested in a private database, so that a truncated or
inconsistent file never reaches the target. Then one transaction compares the rows, writes them and
checks every reference. It is committed, or rolled back for a preview: a preview differs from an
import only in this last step.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..database.library import Prepare
from ..database.source import belongs_to
from ..errors import RefusedError, RequestError
from ..files.reading_limits import Limits
from ..options.arguments import optional, path_of
from ..options.settings import Settings
from .choices import Choices, ImportChoices
from .log import logged
from .progress import ImportProgress
from .reading import limits_of
from .report import ImportReport
from .running.hooks import ImportHooks, Inspect, RunOn
from .running.import_run import ImportRun
from .running.straight import goes_straight, import_straight
from .staging.columns import ColumnMapping
from .staging.database import StagingDatabase
from .target import Target
from .writing.bad_rows import BadRows
from .writing.files_back import FilesBack

if TYPE_CHECKING:
    from typing_extensions import Unpack


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
    prepare: Prepare | None = None,
    visible: Set[str] | None = None,
    file_name: str | None = None,
    **choices: Unpack[Choices],
) -> ImportReport:
    """Import a file into a database, and return the report. ``ImportChoices`` explains the choices.

    ``target`` is a path, a connection or a sqlite_utils Database; ``ImportChoices`` explains the choices. Example::

        report = load("copy.db", "client-3.programjson", on_conflict="update", preview=True)

    ``inspect`` is called in the transaction after everything is written; an exception from it rolls back.
    ``inspect_staged`` is called before the first row is compared; an exception from it ends the import.
    ``run_on`` chooses the connection that writes. It calls its argument once, on any thread, with another
    connection to the same database, and returns after that call has returned.
    ``watch`` counts the rows and can stop the import, which raises CancelledError.
    ``prepare`` is called with each connection that is opened, to load extensions or functions that its triggers need.
    ``visible`` are the tables that the person may see (None: all), among which one is found for a file that names none.
    ``file_name`` is what the file is called, where it lies under another name; "" tells nothing of its table.
    ``limits`` apply to a file that is not ``trusted``; by default they come from ``settings``.

    A preview always returns its report. An import that is refused raises RefusedError, which carries the
    report. Raises RequestError for invalid or unknown choices, NotFoundError, SourceError, BusyError, OSError."""
    asked = ImportChoices.of(dict(choices))
    hooks = ImportHooks(inspect, inspect_staged, run_on, visible, file_name, prepare)
    settings = optional("settings", settings, Settings) or Settings()
    return _imported(target, path_of("file", file), asked, settings, hooks, watch or ImportProgress(), limits)


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
        goal = stack.enter_context(
            Target(target, preview=asked.preview, spool_dir=settings.spool_dir, prepare=hooks.prepare)
        )
        if isinstance(asked.backup, (str, Path)) and goal.path and belongs_to(goal.path, Path(asked.backup)):
            raise RequestError(f"{Path(asked.backup).name} is a part of the database itself. Choose another name.")
        staging = stack.enter_context(StagingDatabase(settings.spool_dir, watch))
        reading = replace(limits or limits_of(settings), go_on=watch.check)
        aside = stack.enter_context(BadRows(asked.skip_bad, settings.spool_dir))
        back = stack.enter_context(FilesBack(file, asked, reading))
        run = ImportRun(goal, staging, asked, settings, file, hooks, watch, reading, aside, back)

        def through() -> ImportReport:
            straight = goes_straight(goal, file, asked, hooks)
            return (straight and import_straight(target, file, asked, settings, hooks, watch, reading)) or run.through()

        report = logged(goal.name, asked.preview, through)
    if not report.ok and not asked.preview:
        first = report.findings[0].message
        more = f" (and {len(report.findings) - 1:,} more)" if len(report.findings) > 1 else ""
        raise RefusedError(f"Nothing was imported: {first}{more}", report)
    return report
