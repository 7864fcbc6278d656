"""Uploaded files that wait to be imported: their states, and the work on them.

looking ──> previewed ──> importing ──> done         the file is removed, the report stays
                ^             ├──> refused           the report says why; nothing was changed
                │             └──> failed, cancelled, interrupted
                └── the file is still there: preview or import it again
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from time import time
from typing import Any, ClassVar

from ...errors import BusyError, CancelledError, ConflictError, ExportError, SpoolFullError
from ...files.temporary.folder import PREFIX, TemporaryFolder, sweep
from ...importing.progress import ImportProgress
from ...options.settings import Settings
from .folder import Instance
from .slots import may_take
from .task_file import TaskFile
from .task_store import Task
from .tasks import Tasks, Work

_AT_WORK = "This file is being worked on already."
BAD_ROWS = "bad-rows.ndjson"  # in the folder of an import: the rows that were set aside, with their reasons
_INTERRUPTED = {
    "error": "The server was stopped. An import is all or nothing: look at the preview again to see which it is."
}


@dataclass(frozen=True, kw_only=True)
class Import(Task):
    """One uploaded file.

    ``choices`` are the fields of ``ImportChoices``; ``report`` is an ImportReport as data.
    """

    TABLE = "imports"
    ACTIVE = ("looking", "importing")
    JSON = ("choices", "report")

    actor: str | None
    file: str
    stored: str
    stage: str = "reading"
    choices: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    status: int = 200


class Imports(Tasks[Import]):
    """The imports of this server; each has a folder with its file."""

    noun = "import"
    thread_name = "program-import"
    interrupted = _INTERRUPTED

    def __init__(self, folder: Path, file: TaskFile, settings: Settings, instance: Instance) -> None:
        super().__init__(file, Import, settings, instance)
        self.folder = folder

    def place(self, id_: str) -> Path:
        """Return the folder of an import."""
        return self.folder / id_

    def make_room(self) -> TemporaryFolder:
        """Make a temporary folder beside those of the imports: for a file that arrives, or a copy of a database."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        return TemporaryFolder(self.folder)

    def make_place(self, id_: str) -> Path:
        """Create the folder of an import, readable only by the server's user."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        place = self.place(id_)
        place.mkdir(mode=0o700)
        return place

    def check_room(self, more: int) -> None:
        """Check that a file of ``more`` bytes still fits. Raises SpoolFullError if it does not."""
        filled = sum(path.stat().st_size for path in self.folder.glob("*/*")) if self.folder.is_dir() else 0
        if filled + more > self.settings.jobs_disk_mb * 1e6:
            raise SpoolFullError(
                f"The files that wait to be imported may fill {self.settings.jobs_disk_mb:,g} MB (jobs_disk_mb). "
                "Delete one that is not needed any more."
            )

    def begin(self, one: Import, work: ImportWork) -> None:
        """Start work on an import, on a thread. Raises BusyError, ConflictError."""
        begun = replace(
            one, instance=self.instance.name, state=work.active_state, stage="reading", rows=0, error=None, status=200,
            ended=None, stopping=None,
        )  # fmt: skip
        if not self._begin(begun, work):
            raise ConflictError(_AT_WORK)

    def cancel(self, one: Import) -> None:
        """Ask a running import to stop; one that is just being committed is not undone."""
        self.store.note(one.id, stopping=1)
        self._stop(one.id)

    def delete(self, one: Import) -> None:
        """Delete an import and its file. Raises ConflictError while it is being worked on."""
        if not self.store.delete(one.id, active=False):
            raise ConflictError("This file is being worked on; cancel that first.")
        self.remove_place(one.id)

    def remove_place(self, id_: str) -> None:
        """Remove the folder of an import."""
        shutil.rmtree(self.place(id_), ignore_errors=True)

    def tidy(self) -> None:
        """Mark interrupted imports and remove old ones.

        Folders without an import are removed only after the same time, because one may just be beginning.
        """
        super().tidy()
        sweep(self.folder)
        self.store.forget(self._seconds_kept)
        found = [path for path in self.folder.glob("*") if not path.name.startswith(PREFIX)]
        wanted = self.store.ids()  # after listing: a newer folder is not in the list
        for path in found:
            with suppress(FileNotFoundError):  # another server may tidy at the same time
                if path.name not in wanted and path.stat().st_mtime <= time() - self._seconds_kept:
                    self.remove_place(path.name)

    def gone_at(self, one: Import) -> float:
        """Return the time at which an import is removed, in seconds since 1970."""
        return (one.ended or one.created) + self._seconds_kept

    def _admit(self, task: Import) -> None:
        if task.id in self._running:
            raise ConflictError(_AT_WORK)
        if not may_take(self.settings.max_jobs, self._held(), task.person):
            raise BusyError("Too many imports are running at once. Try again in a moment.")


class ImportWork(ImportProgress, Work):
    """Work on the file of one import in the folder ``place``; the import has ``active_state`` meanwhile."""

    active_state: ClassVar[str]

    def __init__(self, one: Import, place: Path) -> None:
        ImportProgress.__init__(self)
        Work.__init__(self)
        self.one = one
        self.place = place
        self.file = place / one.stored
        self._stopped = Event()

    def cancelled(self) -> bool:
        """Return whether somebody asked the work to end."""
        return self._stopped.is_set()

    def failed(self, error: Exception) -> dict[str, Any]:
        if isinstance(error, CancelledError):
            if self.server_stops:
                return {"state": "interrupted", **_INTERRUPTED}
            return {"state": "cancelled", "error": str(error), "report": None}
        if isinstance(error, ExportError):
            said, status = str(error), error.status
        elif isinstance(error, OSError):
            said, status = f"The server's disk takes no more ({error.strerror}). Nothing was changed.", 507
        else:  # no values and no SQL in the message
            said, status = f"It failed ({type(error).__name__}). Tell the person who runs this site.", 500
        return {"state": "failed", "error": said, "status": status, "report": None}

    def progress(self) -> dict[str, Any]:
        return {"rows": self.rows, "stage": self.stage}

    def stop(self) -> None:
        self._stopped.set()

    def undo(self) -> None:
        """Do nothing: the file stays, and so do imported rows."""


def as_data(value: Any) -> dict[str, Any]:
    """Return a report as JSON data, as it is stored."""
    found: dict[str, Any] = value.model_dump(mode="json")
    return found
