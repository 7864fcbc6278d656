"""Export jobs: their states, and the work of a job on its thread.

queued ──> running ──> done ──> expired
   │          ├──> failed        the export raised an error; ``error`` says which
   │          └──> interrupted   the server stopped
   └──────────┴──> cancelled     by its owner
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, time
from typing import Any, ClassVar, Literal

from ...errors import AuditError, BusyError, CancelledError, ExportError, SpoolFullError
from ...exporting.exporter import Export
from ...files.atomic import write_whole
from ...files.temporary.folder import sweep
from ...files.temporary.room import room_in
from ...files.temporary.spool import coalesced
from ...options.settings import Settings
from .audit_log import LogEntry
from .folder import Instance
from .slots import who_has
from .task_file import TaskFile
from .task_store import Task
from .tasks import TICK, Tasks, Work
from .throttle import considerate

Word = Callable[[Literal["complete", "cancelled", "failed"], str | None], None]
SHARE_ANONYMOUS, SHARE_SIGNED_IN = 0.5, 0.9  # of jobs_disk_mb: all visitors together; one person
_ASK_LESS = "Delete a result that is not needed any more, or take a smaller part."


def _untold(outcome: str, error: str | None) -> None:
    """Tell nobody of the end."""


@dataclass(frozen=True, kw_only=True)
class Job(Task):
    """One export job. ``asked`` holds the parts of its address and the query string, to request it again.

    ``visible`` are the tables that it could read (None: a trusted query)."""

    TABLE = "jobs"
    ACTIVE = ("queued", "running")
    JSON = ("asked", "request", "visible")

    title: str
    asked: dict[str, Any]
    request: dict[str, Any]
    visible: list[str] | None
    started: float | None = None
    total_rows: int | None = None
    total_bytes: int | None = None
    reading: str | None = None
    filename: str | None = None
    media_type: str | None = None


class Jobs(Tasks[Job]):
    """The export jobs of this server; their results are files in the private folder."""

    noun = "export"
    thread_name = "program-export-job"
    interrupted: ClassVar[dict[str, Any]] = {"reading": None}

    def __init__(self, folder: Path, file: TaskFile, settings: Settings, instance: Instance) -> None:
        super().__init__(file, Job, settings, instance)
        self.folder = folder

    def add(self, job: Job, export: Export, line: Callable[[], LogEntry | None], word: Word = _untold) -> None:
        """Add a job, which runs as soon as there is a free place. ``line`` makes its log line, ``word`` tells its end.

        Raises BusyError if its owner has too many active jobs.
        """
        self.tidy()
        most = self.settings.max_jobs_per_person
        if not self._begin(job, ExportWork(self, job, export, line, word), most):
            raise BusyError(
                f"{who_has(job.person)} {most} exports that run or wait, which is the most at once. "
                "Wait for one, or cancel one."
            )

    def cancel(self, id_: str) -> None:
        """Cancel a job that waits or runs: it stops reading within moments. An ended job stays unchanged."""
        self.store.end(id_, state="cancelled", reading=None)
        self._stop(id_)

    def delete(self, id_: str) -> None:
        """Delete a job and its result."""
        self.store.delete(id_)
        self._stop(id_)
        _remove(self.result(id_))

    def result(self, id_: str) -> Path:
        """Return the path of a job's result, which exists when the job is done."""
        return self.folder / f"{id_}.result"

    def tidy(self) -> None:
        """Mark interrupted jobs, expire and then forget old ones, and remove files without a job."""
        super().tidy()
        self.store.expire(self._seconds_kept)
        self.store.forget(2 * self._seconds_kept)
        sweep(self.folder)
        found = [*self.folder.glob("*.result")]
        wanted = self.store.ids("queued", "running", "done")  # after listing: a newer file is not in the list
        for path in found:
            if path.stem not in wanted:
                _remove(path)


class ExportWork(Work):
    """Write one export to its file."""

    def __init__(
        self, jobs: Jobs, job: Job, export: Export, line: Callable[[], LogEntry | None], word: Word = _untold
    ) -> None:
        super().__init__()
        self._word = word
        self._jobs = jobs
        self._id = job.id
        self._room = _Room(jobs, job)
        self._export = export
        self._make_line = line
        self._line: LogEntry | None = None
        self._size = 0

    def run(self) -> dict[str, Any]:
        """Run the export: this thread opens the database, reads it, and closes it."""
        if not self._jobs.store.note(self._id, state="running", started=time()):
            raise CancelledError("The job was cancelled.")
        self._line = self._make_line()
        return {"state": "done", "reading": None, **self._written()}

    def failed(self, error: Exception) -> dict[str, Any]:
        """Return the state ``interrupted`` if the server stops, else ``failed``; the log line says so too."""
        self.undo()
        stopped = isinstance(error, CancelledError) and self.server_stops
        said = "The server stopped." if stopped else _sentence(error)
        if self._line is not None:
            with suppress(AuditError):  # the log itself may be what failed
                self._line.end(said, self._export.progress.rows)
        self._word("cancelled" if isinstance(error, CancelledError) else "failed", said)
        ended = {"state": "interrupted"} if stopped else {"state": "failed", "error": said}
        return {"reading": None, **ended}

    def progress(self) -> dict[str, Any]:
        now = self._export.progress
        return {"rows": now.rows, "bytes": self._size, "reading": now.table}

    def stop(self) -> None:
        self._export.cancel()

    def undo(self) -> None:
        _remove(self._jobs.result(self._id))

    def _written(self) -> dict[str, Any]:
        export, digest = self._export, hashlib.sha256()

        def counted() -> Iterator[bytes]:
            for chunk in considerate(export if self._line is None else self._line.watch(export)):
                digest.update(chunk)
                self._size += len(chunk)
                self._room.check(self._size)
                yield chunk

        try:
            with room_in("The folder of the jobs"):
                write_whole(self._jobs.result(self._id), coalesced(counted()))
        finally:
            export.close()
        if self._line is not None:  # before the job is done: if the log cannot be written, no export is complete
            self._line.end("complete", export.progress.rows)
        self._word("complete", None)
        return {"sha256": digest.hexdigest(), "filename": export.filename, "media_type": export.media_type}


class _Room:
    """How much the result of a job may fill, beside those of others, which grow meanwhile."""

    def __init__(self, jobs: Jobs, job: Job) -> None:
        self._store = jobs.store
        self._job = job
        self._most = jobs.settings.jobs_disk_mb
        self._share = SHARE_SIGNED_IN if job.person is not None else SHARE_ANONYMOUS
        self._left = self._left_to_me = 0.0
        self._counted: float | None = None

    def check(self, size: int) -> None:
        """Check that a result of so many bytes fits. Raises SpoolFullError if it does not."""
        if self._counted is None or monotonic() - self._counted > TICK:
            self._count()
        if size > self._left:
            raise SpoolFullError(
                f"The results of all jobs may fill {self._most:,g} MB (jobs_disk_mb), and this would be more. "
                f"{_ASK_LESS}"
            )
        if size > self._left_to_me:
            whose = "Your results" if self._job.person is not None else "The results of visitors who are not signed in"
            raise SpoolFullError(
                f"{whose} may fill {self._share:.0%} of the {self._most:,g} MB (jobs_disk_mb), and this "
                f"would be more. {_ASK_LESS}"
            )

    def _count(self) -> None:
        filled, mine = self._store.filled(self._job.person, self._job.id, "running", "done")
        self._left, self._left_to_me = self._most * 1e6 - filled, self._share * self._most * 1e6 - mine
        self._counted = monotonic()


def _sentence(error: Exception) -> str:
    if isinstance(error, CancelledError):
        return "The job was cancelled."
    if isinstance(error, ExportError):
        return str(error)
    return f"The export failed ({type(error).__name__}). Tell the person who runs this site."  # no values, no SQL


def _remove(path: Path) -> None:
    with suppress(OSError):  # already removed; or open for a download on Windows: removed the next time
        path.unlink()
