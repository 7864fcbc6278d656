"""Run a preview or an import on a thread.

A preview writes and rolls back, which would block all other writers. So it runs on a copy of
the database, made with SQLite's backup API, which blocks nobody; the copy is removed
immediately afterwards. An import reads and checks the whole file outside Datasette's write
connection, and waits for that only to run its one transaction.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import AbstractContextManager, closing
from pathlib import Path
from threading import Lock
from typing import Any

from datasette.utils.sqlite import sqlite3

from ...database.sqlite_errors import explain
from ...errors import (
    AuditError,
    CancelledError,
    ConflictError,
    OtherKindError,
    RefusedError,
    SourceError,
    SpoolFullError,
)
from ...files.temporary.folder import TemporaryFolder
from ...files.temporary.room import free_in
from ...formats.description.moments import now_text
from ...importing.importer import load
from ...importing.report import OTHER_KIND, Finding, ImportReport
from ...importing.running.hooks import AppliedImport, Inspect, RunOn
from ...importing.safety_copy import copy_of
from ..host import writing as host_writing
from ..host.events import ImportFinished, track
from ..http.word import soon
from ..server.audit_log import AuditLog
from ..server.import_runner import BAD_ROWS, Import, ImportWork, as_data
from ..server.memory_budget import BUDGET
from .request import ImportContext

_TICK = 0.3  # seconds between two checks for a cancellation
_SPARE = 50_000_000  # bytes that a preview leaves free on the disk


class _AskedWork(ImportWork):
    """Work on a file that an actor requested; ``loop`` is Datasette's event loop."""

    def __init__(self, asked: ImportContext, one: Import, place: Path, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(one, place)
        self.asked = asked
        self.loop = loop

    def _connection_to(self, path: Path, mode: str) -> AbstractContextManager[Any]:
        return host_writing.connection_to(self.asked.datasette, self.asked.database, path, mode)

    def _load(
        self,
        connection: Any,
        *,
        preview: bool = False,
        inspect: Inspect | None = None,
        run_on: RunOn | None = None,
    ) -> ImportReport:
        settings, name = self.asked.settings, self.asked.database.name
        choices, aside = dict(self.one.choices), self.place / BAD_ROWS
        if choices.get("leave_out_bad_rows") and not preview:
            aside.unlink(missing_ok=True)  # of a server that was killed
            choices["skip_bad"] = aside
        reading = BUDGET.wait(self.one.person, self.check)
        try:
            found = load(
                connection,
                self.file,
                settings=settings,
                inspect=inspect,
                inspect_staged=self.asked.rights.check_tables,
                run_on=run_on,
                watch=self,
                limits=reading.limits(settings, self.check),
                visible=self.asked.rights.visible,
                file_name=self.one.file,
                preview=preview,
                **choices,
            )
            if found.bad_rows_file is not None:
                aside.chmod(0o600)
                found = found.model_copy(update={"bad_rows_file": aside.name})
        except RefusedError as error:
            found = error.report
        finally:
            reading.end()
        return self.asked.rights.shown(found.model_copy(update={"file": self.one.file, "target": name}))


class PreviewWork(_AskedWork):
    """Find out what an import would do."""

    active_state = "looking"

    def run(self) -> dict[str, Any]:
        """Import into a copy of the database, which is then deleted; return the report."""
        self.stage = "copying"
        digest = self._digest()
        with TemporaryFolder(self.place.parent) as folder:
            copy = folder / "copy.db"
            self._copied(copy)
            self.stage = "reading"
            with self._connection_to(copy, "rw") as connection:
                report = self._load(connection, preview=True)
        other = next((found for found in report.findings if found.kind == OTHER_KIND), None)
        if other is not None:  # a picture or a letter may be private: it is not kept
            self.file.unlink(missing_ok=True)
            raise OtherKindError(other.message)
        return {"state": "previewed", "sha256": digest, "report": as_data(report)}

    def _copied(self, copy: Path) -> None:
        path = host_writing.path_of(self.asked.database)
        needed, free = path.stat().st_size + _SPARE, free_in(copy.parent)
        if free is not None and free < needed:
            raise SpoolFullError(
                f"A preview needs a copy of the database ({needed:,} bytes, with some to spare), for which the "
                f"server's disk has no room: {free:,} are free."
            )
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as origin:
                copy_of(origin, copy, self.check)
        except sqlite3.Error as error:
            raise SourceError(f"The database {self.asked.database.name} cannot be read: {explain(error)}.") from error

    def _digest(self) -> str:
        digest = hashlib.sha256()
        with self.file.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
                self.check()
        return digest.hexdigest()


class ApplyWork(_AskedWork):
    """Import the file. The log line is written at the end, whatever the outcome."""

    active_state = "importing"

    def __init__(
        self, asked: ImportContext, one: Import, place: Path, loop: asyncio.AbstractEventLoop, expect: str | None
    ) -> None:
        super().__init__(asked, one, place, loop)
        self.expect = expect
        self._report: ImportReport | None = None

    def run(self) -> dict[str, Any]:
        """Import into the database itself; return the report. The file is deleted if all went well."""
        outcome = "failed"
        try:
            done = self._imported()
            outcome = "complete" if done["state"] == "done" else "refused"
            return done
        except CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self._track(outcome)

    def _imported(self) -> dict[str, Any]:
        started, log = now_text(), self.asked.settings.audit_log
        if log is not None:
            AuditLog(log).check()
        report: ImportReport | None = None
        outcome = "failed"
        try:
            path = host_writing.path_of(self.asked.database)
            with self._connection_to(path, "ro") as reader:
                report = self._report = self._load(reader, inspect=self._inspect, run_on=self._in_turn)
            outcome = "complete" if report.ok else "refused"
        except BaseException as error:
            outcome = str(error) or type(error).__name__
            raise
        finally:
            if log is not None:
                self._log(log, report, started, outcome)
        if report.ok:
            self.file.unlink(missing_ok=True)
        return {"state": "done" if report.ok else "refused", "report": as_data(report)}

    def _in_turn(self, apply: Callable[[Any], None]) -> None:
        """Run ``apply`` on Datasette's write connection when its turn comes; it can be cancelled while it waits."""
        self.stage = "waiting"
        taken = Lock()

        def task(connection: Any) -> BaseException | None:
            if not taken.acquire(blocking=False):
                return None  # it was cancelled
            try:
                apply(connection)
            except BaseException as error:  # returned, because Datasette 0.x prints the errors of a write
                return error
            return None

        written = host_writing.on_write_connection(self.asked.datasette, self.asked.database, task)
        future = asyncio.run_coroutine_threadsafe(written, self.loop)
        while not wait([future], _TICK).done:
            if self.cancelled() and taken.acquire(blocking=False):
                self.check()
        if (error := future.result()) is not None:
            raise error

    def _inspect(self, applied: AppliedImport) -> None:
        self.asked.rights.check_changes(applied.report)
        _check_foreseen(self.one, applied.report, self.expect)

    def _track(self, outcome: str) -> None:
        """Tell the site's plugins of the end by an event, on Datasette's loop."""
        report, one = self._report, self.one
        facts = {
            "actor": self.asked.http.actor,
            "database": one.database,
            "what": (report.format if report is not None else None) or "file",
            "rows": _rows_written(report),
            "bytes": one.bytes,
            "outcome": outcome,
        }
        tables = report.tables if report is not None else ()
        soon(self.loop, track(self.asked.datasette, ImportFinished, tables, **facts))

    def _log(self, log: str, report: ImportReport | None, started: str, outcome: str) -> None:
        one = self.one
        origin = {k: v for k, v in report.export.items() if isinstance(v, str)} if report is not None else {}
        counts = _counts(report) if report is not None else {}
        entry = {
            "started": started,
            "actor": one.actor,
            "database": one.database,
            "scope": "import",
            "request": {"file": origin, "choices": one.choices, "tables": counts},
            "ended": now_text(),
            "outcome": outcome,
            "rows": _rows_written(report),
            "bytes": one.bytes,
            "sha256": one.sha256,
        }
        try:
            AuditLog(log).write(entry)
        except AuditError as error:  # the import is committed, so this is not a failure
            if report is not None:
                message = "The log could not be written: there is no line for this import. Tell who runs this site."
                report.notes.append(Finding(kind="log", message=message, error=False))
            elif outcome == "complete":
                raise error


def _check_foreseen(one: Import, report: ImportReport, expect: str | None) -> None:
    """Check that the import does to each row what the preview showed.

    ``expect`` is the digest of the preview that the client saw, if it is sent. Raises ConflictError."""
    seen = ImportReport.model_validate(one.report) if one.report is not None else None
    seen = seen if seen is not None and seen.status == "preview" else None
    if (seen is None or seen.foreseen == report.foreseen) and expect in (None, report.foreseen):
        return
    before = seen.tables if seen is not None else {}
    other = [n for n, t in report.tables.items() if n in before and before[n].foreseen != t.foreseen]
    raise ConflictError(
        f"{one.database} has changed since the preview: rows of {', '.join(other)} would be changed otherwise than you "
        "saw. Nothing was imported; look again."
        if other
        else f"{one.database} has changed since the preview: rows would be changed otherwise than you saw. Nothing was "
        "imported; look again."
    )


def _rows_written(report: ImportReport | None) -> int:
    return report.total("insert") + report.total("update") if report is not None and report.ok else 0


def _counts(report: ImportReport) -> dict[str, dict[str, int]]:
    return {
        name: {"insert": table.insert, "update": table.update, "skip": table.skip}
        for name, table in report.tables.items()
    }
